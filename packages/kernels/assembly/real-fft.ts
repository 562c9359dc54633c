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

/** Plan: length, table of w / 2 (cosines, then negative sines), plan of the half length. */
export function realFftPlan(plan: usize, length: i32): void {
  const half = length / 2;
  const count = tableLength(half);
  store<i32>(plan, length);
  for (let k = 0; k < count; k++) {
    const at = plan + 16 + (usize(k) << 2);
    store<f32>(at, f32(0.5 * cosTurns(k, length)));
    store<f32>(at + (usize(count) << 2), f32(-0.5 * sinTurns(k, length)));
  }
  fftPlan(halfPlan(plan, half), half);
}

function halfPlan(plan: usize, half: i32): usize {
  return plan + 16 + 8 * usize(tableLength(half));
}

/**
 * Forward, unnormalised: `input` has N samples and is kept, outRe and outIm get N / 2 + 1 bins, `work` (N values) is
 * overwritten. `outRe` must have room for N values: it serves as work until the bins are written (outIm may begin behind
 * the N / 2 + 1 bins).
 */
export function realFftForward(plan: usize, input: usize, outRe: usize, outIm: usize, work: usize): void {
  const half = load<i32>(plan) / 2;
  fftForward(halfPlan(plan, half), input, 0, work, outRe, true);
  const table = plan + 16;
  const tableIm = usize(tableLength(half)) << 2;
  const top = usize(half) << 2;
  const workIm = work + top;
  const dcRe = load<f32>(work);
  const dcIm = load<f32>(workIm);
  if (half < vectorMinimum) {
    for (let k: usize = 4; k <= top / 2; k += 4) {
      splitBin(work, workIm, outRe, outIm, table, table + tableIm, k, top - k);
    }
  } else {
    const point5 = f32x4.splat(0.5);
    const middle = work + top / 2;
    let w = table + 4;
    let toRe = outRe + 4;
    let toIm = outIm + 4;
    let mirror = work + top - 16;
    let mirrorRe = outRe + top - 16;
    let mirrorIm = outIm + top - 16;
    for (let z = work + 4; z <= middle; z += 16) {
      const zr = v128.load(z);
      const zi = v128.load(z + top);
      const mr = v128.load(mirror);
      const mi = v128.load(mirror + top);
      const yr = v128.shuffle<f32>(mr, mr, 3, 2, 1, 0);
      const yi = v128.shuffle<f32>(mi, mi, 3, 2, 1, 0);
      const er = f32x4.mul(f32x4.add(zr, yr), point5);
      const ei = f32x4.mul(f32x4.sub(zi, yi), point5);
      const or = f32x4.add(zi, yi);
      const oi = f32x4.sub(yr, zr);
      const wr = v128.load(w);
      const wi = v128.load(w + tableIm);
      const tr = f32x4.sub(f32x4.mul(or, wr), f32x4.mul(oi, wi));
      const ti = f32x4.add(f32x4.mul(or, wi), f32x4.mul(oi, wr));
      v128.store(toRe, f32x4.add(er, tr));
      v128.store(toIm, f32x4.add(ei, ti));
      const xr = f32x4.sub(er, tr);
      const xi = f32x4.sub(ti, ei);
      v128.store(mirrorRe, v128.shuffle<f32>(xr, xr, 3, 2, 1, 0));
      v128.store(mirrorIm, v128.shuffle<f32>(xi, xi, 3, 2, 1, 0));
      w += 16;
      toRe += 16;
      toIm += 16;
      mirror -= 16;
      mirrorRe -= 16;
      mirrorIm -= 16;
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
  const or = zi + yi;
  const oi = yr - zr;
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
 * read), `output` gets N samples. Two work areas of N values each are overwritten.
 */
export function realFftInverse(
  plan: usize,
  inRe: usize,
  inIm: usize,
  output: usize,
  work1: usize,
  work2: usize,
): void {
  const half = load<i32>(plan) / 2;
  const tableRe = plan + 16;
  const tableIm = tableRe + (usize(tableLength(half)) << 2);
  const top = usize(half) << 2;
  const work1Im = work1 + top;
  const scale: f32 = f32(0.5 / f64(half));
  const doubled: f32 = scale * 2;
  const dc = load<f32>(inRe);
  const nyquist = load<f32>(inRe + top);
  store<f32>(work1, (dc + nyquist) * scale);
  store<f32>(work1Im, (dc - nyquist) * scale);
  for (let k: usize = 4; k <= top / 2; k += 4) {
    const mirror = top - k;
    const xr = load<f32>(inRe + k);
    const xi = load<f32>(inIm + k);
    const yr = load<f32>(inRe + mirror);
    const yi = load<f32>(inIm + mirror);
    const er = (xr + yr) * scale;
    const ei = (xi - yi) * scale;
    // Twice the scale: the table has half of w.
    const dr = (xr - yr) * doubled;
    const di = (xi + yi) * doubled;
    const wr = load<f32>(tableRe + k);
    const wi = load<f32>(tableIm + k);
    // O = conj(w) D; Z[k] = E + i O, Z[M-k] = conj(E) + i conj(O).
    const or = dr * wr + di * wi;
    const oi = di * wr - dr * wi;
    store<f32>(work1 + k, er - oi);
    store<f32>(work1Im + k, ei + or);
    store<f32>(work1 + mirror, er + oi);
    store<f32>(work1Im + mirror, or - ei);
  }
  // Real and imaginary parts exchanged: the forward transform gives the inverse, exchanged too. The output is free to
  // serve as work until it is written.
  fftForward(halfPlan(plan, half), work1Im, work1, work2, output, false);
  for (let k: usize = 0; k < top; k += 4) {
    store<f32>(output + 2 * k, load<f32>(work2 + top + k));
    store<f32>(output + 2 * k, load<f32>(work2 + k), 4);
  }
}

/**
 * Inverse for an odd length with its complex plan, scaled by 1 / N: (N + 1) / 2 bins to N samples. Three work areas of
 * 2 N values each are overwritten.
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
  const work1Im = work1 + bytes;
  store<f32>(work1, load<f32>(re) * scale);
  store<f32>(work1Im, 0);
  for (let k: usize = 4; k <= bytes / 2; k += 4) {
    const r = load<f32>(re + k) * scale;
    const i = load<f32>(im + k) * scale;
    store<f32>(work1 + k, r);
    store<f32>(work1Im + k, i);
    store<f32>(work1 + bytes - k, r);
    store<f32>(work1Im + bytes - k, -i);
  }
  fftForward(plan, work1Im, work1, work2, work3, false);
  memory.copy(output, work2 + bytes, bytes);
}
