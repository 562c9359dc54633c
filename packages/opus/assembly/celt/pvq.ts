// Pyramid vector quantisation (RFC 6716 section 4.3.4): the code word of a partition, its rotation and its scaling.
import { decodeUint, RangeDecoder } from "../range-decoder";
import { pvqU, pvqURowOffsets, spreadFactor } from "../tables/celt";
import { cosHalfPi } from "./math";
import { PULSES_AT } from "./scratch";

export const SPREAD_NONE: i32 = 0;
export const SPREAD_NORMAL: i32 = 2;
export const SPREAD_AGGRESSIVE: i32 = 3;

/** Address of U(n, 0) in the packed table; only k >= n is stored. */
function row(n: i32): usize {
  return pvqU + (<usize>load<i32>(pvqURowOffsets + (<usize>n << 2)) << 2);
}

/** U(n, k) for any order of n and k: the function is symmetric. */
export function pvqCount(n: i32, k: i32): u32 {
  const small = min<i32>(n, k);
  const large = max<i32>(n, k);
  return load<u32>(row(small) + (<usize>large << 2));
}

/**
 * Reads the code word of `n` dimensions with `k` pulses into PULSES (i32), by walking the enumeration of the vectors.
 * @returns the sum of squares
 */
function decodePulses(rd: RangeDecoder, dimensions: i32, pulseCount: i32): i32 {
  let n = dimensions;
  let k = pulseCount;
  let index = decodeUint(rd, pvqCount(n, k) + pvqCount(n, k + 1));
  let out = PULSES_AT;
  let energy: i32 = 0;
  while (n > 2) {
    let p: u32;
    let sign: i32;
    let before: i32;
    if (k >= n) {
      // More pulses than dimensions: row n holds U(n, k) for every k needed.
      const rowN = row(n);
      p = load<u32>(rowN + (<usize>(k + 1) << 2));
      sign = -i32(index >= p);
      index -= p & <u32>sign;
      before = k;
      const q = load<u32>(rowN + (<usize>n << 2));
      if (q > index) {
        k = n;
        do {
          p = load<u32>(row(--k) + (<usize>n << 2));
        } while (p > index);
      } else {
        p = load<u32>(rowN + (<usize>k << 2));
        while (p > index) p = load<u32>(rowN + (<usize>--k << 2));
      }
    } else {
      p = load<u32>(row(k) + (<usize>n << 2));
      const q = load<u32>(row(k + 1) + (<usize>n << 2));
      if (p <= index && index < q) {
        index -= p;
        store<i32>(out, 0);
        out += 4;
        n--;
        continue;
      }
      sign = -i32(index >= q);
      index -= q & <u32>sign;
      before = k;
      do {
        p = load<u32>(row(--k) + (<usize>n << 2));
      } while (p > index);
    }
    index -= p;
    const value = (before - k + sign) ^ sign;
    store<i32>(out, value);
    out += 4;
    energy += value * value;
    n--;
  }
  // Two dimensions: U(2, k) = 2k - 1.
  const p: u32 = 2 * k + 1;
  let sign = -i32(index >= p);
  index -= p & <u32>sign;
  const before = k;
  k = <i32>((index + 1) >> 1);
  if (k) index -= 2 * k - 1;
  let value = (before - k + sign) ^ sign;
  store<i32>(out, value);
  energy += value * value;
  // One dimension: only the sign is left.
  sign = -<i32>index;
  value = (k + sign) ^ sign;
  store<i32>(out + 4, value);
  return energy + value * value;
}

/** One rotation pass over neighbours at `stride`, forwards and then backwards. */
function rotate(x: usize, count: i32, stride: i32, c: f32, s: f32): void {
  const step = <usize>stride << 2;
  if (stride >= 4 && count > 2 * stride) {
    rotateWide(x, count, stride, c, s);
    return;
  }
  if (stride == 1) {
    rotateNeighbours(x, count, c, s);
    return;
  }
  let at = x;
  for (let i = count - stride; i > 0; i--) {
    const x1 = load<f32>(at);
    const x2 = load<f32>(at + step);
    store<f32>(at + step, c * x2 + s * x1);
    store<f32>(at, c * x1 - s * x2);
    at += 4;
  }
  at = x + (<usize>(count - 2 * stride - 1) << 2);
  for (let i = count - 2 * stride - 1; i >= 0; i--) {
    const x1 = load<f32>(at);
    const x2 = load<f32>(at + step);
    store<f32>(at + step, c * x2 + s * x1);
    store<f32>(at, c * x1 - s * x2);
    at -= 4;
  }
}

/** Stride 1: one value is carried from pair to pair in a register. */
function rotateNeighbours(x: usize, count: i32, c: f32, s: f32): void {
  const last = x + (<usize>(count - 1) << 2);
  let carried = load<f32>(x);
  let at = x;
  for (; at < last; at += 4) {
    const next = load<f32>(at, 4);
    store<f32>(at, c * carried - s * next);
    carried = c * next + s * carried;
  }
  store<f32>(at, carried);
  if (count < 3) return;
  at = last - 8;
  carried = load<f32>(at, 4);
  for (; at >= x; at -= 4) {
    const first = load<f32>(at);
    store<f32>(at + 4, c * carried + s * first);
    carried = c * first - s * carried;
  }
  store<f32>(at + 4, carried);
}

