import { SeededRandom } from "@longwave/base";
import { Resampler } from "@longwave/dsp";
import { encodeSamples, type SampleEncoding, WavEncoder } from "@longwave/media";
import { softClip } from "@longwave/opus";

/** The form of the written sound. */
export interface SampleForm {
  readonly sampleRate: number;
  readonly channels: number;
  readonly encoding: SampleEncoding;
  /** Without a WAV header. */
  readonly raw: boolean;
  /** Triangular dither of one step either way before 16-bit rounding, from a fixed seed. */
  readonly dither: boolean;
  /** Speakers of the channels, where not the usual ones. */
  readonly channelMask: number | undefined;
}

/** Turns floats into the bytes of a WAV file or of raw samples: rate, soft clip, dither, encoding. */
export class SampleWriter {
  /** Frames written so far. */
  frames = 0;
  readonly #form: SampleForm;
  readonly #wav: WavEncoder;
  readonly #resampler: Resampler | undefined;
  readonly #resampled: Float32Array = new Float32Array(0);
  readonly #random = new SeededRandom(1);
  readonly #clipMemory: Float32Array;

  /** @param inputRate rate of what `write` takes */
  constructor(form: SampleForm, inputRate: number) {
    const { sampleRate, channels, encoding, channelMask } = form;
    this.#form = form;
    this.#wav = new WavEncoder({ sampleRate, channels, encoding, channelMask });
    this.#clipMemory = new Float32Array(channels);
    if (sampleRate === inputRate) return;
    this.#resampler = new Resampler({ from: inputRate, to: sampleRate, channels });
    const most = Math.max(this.#resampler.maxOutputFrames(inputRate / 5), this.#resampler.maxOutputFrames());
    this.#resampled = new Float32Array(most * channels);
  }

  /** What a file starts with; `frames` when they are known. */
  header(frames?: number): Uint8Array {
    return this.#form.raw ? new Uint8Array(0) : this.#wav.header(frames);
  }

  trailer(): Uint8Array {
    return this.#form.raw ? new Uint8Array(0) : this.#wav.trailer();
  }

  /** Takes at most 200 ms; `pcm` may be changed. */
  write(pcm: Float32Array, frames: number): Uint8Array {
    if (this.#resampler === undefined) return this.#bytes(pcm, frames);
    const count = this.#resampler.process(pcm.subarray(0, frames * this.#form.channels), this.#resampled);
    return this.#bytes(this.#resampled, count);
  }

  /** What the rate conversion still holds. */
  flush(): Uint8Array {
    const count = this.#resampler?.flush(this.#resampled) ?? 0;
    return this.#bytes(this.#resampled, count);
  }

  close(): void {
    this.#resampler?.close();
  }

  #bytes(pcm: Float32Array, frames: number): Uint8Array {
    const { channels, encoding, raw, dither } = this.#form;
    const samples = frames * channels;
    const sound = pcm.subarray(0, samples);
    if (encoding === "s16" && (dither || this.#resampler !== undefined)) {
      // The decoder's own conversion to 16 bit was left out, so its soft clip is done here.
      if (channels <= 2 && samples > 0) softClip(sound, channels, this.#clipMemory);
      if (dither) this.#dither(sound);
    }
    this.frames += frames;
    const bytes = new Uint8Array(frames * this.#wav.frameBytes);
    if (raw) encodeSamples(sound, 0, samples, encoding, false, bytes, 0);
    else this.#wav.write(sound, frames, bytes);
    return bytes;
  }

  /** The difference of two uniform values has a triangular density: the error's mean and power stop following the sound. */
  #dither(sound: Float32Array): void {
    for (let i = 0; i < sound.length; i++) {
      sound[i] = sound[i]! + (this.#random.next() - this.#random.next()) / 32768;
    }
  }
}
