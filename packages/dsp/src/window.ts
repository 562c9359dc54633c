import { sharedCore } from "./core.ts";
import { DspError, requireInteger, requireNumber } from "./errors.ts";

/** Names of the windows; `blackman-harris` is the four-term one with side lobes at -92 dB. */
export type WindowName = "rectangular" | "hann" | "hamming" | "blackman" | "blackman-harris" | "kaiser";

/** Coefficients of the cosine sums: a0 - a1 cos x + a2 cos 2x - a3 cos 3x (Harris, Proc. IEEE 66, 1978). */
const cosineSums: Readonly<Record<Exclude<WindowName, "kaiser">, readonly number[]>> = {
  rectangular: [1],
  hann: [0.5, 0.5],
  hamming: [0.54, 0.46],
  blackman: [0.42, 0.5, 0.08],
  "blackman-harris": [0.35875, 0.48829, 0.14128, 0.01168],
};

/** `beta` is for Kaiser only; `symmetric` windows suit filter design, periodic ones (the default) spectral analysis. */
export interface WindowOptions {
  readonly symmetric?: boolean;
  /** Shape of the Kaiser window, 0 (rectangular) to 40; default 8.6. */
  readonly beta?: number;
}

/**
 * A window of `size` values, computed in f64 with our own cosine and rounded to f32: the same bits on every machine.
 * @throws DspError `dsp/bad-option` for an unknown name, size outside 1 to 2^20 or beta out of range
 */
export function createWindow(name: WindowName, size: number, options: WindowOptions = {}): Float32Array {
  requireInteger("A window's size", size, 1, 2 ** 20);
  const period = options.symmetric ? size - 1 : size;
  const values = new Float32Array(size).fill(1);
  if (period === 0) return values;
  if (name === "kaiser") {
    const beta = options.beta ?? 8.6;
    requireNumber("Kaiser's beta", beta, 0, 40);
    for (let n = 0; n < size; n++) {
      const x = (2 * n) / period - 1;
      values[n] = besselI0(beta * Math.sqrt(Math.max(0, 1 - x * x))) / besselI0(beta);
    }
    return values;
  }
  const terms = cosineSums[name];
  if (terms === undefined) {
    throw new DspError("dsp/bad-option", "usage", `There is no window "${String(name)}"; use ${names()}.`);
  }
  const core = sharedCore();
  for (let n = 0; n < size; n++) {
    let value = 0;
    for (const [index, term] of terms.entries()) {
      const part = term * core.cosTurn((index * n) / period);
      value += index % 2 === 0 ? part : -part;
    }
    values[n] = value;
  }
  return values;
}

function names(): string {
  return [...Object.keys(cosineSums), "kaiser"].join(", ");
}

/** Modified Bessel function of the first kind, order 0: sum of ((x/2)^k / k!)^2, until terms no longer count in f64. */
export function besselI0(x: number): number {
  const square = (x * x) / 4;
  let sum = 1;
  let term = 1;
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= square / (k * k);
    sum += term;
  }
  return sum;
}
