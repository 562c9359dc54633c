// Fixed-point arithmetic of SILK (RFC 6716 section 4.2; the operation names are those of the ARM DSP instructions
// that the codec was designed for). Every function is exact: products go through 64 bits, additions wrap modulo 2^32
// unless the name says "Sat".

/** (a * low16(b)) >> 16. */
export function smulwb(a: i32, b: i32): i32 {
  return i32((i64(a) * i64(i16(b))) >> 16);
}

/** a + ((b * low16(c)) >> 16). */
export function smlawb(a: i32, b: i32, c: i32): i32 {
  return a + i32((i64(b) * i64(i16(c))) >> 16);
}

/** a + ((b * high16(c)) >> 16). */
export function smlawt(a: i32, b: i32, c: i32): i32 {
  return a + i32((i64(b) * i64(c >> 16)) >> 16);
}

/** (a * b) >> 16. */
export function smulww(a: i32, b: i32): i32 {
  return i32((i64(a) * i64(b)) >> 16);
}

/** a + ((b * c) >> 16). */
export function smlaww(a: i32, b: i32, c: i32): i32 {
  return a + i32((i64(b) * i64(c)) >> 16);
}

/** (a * b) >> 32. */
export function smmul(a: i32, b: i32): i32 {
  return i32((i64(a) * i64(b)) >> 32);
}

/** low16(a) * low16(b). */
export function smulbb(a: i32, b: i32): i32 {
  return i32(i16(a)) * i32(i16(b));
}

/** a >> shift, rounded half up; shift >= 1. */
export function shiftRound(a: i32, shift: i32): i32 {
  return shift == 1 ? (a >> 1) + (a & 1) : ((a >> (shift - 1)) + 1) >> 1;
}

/** 64-bit a >> shift, rounded half up; shift >= 2. */
export function shiftRound64(a: i64, shift: i64): i64 {
  return ((a >> (shift - 1)) + 1) >> 1;
}

export function clampInt(a: i32, low: i32, high: i32): i32 {
  return a < low ? low : a > high ? high : a;
}

/** The reference's LIMIT: the bounds may come in either order. */
export function limitEither(a: i32, one: i32, other: i32): i32 {
  return one > other ? clampInt(a, other, one) : clampInt(a, one, other);
}

export function sat16(a: i32): i32 {
  return a > 32767 ? 32767 : a < -32768 ? -32768 : a;
}

export function addSat32(a: i32, b: i32): i32 {
  const sum = i64(a) + i64(b);
  return sum > i64(i32.MAX_VALUE) ? i32.MAX_VALUE : sum < i64(i32.MIN_VALUE) ? i32.MIN_VALUE : i32(sum);
}

export function subSat32(a: i32, b: i32): i32 {
  const difference = i64(a) - i64(b);
  return difference > i64(i32.MAX_VALUE)
    ? i32.MAX_VALUE
    : difference < i64(i32.MIN_VALUE)
      ? i32.MIN_VALUE
      : i32(difference);
}

/** a << shift, saturated. */
export function shiftLeftSat32(a: i32, shift: i32): i32 {
  return clampInt(a, i32.MIN_VALUE >> shift, i32.MAX_VALUE >> shift) << shift;
}

/** |a|; the most negative value stays as it is. */
export function absInt(a: i32): i32 {
  return a > 0 ? a : -a;
}

/** The noise generator of RFC 6716 section 4.2.7.8.6, modulo 2^32. */
export function nextRandom(seed: i32): i32 {
  return 907633515 + seed * 196314165;
}

/** The seven bits behind the leading one of a, as the fraction of log2. */
function fractionQ7(a: i32, leadingZeros: i32): i32 {
  return i32(rotr<u32>(u32(a), 24 - leadingZeros)) & 0x7f;
}

/** 128 * log2(a), piecewise parabolic. */
export function linearToLog(a: i32): i32 {
  const zeros = i32(clz<i32>(a));
  const fraction = fractionQ7(a, zeros);
  return smlawb(fraction, fraction * (128 - fraction), 179) + ((31 - zeros) << 7);
}

/** 2^(a / 128), piecewise parabolic; 0 below 0, the largest integer from 3967 on. */
export function logToLinear(a: i32): i32 {
  if (a < 0) return 0;
  if (a >= 3967) return i32.MAX_VALUE;
  const power = 1 << (a >> 7);
  const fraction = a & 0x7f;
  const correction = smlawb(fraction, smulbb(fraction, 128 - fraction), -174);
  return a < 2048 ? power + ((power * correction) >> 7) : power + (power >> 7) * correction;
}

/** Approximate square root; 0 for a <= 0. */
export function squareRoot(a: i32): i32 {
  if (a <= 0) return 0;
  const zeros = i32(clz<i32>(a));
  const fraction = fractionQ7(a, zeros);
  const base = (zeros & 1) != 0 ? 32768 : 46214;
  const root = base >> (zeros >> 1);
  return smlawb(root, root, smulbb(213, fraction));
}

/** (a << resultQ) / b, with about 32 bits of precision; b != 0. */
export function divideVarQ(a: i32, b: i32, resultQ: i32): i32 {
  const headroomA = i32(clz<i32>(absInt(a))) - 1;
  let normalizedA = a << headroomA;
  const headroomB = i32(clz<i32>(absInt(b))) - 1;
  const normalizedB = b << headroomB;
  const inverse = (i32.MAX_VALUE >> 2) / (normalizedB >> 16);
  let result = smulwb(normalizedA, inverse);
  normalizedA -= smmul(normalizedB, result) << 3;
  result = smlawb(result, normalizedA, inverse);
  const shift = 29 + headroomA - headroomB - resultQ;
  if (shift < 0) return shiftLeftSat32(result, -shift);
  return shift < 32 ? result >> shift : 0;
}

/** (1 << resultQ) / b, with about 32 bits of precision; b != 0. */
export function inverseVarQ(b: i32, resultQ: i32): i32 {
  const headroom = i32(clz<i32>(absInt(b))) - 1;
  const normalized = b << headroom;
  const inverse = (i32.MAX_VALUE >> 2) / (normalized >> 16);
  let result = inverse << 16;
  const error = ((1 << 29) - smulwb(normalized, inverse)) << 3;
  result = smlaww(result, error, inverse);
  const shift = 61 - headroom - resultQ;
  if (shift <= 0) return shiftLeftSat32(result, -shift);
  return shift < 32 ? result >> shift : 0;
}
