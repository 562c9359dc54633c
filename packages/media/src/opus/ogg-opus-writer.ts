import { MediaError } from "../errors.ts";
import { OggMuxer, type OggSink } from "../ogg/ogg-muxer.ts";
import { type OpusHead, writeOpusHead } from "./opus-head.ts";
import { type OpusTags, writeOpusTags } from "./opus-tags.ts";
import { opusPacketFrames } from "./packet-frames.ts";

/** How to write an Ogg Opus file. */
export interface OggOpusWriterOptions {
  readonly head: OpusHead;
  /** Default: the vendor "longwave" and no comments. */
  readonly tags?: OpusTags | undefined;
  /** Serial number of the stream, u32; derive it from the content where the file must be reproducible. */
  readonly serial: number;
  /** Longest time that a page holds back packets; default 1000 ms, as opusenc. */
  readonly maxDelayMs?: number | undefined;
}

/**
 * Writes Ogg Opus (RFC 7845). Packets go in as they are; durations come from their first bytes. The head and the tags are
 * written at once, the last page by `finish`.
 *
 * @example
 * const writer = new OggOpusWriter((bytes) => file.writeSync(bytes), { head: plainOpusHead(2, 312), serial: 1 });
 * for (const packet of packets) writer.write(packet);
 * writer.finish(totalFrames);
 */
export class OggOpusWriter {
  readonly #muxer: OggMuxer;
  readonly #preSkip: number;
  readonly #maxDelayFrames: number;
  #granule = 0;
  /** Granule of the last page that was written. */
  #written = 0;
  #finished = false;

  /** @throws MediaError `media/bad-argument` */
  constructor(sink: OggSink, options: OggOpusWriterOptions) {
    this.#muxer = new OggMuxer(sink, options.serial);
    this.#preSkip = options.head.preSkip;
    this.#maxDelayFrames = (options.maxDelayMs ?? 1000) * 48;
    if (!(this.#maxDelayFrames >= 0)) {
      throw new MediaError(
        "media/bad-argument",
        `maxDelayMs must not be negative, not ${options.maxDelayMs}.`,
      );
    }
    this.#muxer.packet(writeOpusHead(options.head), 0);
    this.#muxer.flush();
    const tags = options.tags ?? { vendor: "longwave", comments: [], binary: new Uint8Array(0) };
    this.#muxer.packet(writeOpusTags(tags), 0);
    this.#muxer.flush();
  }

  /** Granule position at the end of what was written: 48 kHz frames, pre-skip included. */
  get granule(): number {
    return this.#granule;
  }

  /**
   * Adds a packet. `bytes` are copied.
   * @throws MediaError `media/bad-argument` for bytes that give no duration (empty, or over 120 ms), `media/bad-state`
   */
  write(bytes: Uint8Array): void {
    if (this.#finished) throw new MediaError("media/bad-state", "The file was finished.");
    const frames = opusPacketFrames(bytes);
    if (frames === 0) {
      throw new MediaError("media/bad-argument", `A packet of ${bytes.length} bytes is no Opus packet.`);
    }
    const full = this.#granule + frames - this.#written > this.#maxDelayFrames;
    if (!this.#muxer.isEmpty && (full || this.#muxer.room < 1 + Math.floor(bytes.length / 255))) this.flush();
    this.#granule += frames;
    this.#muxer.packet(bytes, this.#granule);
  }

  /** Writes what is held back, for a live stream that must not wait. */
  flush(): void {
    if (this.#muxer.isEmpty) return;
    this.#muxer.flush();
    this.#written = this.#granule;
  }

  /**
   * Writes the last page.
   * @param totalFrames length of the sound at 48 kHz without pre-skip; default all that the packets hold. It cuts the end of
   *   the packets that still wait, so less than what is written already is `media/bad-argument`.
   */
  finish(totalFrames?: number): void {
    if (this.#finished) return;
    const end = totalFrames === undefined ? this.#granule : totalFrames + this.#preSkip;
    if (!(Number.isInteger(end) && end >= this.#written && end <= this.#granule)) {
      throw new MediaError(
        "media/bad-argument",
        `The sound can end at frame ${this.#written - this.#preSkip} to ${this.#granule - this.#preSkip}, not at ${totalFrames}.`,
      );
    }
    this.#finished = true;
    this.#muxer.end(end);
  }
}
