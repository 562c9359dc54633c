// Base-2 logarithm and exponential in f64 from polynomials of our own: the same bits on every machine.

/** Bits of sqrt(1/2): mantissas are taken in [sqrt(1/2), sqrt(2)). */
const sqrtHalfBits: i64 = 0x3fe6a09e667f3bcd;
/** 2 / ln 2. */
const twoOverLn2: f64 = 2.8853900817779268;
/** 1.5 * 2^52: a small integer added to its bits is added to its value. */
const integerMagic: f64 = 6755399441055744.0;
const integerMagicBits: i64 = 0x4338000000000000;
const ln2: f64 = 0.6931471805599453;

/**
 * log2(x) for positive normal x, relative error about 4e-14: with t = (m - 1) / (m + 1), ln m = 2 (t + t^3 / 3 + ...).
 * Zero gives about -1022, an infinity 1024; NaN is not to be given.
 */
export function log2(x: f64): f64 {
  return f64x2.extract_lane(log2Pair(f64x2.splat(x)), 0);
}

/** log2 of two values; the operations are those of the scalar. */
export function log2Pair(x: v128): v128 {
  const exponent = i64x2.shr_s(i64x2.sub(x, i64x2.splat(sqrtHalfBits)), 52);
  const mantissa = i64x2.sub(x, i64x2.shl(exponent, 52));
  const one = f64x2.splat(1.0);
  const t = f64x2.div(f64x2.sub(mantissa, one), f64x2.add(mantissa, one));
  const y = f64x2.mul(t, t);
  let sum = f64x2.splat(1.0 / 15.0);
  sum = f64x2.add(f64x2.mul(sum, y), f64x2.splat(1.0 / 13.0));
  sum = f64x2.add(f64x2.mul(sum, y), f64x2.splat(1.0 / 11.0));
  sum = f64x2.add(f64x2.mul(sum, y), f64x2.splat(1.0 / 9.0));
  sum = f64x2.add(f64x2.mul(sum, y), f64x2.splat(1.0 / 7.0));
  sum = f64x2.add(f64x2.mul(sum, y), f64x2.splat(1.0 / 5.0));
  sum = f64x2.add(f64x2.mul(sum, y), f64x2.splat(1.0 / 3.0));
  sum = f64x2.add(f64x2.mul(sum, y), one);
  const whole = f64x2.sub(i64x2.add(exponent, i64x2.splat(integerMagicBits)), f64x2.splat(integerMagic));
  return f64x2.add(whole, f64x2.mul(f64x2.mul(t, sum), f64x2.splat(twoOverLn2)));
}

/** 2^x for |x| <= 1000 (clamped), relative error about 1e-15: Taylor series of exp on [-ln 2 / 2, ln 2 / 2]. */
export function exp2(x: f64): f64 {
  const limited = min(max(x, -1000.0), 1000.0);
  const whole = nearest(limited);
  const r = (limited - whole) * ln2;
  let sum: f64 = 1.0 / 87178291200.0;
  sum = sum * r + 1.0 / 6227020800.0;
  sum = sum * r + 1.0 / 479001600.0;
  sum = sum * r + 1.0 / 39916800.0;
  sum = sum * r + 1.0 / 3628800.0;
  sum = sum * r + 1.0 / 362880.0;
  sum = sum * r + 1.0 / 40320.0;
  sum = sum * r + 1.0 / 5040.0;
  sum = sum * r + 1.0 / 720.0;
  sum = sum * r + 1.0 / 120.0;
  sum = sum * r + 1.0 / 24.0;
  sum = sum * r + 1.0 / 6.0;
  sum = sum * r + 0.5;
  sum = sum * r + 1.0;
  sum = sum * r + 1.0;
  return reinterpret<f64>(reinterpret<i64>(sum) + (i64(whole) << 52));
}
