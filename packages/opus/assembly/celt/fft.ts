// Complex FFT of 480, 240, 120 and 60 points in the order of operations of the reference (kissfft: radix 4, 2, 3, 5 from
// the innermost stage out). Four independent butterflies share a vector, so every value has the bits of scalar code.
//
// Real and imaginary parts are separate arrays; the input is expected in the permuted order of `fftBitrev*`.
import { fftTwiddles480 } from "../tables/celt-transform";
import { FFT_IMAGINARY_AT, FFT_REAL_AT, TWIDDLES_AT } from "./scratch";

/** Index of exp(-2 pi i / 3), exp(-2 pi i / 5) and exp(-4 pi i / 5) among the 480 twiddles. */
const THIRD: usize = 160;
const FIFTH: usize = 96;
const TWO_FIFTHS: usize = 192;
const SQRT_HALF: f32 = 0.7071067812;

/** Bytes of the contiguous factors of a stage: (radix - 1) runs of m real and m imaginary parts. */
function stageBytes(radix: i32, m: i32): usize {
  return <usize>((radix - 1) * m) << 3;
}

function writeStage(at: usize, radix: i32, m: i32, stride: i32): usize {
  let to = at;
  for (let q = 1; q < radix; q++) {
    for (let part: usize = 0; part < 8; part += 4) {
      for (let j = 0; j < m; j++) {
        store<f32>(to, load<f32>(fftTwiddles480 + (<usize>(q * j * stride) << 3) + part));
        to += 4;
      }
    }
  }
  return to;
}

/** Fills the contiguous factors of all four sizes; to be called once per instance. */
export function prepareTwiddles(): void {
  let at = writeStage(TWIDDLES_AT, 4, 8, 15);
  for (let shift = 0; shift < 4; shift++) {
    if (shift == 1) at = writeStage(at, 4, 4, 30);
    at = writeStage(at, 3, 32 >> shift, 5 << shift);
    at = writeStage(at, 5, 96 >> shift, 1 << shift);
  }
}

/** Transforms 480 >> shift points in place. */
export function fft(shift: i32): void {
  let at = TWIDDLES_AT;
  if (shift == 0) {
    radix4First(120);
    radix2(60);
    radix4(8, 15, at);
    at += stageBytes(4, 8);
    radix3(32, at);
    radix5(96, at + stageBytes(3, 32));
    return;
  }
  at += stageBytes(4, 8) + stageBytes(3, 32) + stageBytes(5, 96);
  if (shift == 1) {
    radix4First(60);
    radix4(4, 15, at);
    at += stageBytes(4, 4);
    radix3(16, at);
    radix5(48, at + stageBytes(3, 16));
    return;
  }
  at += stageBytes(4, 4) + stageBytes(3, 16) + stageBytes(5, 48);
  if (shift == 2) {
    radix4First(32);
    radix2(15);
    radix3(8, at);
    radix5(24, at + stageBytes(3, 8));
    return;
  }
  at += stageBytes(3, 8) + stageBytes(5, 24);
  radix4First(16);
  radix3(4, at);
  radix5(12, at + stageBytes(3, 4));
}

