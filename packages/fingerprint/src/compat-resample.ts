import { FingerprintError } from "./errors.ts";
import { besselI0, sinc } from "./kaiser.ts";

const taps = 65;
const reach = 32;
const phases = 256;
const beta = 8.6;

function makeKernel(from: number, to: number): Float32Array {
  const cutoff = Math.min(from, to) / from / 2;
  const kernel = new Float32Array(phases * taps);
  for (let phase = 0; phase < phases; phase++) {
    for (let k = 0; k < taps; k++) {
      const x = k - reach - phase / phases;
      if (Math.abs(x) > reach) continue;
      const window = besselI0(beta * Math.sqrt(1 - (x / reach) ** 2)) / besselI0(beta);
      kernel[phase * taps + k] = sinc(2 * cutoff * x) * window * 2 * cutoff;
    }
  }
  let sum = 0;
  for (let k = 0; k < taps; k++) sum = Math.fround(sum + kernel[k]!);
  for (let i = 0; i < kernel.length; i++) kernel[i]! /= sum;
  return kernel;
}

/**
 * The resampler of the compatibility profiles: Kaiser-windowed sinc, 65 taps, 256 phases without interpolation between
 * them. The filter does not widen when downsampling, so it aliases; it exists so that the fingerprints equal those of
 * other programs bit for bit. Streaming; every chunk size gives the same samples.
 */
export class CompatResampler {
  readonly #from: number;
  readonly #to: number;
  readonly #kernel: Float32Array | undefined;
  /** The last input samples; input sample i lies at `i - #firstSample`. */
  readonly #history = new Float32Array(4096);
  #firstSample = -reach;
  #inputCount = 0;
  #outputCount = 0;

  /**
   * @param from input rate, an integer from 4,000 to 768,000 Hz
   * @param to output rate, Hz
   * @throws FingerprintError `fp/rate`
   */
  constructor(from: number, to: number) {
    requireRate(from);
    this.#from = from;
    this.#to = to;
    this.#kernel = from === to ? undefined : makeKernel(from, to);
  }

  /** Most samples that one `push` of `count` samples, or `flush`, can write. */
  outputBound(count: number): number {
    return Math.ceil(((count + taps) * this.#to) / this.#from) + 1;
  }

  /** Resamples `input[start, end)` into `output`; returns the number of samples written. */
  push(input: Float32Array, start: number, end: number, output: Float32Array): number {
    if (this.#kernel === undefined) {
      for (let i = start; i < end; i++) output[i - start] = input[i]!;
      this.#inputCount += end - start;
      this.#outputCount += end - start;
      return end - start;
    }
    const history = this.#history;
    let written = 0;
    for (let at = start; at < end; ) {
      const filled = this.#inputCount - this.#firstSample;
      const count = Math.min(end - at, history.length - filled);
      for (let i = 0; i < count; i++) history[filled + i] = input[at + i]!;
      this.#inputCount += count;
      at += count;
      written = this.#produce(this.#inputCount - reach, output, written);
      this.#forget();
    }
    return written;
  }

  /** Ends the stream: the samples that wait for their right-hand neighbours are computed with zeros there. */
  flush(output: Float32Array): number {
    if (this.#kernel === undefined) return 0;
    const filled = this.#inputCount - this.#firstSample;
    this.#history.fill(0, filled, filled + taps);
    return this.#produce(this.#inputCount, output, 0);
  }

  reset(): void {
    this.#firstSample = -reach;
    this.#inputCount = 0;
    this.#outputCount = 0;
    this.#history.fill(0);
  }

  /** Computes all outputs whose position is below `limit` (in input samples). */
  #produce(limit: number, output: Float32Array, at: number): number {
    const history = this.#history;
    const kernel = this.#kernel!;
    const from = this.#from;
    const to = this.#to;
    for (;;) {
      const position = (this.#outputCount * from) / to;
      const index = Math.floor(position);
      if (index >= limit) return at;
      const phase = Math.min(phases - 1, Math.floor(Math.fround(position - index) * phases));
      const base = index - reach - this.#firstSample;
      let sum = 0;
      for (let k = 0; k < taps; k++) {
        sum = Math.fround(sum + Math.fround(history[base + k]! * kernel[phase * taps + k]!));
      }
      output[at++] = sum;
      this.#outputCount++;
    }
  }

  /** Drops input that no later output needs. */
  #forget(): void {
    const needed = Math.floor((this.#outputCount * this.#from) / this.#to) - reach;
    const drop = Math.min(needed, this.#inputCount) - this.#firstSample;
    if (drop < this.#history.length / 2) return;
    this.#history.copyWithin(0, drop, this.#inputCount - this.#firstSample);
    this.#firstSample += drop;
  }
}

/**
 * Resamples a whole signal; the result has ceil(length * to / from) samples. Equal rates return the input itself.
 * @throws FingerprintError `fp/rate` for a rate that is no integer from 4,000 to 768,000 Hz
 */
export function compatResample(samples: Float32Array, from: number, to: number): Float32Array {
  requireRate(from);
  if (from === to) return samples;
  const resampler = new CompatResampler(from, to);
  const length = Math.ceil((samples.length * to) / from);
  const out = new Float32Array(length + resampler.outputBound(0));
  const written = resampler.push(samples, 0, samples.length, out);
  resampler.flush(out.subarray(written));
  return out.subarray(0, length);
}

/** @throws FingerprintError `fp/rate` unless `rate` is a whole number from 4,000 to 768,000 */
export function requireRate(rate: number): void {
  if (Number.isInteger(rate) && rate >= 4000 && rate <= 768_000) return;
  throw new FingerprintError(
    "fp/rate",
    `The sample rate is ${rate} Hz; give a whole number from 4000 to 768000.`,
  );
}
