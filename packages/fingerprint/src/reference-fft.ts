import { cosTurn, sinTurn } from "./exact-math.ts";

/**
 * Power spectrum of a real signal by a radix-2 FFT in f64, rounded to f32 per bin. It is the plain reference that the
 * WASM kernel is tested against, and runs wherever JavaScript runs.
 */
export class ReferenceFft {
  readonly size: number;
  readonly #re: Float64Array;
  readonly #im: Float64Array;
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;
  readonly #reversed: Uint16Array;

  /** @param size a power of two from 4 to 65,536 */
  constructor(size: number) {
    this.size = size;
    const half = size / 2;
    this.#re = new Float64Array(half);
    this.#im = new Float64Array(half);
    this.#cos = Float64Array.from({ length: half }, (_, k) => cosTurn(k, size));
    this.#sin = Float64Array.from({ length: half }, (_, k) => -sinTurn(k, size));
    this.#reversed = new Uint16Array(half);
    for (let i = 0; i < half; i++) {
      this.#reversed[i] = (this.#reversed[i >> 1]! >> 1) | (i & 1 ? half >> 1 : 0);
    }
  }

  /**
   * |X[k]|² of `window[i] * samples[start + i]` for k = 0..size/2, unnormalised.
   * @param out at least size/2 + 1 values
   */
  compute(samples: Float32Array, start: number, window: Float32Array, out: Float32Array): void {
    const re = this.#re;
    const im = this.#im;
    const reversed = this.#reversed;
    const half = this.size / 2;
    for (let i = 0; i < half; i++) {
      const to = reversed[i]!;
      // The windowed sample is an f32 product, as in every profile.
      re[to] = Math.fround(samples[start + 2 * i]! * window[2 * i]!);
      im[to] = Math.fround(samples[start + 2 * i + 1]! * window[2 * i + 1]!);
    }
    this.#transform();
    out[0] = (re[0]! + im[0]!) ** 2;
    out[half] = (re[0]! - im[0]!) ** 2;
    for (let k = 1; k < half; k++) {
      const evenRe = 0.5 * (re[k]! + re[half - k]!);
      const evenIm = 0.5 * (im[k]! - im[half - k]!);
      const oddRe = 0.5 * (im[k]! + im[half - k]!);
      const oddIm = 0.5 * (re[half - k]! - re[k]!);
      const c = this.#cos[k]!;
      const s = this.#sin[k]!;
      const x = evenRe + c * oddRe - s * oddIm;
      const y = evenIm + c * oddIm + s * oddRe;
      out[k] = x * x + y * y;
    }
  }

  #transform(): void {
    const re = this.#re;
    const im = this.#im;
    const cos = this.#cos;
    const sin = this.#sin;
    const half = this.size / 2;
    for (let span = 1; span < half; span *= 2) {
      const stride = half / span;
      for (let base = 0; base < half; base += 2 * span) {
        for (let j = 0; j < span; j++) {
          const a = base + j;
          const b = a + span;
          const c = cos[j * stride]!;
          const s = sin[j * stride]!;
          const x = re[b]! * c - im[b]! * s;
          const y = re[b]! * s + im[b]! * c;
          re[b] = re[a]! - x;
          im[b] = im[a]! - y;
          re[a]! += x;
          im[a]! += y;
        }
      }
    }
  }
}