/** Radix 4 over neighbours, all factors 1; `count` butterflies, a multiple of 4 (the arrays have room for the surplus). */
function radix4First(count: i32): void {
  let re = FFT_REAL_AT;
  let im = FFT_IMAGINARY_AT;
  for (let i = 0; i < count; i += 4) {
    // Lane = butterfly: transpose in.
    let a = v128.load(re);
    let b = v128.load(re, 16);
    let c = v128.load(re, 32);
    let d = v128.load(re, 48);
    let lo0 = i32x4.shuffle(a, b, 0, 4, 1, 5);
    let lo1 = i32x4.shuffle(c, d, 0, 4, 1, 5);
    let hi0 = i32x4.shuffle(a, b, 2, 6, 3, 7);
    let hi1 = i32x4.shuffle(c, d, 2, 6, 3, 7);
    const r0 = i32x4.shuffle(lo0, lo1, 0, 1, 4, 5);
    const r1 = i32x4.shuffle(lo0, lo1, 2, 3, 6, 7);
    const r2 = i32x4.shuffle(hi0, hi1, 0, 1, 4, 5);
    const r3 = i32x4.shuffle(hi0, hi1, 2, 3, 6, 7);
    a = v128.load(im);
    b = v128.load(im, 16);
    c = v128.load(im, 32);
    d = v128.load(im, 48);
    lo0 = i32x4.shuffle(a, b, 0, 4, 1, 5);
    lo1 = i32x4.shuffle(c, d, 0, 4, 1, 5);
    hi0 = i32x4.shuffle(a, b, 2, 6, 3, 7);
    hi1 = i32x4.shuffle(c, d, 2, 6, 3, 7);
    const i0 = i32x4.shuffle(lo0, lo1, 0, 1, 4, 5);
    const i1 = i32x4.shuffle(lo0, lo1, 2, 3, 6, 7);
    const i2 = i32x4.shuffle(hi0, hi1, 0, 1, 4, 5);
    const i3 = i32x4.shuffle(hi0, hi1, 2, 3, 6, 7);

    const differenceR = f32x4.sub(r0, r2);
    const differenceI = f32x4.sub(i0, i2);
    const sumR = f32x4.add(r0, r2);
    const sumI = f32x4.add(i0, i2);
    const oddSumR = f32x4.add(r1, r3);
    const oddSumI = f32x4.add(i1, i3);
    const oddDifferenceR = f32x4.sub(r1, r3);
    const oddDifferenceI = f32x4.sub(i1, i3);
    storeTransposed(
      re,
      f32x4.add(sumR, oddSumR),
      f32x4.add(differenceR, oddDifferenceI),
      f32x4.sub(sumR, oddSumR),
      f32x4.sub(differenceR, oddDifferenceI),
    );
    storeTransposed(
      im,
      f32x4.add(sumI, oddSumI),
      f32x4.sub(differenceI, oddDifferenceR),
      f32x4.sub(sumI, oddSumI),
      f32x4.add(differenceI, oddDifferenceR),
    );
    re += 64;
    im += 64;
  }
}

function storeTransposed(to: usize, a: v128, b: v128, c: v128, d: v128): void {
  const lo0 = i32x4.shuffle(a, b, 0, 4, 1, 5);
  const lo1 = i32x4.shuffle(c, d, 0, 4, 1, 5);
  const hi0 = i32x4.shuffle(a, b, 2, 6, 3, 7);
  const hi1 = i32x4.shuffle(c, d, 2, 6, 3, 7);
  v128.store(to, i32x4.shuffle(lo0, lo1, 0, 1, 4, 5));
  v128.store(to, i32x4.shuffle(lo0, lo1, 2, 3, 6, 7), 16);
  v128.store(to, i32x4.shuffle(hi0, hi1, 0, 1, 4, 5), 32);
  v128.store(to, i32x4.shuffle(hi0, hi1, 2, 3, 6, 7), 48);
}

/** Radix 2 over blocks of 4; the factors are the eighth roots of unity, one per lane. */
function radix2(count: i32): void {
  const factorR = f32x4(1.0, SQRT_HALF, 1.0, SQRT_HALF);
  const factorI = f32x4(1.0, SQRT_HALF, -1.0, -SQRT_HALF);
  let re = FFT_REAL_AT;
  let im = FFT_IMAGINARY_AT;
  for (let i = 0; i < count; i++) {
    const r = v128.load(re, 16);
    const x = v128.load(im, 16);
    const sum = f32x4.add(r, x);
    const difference = f32x4.sub(x, r);
    // Lanes: r, r+i, i, i-r and i, i-r, r, r+i.
    const crossR = i32x4.shuffle(
      i32x4.shuffle(r, sum, 0, 5, 0, 0),
      i32x4.shuffle(x, difference, 2, 7, 0, 0),
      0,
      1,
      4,
      5,
    );
    const crossI = i32x4.shuffle(
      i32x4.shuffle(x, difference, 0, 5, 0, 0),
      i32x4.shuffle(r, sum, 2, 7, 0, 0),
      0,
      1,
      4,
      5,
    );
    const tr = f32x4.mul(crossR, factorR);
    const ti = f32x4.mul(crossI, factorI);
    const r0 = v128.load(re);
    const i0 = v128.load(im);
    v128.store(re, f32x4.sub(r0, tr), 16);
    v128.store(im, f32x4.sub(i0, ti), 16);
    v128.store(re, f32x4.add(r0, tr));
    v128.store(im, f32x4.add(i0, ti));
    re += 32;
    im += 32;
  }
}

