import { requireRate } from "./compat-resample.ts";
import { besselI0, sinc } from "./kaiser.ts";

/** Zero crossings of the sinc on either side; with this window the stop band lies below -80 dB. */
const crossings = 20;
const beta = 8;
/** Pass band relative to the lower Nyquist frequency. */
const cutoffRatio = 0.92;
const maxPhases = 1024;

/**
 * The resampler of `mark-v1`: a Kaiser-windowed sinc that widens when the rate goes down, so that nothing aliases. Rates in
 * a ratio of small integers get one filter phase each; for others the nearest of 1,024 phases is taken. Streaming, and the
 * same samples for every chunk size; output sample n lies at input position n * from / to, zeros outside.
 */
export class BandLimitedResampler {
  readonly #from: number;
  readonly #to: number;
  readonly #reach: number;
  readonly #taps: number;
  readonly #phases: number;
  readonly #kernel: Float32Array;
  readonly #history: Float32Array;
  #firstSample: number;
  #inputCount = 0;
  #outputCount = 0;

  /** @param from input rate, a whole number from 4,000 to 768,000 Hz @param to output rate, Hz */
  constructor(from: number, to: number) {
    requireRate(from);
    const divisor = greatestDivisor(from, to);
    this.#from = from / divisor;
    this.#to = to / divisor;
    const scale = Math.min(1, to / from) * cutoffRatio;
    this.#reach = Math.ceil(crossings / scale);
    this.#taps = 2 * this.#reach;
    this.#phases = Math.min(this.#to, maxPhases);
    this.#kernel = makeKernel(this.#phases, this.#reach, scale);
    this.#history = new Float32Array(this.#taps + 4096);
    this.#firstSample = -this.#reach;
  }

  outputBound(count: number): number {
    return Math.ceil(((count + this.#taps) * this.#to) / this.#from) + 1;
  }

  push(input: Float32Array, start: number, end: number, output: Float32Array): number {
    const history = this.#history;
    let written = 0;
    for (let at = start; at < end; ) {
      const filled = this.#inputCount - this.#firstSample;
      const count = Math.min(end - at, history.length - filled);
      for (let i = 0; i < count; i++) history[filled + i] = input[at + i]!;
      this.#inputCount += count;
      at += count;
      written = this.#produce(this.#inputCount - this.#reach, output, written);
      this.#forget();
    }
    return written;
  }

  flush(output: Float32Array): number {
    const filled = this.#inputCount - this.#firstSample;
    this.#history.fill(0, filled, Math.min(this.#history.length, filled + this.#taps));
    return this.#produce(this.#inputCount, output, 0);
  }

  reset(): void {
    this.#firstSample = -this.#reach;
    this.#inputCount = 0;
    this.#outputCount = 0;
    this.#history.fill(0);
  }

  /** Computes all outputs whose position is below `limit` (in input samples). */
  #produce(limit: number, output: Float32Array, at: number): number {
    const history = this.#history;
    const kernel = this.#kernel;
    const taps = this.#taps;
    for (;;) {
      // position = outputCount * from / to, split into whole samples and a phase in exact integers.
      const product = this.#outputCount * this.#from;
      const index = Math.floor(product / this.#to);
      if (index >= limit) return at;
      const rest = product - index * this.#to;
      const phase = this.#phases === this.#to ? rest : Math.floor((rest * this.#phases) / this.#to);
      const base = index - this.#reach + 1 - this.#firstSample;
      let even = 0;
      let odd = 0;
      for (let k = 0, row = phase * taps; k < taps; k += 2) {
        even += history[base + k]! * kernel[row + k]!;
        odd += history[base + k + 1]! * kernel[row + k + 1]!;
      }
      output[at++] = even + odd;
      this.#outputCount++;
    }
  }

  /** Drops input that no later output needs. */
  #forget(): void {
    const needed = Math.floor((this.#outputCount * this.#from) / this.#to) - this.#reach;
    const drop = Math.min(needed, this.#inputCount) - this.#firstSample;
    if (drop < 2048) return;
    this.#history.copyWithin(0, drop, this.#inputCount - this.#firstSample);
    this.#firstSample += drop;
  }
}

/** Row p: the filter for an output p / phases of a sample behind its input sample; every row sums to 1. */
function makeKernel(phases: number, reach: number, scale: number): Float32Array {
  const taps = 2 * reach;
  const kernel = new Float32Array(phases * taps);
  const row = new Float64Array(taps);
  for (let phase = 0; phase < phases; phase++) {
    let sum = 0;
    for (let k = 0; k < taps; k++) {
      const x = k - reach + 1 - phase / phases;
      const inside = 1 - (x / reach) ** 2;
      row[k] = inside <= 0 ? 0 : sinc(scale * x) * besselI0(beta * Math.sqrt(inside));
      sum += row[k]!;
    }
    for (let k = 0; k < taps; k++) kernel[phase * taps + k] = row[k]! / sum;
  }
  return kernel;
}

function greatestDivisor(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}
