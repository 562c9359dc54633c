import { MediaError } from "../errors.ts";
import { mixChannels, mixMatrix } from "../pcm/mix-channels.ts";
import { type DecodeLimits, howToGoOn } from "./limits.ts";

/** What a decoder knows about the sound before the first sample. */
export interface SourceForm {
  readonly sampleRate: number;
  readonly channels: number;
  /** Sample frames to come, where the header says so; a hint and an early check, never trusted. */
  readonly frames?: number | undefined;
}

/** Where decoders put what they decode: `start` once, then `write` any number of times. */
export interface PcmSink {
  start(form: SourceForm): void;
  /** `frames` interleaved sample frames at `pcm[0...]`; read before the call returns. */
  write(pcm: Float32Array, frames: number): void;
}

/** The form in which the caller wants the sound; what is left out stays as in the source. */
export interface PcmForm {
  readonly sampleRate?: number | undefined;
  readonly channels?: number | undefined;
}

/** Changes the rate of interleaved sound that passes through, block by block. */
export interface RateConverter {
  /** Takes `frames` sample frames and hands what they yield to `out`. */
  push(pcm: Float32Array, frames: number, out: (pcm: Float32Array, frames: number) => void): void;
  flush(out: (pcm: Float32Array, frames: number) => void): void;
  /** Gives its resources back; called once, also when the decoding failed. */
  close?(): void;
}

/** Makes a converter; the resampler of `@longwave/dsp` where nothing else is given. */
export type RateConverterFactory = (from: number, to: number, channels: number) => RateConverter;

/** Samples of one block of collected sound. */
const blockSamples = 1 << 18;

/**
 * A sink that keeps the sound in memory in the wanted form. Channels are mixed and the rate is converted block by block,
 * so nothing but the result is held. Limits are checked before anything is allocated for them.
 */
export class PcmCollector implements PcmSink {
  readonly #form: PcmForm;
  readonly #limits: DecodeLimits;
  readonly #makeConverter: RateConverterFactory;
  readonly #blocks: Float32Array[] = [];
  #blockLength = 0;
  #source: SourceForm | undefined;
  #channels = 0;
  #sampleRate = 0;
  #matrix: Float64Array | undefined;
  #mixed = new Float32Array(0);
  #converter: RateConverter | undefined;
  #sourceFrames = 0;
  #samples = 0;
  readonly #keep = (pcm: Float32Array, frames: number): void => this.#append(pcm, frames * this.#channels);

  constructor(form: PcmForm, limits: DecodeLimits, makeConverter: RateConverterFactory) {
    this.#form = form;
    this.#limits = limits;
    this.#makeConverter = makeConverter;
  }

  /** The source's form; undefined before `start`. */
  get source(): SourceForm | undefined {
    return this.#source;
  }

  /** Sample frames received, at the source's rate. */
  get sourceFrames(): number {
    return this.#sourceFrames;
  }

  start(form: SourceForm): void {
    if (this.#source !== undefined) throw new MediaError("media/bad-state", "The sink was started before.");
    const { sampleRate, channels } = form;
    if (!(Number.isInteger(channels) && channels >= 1 && Number.isFinite(sampleRate) && sampleRate > 0)) {
      throw new MediaError(
        "media/decode-failed",
        `The decoder found ${channels} channels at ${sampleRate} Hz.`,
      );
    }
    if (channels > this.#limits.maxChannels) {
      throw new MediaError(
        "media/limit",
        `The sound has ${channels} channels; the limit is ${this.#limits.maxChannels}.`,
      );
    }
    this.#source = form;
    this.#channels = this.#form.channels ?? channels;
    this.#sampleRate = this.#form.sampleRate ?? sampleRate;
    if (this.#channels !== channels) this.#matrix = mixMatrix(channels, this.#channels);
    if (this.#sampleRate !== sampleRate) {
      this.#converter = this.#makeConverter(sampleRate, this.#sampleRate, this.#channels);
    }
    if (form.frames !== undefined) this.#checkDuration(form.frames);
  }

  write(pcm: Float32Array, frames: number): void {
    const source = this.#source;
    if (source === undefined) throw new MediaError("media/bad-state", "Sound came before its form.");
    this.#checkDuration(this.#sourceFrames + frames);
    this.#sourceFrames += frames;
    let block = pcm;
    if (this.#matrix !== undefined) {
      const needed = frames * this.#channels;
      if (this.#mixed.length < needed) this.#mixed = new Float32Array(needed);
      mixChannels(pcm, source.channels, this.#mixed, this.#channels, frames, this.#matrix);
      block = this.#mixed;
    }
    if (this.#converter === undefined) this.#keep(block, frames);
    else this.#converter.push(block, frames, this.#keep);
  }

  /** Gives the converter back; harmless after `finish`. */
  close(): void {
    this.#converter?.close?.();
    this.#converter = undefined;
  }

  /** Ends the sound and returns it; the collector is empty afterwards. @throws MediaError `media/empty` if nothing came */
  finish(): { sampleRate: number; channels: number; frames: number; pcm: Float32Array } {
    if (this.#source === undefined) {
      throw new MediaError("media/empty", "There is no audio in the input.");
    }
    this.#converter?.flush(this.#keep);
    this.close();
    const pcm = new Float32Array(this.#samples);
    let at = 0;
    for (const block of this.#blocks) {
      const count = Math.min(block.length, this.#samples - at);
      pcm.set(block.subarray(0, count), at);
      at += count;
    }
    this.#blocks.length = 0;
    return {
      sampleRate: this.#sampleRate,
      channels: this.#channels,
      frames: pcm.length / this.#channels,
      pcm,
    };
  }

  #append(pcm: Float32Array, count: number): void {
    this.#checkSamples(this.#samples + count);
    let at = 0;
    while (at < count) {
      let block = this.#blocks.at(-1);
      if (block === undefined || this.#blockLength === block.length) {
        block = new Float32Array(blockSamples);
        this.#blocks.push(block);
        this.#blockLength = 0;
      }
      const piece = Math.min(count - at, block.length - this.#blockLength);
      block.set(pcm.subarray(at, at + piece), this.#blockLength);
      this.#blockLength += piece;
      at += piece;
    }
    this.#samples += count;
  }

  #checkDuration(frames: number): void {
    const { maxSeconds } = this.#limits;
    const rate = this.#source!.sampleRate;
    if (frames > maxSeconds * rate) {
      throw new MediaError(
        "media/limit",
        `The sound lasts ${(frames / rate).toFixed(1)} s or more; the limit is ${maxSeconds} s. ${howToGoOn}`,
      );
    }
    this.#checkSamples(Math.floor((frames / rate) * this.#sampleRate) * this.#channels);
  }

  #checkSamples(count: number): void {
    if (count <= this.#limits.maxSamples) return;
    throw new MediaError(
      "media/limit",
      `The sound has ${count} samples or more; the limit is ${this.#limits.maxSamples}. ${howToGoOn} A lower rate and fewer channels need less.`,
    );
  }
}
