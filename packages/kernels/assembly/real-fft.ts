// Real FFT of an even length N through the complex one of M = N / 2: even samples are the real part, odd ones the
// imaginary part; a last step takes the two spectra apart. With Z the half transform, w = exp(-2 pi i k / N):
//   E = (Z[k] + conj Z[M-k]) / 2,  O = (Z[k] - conj Z[M-k]) / (2 i),  X[k] = E + w O,  X[M-k] = conj(E - w O).

import { fftForward, fftPlan, fftPlanBytes } from "./fft";
import { cosTurns, sinTurns } from "./turns";

/** Lengths M below this take the two spectra apart one bin at a time. */
const vectorMinimum: i32 = 8;

/** Entries of the table of w: every k that a vector can touch. */
function tableLength(half: i32): i32 {
  return half / 2 + 5;
}

/** Bytes of the plan of an even length; 0 if there is none. */
export function realFftPlanBytes(length: i32): i32 {
  if (length < 2 || length & 1) return 0;
  const half = length / 2;
  const bytes = fftPlanBytes(half);
  return bytes == 0 ? 0 : 16 + 8 * tableLength(half) + bytes;
}

/** Plan: length, table of w (cosines, then negative sines), plan of the half length. */
export function realFftPlan(plan: usize, length: i32): void {
  const half = length / 2;
  const count = tableLength(half);
  store<i32>(plan, length);
  for (let k = 0; k < count; k++) {
    const at = plan + 16 + (usize(k) << 2);
    store<f32>(at, f32(cosTurns(k, length)));
    store<f32>(at + (usize(count) << 2), f32(-sinTurns(k, length)));
  }
  fftPlan(halfPlan(plan, half), half);
}

function halfPlan(plan: usize, half: i32): usize {
  return plan + 16 + 8 * usize(tableLength(half));
}

/**
 * Forward, unnormalised: `input` has N samples, outRe and outIm get N / 2 + 1 bins, workRe and workIm (N / 2 each) are
 * overwritten. The input is kept.
 */
export function realFftForward(
  plan: usize,
  input: usize,
  outRe: usize,
  outIm: usize,
  workRe: usize,
  workIm: usize,
): void {
  const half = load<i32>(plan) / 2;
  fftForward(halfPlan(plan, half), input, 0, workRe, workIm, outRe, outIm, true);
  const tableRe = plan + 16;
  const tableIm = tableRe + (usize(tableLength(half)) << 2);
  const top = usize(half) << 2;
  const dcRe = load<f32>(workRe);
  const dcIm = load<f32>(workIm);
  if (half < vectorMinimum) {
    for (let k: usize = 4; k <= top / 2; k += 4) {
      splitBin(workRe, workIm, outRe, outIm, tableRe, tableIm, k, top - k);
    }
  } else {
    const point5 = f32x4.splat(0.5);
    for (let k: usize = 4; k <= top / 2; k += 16) {
      const mirror = top - k - 12;
      const zr = v128.load(workRe + k);
      const zi = v128.load(workIm + k);
      const mr = v128.load(workRe + mirror);
      const mi = v128.load(workIm + mirror);
      const yr = v128.shuffle<f32>(mr, mr, 3, 2, 1, 0);
      const yi = v128.shuffle<f32>(mi, mi, 3, 2, 1, 0);
      const er = f32x4.mul(f32x4.add(zr, yr), point5);
      const ei = f32x4.mul(f32x4.sub(zi, yi), point5);
      const or = f32x4.mul(f32x4.add(zi, yi), point5);
      const oi = f32x4.mul(f32x4.sub(yr, zr), point5);
      const wr = v128.load(tableRe + k);
      const wi = v128.load(tableIm + k);
      const tr = f32x4.sub(f32x4.mul(or, wr), f32x4.mul(oi, wi));
      const ti = f32x4.add(f32x4.mul(or, wi), f32x4.mul(oi, wr));
      v128.store(outRe + k, f32x4.add(er, tr));
      v128.store(outIm + k, f32x4.add(ei, ti));
      const xr = f32x4.sub(er, tr);
      const xi = f32x4.sub(ti, ei);
      v128.store(outRe + mirror, v128.shuffle<f32>(xr, xr, 3, 2, 1, 0));
      v128.store(outIm + mirror, v128.shuffle<f32>(xi, xi, 3, 2, 1, 0));
    }
  }
  store<f32>(outRe, dcRe + dcIm);
  store<f32>(outIm, 0);
  store<f32>(outRe + top, dcRe - dcIm);
  store<f32>(outIm + top, 0);
}

