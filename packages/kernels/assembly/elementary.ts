// Elementary functions in double precision from their series. They use only +, -, *, / and so give the same bits on every
// machine; relative error about 2^-52 on the ranges given.

const PIO2_HIGH: f64 = 1.5707963267341256; // the first 33 bits of pi/2, so that n * PIO2_HIGH is exact for n < 2^20
const PIO2_LOW: f64 = 6.077100506506192e-11; // pi/2 - PIO2_HIGH
const LN2_HIGH: f64 = 0.6931471803691238; // the first 32 bits of ln 2
const LN2_LOW: f64 = 1.9082149292705877e-10; // ln 2 - LN2_HIGH

/** Taylor series of sin on [-pi/4, pi/4], up to x^17. */
function sinSeries(x: f64): f64 {
  const z = x * x;
  let sum: f64 = 1.0 / 355687428096000.0;
  sum = sum * z - 1.0 / 1307674368000.0;
  sum = sum * z + 1.0 / 6227020800.0;
  sum = sum * z - 1.0 / 39916800.0;
  sum = sum * z + 1.0 / 362880.0;
  sum = sum * z - 1.0 / 5040.0;
  sum = sum * z + 1.0 / 120.0;
  sum = sum * z - 1.0 / 6.0;
  return x + x * z * sum;
}

/** Taylor series of cos on [-pi/4, pi/4], up to x^18. */
function cosSeries(x: f64): f64 {
  const z = x * x;
  let sum: f64 = -1.0 / 6402373705728000.0;
  sum = sum * z + 1.0 / 20922789888000.0;
  sum = sum * z - 1.0 / 87178291200.0;
  sum = sum * z + 1.0 / 479001600.0;
  sum = sum * z - 1.0 / 3628800.0;
  sum = sum * z + 1.0 / 40320.0;
  sum = sum * z - 1.0 / 720.0;
  sum = sum * z + 1.0 / 24.0;
  return 1.0 - 0.5 * z + z * z * sum;
}

/** cos(x + quarterTurns * pi/2) for |x| < 2^20. */
function cosineShifted(x: f64, quarterTurns: i32): f64 {
  const n = nearest(x * 0.6366197723675814);
  const r = x - n * PIO2_HIGH - n * PIO2_LOW;
  const quadrant = (i32(n) + quarterTurns) & 3;
  if (quadrant == 0) return cosSeries(r);
  if (quadrant == 1) return -sinSeries(r);
  if (quadrant == 2) return -cosSeries(r);
  return sinSeries(r);
}

/** cos x, |x| < 2^20. */
export function cosine(x: f64): f64 {
  return cosineShifted(x, 0);
}

/** sin x, |x| < 2^20. */
export function sine(x: f64): f64 {
  return cosineShifted(x, 3);
}

/** 2^n for -1022 <= n <= 1023. */
function powerOfTwo(n: i32): f64 {
  return reinterpret<f64>(i64(n + 1023) << 52);
}

/** e^x; 0 below -708, the largest power used above 709. */
export function exponential(x: f64): f64 {
  if (x < -708.0) return 0.0;
  if (x > 709.0) x = 709.0;
  const n = nearest(x * 1.4426950408889634);
  const r = x - n * LN2_HIGH - n * LN2_LOW;
  let sum: f64 = 1.0 / 6227020800.0;
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
  return (1.0 + (r + r * r * sum)) * powerOfTwo(i32(n));
}

/** ln x for finite normal x > 0: 2 artanh((m-1)/(m+1)) of the mantissa m in [sqrt(1/2), sqrt 2) plus the exponent's share. */
export function logarithm(x: f64): f64 {
  const bits = reinterpret<i64>(x);
  let exponent = i32((bits >> 52) & 2047) - 1023;
  let m = reinterpret<f64>((bits & 0x000fffffffffffff) | 0x3ff0000000000000);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    exponent++;
  }
  const s = (m - 1.0) / (m + 1.0);
  const z = s * s;
  let sum: f64 = 1.0 / 23.0;
  sum = sum * z + 1.0 / 21.0;
  sum = sum * z + 1.0 / 19.0;
  sum = sum * z + 1.0 / 17.0;
  sum = sum * z + 1.0 / 15.0;
  sum = sum * z + 1.0 / 13.0;
  sum = sum * z + 1.0 / 11.0;
  sum = sum * z + 1.0 / 9.0;
  sum = sum * z + 1.0 / 7.0;
  sum = sum * z + 0.2;
  sum = sum * z + 1.0 / 3.0;
  return f64(exponent) * LN2_HIGH + (2.0 * s + (2.0 * s * z * sum + f64(exponent) * LN2_LOW));
}
