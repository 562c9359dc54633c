// The short-term synthesis filter of SILK, order 10 or 16, in transposed form.
//
// Output n needs sum over j of (s[n-1-j] * a[j]) >> 16, every term truncated on its own and the sum wrapped, so the
// order of the additions is free. Each finished s[n-1] is spread over the sums of the following outputs at once
// (lanes), except for the tap of the very next output, which stays scalar to keep the recursion short.
import { addSat32, shiftLeftSat32 } from "./fixed-point";

/** Per lane (splat(s) * taps) >> 16; the low half of s is unsigned, so no product exceeds 32 bits. */
function termsOf(high: v128, low: v128, taps: v128): v128 {
  return i32x4.add(i32x4.mul(high, taps), i32x4.shr_s(i32x4.mul(low, taps), 16));
}

/** Taps 1.. of the filter from `from` on, as four lanes, 0 beyond the order. */
function laggedTaps(coefficientsQ12: usize, from: i32, order: i32): v128 {
  let lanes = i32x4.splat(0);
  const c = coefficientsQ12 + (usize(from) << 1);
  if (from < order) lanes = i32x4.replace_lane(lanes, 0, i32(load<i16>(c)));
  if (from + 1 < order) lanes = i32x4.replace_lane(lanes, 1, i32(load<i16>(c, 2)));
  if (from + 2 < order) lanes = i32x4.replace_lane(lanes, 2, i32(load<i16>(c, 4)));
  if (from + 3 < order) lanes = i32x4.replace_lane(lanes, 3, i32(load<i16>(c, 6)));
  return lanes;
}

/**
 * Filters `length` residual samples: buffer[16 + n] = sat(residual[n] + sat(prediction << 4)).
 * @param buffer i32[16 + length]; the first 16 are the previous outputs, oldest first
 * @param residual i32[length], Q14; may be buffer + 64
 * @param coefficientsQ12 i16[order]
 */
export function synthesize(
  buffer: usize,
  residual: usize,
  coefficientsQ12: usize,
  order: i32,
  length: i32,
): void {
  const bias = i32x4.splat(order >> 1);
  const first = i64(load<i16>(coefficientsQ12));
  const taps0 = laggedTaps(coefficientsQ12, 1, order);
  const taps1 = laggedTaps(coefficientsQ12, 5, order);
  const taps2 = laggedTaps(coefficientsQ12, 9, order);
  const taps3 = laggedTaps(coefficientsQ12, 13, order);
  let sum0 = bias;
  let sum1 = bias;
  let sum2 = bias;
  let sum3 = bias;
  const lowMask = i32x4.splat(0xffff);
  // The sums of the history: the same step without output.
  let s: i32 = load<i32>(buffer + (usize(16 - order) << 2));
  for (let n: i32 = 17 - order; n < 16; n++) {
    const all = i32x4.splat(s);
    const high = i32x4.shr_s(all, 16);
    const low = v128.and(all, lowMask);
    sum0 = i32x4.add(v128.shuffle<i32>(sum0, sum1, 1, 2, 3, 4), termsOf(high, low, taps0));
    sum1 = i32x4.add(v128.shuffle<i32>(sum1, sum2, 1, 2, 3, 4), termsOf(high, low, taps1));
    sum2 = i32x4.add(v128.shuffle<i32>(sum2, sum3, 1, 2, 3, 4), termsOf(high, low, taps2));
    sum3 = i32x4.add(v128.shuffle<i32>(sum3, bias, 1, 2, 3, 4), termsOf(high, low, taps3));
    s = load<i32>(buffer + (usize(n) << 2));
  }
  const out = buffer + 64;
  if (order == 16) {
    for (let n: i32 = 0; n < length; n++) {
      const prediction = i32x4.extract_lane(sum0, 0) + i32((i64(s) * first) >> 16);
      const all = i32x4.splat(s);
      const high = i32x4.shr_s(all, 16);
      const low = v128.and(all, lowMask);
      s = addSat32(load<i32>(residual + (usize(n) << 2)), shiftLeftSat32(prediction, 4));
      store<i32>(out + (usize(n) << 2), s);
      sum0 = i32x4.add(v128.shuffle<i32>(sum0, sum1, 1, 2, 3, 4), termsOf(high, low, taps0));
      sum1 = i32x4.add(v128.shuffle<i32>(sum1, sum2, 1, 2, 3, 4), termsOf(high, low, taps1));
      sum2 = i32x4.add(v128.shuffle<i32>(sum2, sum3, 1, 2, 3, 4), termsOf(high, low, taps2));
      sum3 = i32x4.add(v128.shuffle<i32>(sum3, bias, 1, 2, 3, 4), termsOf(high, low, taps3));
    }
  } else {
    for (let n: i32 = 0; n < length; n++) {
      const prediction = i32x4.extract_lane(sum0, 0) + i32((i64(s) * first) >> 16);
      const all = i32x4.splat(s);
      const high = i32x4.shr_s(all, 16);
      const low = v128.and(all, lowMask);
      s = addSat32(load<i32>(residual + (usize(n) << 2)), shiftLeftSat32(prediction, 4));
      store<i32>(out + (usize(n) << 2), s);
      sum0 = i32x4.add(v128.shuffle<i32>(sum0, sum1, 1, 2, 3, 4), termsOf(high, low, taps0));
      sum1 = i32x4.add(v128.shuffle<i32>(sum1, sum2, 1, 2, 3, 4), termsOf(high, low, taps1));
      sum2 = i32x4.add(v128.shuffle<i32>(sum2, bias, 1, 2, 3, 4), termsOf(high, low, taps2));
    }
  }
}

/** i16 output = sat16(round(((s * gain) >> 16) >> 8)) of i32 samples; length a multiple of 4. */
export function scaleToOutput(output: usize, samples: usize, gainQ10: i32, length: i32): void {
  const gain = i32x4.splat(gainQ10);
  for (let n: i32 = 0; n < length; n += 4) {
    const x = v128.load(samples + (usize(n) << 2));
    const low = i64x2.shr_u(i64x2.extmul_low_i32x4_s(x, gain), 16);
    const high = i64x2.shr_u(i64x2.extmul_high_i32x4_s(x, gain), 16);
    const scaled = v128.shuffle<i32>(low, high, 0, 2, 4, 6);
    // ((v >> 7) + 1) >> 1 equals (v + 128) >> 8 except where the addition wraps; the first form is the normative one.
    const rounded = i32x4.shr_s(i32x4.add(i32x4.shr_s(scaled, 7), i32x4.splat(1)), 1);
    v128.store64_lane(output + (usize(n) << 1), i16x8.narrow_i32x4_s(rounded, rounded), 0);
  }
}
