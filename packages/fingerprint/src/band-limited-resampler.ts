import { Resampler } from "@longwave/dsp";
import { requireRate } from "./compat-resample.ts";

/** Samples that are resampled at once. */
const blockSamples = 2048;

/**
 * The resampler of `mark-v1`: that of `@longwave/dsp`, which does not alias. Streaming, the same samples for every cut of
 * the stream, ceil(length * to / from) of them in all.
 */
export class BandLimitedResampler {
  readonly #resampler: Resampler;
  readonly #output: Float32Array;

  /** @param from input rate, a whole number from 4,000 to 768,000 Hz @param to output rate, Hz */
  constructor(from: number, to: number) {
    requireRate(from);
    this.#resampler = new Resampler({ from, to });
    const most = Math.max(blockSamples, this.#resampler.lookaheadFrames);
    this.#output = new Float32Array(this.#resampler.maxOutputFrames(most));
  }

  outputBound(count: number): number {
    return this.#resampler.maxOutputFrames(count + this.#resampler.lookaheadFrames) + 1;
  }

  push(input: Float32Array, start: number, end: number, output: Float32Array): number {
    let written = 0;
    for (let at = start; at < end; at += blockSamples) {
      const count = this.#resampler.process(input, this.#output, at, Math.min(end, at + blockSamples));
      written = this.#append(count, output, written);
    }
    return written;
  }

  flush(output: Float32Array): number {
    return this.#append(this.#resampler.flush(this.#output), output, 0);
  }

  reset(): void {
    this.#resampler.reset();
  }

  #append(count: number, output: Float32Array, at: number): number {
    const from = this.#output;
    for (let i = 0; i < count; i++) output[at + i] = from[i]!;
    return at + count;
  }
}
