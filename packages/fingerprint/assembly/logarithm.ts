// Base-2 logarithm of two f64 at once: the same operations in the same order as `exactLog2` in src/decibels.ts, so that
// both give the same bits.

/** log2(x) of both lanes; x positive and normal. */
export function log2Pair(x: v128): v128 {
  const bits = x;
  const rawExponent = i64x2.shr_u(bits, 52);
  const mantissaBits = v128.or(
    v128.and(bits, i64x2.splat(0x000f_ffff_ffff_ffff)),
    i64x2.splat(0x3ff0_0000_0000_0000),
  );
  const above = f64x2.gt(mantissaBits, f64x2.splat(Math.SQRT2));
  const m = v128.bitselect(f64x2.mul(mantissaBits, f64x2.splat(0.5)), mantissaBits, above);
  // `above` is -1 where true.
  const exponent = i64x2.sub(i64x2.sub(rawExponent, i64x2.splat(1023)), above);
  const low = v128.shuffle<i32>(exponent, exponent, 0, 2, 0, 2);
  const exponents = f64x2.convert_low_i32x4_s(low);
  const one = f64x2.splat(1.0);
  const s = f64x2.div(f64x2.sub(m, one), f64x2.add(m, one));
  const z = f64x2.mul(s, s);
  let sum = f64x2.add(f64x2.div(z, f64x2.splat(23.0)), f64x2.splat(1.0 / 21.0));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(1.0 / 19.0));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(1.0 / 17.0));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(1.0 / 15.0));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(1.0 / 13.0));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(1.0 / 11.0));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(1.0 / 9.0));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(1.0 / 7.0));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(1.0 / 5.0));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(1.0 / 3.0));
  sum = f64x2.add(f64x2.mul(sum, z), one);
  return f64x2.add(exponents, f64x2.mul(f64x2.mul(sum, s), f64x2.splat(2.0 / Math.LN2)));
}

/** output = factor * f32(log2(max(f64(input + addend), floor))) for four f32 at a time, rounded to f32 twice. */
export function decibels(input: usize, output: usize, count: i32, addend: f32, floor: f64): void {
  const factor = f32x4.splat(f32(10.0 / 3.321928094887362));
  const add = f32x4.splat(addend);
  const low = f64x2.splat(floor);
  for (let at: usize = 0; at < usize(count) << 2; at += 16) {
    const x = f32x4.add(v128.load(input + at), add);
    const first = log2Pair(f64x2.pmax(low, f64x2.promote_low_f32x4(x)));
    const second = log2Pair(f64x2.pmax(low, f64x2.promote_low_f32x4(v128.shuffle<i64>(x, x, 1, 1))));
    const rounded = v128.shuffle<i64>(f32x4.demote_f64x2_zero(first), f32x4.demote_f64x2_zero(second), 0, 2);
    v128.store(output + at, f32x4.mul(rounded, factor));
  }
}
