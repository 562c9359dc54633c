import { isLongwaveError } from "@longwave/base";
import { type OpusHead, opusHeadInWaveOrder, opusPacketFrames } from "@longwave/media";
import { OpusDecoder, OpusMultistreamDecoder, type SampleRate } from "@longwave/opus";
import { CliError } from "../errors.ts";

type AnyDecoder = OpusDecoder | OpusMultistreamDecoder;

/** How a file is decoded. */
export interface DecodeRunOptions {
  readonly sampleRate: SampleRate;
  readonly forceStereo: boolean;
  /** Added to the file's own gain. */
  readonly gainDb: number;
  /** Use the decoder's own conversion to 16 bit, with its soft clip. */
  readonly int16: boolean;
  /** Recover dropped packets from the redundancy of the next one. */
  readonly fec: boolean;
  /** Frames of the output's time to keep. */
  readonly from: number;
  readonly to: number;
  readonly isLost: (index: number) => boolean;
}

/** Decoded frames; `pcm` is good until the next block. */
export interface DecodedBlock {
  readonly pcm: Float32Array;
  readonly frames: number;
}

const longestFrames = 5760;

/** Longest gap that is concealed, at 48 kHz; a longer one is a jump of the file's clock, or a lie. */
const maxGapFrames = 10 * 48_000;

/** Whether it is the packet's fault: its framing or, rarely, its inside. */
function isDamaged(error: unknown): boolean {
  return isLongwaveError(error, "opus/invalid-packet") || isLongwaveError(error, "opus/internal");
}

/** The state of one decoding: decoder, position, pending loss. */
export class DecodeRun {
  channels = 0;
  packets = 0;
  lost = 0;
  malformed = 0;
  /** Gaps of more than 10 s, which were filled with 10 s. */
  shortenedGaps = 0;
  /** One line a packet: bytes, final range, duration at 48 kHz. */
  readonly ranges: string[] = [];
  readonly #options: DecodeRunOptions;
  #decoder: AnyDecoder | undefined;
  #position = 0;
  /** Frames whose packet was dropped and that wait for the next packet's redundancy. */
  #pending = 0;
  /** What the file cuts from the start and end of those frames. */
  #pendingSkip = 0;
  #pendingTrim = 0;
  #pcm = new Float32Array(0);
  #shorts = new Int16Array(0);

  constructor(options: DecodeRunOptions) {
    this.#options = options;
  }

  /** Rate of the blocks. */
  get sampleRate(): SampleRate {
    return this.#options.sampleRate;
  }

  /** A stream begins; later streams of a chain must have as many channels. */
  begin(head: OpusHead): void {
    const { forceStereo, sampleRate, gainDb } = this.#options;
    const channels = forceStereo && head.channels === 1 ? 2 : head.channels;
    if (this.channels !== 0 && channels !== this.channels) {
      throw new CliError(
        "cli/channels-change",
        "unsupported",
        `A later stream of the file has ${channels} channels, the first ${this.channels}; try --force-stereo.`,
      );
    }
    this.channels = channels;
    this.#decoder?.close();
    const gainQ8 = Math.max(-32768, Math.min(32767, head.gainQ8 + Math.round(gainDb * 256)));
    const common = { sampleRate, gainQ8 };
    this.#decoder =
      head.family === 0 || head.channels < channels
        ? new OpusDecoder({ ...common, channels: channels as 1 | 2 })
        : new OpusMultistreamDecoder({ ...common, ...opusHeadInWaveOrder(head), gainQ8 });
    this.#pcm = new Float32Array(longestFrames * channels);
    this.#shorts = new Int16Array(longestFrames * channels);
  }

  *decode(data: Uint8Array, gapBefore: number, skipStart: number, trimEnd: number): Generator<DecodedBlock> {
    const decoder = this.#decoder!;
    const { sampleRate, isLost, fec } = this.#options;
    const scale = sampleRate / 48000;
    if (gapBefore > maxGapFrames) this.shortenedGaps++;
    let missing = Math.round(Math.min(gapBefore, maxGapFrames) * scale);
    missing -= missing % (sampleRate / 400);
    for (; missing > 0; missing -= longestFrames * scale) {
      yield* this.#conceal(Math.min(missing, longestFrames * scale), 0, 0);
    }
    const index = this.packets++;
    const skip = Math.round(skipStart * scale);
    const trim = Math.round(trimEnd * scale);
    if (data.length === 0 || isLost(index)) {
      yield* this.flush();
      this.lost++;
      this.#pending =
        Math.round(opusPacketFrames(data) * scale) || decoder.lastPacketFrames || sampleRate / 50;
      this.#pendingSkip = skip;
      this.#pendingTrim = trim;
      if (!fec) yield* this.flush();
      this.ranges.push(`${data.length}, 0, 0\n`);
      return;
    }
    if (this.#pending > 0) yield* this.#recover(decoder, data);
    let frames: number;
    try {
      frames = this.#decodePacket(decoder, data);
    } catch (error) {
      if (!isDamaged(error)) throw error;
      this.malformed++;
      this.ranges.push(`${data.length}, 0, 0\n`);
      yield* this.#conceal(decoder.lastPacketFrames || sampleRate / 50, skip, trim);
      return;
    }
    this.ranges.push(`${data.length}, ${decoder.finalRange}, ${Math.round(frames / scale)}\n`);
    yield* this.#emit(frames, skip, trim);
  }

  /** Conceals a loss that no packet follows. */
  *flush(): Generator<DecodedBlock> {
    const pending = this.#pending;
    this.#pending = 0;
    yield* this.#conceal(pending, this.#pendingSkip, this.#pendingTrim);
  }

  close(): void {
    this.#decoder?.close();
  }

  /** Fills a loss from the redundancy of the packet behind it, or by concealment where that one is malformed. */
  *#recover(decoder: AnyDecoder, data: Uint8Array): Generator<DecodedBlock> {
    let frames: number;
    try {
      frames = decoder.decodeFec(data, this.#pcm, this.#pending);
    } catch (error) {
      if (!isDamaged(error)) throw error;
      yield* this.flush();
      return;
    }
    this.#pending = 0;
    yield* this.#emit(frames, this.#pendingSkip, this.#pendingTrim);
  }

  #decodePacket(decoder: AnyDecoder, data: Uint8Array): number {
    if (!this.#options.int16) return decoder.decode(data, this.#pcm);
    const frames = decoder.decodeInt16(data, this.#shorts);
    for (let i = 0; i < frames * this.channels; i++) this.#pcm[i] = this.#shorts[i]! / 32768;
    return frames;
  }

  *#conceal(frames: number, skip: number, trim: number): Generator<DecodedBlock> {
    if (frames <= 0) return;
    yield* this.#emit(this.#decoder!.decode(null, this.#pcm, frames), skip, trim);
  }

  /** Cuts what is not wanted. */
  *#emit(frames: number, skip: number, trim: number): Generator<DecodedBlock> {
    let start = Math.min(skip, frames);
    let end = Math.max(start, frames - trim);
    const position = this.#position - start;
    this.#position += end - start;
    start = Math.max(start, this.#options.from - position);
    end = Math.min(end, this.#options.to - position);
    if (end <= start) return;
    yield { pcm: this.#pcm.subarray(start * this.channels, end * this.channels), frames: end - start };
  }
}
