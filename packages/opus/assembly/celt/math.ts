// Functions of real numbers that CELT needs, and its integer approximations, which are exact by definition.

const LN2: f64 = 0.6931471805599453094;
const LOG2_E: f64 = 1.4426950408889634;
/** ln 2 = LN2_HIGH + LN2_LOW; LN2_HIGH has 32 significant bits, so that k * LN2_HIGH is exact. */
const LN2_HIGH: f64 = 0.693147180369123816490;
const LN2_LOW: f64 = 1.90821492927058770002e-10;
const HALF_PI: f64 = 1.5707963267948966;
const HALF_PI_LOW: f64 = 6.123233995736766e-17;

/**
 * 2^x as f32(exp(x ln 2)) in double, -126 <= x <= 127; smaller x gives 0. Argument reduction to |r| <= ln(2)/2, then the
 * Taylor polynomial of degree 13 (truncation below 2^-57), so the result differs from the correctly rounded one only
 * where exp is within 2^-52 of the middle between two floats.
 */
export function exp2(x: f32): f32 {
  const y = LN2 * <f64>x;
  const k = nearest<f64>(y * LOG2_E);
  if (k < -1000.0) return 0.0;
  const r = y - k * LN2_HIGH - k * LN2_LOW;
  const r2 = r * r;
  const r4 = r2 * r2;
  const low = 1.0 + r + r2 * (C2 + r * C3) + r4 * (C4 + r * C5 + r2 * (C6 + r * C7));
  const high = C8 + r * C9 + r2 * (C10 + r * C11) + r4 * (C12 + r * C13);
  const mantissa = low + r4 * r4 * high;
  return <f32>(mantissa * reinterpret<f64>((<i64>k + 1023) << 52));
}

const C2: f64 = 1.0 / 2.0;
const C3: f64 = 1.0 / 6.0;
const C4: f64 = 1.0 / 24.0;
const C5: f64 = 1.0 / 120.0;
const C6: f64 = 1.0 / 720.0;
const C7: f64 = 1.0 / 5040.0;
const C8: f64 = 1.0 / 40320.0;
const C9: f64 = 1.0 / 362880.0;
const C10: f64 = 1.0 / 3628800.0;
const C11: f64 = 1.0 / 39916800.0;
const C12: f64 = 1.0 / 479001600.0;
const C13: f64 = 1.0 / 6227020800.0;

/** cos(x pi/2) for 0 <= x <= 1 as f32 of the double cosine of the double product. */
export function cosHalfPi(x: f32): f32 {
  const angle = HALF_PI * <f64>x;
  if (x <= 0.5) {
    const y = angle * angle;
    let sum = S16;
    sum = sum * y - S14;
    sum = sum * y + S12;
    sum = sum * y - S10;
    sum = sum * y + S8;
    sum = sum * y - S6;
    sum = sum * y + S4;
    sum = sum * y - S2;
    return <f32>(sum * y + 1.0);
  }
  // cos(a) = sin(pi/2 - a); the difference is exact but for the part of pi/2 below its double.
  const z = HALF_PI - angle + HALF_PI_LOW;
  const y = z * z;
  let sum = S17;
  sum = sum * y - S15;
  sum = sum * y + S13;
  sum = sum * y - S11;
  sum = sum * y + S9;
  sum = sum * y - S7;
  sum = sum * y + S5;
  sum = sum * y - S3;
  return <f32>(sum * y * z + z);
}

const S2: f64 = 1.0 / 2.0;
const S3: f64 = 1.0 / 6.0;
const S4: f64 = 1.0 / 24.0;
const S5: f64 = 1.0 / 120.0;
const S6: f64 = 1.0 / 720.0;
const S7: f64 = 1.0 / 5040.0;
const S8: f64 = 1.0 / 40320.0;
const S9: f64 = 1.0 / 362880.0;
const S10: f64 = 1.0 / 3628800.0;
const S11: f64 = 1.0 / 39916800.0;
const S12: f64 = 1.0 / 479001600.0;
const S13: f64 = 1.0 / 6227020800.0;
const S14: f64 = 1.0 / 87178291200.0;
const S15: f64 = 1.0 / 1307674368000.0;
const S16: f64 = 1.0 / 20922789888000.0;
const S17: f64 = 1.0 / 355687428096000.0;

