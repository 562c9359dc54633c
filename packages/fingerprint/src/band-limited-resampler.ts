import { Resampler } from "@longwave/dsp";
import { requireRate } from "./compat-resample.ts";

/** Samples that go into the resampler at once: a whole array each time, so that no view is made per push. */
const stagedSamples = 256;

/**
 * The resampler of `mark-v1`: that of `@longwave/dsp`, which does not alias. Streaming, the same samples for every cut of
 * the stream, ceil(length * to / from) of them in all.
 */
export class BandLimitedResampler {
  readonly #resampler: Resampler;
  readonly #staged = new Float32Array(stagedSamples);
  readonly #output: Float32Array;
  #filled = 0;

  /** @param from input rate, a whole number from 4,000 to 768,000 Hz @param to output rate, Hz */
  constructor(from: number, to: number) {
    requireRate(from);
    this.#resampler = new Resampler({ from, to });
    const most = Math.max(stagedSamples, this.#resampler.lookaheadFrames);
    this.#output = new Float32Array(this.#resampler.maxOutputFrames(most));
  }

  outputBound(count: number): number {
    const waiting = count + stagedSamples + this.#resampler.lookaheadFrames;
    return this.#resampler.maxOutputFrames(waiting) + 1;
  }

  push(input: Float32Array, start: number, end: number, output: Float32Array): number {
    const staged = this.#staged;
    let written = 0;
    for (let at = start; at < end; ) {
      const filled = this.#filled;
      const count = Math.min(end - at, stagedSamples - filled);
      for (let i = 0; i < count; i++) staged[filled + i] = input[at + i]!;
      at += count;
      this.#filled = filled + count;
      if (this.#filled < stagedSamples) break;
      this.#filled = 0;
      written = this.#append(this.#resampler.process(staged, this.#output), output, written);
    }
    return written;
  }

  flush(output: Float32Array): number {
    const rest = this.#staged.subarray(0, this.#filled);
    this.#filled = 0;
    const written = this.#append(this.#resampler.process(rest, this.#output), output, 0);
    return this.#append(this.#resampler.flush(this.#output), output, written);
  }

  reset(): void {
    this.#filled = 0;
    this.#resampler.reset();
  }

  #append(count: number, output: Float32Array, at: number): number {
    const from = this.#output;
    for (let i = 0; i < count; i++) output[at + i] = from[i]!;
    return at + count;
  }
}
