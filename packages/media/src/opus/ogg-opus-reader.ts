import { MediaError } from "../errors.ts";
import {
  OggOpusDemuxer,
  type OggOpusHandler,
  type OggOpusLimits,
  type OggOpusLink,
} from "./ogg-opus-demuxer.ts";

/** A packet that owns its bytes. */
export interface OpusFilePacket {
  readonly link: number;
  /** Empty = lost, by the encoder's own mark. */
  readonly data: Uint8Array;
  /** Duration in sample frames at 48 kHz, from its first bytes; 0 where they are no valid Opus. */
  readonly frames: number;
  /** Granule position at its end, undefined in containers without one. */
  readonly granule: number | undefined;
  /** Decoded frames to drop at its start (pre-skip) and end (end trim). */
  readonly skipStart: number;
  readonly trimEnd: number;
  /** Frames at 48 kHz that are missing before this packet; 0 unless something was lost or left out. */
  readonly gapBefore: number;
  /** Something is missing before this packet, even where its length is not known. */
  readonly discontinuity: boolean;
}

/** A place where sound is missing. */
export interface OpusGap {
  readonly link: number;
  /** At 48 kHz; 0 where the file cannot tell. */
  readonly frames: number;
  /** Number of the Ogg page where it shows; undefined in other containers. */
  readonly page: number | undefined;
}

/** What was wrong with a file; complete once all packets were read. */
export interface OggOpusReport {
  readonly truncated: boolean;
  /** Bytes that belong to no whole page. */
  readonly damagedBytes: number;
  readonly gaps: number;
  readonly gapFrames: number;
  /** The first 100 of the gaps. */
  readonly firstGaps: readonly OpusGap[];
}

/** An Opus file of any container, read packet by packet. */
export interface OpusFileReader {
  /** Streams found so far; a chained file shows later ones as they are reached. */
  readonly links: readonly OggOpusLink[];
  /** What was missing or damaged so far. */
  readonly report: OggOpusReport;
  /** All packets, in the order of the file; to be taken once. */
  packets(): AsyncGenerator<OpusFilePacket>;
}

/** The push part of a reader. */
export interface OpusDemuxer {
  push(bytes: Uint8Array): void;
  end(): { readonly truncated: boolean };
}

/** Bytes or pieces of them, from a file, a response, memory. */
export type ByteSource = Uint8Array | AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/**
 * Pull reader for Ogg Opus files. Memory is a page and a piece of the source.
 *
 * @example
 * const reader = await OggOpusReader.open(createReadStream("talk.opus"));
 * for await (const { data, skipStart, trimEnd } of reader.packets()) ...
 */
export class OggOpusReader implements OpusFileReader {
  readonly #pieces: AsyncIterator<Uint8Array> | Iterator<Uint8Array>;
  readonly #demuxer: OpusDemuxer;
  readonly #links: OggOpusLink[] = [];
  #queue: OpusFilePacket[] = [];
  #gapFrames = 0;
  #gapOpen = false;
  #report = { truncated: false, damagedBytes: 0, gaps: 0, gapFrames: 0 };
  readonly #firstGaps: OpusGap[] = [];
  #ended = false;

  private constructor(source: ByteSource, makeDemuxer: (handler: OggOpusHandler) => OpusDemuxer) {
    this.#pieces = iterate(source);
    this.#demuxer = makeDemuxer({
      link: (link) => this.#links.push(link),
      packet: ({ link, bytes, start, end, frames, granule, skipStart, trimEnd }) => {
        this.#queue.push({
          link,
          data: bytes.slice(start, end),
          frames,
          granule,
          skipStart,
          trimEnd,
          gapBefore: this.#gapFrames,
          discontinuity: this.#gapOpen,
        });
        this.#gapFrames = 0;
        this.#gapOpen = false;
      },
      gap: (link, frames, page) => {
        if (this.#firstGaps.length < maxGaps) this.#firstGaps.push({ link, frames, page });
        this.#gapOpen = true;
        this.#gapFrames += frames;
        this.#report.gaps++;
        this.#report.gapFrames += frames;
      },
      damage: (count) => {
        this.#report.damagedBytes += count;
      },
    });
  }

  /**
   * Reads up to the first packet of sound, so that `links[0]` is there.
   * @throws MediaError `media/not-opus`, `media/empty`, `media/limit`
   */
  static async open(source: ByteSource, limits: Partial<OggOpusLimits> = {}): Promise<OggOpusReader> {
    return OggOpusReader.openWith(source, (handler) => new OggOpusDemuxer(handler, limits));
  }

  /** As `open`, with another demuxer that tells what it finds in the same words. */
  static async openWith(
    source: ByteSource,
    makeDemuxer: (handler: OggOpusHandler) => OpusDemuxer,
  ): Promise<OggOpusReader> {
    const reader = new OggOpusReader(source, makeDemuxer);
    while (reader.#links.length === 0 && (await reader.#more()));
    if (reader.#links.length > 0) return reader;
    throw new MediaError("media/not-opus", "There is no Opus stream in the input.");
  }

  /** Streams found so far; a chained file shows later ones as they are reached. */
  get links(): readonly OggOpusLink[] {
    return this.#links;
  }

  /** What was missing or damaged so far. */
  get report(): OggOpusReport {
    return { ...this.#report, firstGaps: [...this.#firstGaps] };
  }

  /** All packets, in the order of the file; to be taken once. */
  async *packets(): AsyncGenerator<OpusFilePacket> {
    do {
      const queue = this.#queue;
      this.#queue = [];
      yield* queue;
    } while (this.#queue.length > 0 || (await this.#more()));
  }

  /** Pushes the next piece; false at the end. */
  async #more(): Promise<boolean> {
    if (this.#ended) return false;
    const { done, value } = await this.#pieces.next();
    if (done) {
      this.#ended = true;
      this.#report.truncated = this.#demuxer.end().truncated;
      return this.#queue.length > 0;
    }
    this.#demuxer.push(value);
    return true;
  }
}

/** Gaps that a report tells one by one. */
const maxGaps = 100;

/** Longest piece that is parsed before its packets are taken. */
const pieceBytes = 1 << 16;

function* cut(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

async function* cutAll(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const piece of source) yield* cut(piece);
}

function iterate(source: ByteSource): AsyncIterator<Uint8Array> | Iterator<Uint8Array> {
  return source instanceof Uint8Array ? cut(source) : cutAll(source);
}
