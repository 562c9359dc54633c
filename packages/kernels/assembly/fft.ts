// Complex FFT of every length 2^a 3^b 5^c: Stockham's self-sorting algorithm (decimation in frequency), forward and
// unnormalised. The inverse is the same with real and imaginary parts exchanged.
//
// A pass of radix r with stride s and m = length / (s r) reads x[q + s (p + k m)] and writes y[q + s (r p + k)],
// k = 0..r-1, multiplied by exp(-2 pi i p k / (r m)).
// A length that is a multiple of 4, from 16 on, begins with a radix 4 over four p at once; every later pass then runs over
// four q at once, and its last one has no factors (fft-block-passes.ts). Others begin with scalar passes until the
// stride is at least 4 (fft-passes.ts). A last group that does not fill a vector overlaps the one before it, which is
// harmless because input and output are different arrays.

import {
  blockPass3,
  blockPass4,
  blockPass5,
  firstPass4,
  firstPassTwiddleBytes,
  lastPass2,
  lastPass4,
  lastPass8,
} from "./fft-block-passes";
import { pass2, pass3, pass5, scalarPass } from "./fft-passes";
import { cosTurns, sinTurns } from "./turns";

/** Plan: length, number of passes, radices (one i32 each), then the twiddle factors of all passes. */
const radicesOffset: usize = 8;
const twiddlesOffset: usize = 128;

/** Bytes of the plan for a length; 0 if the length has a prime factor above 5 or is outside 1 to 65,536. */
export function fftPlanBytes(length: i32): i32 {
  if (length < 1 || length > 65536) return 0;
  let rest = length;
  let bytes = i32(twiddlesOffset);
  let stride = 1;
  while (rest > 1) {
    const radix = nextRadix(rest, stride, length);
    if (radix == 0) return 0;
    bytes += twiddleBytes(radix, rest / radix, stride, length);
    rest /= radix;
    stride *= radix;
  }
  return bytes;
}

function twiddleBytes(radix: i32, m: i32, stride: i32, length: i32): i32 {
  if (stride == 1 && isBlocked(length)) return firstPassTwiddleBytes(m);
  return 8 * (radix - 1) * m;
}

/** Writes the plan; `plan` has fftPlanBytes(length) bytes. */
export function fftPlan(plan: usize, length: i32): void {
  let rest = length;
  let stride = 1;
  let passes = 0;
  let twiddles = plan + twiddlesOffset;
  while (rest > 1) {
    const radix = nextRadix(rest, stride, length);
    const m = rest / radix;
    if (stride == 1 && isBlocked(length)) firstTwiddles(twiddles, m);
    else laterTwiddles(twiddles, radix, m);
    twiddles += twiddleBytes(radix, m, stride, length);
    store<i32>(plan + radicesOffset + 4 * passes, radix);
    passes++;
    rest = m;
    stride *= radix;
  }
  store<i32>(plan, length);
  store<i32>(plan, passes, 4);
}

/** For each group of four p, as firstPass4 takes them: four values each of re and im of the factors k = 1, 2, 3. */
function firstTwiddles(twiddles: usize, m: i32): void {
  for (let group = 0; group < m; group += 4) {
    for (let lane = 0; lane < 4; lane++) {
      const p = min(group, m - 4) + lane;
      for (let k = 1; k < 4; k++) {
        const at = twiddles + 24 * group + 32 * (k - 1) + 4 * lane;
        store<f32>(at, f32(cosTurns(p * k, 4 * m)));
        store<f32>(at, f32(-sinTurns(p * k, 4 * m)), 16);
      }
    }
  }
}

/** For each p: re and im of the factors k = 1 to radix - 1. */
function laterTwiddles(twiddles: usize, radix: i32, m: i32): void {
  for (let p = 0; p < m; p++) {
    for (let k = 1; k < radix; k++) {
      const at = twiddles + 8 * (p * (radix - 1) + k - 1);
      store<f32>(at, f32(cosTurns(p * k, radix * m)));
      store<f32>(at, f32(-sinTurns(p * k, radix * m)), 4);
    }
  }
}

/**
 * Transforms. The input is two arrays of `length` f32 and is kept; `out` and `work` have room for 2 length values each, and
 * nothing overlaps. The result: real parts at `out`, imaginary ones behind them (out + 4 length).
 * @param interleaved if true, inRe points to `length` pairs (re, im) and inIm is not used
 */