function splitBin(
  zRe: usize,
  zIm: usize,
  outRe: usize,
  outIm: usize,
  tableRe: usize,
  tableIm: usize,
  k: usize,
  mirror: usize,
): void {
  const zr = load<f32>(zRe + k);
  const zi = load<f32>(zIm + k);
  const yr = load<f32>(zRe + mirror);
  const yi = load<f32>(zIm + mirror);
  const er = (zr + yr) * 0.5;
  const ei = (zi - yi) * 0.5;
  const or = (zi + yi) * 0.5;
  const oi = (yr - zr) * 0.5;
  const wr = load<f32>(tableRe + k);
  const wi = load<f32>(tableIm + k);
  const tr = or * wr - oi * wi;
  const ti = or * wi + oi * wr;
  store<f32>(outRe + k, er + tr);
  store<f32>(outIm + k, ei + ti);
  store<f32>(outRe + mirror, er - tr);
  store<f32>(outIm + mirror, ti - ei);
}

/**
 * Inverse, scaled by 1 / N: `inRe` and `inIm` have N / 2 + 1 bins (the imaginary parts of the first and last are not
 * read), `output` gets N samples. Two pairs of work arrays of N / 2 each are overwritten.
 */
export function realFftInverse(
  plan: usize,
  inRe: usize,
  inIm: usize,
  output: usize,
  work1Re: usize,
  work1Im: usize,
  work2Re: usize,
  work2Im: usize,
): void {
  const half = load<i32>(plan) / 2;
  const tableRe = plan + 16;
  const tableIm = tableRe + (usize(tableLength(half)) << 2);
  const top = usize(half) << 2;
  const scale: f32 = f32(0.5 / f64(half));
  const dc = load<f32>(inRe);
  const nyquist = load<f32>(inRe + top);
  store<f32>(work1Re, (dc + nyquist) * scale);
  store<f32>(work1Im, (dc - nyquist) * scale);
  for (let k: usize = 4; k <= top / 2; k += 4) {
    const mirror = top - k;
    const xr = load<f32>(inRe + k);
    const xi = load<f32>(inIm + k);
    const yr = load<f32>(inRe + mirror);
    const yi = load<f32>(inIm + mirror);
    const er = (xr + yr) * scale;
    const ei = (xi - yi) * scale;
    const dr = (xr - yr) * scale;
    const di = (xi + yi) * scale;
    const wr = load<f32>(tableRe + k);
    const wi = load<f32>(tableIm + k);
    // O = conj(w) D; Z[k] = E + i O, Z[M-k] = conj(E) + i conj(O).
    const or = dr * wr + di * wi;
    const oi = di * wr - dr * wi;
    store<f32>(work1Re + k, er - oi);
    store<f32>(work1Im + k, ei + or);
    store<f32>(work1Re + mirror, er + oi);
    store<f32>(work1Im + mirror, or - ei);
  }
  // Real and imaginary parts exchanged: the forward transform gives the inverse, exchanged too. The output is free to
  // serve as work until it is written.
  fftForward(halfPlan(plan, half), work1Im, work1Re, work2Im, work2Re, output, output + top, false);
  for (let k: usize = 0; k < top; k += 4) {
    store<f32>(output + 2 * k, load<f32>(work2Re + k));
    store<f32>(output + 2 * k, load<f32>(work2Im + k), 4);
  }
}

/**
 * Inverse for an odd length with its complex plan, scaled by 1 / N: (N + 1) / 2 bins, which are overwritten, to N
 * samples. Three work arrays of N are overwritten.
 */
export function realFftInverseOdd(
  plan: usize,
  re: usize,
  im: usize,
  output: usize,
  work1: usize,
  work2: usize,
  work3: usize,
): void {
  const length = load<i32>(plan);
  const scale: f32 = f32(1.0 / f64(length));
  const bytes = usize(length) << 2;
  store<f32>(work1, load<f32>(re) * scale);
  store<f32>(work2, 0);
  for (let k: usize = 4; k <= bytes / 2; k += 4) {
    const r = load<f32>(re + k) * scale;
    const i = load<f32>(im + k) * scale;
    store<f32>(work1 + k, r);
    store<f32>(work2 + k, i);
    store<f32>(work1 + bytes - k, r);
    store<f32>(work2 + bytes - k, -i);
  }
  fftForward(plan, work2, work1, work3, output, re, im, false);
}