/** Radix 4 over `groups` groups of 4m points. */
function radix4(m: i32, groups: i32, factors: usize): void {
  const step = <usize>m << 2;
  let re = FFT_REAL_AT;
  let im = FFT_IMAGINARY_AT;
  for (let group = 0; group < groups; group++) {
    for (let j: usize = 0; j < step; j += 16) {
      const f = factors + j;
      const ar = v128.load(re + step);
      const ai = v128.load(im + step);
      const br = v128.load(re + 2 * step);
      const bi = v128.load(im + 2 * step);
      const cr = v128.load(re + 3 * step);
      const ci = v128.load(im + 3 * step);
      const w1r = v128.load(f);
      const w1i = v128.load(f + step);
      const w2r = v128.load(f + 2 * step);
      const w2i = v128.load(f + 3 * step);
      const w3r = v128.load(f + 4 * step);
      const w3i = v128.load(f + 5 * step);
      const s0r = f32x4.sub(f32x4.mul(ar, w1r), f32x4.mul(ai, w1i));
      const s0i = f32x4.add(f32x4.mul(ar, w1i), f32x4.mul(ai, w1r));
      const s1r = f32x4.sub(f32x4.mul(br, w2r), f32x4.mul(bi, w2i));
      const s1i = f32x4.add(f32x4.mul(br, w2i), f32x4.mul(bi, w2r));
      const s2r = f32x4.sub(f32x4.mul(cr, w3r), f32x4.mul(ci, w3i));
      const s2i = f32x4.add(f32x4.mul(cr, w3i), f32x4.mul(ci, w3r));
      const x0r = v128.load(re);
      const x0i = v128.load(im);
      const s5r = f32x4.sub(x0r, s1r);
      const s5i = f32x4.sub(x0i, s1i);
      const tr = f32x4.add(x0r, s1r);
      const ti = f32x4.add(x0i, s1i);
      const s3r = f32x4.add(s0r, s2r);
      const s3i = f32x4.add(s0i, s2i);
      const s4r = f32x4.sub(s0r, s2r);
      const s4i = f32x4.sub(s0i, s2i);
      v128.store(re + 2 * step, f32x4.sub(tr, s3r));
      v128.store(im + 2 * step, f32x4.sub(ti, s3i));
      v128.store(re, f32x4.add(tr, s3r));
      v128.store(im, f32x4.add(ti, s3i));
      v128.store(re + step, f32x4.add(s5r, s4i));
      v128.store(im + step, f32x4.sub(s5i, s4r));
      v128.store(re + 3 * step, f32x4.sub(s5r, s4i));
      v128.store(im + 3 * step, f32x4.add(s5i, s4r));
      re += 16;
      im += 16;
    }
    re += 3 * step;
    im += 3 * step;
  }
}

/** Radix 3 over the five groups of 3m points. */
function radix3(m: i32, factors: usize): void {
  const step = <usize>m << 2;
  const half = f32x4.splat(0.5);
  const turn = f32x4.splat(load<f32>(fftTwiddles480 + (THIRD << 3), 4));
  let re = FFT_REAL_AT;
  let im = FFT_IMAGINARY_AT;
  for (let group = 0; group < 5; group++) {
    for (let j: usize = 0; j < step; j += 16) {
      const f = factors + j;
      const ar = v128.load(re + step);
      const ai = v128.load(im + step);
      const br = v128.load(re + 2 * step);
      const bi = v128.load(im + 2 * step);
      const w1r = v128.load(f);
      const w1i = v128.load(f + step);
      const w2r = v128.load(f + 2 * step);
      const w2i = v128.load(f + 3 * step);
      const s1r = f32x4.sub(f32x4.mul(ar, w1r), f32x4.mul(ai, w1i));
      const s1i = f32x4.add(f32x4.mul(ar, w1i), f32x4.mul(ai, w1r));
      const s2r = f32x4.sub(f32x4.mul(br, w2r), f32x4.mul(bi, w2i));
      const s2i = f32x4.add(f32x4.mul(br, w2i), f32x4.mul(bi, w2r));
      const s3r = f32x4.add(s1r, s2r);
      const s3i = f32x4.add(s1i, s2i);
      const s0r = f32x4.mul(f32x4.sub(s1r, s2r), turn);
      const s0i = f32x4.mul(f32x4.sub(s1i, s2i), turn);
      const x0r = v128.load(re);
      const x0i = v128.load(im);
      const mr = f32x4.sub(x0r, f32x4.mul(s3r, half));
      const mi = f32x4.sub(x0i, f32x4.mul(s3i, half));
      v128.store(re, f32x4.add(x0r, s3r));
      v128.store(im, f32x4.add(x0i, s3i));
      v128.store(re + 2 * step, f32x4.add(mr, s0i));
      v128.store(im + 2 * step, f32x4.sub(mi, s0r));
      v128.store(re + step, f32x4.sub(mr, s0i));
      v128.store(im + step, f32x4.add(mi, s0r));
      re += 16;
      im += 16;
    }
    re += 2 * step;
    im += 2 * step;
  }
}

