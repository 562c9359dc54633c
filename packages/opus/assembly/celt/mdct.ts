// Inverse MDCT with the low-overlap window (RFC 6716 section 4.3.7): one FFT of a quarter of the size between two rotations.
import {
  fftBitrev120,
  fftBitrev240,
  fftBitrev480,
  fftBitrev60,
  mdctTwiddles960,
  window120,
} from "../tables/celt-transform";
import { fft } from "./fft";
import { FFT_IMAGINARY_AT, FFT_REAL_AT } from "./scratch";
import { OVERLAP } from "./state";

/**
 * Transforms 960 >> shift coefficients, `stride` floats apart, and overlaps them with the 120 samples at `out`, which hold
 * the end of the previous block. Writes `out` up to 60 samples after the block.
 */
export function inverseMdct(coefficients: usize, out: usize, shift: i32, stride: i32): void {
  const half = 960 >> shift;
  const quarter = half >> 1;
  // Runs of 960, 480, 240, 120 factors: cosines, then the same a quarter turn on.
  const cosines = mdctTwiddles960 + (<usize>(1920 - (1920 >> shift)) << 2);
  const sines = cosines + (<usize>quarter << 2);
  const order = shift == 0 ? fftBitrev480 : shift == 1 ? fftBitrev240 : shift == 2 ? fftBitrev120 : fftBitrev60;
  rotateIn(coefficients, stride, half, quarter, cosines, sines, order);
  fft(shift);
  rotateOut(out + ((OVERLAP >> 1) << 2), quarter, cosines, sines);
  overlapAdd(out);
}

function rotateIn(
  coefficients: usize,
  stride: i32,
  half: i32,
  quarter: i32,
  cosines: usize,
  sines: usize,
  order: usize,
): void {
  let low = coefficients;
  let high = coefficients + (<usize>(stride * (half - 1)) << 2);
  const step = <usize>stride << 3;
  const bytes = <usize>quarter << 2;
  let permutation = order;
  for (let at: usize = 0; at < bytes; at += 16) {
    let x1: v128;
    let x2: v128;
    if (stride == 1) {
      x1 = i32x4.shuffle(v128.load(low), v128.load(low, 16), 0, 2, 4, 6);
      const back = high - 28;
      x2 = i32x4.shuffle(v128.load(back, 16), v128.load(back), 3, 1, 7, 5);
    } else {
      x1 = f32x4.splat(load<f32>(low));
      x1 = v128.load_lane<f32>(low + step, x1, 1);
      x1 = v128.load_lane<f32>(low + 2 * step, x1, 2);
      x1 = v128.load_lane<f32>(low + 3 * step, x1, 3);
      x2 = f32x4.splat(load<f32>(high));
      x2 = v128.load_lane<f32>(high - step, x2, 1);
      x2 = v128.load_lane<f32>(high - 2 * step, x2, 2);
      x2 = v128.load_lane<f32>(high - 3 * step, x2, 3);
    }
    low += 4 * step;
    high -= 4 * step;
    const c = v128.load(cosines + at);
    const s = v128.load(sines + at);
    // The FFT stands for an inverse one: real and imaginary parts change places.
    const im = f32x4.add(f32x4.mul(x2, c), f32x4.mul(x1, s));
    const re = f32x4.sub(f32x4.mul(x1, c), f32x4.mul(x2, s));
    const to0 = <usize>load<i16>(permutation) << 2;
    const to1 = <usize>load<i16>(permutation, 2) << 2;
    const to2 = <usize>load<i16>(permutation, 4) << 2;
    const to3 = <usize>load<i16>(permutation, 6) << 2;
    permutation += 8;
    v128.store_lane<f32>(FFT_REAL_AT + to0, re, 0);
    v128.store_lane<f32>(FFT_REAL_AT + to1, re, 1);
    v128.store_lane<f32>(FFT_REAL_AT + to2, re, 2);
    v128.store_lane<f32>(FFT_REAL_AT + to3, re, 3);
    v128.store_lane<f32>(FFT_IMAGINARY_AT + to0, im, 0);
    v128.store_lane<f32>(FFT_IMAGINARY_AT + to1, im, 1);
    v128.store_lane<f32>(FFT_IMAGINARY_AT + to2, im, 2);
    v128.store_lane<f32>(FFT_IMAGINARY_AT + to3, im, 3);
  }
}

/** Rotates the FFT's output and interleaves it from both ends: even samples ascend, odd samples descend. */
function rotateOut(out: usize, quarter: i32, cosines: usize, sines: usize): void {
  const bytes = <usize>quarter << 2;
  let mirrored = bytes - 16;
  for (let at: usize = 0; at <= mirrored; at += 16) {
    let re = v128.load(FFT_IMAGINARY_AT + at);
    let im = v128.load(FFT_REAL_AT + at);
    let c = v128.load(cosines + at);
    let s = v128.load(sines + at);
    const even = f32x4.add(f32x4.mul(re, c), f32x4.mul(im, s));
    const oddMirrored = f32x4.sub(f32x4.mul(re, s), f32x4.mul(im, c));
    re = v128.load(FFT_IMAGINARY_AT + mirrored);
    im = v128.load(FFT_REAL_AT + mirrored);
    c = v128.load(cosines + mirrored);
    s = v128.load(sines + mirrored);
    const evenMirrored = f32x4.add(f32x4.mul(re, c), f32x4.mul(im, s));
    const odd = f32x4.sub(f32x4.mul(re, s), f32x4.mul(im, c));
    const first = out + (at << 1);
    v128.store(first, i32x4.shuffle(even, odd, 0, 7, 1, 6));
    v128.store(first, i32x4.shuffle(even, odd, 2, 5, 3, 4), 16);
    const second = out + (mirrored << 1);
    v128.store(second, i32x4.shuffle(evenMirrored, oddMirrored, 0, 7, 1, 6));
    v128.store(second, i32x4.shuffle(evenMirrored, oddMirrored, 2, 5, 3, 4), 16);
    if (mirrored < 16) break;
    mirrored -= 16;
  }
}

/** Time-domain alias cancellation over the 120 samples at `out`. */
function overlapAdd(out: usize): void {
  let low = out;
  let high = out + ((OVERLAP - 4) << 2);
  let windowLow = window120;
  let windowHigh = window120 + ((OVERLAP - 4) << 2);
  for (let i = 0; i < OVERLAP / 2; i += 4) {
    let x1 = v128.load(high);
    x1 = i32x4.shuffle(x1, x1, 3, 2, 1, 0);
    const x2 = v128.load(low);
    const w1 = v128.load(windowLow);
    let w2 = v128.load(windowHigh);
    w2 = i32x4.shuffle(w2, w2, 3, 2, 1, 0);
    v128.store(low, f32x4.sub(f32x4.mul(x2, w2), f32x4.mul(x1, w1)));
    const sum = f32x4.add(f32x4.mul(x2, w1), f32x4.mul(x1, w2));
    v128.store(high, i32x4.shuffle(sum, sum, 3, 2, 1, 0));
    low += 16;
    high -= 16;
    windowLow += 16;
    windowHigh -= 16;
  }
}
