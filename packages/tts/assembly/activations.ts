// Element-wise functions in place over `count` floats (a multiple of 4: buffers are padded).

import { expF32x4 } from "../../kernels/assembly/exp-f32x4";

/**
 * gelu(x) = x/2 * (1 + erf(x / sqrt 2)), erf by Abramowitz and Stegun 7.1.26 (absolute error at most 1.5e-7).
 */
export function gelu(x: usize, count: i32): void {
  const one = f32x4.splat(1.0);
  for (const end = x + (usize(count) << 2); x < end; x += 16) {
    const value = v128.load(x);
    const z = f32x4.mul(f32x4.abs(value), f32x4.splat(0.70710678));
    const t = f32x4.div(one, f32x4.add(one, f32x4.mul(z, f32x4.splat(0.3275911))));
    let sum = f32x4.splat(1.061405429);
    sum = f32x4.add(f32x4.mul(sum, t), f32x4.splat(-1.453152027));
    sum = f32x4.add(f32x4.mul(sum, t), f32x4.splat(1.421413741));
    sum = f32x4.add(f32x4.mul(sum, t), f32x4.splat(-0.284496736));
    sum = f32x4.add(f32x4.mul(sum, t), f32x4.splat(0.254829592));
    const tail = f32x4.mul(f32x4.mul(sum, t), expF32x4(f32x4.neg(f32x4.mul(z, z))));
    // erf is odd: give its magnitude the sign of x.
    const sign = v128.and(value, i32x4.splat(0x80000000));
    const erf = v128.or(f32x4.sub(one, tail), sign);
    v128.store(x, f32x4.mul(f32x4.mul(value, f32x4.splat(0.5)), f32x4.add(one, erf)));
  }
}

/** target = x / (1 + e^-x); `target` may be `x`. */
export function silu(x: usize, target: usize, count: i32): void {
  const one = f32x4.splat(1.0);
  for (const end = x + (usize(count) << 2); x < end; x += 16) {
    const value = v128.load(x);
    v128.store(target, f32x4.div(value, f32x4.add(one, expF32x4(f32x4.neg(value)))));
    target += 16;
  }
}

/** target = x for x > 0, else e^x - 1; `target` may be `x`. */
export function elu(x: usize, target: usize, count: i32): void {
  const zero = f32x4.splat(0);
  for (const end = x + (usize(count) << 2); x < end; x += 16) {
    const value = v128.load(x);
    const negative = f32x4.sub(expF32x4(f32x4.min(value, zero)), f32x4.splat(1.0));
    v128.store(target, v128.bitselect(value, negative, f32x4.gt(value, zero)));
    target += 16;
  }
}

/** target += gate * x. */
export function addGated(target: usize, gate: usize, x: usize, count: i32): void {
  for (let i: usize = 0; i < usize(count) << 2; i += 16) {
    v128.store(target + i, f32x4.add(v128.load(target + i), f32x4.mul(v128.load(gate + i), v128.load(x + i))));
  }
}

/** target = x * factor + offset. */
export function scaleAndShift(x: usize, factor: usize, offset: usize, target: usize, count: i32): void {
  for (let i: usize = 0; i < usize(count) << 2; i += 16) {
    v128.store(target + i, f32x4.add(f32x4.mul(v128.load(x + i), v128.load(factor + i)), v128.load(offset + i)));
  }
}

/** target += x * factor, one factor for all. */
export function addScaled(target: usize, x: usize, factor: f32, count: i32): void {
  const f = f32x4.splat(factor);
  for (let i: usize = 0; i < usize(count) << 2; i += 16) {
    v128.store(target + i, f32x4.add(v128.load(target + i), f32x4.mul(v128.load(x + i), f)));
  }
}
