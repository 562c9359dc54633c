// What encoder and decoder do to the spectrum of a band (RFC 6716 section 4.3.4): norms, Haar steps, the order of short
// blocks, mid and side.
import { EPSILON, hadamardOrder } from "../tables/celt";
import { sumOfSquares } from "./math";
import { REORDER_AT } from "./scratch";

const SQRT_HALF: f32 = 0.70710678;

/** Copies a few samples: a loop costs less than the call of `memory.copy`. `bytes` is a multiple of 4. */
export function copySamples(to: usize, from: usize, bytes: usize): void {
  const vectorBytes = bytes & ~15;
  let at: usize = 0;
  for (; at < vectorBytes; at += 16) v128.store(to + at, v128.load(from + at));
  for (; at < bytes; at += 4) store<f32>(to + at, load<f32>(from + at));
}

export function negate(x: usize, count: i32): void {
  const bytes = <usize>count << 2;
  const vectorBytes = bytes & ~15;
  let at: usize = 0;
  for (; at < vectorBytes; at += 16) v128.store(x + at, f32x4.neg(v128.load(x + at)));
  for (; at < bytes; at += 4) store<f32>(x + at, -load<f32>(x + at));
}

/** Scales to the norm `gain`. */
export function renormalize(x: usize, count: i32, gain: f32): void {
  const energy: f32 = EPSILON + sumOfSquares(x, count);
  scale(x, count, (<f32>1.0 / sqrt<f32>(energy)) * gain);
}

function scale(x: usize, count: i32, factor: f32): void {
  const factors = f32x4.splat(factor);
  const end = x + (<usize>count << 2);
  const vectorEnd = x + ((<usize>count << 2) & ~15);
  let at = x;
  for (; at < vectorEnd; at += 16) v128.store(at, f32x4.mul(factors, v128.load(at)));
  for (; at < end; at += 4) store<f32>(at, factor * load<f32>(at));
}

/** One level of the Haar transform over `stride` interleaved sequences. */
export function haar(x: usize, count: i32, stride: i32): void {
  const half = count >> 1;
  const step = <usize>stride << 2;
  if (stride == 1) {
    const pairs = half & ~1;
    const gain = f32x4.splat(SQRT_HALF);
    let at = x;
    for (let j = 0; j < pairs; j += 2) {
      const value = f32x4.mul(gain, v128.load(at));
      const even = i32x4.shuffle(value, value, 0, 0, 2, 2);
      const odd = i32x4.shuffle(value, value, 1, 1, 3, 3);
      const sum = f32x4.add(even, odd);
      const difference = f32x4.sub(even, odd);
      v128.store(at, i32x4.shuffle(sum, difference, 0, 5, 2, 7));
      at += 16;
    }
    if (half & 1) haarPair(at, 4);
    return;
  }
  if ((stride & 3) == 0) {
    const gain = f32x4.splat(SQRT_HALF);
    for (let j = 0; j < half; j++) {
      const even = x + 2 * <usize>j * step;
      for (let i: usize = 0; i < step; i += 16) {
        const first = f32x4.mul(gain, v128.load(even + i));
        const second = f32x4.mul(gain, v128.load(even + i + step));
        v128.store(even + i, f32x4.add(first, second));
        v128.store(even + i + step, f32x4.sub(first, second));
      }
    }
    return;
  }
  for (let j = 0; j < half; j++) {
    const even = x + 2 * <usize>j * step;
    for (let i: usize = 0; i < step; i += 4) haarPair(even + i, step);
  }
}

function haarPair(at: usize, step: usize): void {
  const first: f32 = SQRT_HALF * load<f32>(at);
  const second: f32 = SQRT_HALF * load<f32>(at + step);
  store<f32>(at, first + second);
  store<f32>(at + step, first - second);
}

/** From frequency order to time order: block after block, optionally in Hadamard sequency order. */
export function deinterleave(x: usize, count: i32, stride: i32, hadamard: bool): void {
  const order = hadamardOrder + (<usize>(stride - 2) << 2);
  for (let i = 0; i < stride; i++) {
    const block = hadamard ? load<i32>(order + (<usize>i << 2)) : i;
    let to = REORDER_AT + (<usize>(block * count) << 2);
    let from = x + (<usize>i << 2);
    for (let j = 0; j < count; j++) {
      store<f32>(to, load<f32>(from));
      to += 4;
      from += <usize>stride << 2;
    }
  }
  copySamples(x, REORDER_AT, <usize>(count * stride) << 2);
}

export function interleave(x: usize, count: i32, stride: i32, hadamard: bool): void {
  const order = hadamardOrder + (<usize>(stride - 2) << 2);
  for (let i = 0; i < stride; i++) {
    const block = hadamard ? load<i32>(order + (<usize>i << 2)) : i;
    let from = x + (<usize>(block * count) << 2);
    let to = REORDER_AT + (<usize>i << 2);
    for (let j = 0; j < count; j++) {
      store<f32>(to, load<f32>(from));
      from += 4;
      to += <usize>stride << 2;
    }
  }
  copySamples(x, REORDER_AT, <usize>(count * stride) << 2);
}

export function scaleTo(to: usize, from: usize, count: i32, factor: f32): void {
  const factors = f32x4.splat(factor);
  const bytes = <usize>count << 2;
  const vectorBytes = bytes & ~15;
  let at: usize = 0;
  for (; at < vectorBytes; at += 16) v128.store(to + at, f32x4.mul(factors, v128.load(from + at)));
  for (; at < bytes; at += 4) store<f32>(to + at, factor * load<f32>(from + at));
}

/** Mid and side of a band back to left and right, each of unit norm. */
export function mergeStereo(x: usize, y: usize, middle: f32, count: i32): void {
  let product: f32 = 0.0;
  let side: f32 = 0.0;
  const bytes = <usize>count << 2;
  for (let at: usize = 0; at < bytes; at += 4) {
    const right = load<f32>(y + at);
    product += right * load<f32>(x + at);
    side += right * right;
  }
  product = middle * product;
  const leftEnergy: f32 = middle * middle + side - <f32>2.0 * product;
  const rightEnergy: f32 = middle * middle + side + <f32>2.0 * product;
  if (rightEnergy < 6e-4 || leftEnergy < 6e-4) {
    copySamples(y, x, bytes);
    return;
  }
  const leftGain: f32 = <f32>1.0 / sqrt<f32>(leftEnergy);
  const rightGain: f32 = <f32>1.0 / sqrt<f32>(rightEnergy);
  const middles = f32x4.splat(middle);
  const leftGains = f32x4.splat(leftGain);
  const rightGains = f32x4.splat(rightGain);
  const vectorBytes = bytes & ~15;
  let at: usize = 0;
  for (; at < vectorBytes; at += 16) {
    const l = f32x4.mul(middles, v128.load(x + at));
    const r = v128.load(y + at);
    v128.store(x + at, f32x4.mul(leftGains, f32x4.sub(l, r)));
    v128.store(y + at, f32x4.mul(rightGains, f32x4.add(l, r)));
  }
  for (; at < bytes; at += 4) {
    const l: f32 = middle * load<f32>(x + at);
    const r = load<f32>(y + at);
    store<f32>(x + at, leftGain * (l - r));
    store<f32>(y + at, rightGain * (l + r));
  }
}