/** Rounded product of two Q15 numbers, each first cut to 16 bits. */
export function fracMul16(a: i32, b: i32): i32 {
  return (16384 + <i32>(<i16>a) * <i32>(<i16>b)) >> 15;
}

/** Q15 cosine of an angle in 0..16384 (0..pi/2), exact by definition (RFC 6716 section 4.3.4.4). */
export function bitexactCos(angle: i32): i32 {
  const square = (4096 + angle * angle) >> 13;
  return (
    1 + (32767 - square) + fracMul16(square, -7651 + fracMul16(square, 8277 + fracMul16(-626, square)))
  );
}

/** Q11 log2(sine / cosine), exact by definition. */
export function bitexactLog2tan(sine: i32, cosine: i32): i32 {
  const cosineBits: i32 = 32 - clz(cosine);
  const sineBits: i32 = 32 - clz(sine);
  const c = cosine << (15 - cosineBits);
  const s = sine << (15 - sineBits);
  return (
    (sineBits - cosineBits) * 2048 +
    fracMul16(s, fracMul16(s, -2597) + 7932) -
    fracMul16(c, fracMul16(c, -2597) + 7932)
  );
}

/** Largest integer whose square is at most `value`, for value < 2^31. */
export function integerSqrt(value: u32): u32 {
  // f64 holds every u32 and its square root is correctly rounded, so truncation is exact.
  return <u32>sqrt<f64>(<f64>value);
}

/** Next value of the noise generator. */
export function nextNoise(seed: u32): u32 {
  return seed * 1664525 + 1013904223;
}

/** sum of x[i] * x[i] in order of i, the reference's scalar order. */
export function sumOfSquares(x: usize, count: i32): f32 {
  let sum: f32 = 0.0;
  const end = x + (<usize>count << 2);
  for (let at = x; at < end; at += 4) {
    const value = load<f32>(at);
    sum += value * value;
  }
  return sum;
}

const LOG2_FACTOR: f64 = 1.442695040888963387;

/** log2(x) as f32 of the double logarithm times 1/ln 2. */
export function log2(x: f32): f32 {
  return <f32>(LOG2_FACTOR * NativeMath.log(<f64>x));
}

/** sum of x[i] * y[i] in order of i. */
export function innerProduct(x: usize, y: usize, count: i32): f32 {
  let sum: f32 = 0.0;
  const bytes = <usize>count << 2;
  for (let at: usize = 0; at < bytes; at += 4) sum += load<f32>(x + at) * load<f32>(y + at);
  return sum;
}

/** floor(x) of the double value, as i32. */
export function floorOf(x: f32): i32 {
  return <i32>floor<f32>(x);
}

const ATAN_SCALE: f32 = 0.636619772367581;
const ATAN_3: f32 = -3.3331659436225891113281250000e-1;
const ATAN_5: f32 = 1.99627041816711425781250000000e-1;
const ATAN_7: f32 = -1.3976582884788513183593750000e-1;
const ATAN_9: f32 = 9.79423448443412780761718750000e-2;
const ATAN_11: f32 = -5.7773590087890625000000000000e-2;
const ATAN_13: f32 = 2.30401363223791122436523437500e-2;
const ATAN_15: f32 = -4.3554059229791164398193359375e-3;

function atanNormal(x: f32): f32 {
  const y = x * x;
  const tail: f32 =
    ATAN_3 + y * (ATAN_5 + y * (ATAN_7 + y * (ATAN_9 + y * (ATAN_11 + y * (ATAN_13 + y * ATAN_15)))));
  return ATAN_SCALE * (x + x * y * tail);
}

/** atan(y / x) * 2 / pi for x, y >= 0, by the reference's polynomial. */
export function atan2Normal(y: f32, x: f32): f32 {
  const one: f32 = 1.0;
  if (x * x + y * y < <f32>1e-18) return 0.0;
  return y < x ? atanNormal(y / x) : one - atanNormal(x / y);
}