/** Radix 5 over all points, m = points / 5. */
function radix5(m: i32, factors: usize): void {
  const step = <usize>m << 2;
  const yar = f32x4.splat(load<f32>(fftTwiddles480 + (FIFTH << 3)));
  const yai = f32x4.splat(load<f32>(fftTwiddles480 + (FIFTH << 3), 4));
  const ybr = f32x4.splat(load<f32>(fftTwiddles480 + (TWO_FIFTHS << 3)));
  const ybi = f32x4.splat(load<f32>(fftTwiddles480 + (TWO_FIFTHS << 3), 4));
  for (let j: usize = 0; j < step; j += 16) {
    const re = FFT_REAL_AT + j;
    const im = FFT_IMAGINARY_AT + j;
    const f = factors + j;
    let xr = v128.load(re + step);
    let xi = v128.load(im + step);
    let wr = v128.load(f);
    let wi = v128.load(f + step);
    const s1r = f32x4.sub(f32x4.mul(xr, wr), f32x4.mul(xi, wi));
    const s1i = f32x4.add(f32x4.mul(xr, wi), f32x4.mul(xi, wr));
    xr = v128.load(re + 4 * step);
    xi = v128.load(im + 4 * step);
    wr = v128.load(f + 6 * step);
    wi = v128.load(f + 7 * step);
    const s4r = f32x4.sub(f32x4.mul(xr, wr), f32x4.mul(xi, wi));
    const s4i = f32x4.add(f32x4.mul(xr, wi), f32x4.mul(xi, wr));
    const s7r = f32x4.add(s1r, s4r);
    const s7i = f32x4.add(s1i, s4i);
    const s10r = f32x4.sub(s1r, s4r);
    const s10i = f32x4.sub(s1i, s4i);
    xr = v128.load(re + 2 * step);
    xi = v128.load(im + 2 * step);
    wr = v128.load(f + 2 * step);
    wi = v128.load(f + 3 * step);
    const s2r = f32x4.sub(f32x4.mul(xr, wr), f32x4.mul(xi, wi));
    const s2i = f32x4.add(f32x4.mul(xr, wi), f32x4.mul(xi, wr));
    xr = v128.load(re + 3 * step);
    xi = v128.load(im + 3 * step);
    wr = v128.load(f + 4 * step);
    wi = v128.load(f + 5 * step);
    const s3r = f32x4.sub(f32x4.mul(xr, wr), f32x4.mul(xi, wi));
    const s3i = f32x4.add(f32x4.mul(xr, wi), f32x4.mul(xi, wr));
    const s8r = f32x4.add(s2r, s3r);
    const s8i = f32x4.add(s2i, s3i);
    const s9r = f32x4.sub(s2r, s3r);
    const s9i = f32x4.sub(s2i, s3i);
    const x0r = v128.load(re);
    const x0i = v128.load(im);
    v128.store(re, f32x4.add(x0r, f32x4.add(s7r, s8r)));
    v128.store(im, f32x4.add(x0i, f32x4.add(s7i, s8i)));
    const s5r = f32x4.add(x0r, f32x4.add(f32x4.mul(s7r, yar), f32x4.mul(s8r, ybr)));
    const s5i = f32x4.add(x0i, f32x4.add(f32x4.mul(s7i, yar), f32x4.mul(s8i, ybr)));
    const s6r = f32x4.add(f32x4.mul(s10i, yai), f32x4.mul(s9i, ybi));
    const s6i = f32x4.neg(f32x4.add(f32x4.mul(s10r, yai), f32x4.mul(s9r, ybi)));
    v128.store(re + step, f32x4.sub(s5r, s6r));
    v128.store(im + step, f32x4.sub(s5i, s6i));
    v128.store(re + 4 * step, f32x4.add(s5r, s6r));
    v128.store(im + 4 * step, f32x4.add(s5i, s6i));
    const s11r = f32x4.add(x0r, f32x4.add(f32x4.mul(s7r, ybr), f32x4.mul(s8r, yar)));
    const s11i = f32x4.add(x0i, f32x4.add(f32x4.mul(s7i, ybr), f32x4.mul(s8i, yar)));
    const s12r = f32x4.sub(f32x4.mul(s9i, yai), f32x4.mul(s10i, ybi));
    const s12i = f32x4.sub(f32x4.mul(s10r, ybi), f32x4.mul(s9r, yai));
    v128.store(re + 2 * step, f32x4.add(s11r, s12r));
    v128.store(im + 2 * step, f32x4.add(s11i, s12i));
    v128.store(re + 3 * step, f32x4.sub(s11r, s12r));
    v128.store(im + 3 * step, f32x4.sub(s11i, s12i));
  }
}
