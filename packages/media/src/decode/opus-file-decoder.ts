import { isLongwaveError } from "@longwave/base";
import { MediaError } from "../errors.ts";
import { opusHeadInWaveOrder } from "../opus/channel-order.ts";
import type { OpusFilePacket } from "../opus/ogg-opus-reader.ts";
import { openOpusFile } from "../opus/open-opus-file.ts";
import type { OpusHead } from "../opus/opus-head.ts";
import type { DecoderFactory, SeekableDecoder } from "../opus/seekable-decoder.ts";
import { mixChannels, mixMatrix } from "../pcm/mix-channels.ts";
import { type AudioDecoder, throwIfAborted, turn } from "./audio-decoder.ts";
import { addWarning } from "./decoder-reports.ts";
import type { PcmSink } from "./pcm-sink.ts";

/** Longest packet, and the most that is concealed in one call: 120 ms at 48 kHz. */
const maxFrames = 5760;

/** Longest gap that is filled; a longer one is a jump of the clock, or a lie. */
const maxGapFrames = 10 * 48_000;

/** Packets between two looks at the signal. */
const packetsPerTurn = 256;

/**
 * An `AudioDecoder` for Opus in Ogg and WebM around a decoder that is passed in. Pre-skip, end trim and the header's gain are
 * applied; lost and malformed packets are concealed, gaps of up to 10 s filled; the links of a chain follow each other in the
 * channels of the first one. Channels come in WAVE order.
 *
 * @example
 * import { createSeekableDecoder } from "@longwave/opus";
 * const decoders = [opusFileDecoder(createSeekableDecoder)];
 * const { pcm } = await decodeAudioFile("talk.opus", { decoders });
 */
export function opusFileDecoder(makeDecoder: DecoderFactory, profile = "opus-1"): AudioDecoder {
  return {
    name: "opus",
    formats: ["ogg-opus", "matroska"],
    async decode(bytes, sink, signal) {
      const reader = await openContainer(bytes);
      const output = new OpusOutput(sink, makeDecoder, profile);
      try {
        let count = 0;
        for await (const packet of reader.packets()) {
          output.take(packet, reader.links[packet.link]!.head);
          if (++count % packetsPerTurn === 0) await turn();
          throwIfAborted(signal);
        }
      } finally {
        output.close();
      }
      const { truncated, damagedBytes, gaps } = reader.report;
      if (truncated) output.warnings.push("The file ends before its last page or inside an element.");
      if (gaps > 0) output.warnings.push(`${gaps} gaps; ${damagedBytes} bytes of the file are damaged.`);
      return { truncated: truncated || gaps > 0 || output.warnings.length > 0, warnings: output.warnings };
    },
  };
}

/** Matroska files without Opus belong to another decoder. */
async function openContainer(bytes: Uint8Array): ReturnType<typeof openOpusFile> {
  try {
    return await openOpusFile(bytes);
  } catch (error) {
    if (bytes[0] !== 0x1a || !isLongwaveError(error, "media/not-opus")) throw error;
    throw new MediaError("media/no-decoder", "The Matroska file has no Opus track that can be read.", {
      cause: error,
    });
  }
}

/** Decodes packet after packet into a sink. */
class OpusOutput {
  readonly warnings: string[] = [];
  readonly #sink: PcmSink;
  readonly #makeDecoder: DecoderFactory;
  readonly #profile: string;
  #decoder: SeekableDecoder | undefined;
  #head: OpusHead | undefined;
  #channels = 0;
  #pcm = new Float32Array(0);
  #mixed = new Float32Array(0);
  #matrix: Float64Array | undefined;

  constructor(sink: PcmSink, makeDecoder: DecoderFactory, profile: string) {
    this.#sink = sink;
    this.#makeDecoder = makeDecoder;
    this.#profile = profile;
  }

  close(): void {
    this.#decoder?.close();
    this.#decoder = undefined;
  }

  take(packet: OpusFilePacket, head: OpusHead): void {
    if (head !== this.#head) this.#begin(head);
    this.#fillGap(packet.gapBefore);
    const frames = this.#decode(packet);
    this.#write(Math.min(packet.skipStart, frames), Math.max(0, frames - packet.trimEnd));
  }

  #begin(head: OpusHead): void {
    this.close();
    this.#head = head;
    this.#decoder = this.#makeDecoder(opusHeadInWaveOrder(head), this.#profile);
    this.#pcm = new Float32Array(maxFrames * head.channels);
    if (this.#channels === 0) {
      this.#channels = head.channels;
      this.#sink.start({ sampleRate: 48_000, channels: head.channels });
    }
    this.#matrix = head.channels === this.#channels ? undefined : mixMatrix(head.channels, this.#channels);
    this.#mixed = new Float32Array(this.#matrix === undefined ? 0 : maxFrames * this.#channels);
  }

  /** A malformed packet is a lost one: the sound goes on. */
  #decode(packet: OpusFilePacket): number {
    const { data, frames } = packet;
    try {
      if (data.length > 0) return this.#decoder!.decode(data, this.#pcm);
    } catch (error) {
      const isDamaged =
        isLongwaveError(error, "opus/internal") || (isLongwaveError(error) && error.kind === "malformed");
      if (!isDamaged) throw error;
      addWarning(this.warnings, `A packet is damaged: ${error.message}`);
    }
    return this.#conceal(frames || 960);
  }

  #conceal(frames: number): number {
    return this.#decoder!.decode(null, this.#pcm, frames);
  }

  #fillGap(frames: number): void {
    if (frames > maxGapFrames) {
      addWarning(this.warnings, `A gap of ${(frames / 48_000).toFixed(1)} s was shortened to 10 s.`);
    }
    // Concealment works in steps of 2.5 ms.
    for (let left = Math.min(frames, maxGapFrames); left >= 120; ) {
      const count = this.#conceal(Math.min(maxFrames, left - (left % 120)));
      this.#write(0, count);
      left -= count;
    }
  }

  #write(from: number, to: number): void {
    if (to <= from) return;
    const channels = this.#head!.channels;
    const pcm = from === 0 ? this.#pcm : this.#pcm.subarray(from * channels);
    if (this.#matrix === undefined) this.#sink.write(pcm, to - from);
    else {
      mixChannels(pcm, channels, this.#mixed, this.#channels, to - from, this.#matrix);
      this.#sink.write(this.#mixed, to - from);
    }
  }
}