/** Strides of 4 and more: four neighbouring pairs do not touch each other. */
function rotateWide(x: usize, count: i32, stride: i32, c: f32, s: f32): void {
  const step = <usize>stride << 2;
  const cc = f32x4.splat(c);
  const ss = f32x4.splat(s);
  let at = x;
  let left = count - stride;
  for (; left >= 4; left -= 4) {
    const x1 = v128.load(at);
    const x2 = v128.load(at + step);
    v128.store(at + step, f32x4.add(f32x4.mul(cc, x2), f32x4.mul(ss, x1)));
    v128.store(at, f32x4.sub(f32x4.mul(cc, x1), f32x4.mul(ss, x2)));
    at += 16;
  }
  for (; left > 0; left--) {
    const x1 = load<f32>(at);
    const x2 = load<f32>(at + step);
    store<f32>(at + step, c * x2 + s * x1);
    store<f32>(at, c * x1 - s * x2);
    at += 4;
  }
  left = count - 2 * stride;
  at = x + (<usize>(left - 1) << 2);
  for (; left >= 4; left -= 4) {
    const from = at - 12;
    const x1 = v128.load(from);
    const x2 = v128.load(from + step);
    v128.store(from + step, f32x4.add(f32x4.mul(cc, x2), f32x4.mul(ss, x1)));
    v128.store(from, f32x4.sub(f32x4.mul(cc, x1), f32x4.mul(ss, x2)));
    at -= 16;
  }
  for (; left > 0; left--) {
    const x1 = load<f32>(at);
    const x2 = load<f32>(at + step);
    store<f32>(at + step, c * x2 + s * x1);
    store<f32>(at, c * x1 - s * x2);
    at -= 4;
  }
}

/** Applies (encoder) or undoes (decoder) the spreading rotation of a partition (RFC 6716 section 4.3.4.3). */
export function spreadRotation(
  x: usize,
  count: i32,
  blocks: i32,
  pulses: i32,
  spread: i32,
  forward: bool,
): void {
  if (2 * pulses >= count || spread == SPREAD_NONE) return;
  const factor = load<i32>(spreadFactor + (<usize>(spread - 1) << 2));
  const gain = <f32>count / <f32>(count + factor * pulses);
  const theta: f32 = 0.5 * (gain * gain);
  const c = cosHalfPi(theta);
  const s = cosHalfPi(1.0 - theta);
  let wide = 0;
  if (count >= 8 * blocks) {
    // sqrt(count / blocks), rounded.
    wide = 1;
    while ((wide * wide + wide) * blocks + (blocks >> 2) < count) wide++;
  }
  const length = <i32>(<u32>count / <u32>blocks);
  for (let block = 0; block < blocks; block++) {
    const at = x + (<usize>(block * length) << 2);
    if (forward) {
      rotate(at, length, 1, c, -s);
      if (wide) rotate(at, length, wide, s, -c);
    } else {
      if (wide) rotate(at, length, wide, s, c);
      rotate(at, length, 1, c, s);
    }
  }
}

/** One bit per block that received a pulse. */
export function collapseMask(count: i32, blocks: i32): u32 {
  if (blocks <= 1) return 1;
  const length = <i32>(<u32>count / <u32>blocks);
  let mask: u32 = 0;
  let at = PULSES_AT;
  for (let block = 0; block < blocks; block++) {
    let any = 0;
    for (let i = 0; i < length; i++) {
      any |= load<i32>(at);
      at += 4;
    }
    mask |= u32(any != 0) << block;
  }
  return mask;
}

/**
 * Decodes a partition of `count` bins with `pulses` pulses to `x`, its norm being `gain`.
 * @returns the collapse mask
 */
export function decodePartition(
  rd: RangeDecoder,
  x: usize,
  count: i32,
  pulses: i32,
  spread: i32,
  blocks: i32,
  gain: f32,
): u32 {
  const energy = decodePulses(rd, count, pulses);
  scalePulses(x, count, (<f32>1.0 / sqrt<f32>(<f32>energy)) * gain);
  spreadRotation(x, count, blocks, pulses, spread, false);
  return collapseMask(count, blocks);
}

/** PULSES times `scale` to `x`. */
export function scalePulses(x: usize, count: i32, scale: f32): void {
  const scales = f32x4.splat(scale);
  const bytes = <usize>count << 2;
  const vectorBytes = bytes & ~15;
  let at: usize = 0;
  for (; at < vectorBytes; at += 16) {
    v128.store(x + at, f32x4.mul(f32x4.convert_i32x4_s(v128.load(PULSES_AT + at)), scales));
  }
  for (; at < bytes; at += 4) {
    store<f32>(x + at, <f32>load<i32>(PULSES_AT + at) * scale);
  }
}
