import { MediaError } from "../errors.ts";
import { OggDemuxer, type OggLimits } from "../ogg/ogg-demuxer.ts";
import { hasMagic, type OpusHead, parseOpusHead } from "./opus-head.ts";
import { isOpusTags, type OpusTagLimits, type OpusTags, parseOpusTags } from "./opus-tags.ts";
import { opusPacketFrames } from "./packet-frames.ts";

/** One Opus stream of a file; a chained file has several, one after the other. */
export interface OggOpusLink {
  readonly head: OpusHead;
  /** Empty where the comment header was lost or damaged. */
  readonly tags: OpusTags;
  readonly serial: number;
  /** Granule position at which the sound begins; above 0 for a capture that joined a live stream. */
  readonly startGranule: number;
}

/**
 * A packet of an Ogg Opus file. The demuxer uses one object for all of them: it and its buffer are valid only during the
 * call.
 */
export interface OggOpusPacket {
  /** Index of its link. */
  link: number;
  bytes: Uint8Array;
  start: number;
  /** `bytes[start, end)`; empty = a lost frame, marked by the encoder. */
  end: number;
  /** Duration in sample frames at 48 kHz; 0 for a packet whose first bytes are no valid Opus. */
  frames: number;
  /** Granule position at its end (pre-skip included, before end trim). */
  granule: number;
  /** Decoded frames to drop at its start (pre-skip) and at its end (end trim). */
  skipStart: number;
  trimEnd: number;
}

/** What an `OggOpusDemuxer` finds, in the order of the file. */
export interface OggOpusHandler {
  /** A link begins: its headers and start are known. */
  link?(link: OggOpusLink, index: number): void;
  packet?(packet: OggOpusPacket): void;
  /**
   * Sound is missing before the next packet: `frames` at 48 kHz by the granule positions, 0 where they cannot tell. `page` is
   * the number of the Ogg page where it shows; undefined in other containers.
   */
  gap?(link: number, frames: number, page?: number): void;
  /** Bytes of the file that belong to no whole page. */
  damage?(count: number): void;
}

/** Limits of the reader. */
export interface OggOpusLimits extends OggLimits, OpusTagLimits {
  /** Links of a chain; more is `media/limit`; default 10,000. */
  readonly maxLinks: number;
}

/** Packets that can end on one page: one per lacing value. */
const maxPagePackets = 255;

const emptyTags: OpusTags = { vendor: "", comments: [], binary: new Uint8Array(0) };

interface OpusStream {
  readonly serial: number;
  head: OpusHead | undefined;
  tags: OpusTags | undefined;
  /** Index of the link, -1 until its first page of sound. */
  link: number;
  /** Granule position after the last packet. */
  position: number;
  /** Frames of pre-skip still to drop. */
  skip: number;
  gap: boolean;
  /** Packets of the page at hand: their bytes one after the other, ends and durations. */
  page: Uint8Array;
  pageLength: number;
  count: number;
  readonly ends: Uint32Array;
  readonly frames: Uint16Array;
}

/**
 * Reads Ogg Opus (RFC 7845) from pieces of any size: headers, granule positions, pre-skip, end trim, chains, several
 * streams, losses. Streams that are not Opus are passed over. After damage only what was damaged is missing, and reported
 * as a gap. Nothing is allocated per packet or page once a stream has warmed up.
 */
