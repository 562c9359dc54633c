// Forward MDCT with the low-overlap window: folding, rotation, one FFT of a quarter of the size, rotation.
import {
  fftBitrev120,
  fftBitrev240,
  fftBitrev480,
  fftBitrev60,
  fftScale,
  mdctTwiddles960,
  window120,
} from "../tables/celt-transform";
import { FOLDED_IMAGINARY_AT, FOLDED_REAL_AT } from "./encoder-scratch";
import { fft } from "./fft";
import { FFT_IMAGINARY_AT, FFT_REAL_AT } from "./scratch";
import { OVERLAP } from "./state";

/**
 * Transforms (960 >> shift) + 120 samples at `input` to 960 >> shift coefficients at `out`, `stride` floats apart.
 */
export function forwardMdct(input: usize, out: usize, shift: i32, stride: i32): void {
  const half = 960 >> shift;
  const quarter = half >> 1;
  const cosines = mdctTwiddles960 + (<usize>(1920 - (1920 >> shift)) << 2);
  const sines = cosines + (<usize>quarter << 2);
  const order = shift == 0 ? fftBitrev480 : shift == 1 ? fftBitrev240 : shift == 2 ? fftBitrev120 : fftBitrev60;
  fold(input, half, quarter);
  rotateIn(quarter, cosines, sines, order, load<f32>(fftScale + (<usize>shift << 2)));
  fft(shift);
  rotateOut(out, half, quarter, stride, cosines, sines);
}

/** Windows and folds the block to half of its length, arranged as complex numbers. */
function fold(input: usize, half: i32, quarter: i32): void {
  const edge = OVERLAP >> 2;
  const wrap = <usize>half << 2;
  const center = <usize>(OVERLAP >> 1) << 2;
  let rising = input + center;
  let falling = input + wrap + center - 4;
  let re = FOLDED_REAL_AT;
  let im = FOLDED_IMAGINARY_AT;
  let low = window120 + center;
  let high = low - 4;
  for (let i = 0; i < edge; i++) {
    const wl = load<f32>(low);
    const wh = load<f32>(high);
    store<f32>(re, load<f32>(rising + wrap) * wh + load<f32>(falling) * wl);
    store<f32>(im, load<f32>(rising) * wl - load<f32>(falling - wrap) * wh);
    re += 4;
    im += 4;
    rising += 8;
    falling -= 8;
    low += 8;
    high -= 8;
  }
  for (let i = edge; i < quarter - edge; i++) {
    store<f32>(re, load<f32>(falling));
    store<f32>(im, load<f32>(rising));
    re += 4;
    im += 4;
    rising += 8;
    falling -= 8;
  }
  low = window120;
  high = window120 + (<usize>(OVERLAP - 1) << 2);
  for (let i = quarter - edge; i < quarter; i++) {
    const wl = load<f32>(low);
    const wh = load<f32>(high);
    store<f32>(re, load<f32>(falling) * wh - load<f32>(rising - wrap) * wl);
    store<f32>(im, load<f32>(rising) * wh + load<f32>(falling + wrap) * wl);
    re += 4;
    im += 4;
    rising += 8;
    falling -= 8;
    low += 8;
    high -= 8;
  }
}

function rotateIn(quarter: i32, cosines: usize, sines: usize, order: usize, scale: f32): void {
  const scales = f32x4.splat(scale);
  const bytes = <usize>quarter << 2;
  let permutation = order;
  for (let at: usize = 0; at < bytes; at += 16) {
    const re = v128.load(FOLDED_REAL_AT + at);
    const im = v128.load(FOLDED_IMAGINARY_AT + at);
    const c = v128.load(cosines + at);
    const s = v128.load(sines + at);
    const yr = f32x4.mul(f32x4.sub(f32x4.mul(re, c), f32x4.mul(im, s)), scales);
    const yi = f32x4.mul(f32x4.add(f32x4.mul(im, c), f32x4.mul(re, s)), scales);
    const to0 = <usize>load<i16>(permutation) << 2;
    const to1 = <usize>load<i16>(permutation, 2) << 2;
    const to2 = <usize>load<i16>(permutation, 4) << 2;
    const to3 = <usize>load<i16>(permutation, 6) << 2;
    permutation += 8;
    v128.store_lane<f32>(FFT_REAL_AT + to0, yr, 0);
    v128.store_lane<f32>(FFT_REAL_AT + to1, yr, 1);
    v128.store_lane<f32>(FFT_REAL_AT + to2, yr, 2);
    v128.store_lane<f32>(FFT_REAL_AT + to3, yr, 3);
    v128.store_lane<f32>(FFT_IMAGINARY_AT + to0, yi, 0);
    v128.store_lane<f32>(FFT_IMAGINARY_AT + to1, yi, 1);
    v128.store_lane<f32>(FFT_IMAGINARY_AT + to2, yi, 2);
    v128.store_lane<f32>(FFT_IMAGINARY_AT + to3, yi, 3);
  }
}

function rotateOut(out: usize, half: i32, quarter: i32, stride: i32, cosines: usize, sines: usize): void {
  const bytes = <usize>quarter << 2;
  const step = <usize>stride << 3;
  let low = out;
  let high = out + (<usize>(stride * (half - 1)) << 2);
  for (let at: usize = 0; at < bytes; at += 16) {
    const re = v128.load(FFT_REAL_AT + at);
    const im = v128.load(FFT_IMAGINARY_AT + at);
    const c = v128.load(cosines + at);
    const s = v128.load(sines + at);
    const yr = f32x4.sub(f32x4.mul(im, s), f32x4.mul(re, c));
    const yi = f32x4.add(f32x4.mul(re, s), f32x4.mul(im, c));
    v128.store_lane<f32>(low, yr, 0);
    v128.store_lane<f32>(low + step, yr, 1);
    v128.store_lane<f32>(low + 2 * step, yr, 2);
    v128.store_lane<f32>(low + 3 * step, yr, 3);
    v128.store_lane<f32>(high, yi, 0);
    v128.store_lane<f32>(high - step, yi, 1);
    v128.store_lane<f32>(high - 2 * step, yi, 2);
    v128.store_lane<f32>(high - 3 * step, yi, 3);
    low += 4 * step;
    high -= 4 * step;
  }
}
