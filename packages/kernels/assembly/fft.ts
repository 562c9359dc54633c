// Complex FFT of every length 2^a 3^b 5^c: Stockham's self-sorting algorithm (decimation in frequency), real and
// imaginary parts in separate arrays, forward and unnormalised. The inverse is the same with the two parts exchanged.
//
// A pass of radix r with stride s and m = length / (s r) reads x[q + s (p + k m)] and writes y[q + s (r p + k)],
// k = 0..r-1, multiplied by exp(-2 pi i p k / (r m)). The first pass (s = 1) runs over four p at once and transposes
// 4x4 on store; later ones run over four q at once (s is then a multiple of 4). A last group that does not fill a
// vector overlaps the one before it, which is harmless because input and output are different arrays.
// Lengths that are no multiple of 4 begin with scalar passes until the stride is at least 4.

import { cosTurns, sinTurns } from "./turns";
import { firstPass4, pass2, pass3, pass4, pass5, scalarPass } from "./fft-passes";

/** Plan: length, number of passes, radices (one i32 each), then the twiddle factors of all passes. */
const radicesOffset: usize = 8;
const twiddlesOffset: usize = 128;

/** Bytes of the plan for a length; 0 if the length has a prime factor above 5 or is outside 1 to 65,536. */
export function fftPlanBytes(length: i32): i32 {
  if (length < 1 || length > 65536) return 0;
  let rest = length;
  let floats = 0;
  let stride = 1;
  while (rest > 1) {
    const radix = nextRadix(rest, stride);
    if (radix == 0) return 0;
    floats += 2 * (radix - 1) * (rest / radix);
    rest /= radix;
    stride *= radix;
  }
  return i32(twiddlesOffset) + 4 * floats;
}

/** Writes the plan; `plan` has fftPlanBytes(length) bytes. */
export function fftPlan(plan: usize, length: i32): void {
  let rest = length;
  let stride = 1;
  let passes = 0;
  let twiddles = plan + twiddlesOffset;
  while (rest > 1) {
    const radix = nextRadix(rest, stride);
    const m = rest / radix;
    const planar = stride == 1 && isVectorFirst(rest);
    for (let p = 0; p < m; p++) {
      for (let k = 1; k < radix; k++) {
        const re = f32(cosTurns(p * k, rest));
        const im = f32(-sinTurns(p * k, rest));
        // The first pass loads four p at once: one array a factor. Later ones load one p: factors side by side.
        const at = planar ? twiddles + 4 * (2 * (k - 1) * m + p) : twiddles + 8 * (p * (radix - 1) + k - 1);
        store<f32>(at, re);
        store<f32>(at + (planar ? 4 * m : 4), im);
      }
    }
    twiddles += 8 * (radix - 1) * m;
    store<i32>(plan + radicesOffset + 4 * passes, radix);
    passes++;
    rest = m;
    stride *= radix;
  }
  store<i32>(plan, length);
  store<i32>(plan, passes, 4);
}

/**
 * Transforms. Six arrays of `length` f32; the result is in outRe/outIm, work is overwritten, the input is kept.
 * No two of input, output and work may overlap.
 * @param interleaved if true, inRe points to `length` pairs (re, im) and inIm is not used
 */
export function fftForward(
  plan: usize,
  inRe: usize,
  inIm: usize,
  outRe: usize,
  outIm: usize,
  workRe: usize,
  workIm: usize,
  interleaved: bool,
): void {
  const length = load<i32>(plan);
  const passes = load<i32>(plan, 4);
  if (passes == 0) {
    store<f32>(outRe, load<f32>(inRe));
    store<f32>(outIm, interleaved ? load<f32>(inRe, 4) : load<f32>(inIm));
    return;
  }
  let rest = length;
  let stride = 1;
  let twiddles = plan + twiddlesOffset;
  let fromRe = inRe;
  let fromIm = inIm;
  if (interleaved && !isVectorFirst(length)) {
    // The first pass writes where (passes - 1) is even: the other pair is free.
    fromRe = passes & 1 ? workRe : outRe;
    fromIm = passes & 1 ? workIm : outIm;
    separate(inRe, fromRe, fromIm, length);
  }
  for (let pass = 0; pass < passes; pass++) {
    const radix = load<i32>(plan + radicesOffset + 4 * pass);
    const m = rest / radix;
    const toOut = ((passes - 1 - pass) & 1) == 0;
    const toRe = toOut ? outRe : workRe;
    const toIm = toOut ? outIm : workIm;
    if (stride == 1 && isVectorFirst(rest)) firstPass4(fromRe, fromIm, toRe, toIm, m, twiddles, interleaved);
    else if (stride < 4) scalarPass(radix, fromRe, fromIm, toRe, toIm, m, stride, twiddles);
    else if (radix == 4) pass4(fromRe, fromIm, toRe, toIm, m, stride, twiddles);
    else if (radix == 5) pass5(fromRe, fromIm, toRe, toIm, m, stride, twiddles);
    else if (radix == 3) pass3(fromRe, fromIm, toRe, toIm, m, stride, twiddles);
    else pass2(fromRe, fromIm, toRe, toIm, m, stride, twiddles);
    fromRe = toRe;
    fromIm = toIm;
    twiddles += 8 * (radix - 1) * m;
    rest = m;
    stride *= radix;
  }
}

/** Radix of the next pass: a vectorised 4 first where possible, else the odd factors first, so that strides grow fast. */
function nextRadix(rest: i32, stride: i32): i32 {
  if (stride == 1 && isVectorFirst(rest)) return 4;
  if (stride < 4) {
    if (rest % 5 == 0) return 5;
    if (rest % 3 == 0) return 3;
  }
  if (rest % 4 == 0) return 4;
  if (rest % 5 == 0) return 5;
  if (rest % 3 == 0) return 3;
  if (rest % 2 == 0) return 2;
  return 0;
}

function isVectorFirst(length: i32): bool {
  return (length & 3) == 0 && length >= 16;
}

function separate(pairs: usize, re: usize, im: usize, length: i32): void {
  for (let i: usize = 0; i < usize(length); i++) {
    store<f32>(re + 4 * i, load<f32>(pairs + 8 * i));
    store<f32>(im + 4 * i, load<f32>(pairs + 8 * i, 4));
  }
}
