// Element-wise functions in place over `count` floats (a multiple of 4: buffers are padded).

import { expF32x4 } from "../../kernels/assembly/exp-f32x4";

/**
 * gelu(x) = x/2 * (1 + erf(x / sqrt 2)). erf z is z P(z^2) up to 1 and 1 - e^(-z^2) Q(1 / (1 + z/2)) beyond, P and Q Chebyshev fits of
 * degree 7 (error 3e-11 and 1e-11, so single precision decides).
 */
export function gelu(x: usize, count: i32): void {
  const one = f32x4.splat(1.0);
  for (const end = x + (usize(count) << 2); x < end; x += 16) {
    const value = v128.load(x);
    const scaled = f32x4.mul(value, f32x4.splat(0.70710678));
    const z = f32x4.min(f32x4.abs(scaled), f32x4.splat(4.0));
    const u = f32x4.mul(z, z);
    let near = f32x4.splat(-9.673590284364764e-6);
    near = f32x4.add(f32x4.mul(near, u), f32x4.splat(1.1268253729213029e-4));
    near = f32x4.add(f32x4.mul(near, u), f32x4.splat(-8.484396385028958e-4));
    near = f32x4.add(f32x4.mul(near, u), f32x4.splat(5.221053492277861e-3));
    near = f32x4.add(f32x4.mul(near, u), f32x4.splat(-2.6865437626838684e-2));
    near = f32x4.add(f32x4.mul(near, u), f32x4.splat(0.11283782869577408));
    near = f32x4.add(f32x4.mul(near, u), f32x4.splat(-0.37612637877464294));
    near = f32x4.mul(f32x4.add(f32x4.mul(near, u), f32x4.splat(1.128379225730896)), z);
    const t = f32x4.div(one, f32x4.add(one, f32x4.mul(z, f32x4.splat(0.5))));
    let far = f32x4.splat(0.12026210874319077);
    far = f32x4.add(f32x4.mul(far, t), f32x4.splat(-0.4744580090045929));
    far = f32x4.add(f32x4.mul(far, t), f32x4.splat(0.5681912899017334));
    far = f32x4.add(f32x4.mul(far, t), f32x4.splat(-0.10769318044185638));
    far = f32x4.add(f32x4.mul(far, t), f32x4.splat(0.34980762004852295));
    far = f32x4.add(f32x4.mul(far, t), f32x4.splat(0.259104460477829));
    far = f32x4.add(f32x4.mul(far, t), f32x4.splat(0.2850055396556854));
    far = f32x4.add(f32x4.mul(far, t), f32x4.splat(-1.604576245881617e-4));
    far = f32x4.sub(one, f32x4.mul(far, expF32x4(f32x4.neg(u))));
    const magnitude = v128.bitselect(near, far, f32x4.le(z, one));
    // erf is odd: give its magnitude the sign of x.
    const erf = v128.or(magnitude, v128.and(value, i32x4.splat(0x80000000)));
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
    const negative = f32x4.sub(expF32x4(f32x4.pmin(value, zero)), f32x4.splat(1.0));
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