export class OggOpusDemuxer {
  readonly #handler: OggOpusHandler;
  readonly #limits: Partial<OggOpusLimits>;
  readonly #maxLinks: number;
  readonly #demuxer: OggDemuxer;
  readonly #streams = new Map<number, OpusStream>();
  #links = 0;
  readonly #packet: OggOpusPacket = {
    link: 0,
    bytes: new Uint8Array(0),
    start: 0,
    end: 0,
    frames: 0,
    granule: 0,
    skipStart: 0,
    trimEnd: 0,
  };

  constructor(handler: OggOpusHandler, limits: Partial<OggOpusLimits> = {}) {
    this.#handler = handler;
    this.#limits = limits;
    this.#maxLinks = limits.maxLinks ?? 10_000;
    this.#demuxer = new OggDemuxer(
      {
        begin: (serial) => this.#begin(serial),
        packet: (serial, bytes, start, end) => this.#take(serial, bytes, start, end),
        pageEnd: (serial, granule, eos, page) => this.#pageEnd(serial, granule, eos, page),
        gap: (serial) => {
          const stream = this.#streams.get(serial);
          if (stream !== undefined) stream.gap = true;
        },
        abandon: (serial) => this.#abandon(serial),
        damage: (count) => handler.damage?.(count),
      },
      limits,
    );
  }

  /** Links found so far. */
  get linkCount(): number {
    return this.#links;
  }

  /**
   * Takes the next piece of the file.
   * @throws MediaError `media/not-opus` for an Opus header that cannot be used, `media/limit`
   */
  push(bytes: Uint8Array): void {
    this.#demuxer.push(bytes);
  }

  /**
   * Says that the file ends here. `truncated`: it ended inside a page or before a stream's last page.
   * @throws MediaError `media/not-opus` if there was no Opus stream
   */
  end(): { readonly truncated: boolean } {
    const result = this.#demuxer.end();
    // A file that ends right after its headers has a link without sound.
    for (const stream of this.#streams.values()) if (stream.head !== undefined) this.#startLink(stream, 0);
    if (this.#links === 0) {
      throw new MediaError("media/not-opus", "There is no Opus stream in the input; is it an Ogg Opus file?");
    }
    return result;
  }

  #begin(serial: number): void {
    this.#streams.set(serial, {
      serial,
      head: undefined,
      tags: undefined,
      link: -1,
      position: 0,
      skip: 0,
      gap: false,
      page: new Uint8Array(0),
      pageLength: 0,
      count: 0,
      ends: new Uint32Array(maxPagePackets),
      frames: new Uint16Array(maxPagePackets),
    });
  }

  #abandon(serial: number): void {
    const stream = this.#streams.get(serial);
    if (stream?.head !== undefined) this.#startLink(stream, 0);
    this.#streams.delete(serial);
  }

  #take(serial: number, bytes: Uint8Array, start: number, end: number): void {
    const stream = this.#streams.get(serial);
    if (stream === undefined) return;
    if (stream.head === undefined) {
      if (hasMagic(bytes, "OpusHead", start)) {
        stream.head = parseOpusHead(bytes.subarray(start, end));
        stream.skip = stream.head.preSkip;
      } else this.#streams.delete(serial);
    } else if (stream.tags === undefined) {
      if (isOpusTags(bytes, start)) stream.tags = this.#parseTags(bytes.subarray(start, end));
      else {
        stream.tags = emptyTags;
        this.#keep(stream, bytes, start, end);
      }
    } else this.#keep(stream, bytes, start, end);
  }

  /** Damaged tags lose themselves only; a limit is the caller's and stops. */
  #parseTags(bytes: Uint8Array): OpusTags {
    try {
      return parseOpusTags(bytes, this.#limits);
    } catch (error) {
      if (error instanceof MediaError && error.code === "media/not-opus") return emptyTags;
      throw error;
    }
  }

  /** Copies a packet into the stream's page; its place in time is known when the page ends. */
  #keep(stream: OpusStream, bytes: Uint8Array, start: number, end: number): void {
    const length = stream.pageLength + end - start;
    if (length > stream.page.length) {
      const larger = new Uint8Array(Math.max(length, 2 * stream.page.length, 4096));
      larger.set(stream.page.subarray(0, stream.pageLength));
      stream.page = larger;
    }
    for (let i = start; i < end; i++) stream.page[stream.pageLength++] = bytes[i]!;
    stream.ends[stream.count] = stream.pageLength;
    stream.frames[stream.count++] = end > start ? packetFramesAt(bytes, start, end) : 0;
  }

  #pageEnd(serial: number, granule: number, eos: boolean, page: number): void {
    const stream = this.#streams.get(serial);
    if (stream?.head === undefined) return;
    const { count } = stream;
    if (count > 0) {
      let total = 0;
      for (let i = 0; i < count; i++) total += stream.frames[i]!;
      const trim = this.#place(stream, granule, total, eos, page);
      this.#emit(stream, count, total, trim);
      stream.count = 0;
      stream.pageLength = 0;
    }
    if (eos) {
      this.#startLink(stream, 0);
      this.#streams.delete(serial);
    }
  }

  /** Sets where the page's packets begin, reports what is missing before them; returns the frames to trim at the end. */
  #place(stream: OpusStream, granule: number, total: number, eos: boolean, page: number): number {
    if (granule < 0) {
      this.#startLink(stream, 0);
      this.#reportGap(stream, 0, page);
      return 0;
    }
    const start = granule - total;
    if (stream.link < 0) {
      // The first page tells where the stream begins; a last page that is the first one begins at 0 (section 4.3).
      this.#startLink(stream, Math.max(0, start));
      this.#reportGap(stream, 0, page);
      return eos && start < 0 ? -start : 0;
    }
    const missing = start - stream.position;
    if (missing > 0) stream.gap = true;
    this.#reportGap(stream, Math.max(0, missing), page);
    if (missing > 0) stream.position = start;
    return eos && missing < 0 ? Math.min(total, -missing) : 0;
  }

  #reportGap(stream: OpusStream, frames: number, page: number): void {
    if (!stream.gap) return;
    stream.gap = false;
    stream.skip = Math.max(0, stream.skip - frames);
    this.#handler.gap?.(stream.link, frames, page);
  }

  #startLink(stream: OpusStream, startGranule: number): void {
    if (stream.link >= 0) return;
    if (this.#links >= this.#maxLinks) {
      throw new MediaError("media/limit", `The file has more than ${this.#maxLinks} Opus streams.`);
    }
    stream.link = this.#links++;
    stream.position = startGranule;
    const { head, serial } = stream;
    this.#handler.link?.({ head: head!, tags: stream.tags ?? emptyTags, serial, startGranule }, stream.link);
  }

  #emit(stream: OpusStream, count: number, total: number, trim: number): void {
    const packet = this.#packet;
    packet.link = stream.link;
    packet.bytes = stream.page;
    let start = 0;
    // Frames of the page that are behind the packet at hand.
    let behind = total;
    for (let i = 0; i < count; i++) {
      const frames = stream.frames[i]!;
      behind -= frames;
      stream.position += frames;
      packet.start = start;
      packet.end = stream.ends[i]!;
      packet.frames = frames;
      packet.granule = stream.position;
      packet.skipStart = Math.min(stream.skip, frames);
      packet.trimEnd = Math.min(frames, Math.max(0, trim - behind));
      stream.skip -= packet.skipStart;
      start = packet.end;
      this.#handler.packet?.(packet);
    }
  }
}

/** As `opusPacketFrames`, for a packet inside a larger buffer. */
function packetFramesAt(bytes: Uint8Array, start: number, end: number): number {
  header[0] = bytes[start]!;
  header[1] = end - start > 1 ? bytes[start + 1]! : 0;
  return opusPacketFrames(header);
}

const header = new Uint8Array(2);