export function fftForward(
  plan: usize,
  inRe: usize,
  inIm: usize,
  out: usize,
  work: usize,
  interleaved: bool,
): void {
  const length = load<i32>(plan);
  if (isBlocked(length)) transformBlocks(plan, inRe, inIm, out, work, interleaved);
  else transformArrays(plan, inRe, inIm, out, work, interleaved);
}

function transformBlocks(
  plan: usize,
  inRe: usize,
  inIm: usize,
  out: usize,
  work: usize,
  interleaved: bool,
): void {
  const passes = load<i32>(plan, 4);
  let m = load<i32>(plan) >> 2;
  let twiddles = plan + twiddlesOffset;
  // The last pass writes `out`, so the one before it writes `work`.
  let from = passes & 1 ? out : work;
  let free = passes & 1 ? work : out;
  firstPass4(inRe, inIm, from, m, twiddles, interleaved);
  twiddles += firstPassTwiddleBytes(m);
  let stride = 4;
  for (let pass = 1; pass < passes; pass++) {
    const radix = load<i32>(plan + radicesOffset + 4 * pass);
    m /= radix;
    const isLast = m == 1;
    if (radix == 4) {
      if (isLast) lastPass4(from, free, stride);
      else blockPass4(from, free, m, stride, twiddles);
    } else if (radix == 5) blockPass5(from, free, m, stride, twiddles, isLast);
    else if (radix == 3) blockPass3(from, free, m, stride, twiddles, isLast);
    else if (radix == 8) lastPass8(from, free, stride);
    else lastPass2(from, free, stride);
    const written = free;
    free = from;
    from = written;
    twiddles += 8 * (radix - 1) * m;
    stride *= radix;
  }
}

function transformArrays(
  plan: usize,
  inRe: usize,
  inIm: usize,
  out: usize,
  work: usize,
  interleaved: bool,
): void {
  const length = load<i32>(plan);
  const passes = load<i32>(plan, 4);
  const imOffset = usize(length) << 2;
  if (passes == 0) {
    store<f32>(out, load<f32>(inRe));
    store<f32>(out + imOffset, interleaved ? load<f32>(inRe, 4) : load<f32>(inIm));
    return;
  }
  let rest = length;
  let stride = 1;
  let twiddles = plan + twiddlesOffset;
  let fromRe = inRe;
  let fromIm = inIm;
  if (interleaved) {
    // The first pass writes `out` where (passes - 1) is even: the other one is free.
    fromRe = passes & 1 ? work : out;
    fromIm = fromRe + imOffset;
    separate(inRe, fromRe, fromIm, length);
  }
  for (let pass = 0; pass < passes; pass++) {
    const radix = load<i32>(plan + radicesOffset + 4 * pass);
    const m = rest / radix;
    const to = ((passes - 1 - pass) & 1) == 0 ? out : work;
    const toIm = to + imOffset;
    if (stride < 4) scalarPass(radix, fromRe, fromIm, to, toIm, m, stride, twiddles);
    else if (radix == 5) pass5(fromRe, fromIm, to, toIm, m, stride, twiddles);
    else if (radix == 3) pass3(fromRe, fromIm, to, toIm, m, stride, twiddles);
    else pass2(fromRe, fromIm, to, toIm, m, stride, twiddles);
    fromRe = to;
    fromIm = toIm;
    twiddles += 8 * (radix - 1) * m;
    rest = m;
    stride *= radix;
  }
}

/**
 * Radix of the next pass, 0 if there is none. Blocks: 4 first, then the odd factors (while the rest is long, factors are
 * dear in any radix), then fours; what is left of the twos is the last pass: 8, 4 or 2. Arrays: the odd factors first,
 * so that strides grow fast.
 */
function nextRadix(rest: i32, stride: i32, length: i32): i32 {
  if (stride == 1 && isBlocked(length)) return 4;
  if (rest % 5 == 0) return 5;
  if (rest % 3 == 0) return 3;
  if (rest == 8 && isBlocked(length)) return 8;
  if (rest % 4 == 0) return 4;
  return rest % 2 == 0 ? 2 : 0;
}

function isBlocked(length: i32): bool {
  return (length & 3) == 0 && length >= 16;
}

function separate(pairs: usize, re: usize, im: usize, length: i32): void {
  for (let i: usize = 0; i < usize(length); i++) {
    store<f32>(re + 4 * i, load<f32>(pairs + 8 * i));
    store<f32>(im + 4 * i, load<f32>(pairs + 8 * i, 4));
  }
}
