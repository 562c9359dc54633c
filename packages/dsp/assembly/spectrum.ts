// From a frame of samples to its spectrum, power and logarithms. Arrays are f32; loads of four lanes run past the end
// of an array by at most three values, so arrays are padded to a multiple of 16 bytes.

import { sumOfLanes } from "../../kernels/assembly/f32x4";
import { log2Pair } from "../../kernels/assembly/logarithm";
import { realFftForward } from "../../kernels/assembly/real-fft";

/**
 * windowed = samples * window, then its spectrum. `samples` may be unaligned; `length` is a multiple of 4 or padded.
 * Room for `length` values at `outRe` and at `work`, as realFftForward says.
 */
export function stftFrame(
  plan: usize,
  samples: usize,
  window: usize,
  windowed: usize,
  length: i32,
  outRe: usize,
  outIm: usize,
  work: usize,
): void {
  for (let at: usize = 0; at < usize(length) << 2; at += 16) {
    v128.store(windowed + at, f32x4.mul(v128.load(samples + at), v128.load(window + at)));
  }
  realFftForward(plan, windowed, outRe, outIm, work);
}

/** output = re^2 + im^2. */
export function powerOf(re: usize, im: usize, output: usize, count: i32): void {
  for (let at: usize = 0; at < usize(count) << 2; at += 16) {
    const r = v128.load(re + at);
    const i = v128.load(im + at);
    v128.store(output + at, f32x4.add(f32x4.mul(r, r), f32x4.mul(i, i)));
  }
}

/**
 * output = scale * f32(log2(max(input + addend, floor))), the logarithm in f64 rounded to f32 before the product. A NaN
 * counts as the floor, which must be positive and normal.
 */
export function scaledLog2(input: usize, output: usize, count: i32, addend: f32, floor: f32, scale: f32): void {
  const add = f32x4.splat(addend);
  const low = f32x4.splat(floor);
  const factor = f32x4.splat(scale);
  for (let at: usize = 0; at < usize(count) << 2; at += 16) {
    const x = f32x4.pmax(low, f32x4.add(v128.load(input + at), add));
    const first = log2Pair(f64x2.promote_low_f32x4(x));
    const second = log2Pair(f64x2.promote_low_f32x4(v128.shuffle<i64>(x, x, 1, 1)));
    const rounded = v128.shuffle<i64>(f32x4.demote_f64x2_zero(first), f32x4.demote_f64x2_zero(second), 0, 2);
    v128.store(output + at, f32x4.mul(rounded, factor));
  }
}

/**
 * Weighted sums over ranges of a spectrum. `ranges` has three i32 a band: first bin, number of groups of four bins,
 * address of the weights (relative to `weights`, padded with zeros). A band's sum is taken in four lanes, then
 * (lane 0 + lane 1) + (lane 2 + lane 3).
 */
export function bandSums(spectrum: usize, ranges: usize, weights: usize, bands: i32, output: usize): void {
  for (let band = 0; band < bands; band++) {
    const range = ranges + usize(band) * 12;
    let from = spectrum + (usize(load<i32>(range)) << 2);
    const groups = load<i32>(range, 4);
    let weight = weights + usize(load<i32>(range, 8));
    let sum = f32x4.splat(0);
    for (let group = 0; group < groups; group++) {
      sum = f32x4.add(sum, f32x4.mul(v128.load(from), v128.load(weight)));
      from += 16;
      weight += 16;
    }
    store<f32>(output + (usize(band) << 2), sumOfLanes(sum));
  }
}
