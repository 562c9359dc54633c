import { MediaError } from "../errors.ts";
import { type OggPage, OggPageParser } from "./ogg-page-parser.ts";

/** Limits against hostile streams. */
export interface OggLimits {
  /** Longest packet that is put together from several pages; longer ones are dropped as a gap; default 16 MiB. */
  readonly maxPacketBytes: number;
  /** Logical streams that are open at once; more is `media/limit`; default 64. */
  readonly maxStreams: number;
}

export const defaultOggLimits: OggLimits = { maxPacketBytes: 16 << 20, maxStreams: 64 };

/** What a demuxer finds. Buffers are valid only during the call. */
export interface OggHandler {
  /** A logical stream begins; its first packet follows. */
  begin(serial: number): void;
  /** A whole packet: `bytes[start, end)`, which may be empty. */
  packet(serial: number, bytes: Uint8Array, start: number, end: number): void;
  /**
   * All packets that end on a page were handed out. `granule` is the page's, -1 where no packet ends on it; `page` is its
   * number.
   */
  pageEnd(serial: number, granule: number, eos: boolean, page: number): void;
  /** Before or on the page of this number, pages of the stream are missing, or a packet of it was cut or too long. */
  gap(serial: number, page: number): void;
  /** A stream is over without its last page, because the next link of a chain begins. */
  abandon?(serial: number): void;
  /** Bytes of the file that belong to no whole page. */
  damage?(count: number): void;
}

interface Stream {
  sequence: number;
  /** The start of a packet that goes on on the next page. */
  partial: Uint8Array;
  partialLength: number;
  /** A packet is being put together. */
  open: boolean;
}

/**
 * Takes logical streams apart into packets (RFC 3533): lacing, packets over many pages, holes in the page numbers,
 * multiplexed and chained streams. After the first pages of data, a page that begins a stream ends all older ones.
 * Nothing is allocated per packet or page once the streams are open.
 */
export class OggDemuxer {
  readonly #handler: OggHandler;
  readonly #limits: OggLimits;
  readonly #parser: OggPageParser;
  readonly #streams = new Map<number, Stream>();
  /** Data pages were seen, so the next beginning starts a new link of the chain. */
  #inData = false;
  #damagedBytes = 0;

  constructor(handler: OggHandler, limits: Partial<OggLimits> = {}) {
    this.#handler = handler;
    this.#limits = { ...defaultOggLimits, ...limits };
    this.#parser = new OggPageParser({
      page: (page) => this.#page(page),
      damage: (count) => {
        this.#damagedBytes += count;
        this.#handler.damage?.(count);
      },
    });
  }

  /** Bytes so far that belong to no whole page. */
  get damagedBytes(): number {
    return this.#damagedBytes;
  }

  /** Takes the next piece of the file. @throws MediaError `media/limit` for too many streams at once */
  push(bytes: Uint8Array): void {
    this.#parser.push(bytes);
  }

  /** Says that the file ends. `truncated`: it ended inside a page or before the last page of a stream. */
  end(): { readonly truncated: boolean } {
    const { truncated } = this.#parser.end();
    return { truncated: truncated || this.#streams.size > 0 };
  }

  #page(page: OggPage): void {
    const { serial } = page;
    let stream = this.#streams.get(serial);
    if (page.bos) {
      if (this.#inData) this.#abandonAll();
      stream = this.#open(serial, page.sequence);
    } else {
      this.#inData = true;
      if (stream === undefined) return;
      this.#checkSequence(stream, page);
    }
    this.#packets(stream, page);
    this.#handler.pageEnd(serial, page.granule, page.eos, page.sequence);
    if (page.eos) this.#streams.delete(serial);
  }

  #abandonAll(): void {
    for (const serial of this.#streams.keys()) this.#handler.abandon?.(serial);
    this.#streams.clear();
    this.#inData = false;
  }

  #open(serial: number, sequence: number): Stream {
    if (this.#streams.size >= this.#limits.maxStreams && !this.#streams.has(serial)) {
      throw new MediaError(
        "media/limit",
        `The Ogg file has more than ${this.#limits.maxStreams} streams at once.`,
      );
    }
    const stream = { sequence, partial: new Uint8Array(0), partialLength: 0, open: false };
    this.#streams.set(serial, stream);
    this.#handler.begin(serial);
    return stream;
  }

  #checkSequence(stream: Stream, page: OggPage): void {
    const expected = (stream.sequence + 1) >>> 0;
    stream.sequence = page.sequence;
    const broken = page.sequence !== expected || page.continued !== stream.open;
    if (!broken) return;
    stream.open = false;
    stream.partialLength = 0;
    this.#handler.gap(page.serial, page.sequence);
  }

  #packets(stream: Stream, page: OggPage): void {
    const { bytes, lacingStart, lacingCount } = page;
    // The rest of a packet whose beginning was lost is passed over.
    let dropping = page.continued && !stream.open;
    let start = page.bodyStart;
    let end = start;
    for (let i = 0; i < lacingCount; i++) {
      const lacing = bytes[lacingStart + i]!;
      end += lacing;
      if (lacing === 255) continue;
      if (dropping) dropping = false;
      else if (stream.open) this.#finishPacket(stream, page, start, end);
      else this.#handler.packet(page.serial, bytes, start, end);
      start = end;
    }
    const unfinished = lacingCount > 0 && bytes[lacingStart + lacingCount - 1] === 255;
    if (unfinished && !dropping) this.#keep(stream, page, start, end);
  }

  #finishPacket(stream: Stream, page: OggPage, start: number, end: number): void {
    this.#keep(stream, page, start, end);
    const length = stream.partialLength;
    stream.open = false;
    stream.partialLength = 0;
    if (length <= this.#limits.maxPacketBytes) this.#handler.packet(page.serial, stream.partial, 0, length);
  }

  /** Adds a piece to the packet at hand; one that is too long is only counted, and reported as a gap once. */
  #keep(stream: Stream, page: OggPage, start: number, end: number): void {
    const { maxPacketBytes } = this.#limits;
    const length = stream.partialLength + end - start;
    stream.open = true;
    if (length > maxPacketBytes) {
      if (stream.partialLength <= maxPacketBytes) this.#handler.gap(page.serial, page.sequence);
      stream.partialLength = Math.max(length, maxPacketBytes + 1);
      return;
    }
    if (length > stream.partial.length) {
      const larger = new Uint8Array(Math.min(maxPacketBytes, Math.max(length, 2 * stream.partial.length)));
      larger.set(stream.partial.subarray(0, stream.partialLength));
      stream.partial = larger;
    }
    for (let i = start; i < end; i++) stream.partial[stream.partialLength++] = page.bytes[i]!;
  }
}
