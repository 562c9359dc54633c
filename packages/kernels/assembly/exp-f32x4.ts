/** Adding 1.5 * 2^23 rounds to the nearest whole number, ties to even, and leaves it in the low bits of the sum. */
const ROUND: f32 = 12582912.0;

/**
 * e^x of four lanes, relative error below 2e-7: 2^n times the Taylor polynomial of degree 7 on |r| <= ln(2)/2. Lanes below
 * -87 give about 1.6e-38, lanes above 88 about 1.6e38.
 *
 * Pseudo-minimum and the rounding sum are one instruction each where the minimum and the conversion of IEEE 754 are five.
 */
export function expF32x4(x: v128): v128 {
  x = f32x4.pmax(f32x4.splat(-87.0), f32x4.pmin(f32x4.splat(88.0), x));
  const rounded = f32x4.add(f32x4.mul(x, f32x4.splat(1.44269504)), f32x4.splat(ROUND));
  const n = f32x4.sub(rounded, f32x4.splat(ROUND));
  // ln 2 in two parts: the first has 10 significant bits, so that its product with n is exact.
  let r = f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693359375)));
  r = f32x4.sub(r, f32x4.mul(n, f32x4.splat(-2.12194440e-4)));
  let sum = f32x4.splat(1.98412698e-4);
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(1.38888889e-3));
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(8.33333333e-3));
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(4.16666667e-2));
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(1.66666667e-1));
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(0.5));
  sum = f32x4.add(f32x4.mul(f32x4.mul(sum, r), r), f32x4.add(r, f32x4.splat(1.0)));
  // The low bits of the rounding sum are n: the exponent of 2^n.
  const power = i32x4.add(i32x4.shl(rounded, 23), i32x4.splat(0x3f800000));
  return f32x4.mul(sum, power);
}
