// Rotary positions and causal attention over a key/value cache of rows [heads * headDim].

import { cosine, exponential, sine } from "../../kernels/assembly/elementary";
import { expF32x4 } from "../../kernels/assembly/exp-f32x4";

/**
 * Writes the rotation of positions [first, first + count): per position `headDim` cosines, each twice, then `headDim` sines as
 * (-s, s) pairs. The angle is rounded to single precision before the cosine, as in the reference.
 */
export function rotaryTable(target: usize, first: i32, count: i32, headDim: i32, maxPeriod: f64, logMaxPeriod: f64): void {
  const half = headDim >> 1;
  const step = f32(-logMaxPeriod * 2.0 / f64(headDim));
  for (let i = 0; i < half; i++) {
    const frequency = f32(exponential(f64(f32(i) * step)));
    let at = target + (usize(i) << 3);
    for (let position = first; position < first + count; position++) {
      const angle = f64(frequency * f32(position));
      const c = f32(cosine(angle));
      const s = f32(sine(angle));
      store<f32>(at, c);
      store<f32>(at, c, 4);
      store<f32>(at + (usize(headDim) << 2), -s);
      store<f32>(at + (usize(headDim) << 2), s, 4);
      at += usize(headDim) << 3;
    }
  }
}

/** Rotates `heads` vectors of `headDim` floats at `x` in place by one position's row of the table. */
function rotate(x: usize, table: usize, heads: i32, headDim: i32): void {
  const bytes = usize(headDim) << 2;
  for (let head = 0; head < heads; head++) {
    for (let i: usize = 0; i < bytes; i += 16) {
      const value = v128.load(x + i);
      const swapped = v128.shuffle<u32>(value, value, 1, 0, 3, 2);
      v128.store(
        x + i,
        f32x4.add(f32x4.mul(value, v128.load(table + i)), f32x4.mul(swapped, v128.load(table + bytes + i))),
      );
    }
    x += bytes;
  }
}

/**
 * Takes `rows` rows of (q, k, v), rotates q in place and k, and appends k and v to the caches.
 * @param table rotary rows of the positions of these rows
 * @param keys, values where the first row goes; rows are heads * headDim floats
 */
export function appendKeysAndValues(
  qkv: usize,
  table: usize,
  keys: usize,
  values: usize,
  rows: i32,
  heads: i32,
  headDim: i32,
): void {
  const width = usize(heads * headDim) << 2;
  for (let row = 0; row < rows; row++) {
    rotate(qkv, table, heads, headDim);
    rotate(qkv + width, table, heads, headDim);
    memory.copy(keys, qkv + width, width);
    memory.copy(values, qkv + 2 * width, width);
    qkv += 3 * width;
    table += usize(headDim) << 3;
    keys += width;
    values += width;
  }
}

function laneSums(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<u32>(a, b, 0, 4, 1, 5), v128.shuffle<u32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<u32>(c, d, 0, 4, 1, 5), v128.shuffle<u32>(c, d, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<u32>(ab, cd, 0, 1, 4, 5), v128.shuffle<u32>(ab, cd, 2, 3, 6, 7));
}

/**
 * One query's attention in one head over `count` cached rows: softmax(q k / sqrt(headDim)) v.
 * @param scores scratch of `count` floats rounded up to a multiple of 4
 */
function attendOne(
  q: usize,
  keys: usize,
  values: usize,
  stride: usize,
  count: i32,
  headDim: i32,
  scale: f32,
  scores: usize,
  target: usize,
): void {
  const bytes = usize(headDim) << 2;
  const factor = f32x4.splat(scale);
  let largest = f32x4.splat(-Infinity);
  const padded = (count + 3) & ~3;
  for (let t = 0; t < padded; t += 4) {
    const k0 = keys + usize(t) * stride;
    const k1 = t + 1 < count ? k0 + stride : k0;
    const k2 = t + 2 < count ? k1 + stride : k0;
    const k3 = t + 3 < count ? k2 + stride : k0;
    let s0 = f32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    for (let i: usize = 0; i < bytes; i += 16) {
      const x = v128.load(q + i);
      s0 = f32x4.add(s0, f32x4.mul(x, v128.load(k0 + i)));
      s1 = f32x4.add(s1, f32x4.mul(x, v128.load(k1 + i)));
      s2 = f32x4.add(s2, f32x4.mul(x, v128.load(k2 + i)));
      s3 = f32x4.add(s3, f32x4.mul(x, v128.load(k3 + i)));
    }
    const s = f32x4.mul(laneSums(s0, s1, s2, s3), factor);
    // Lanes past the end repeat the first key of the group, so they never raise the maximum.
    largest = f32x4.max(largest, s);
    v128.store(scores + (usize(t) << 2), s);
  }
  const peak = max(
    max(f32x4.extract_lane(largest, 0), f32x4.extract_lane(largest, 1)),
    max(f32x4.extract_lane(largest, 2), f32x4.extract_lane(largest, 3)),
  );
  for (let t = 0; t < padded; t += 4) {
    const at = scores + (usize(t) << 2);
    v128.store(at, expF32x4(f32x4.sub(v128.load(at), f32x4.splat(peak))));
  }
  let sum: f32 = 0;
  for (let t = 0; t < count; t++) sum += load<f32>(scores + (usize(t) << 2));
  const inverse = f32x4.splat(f32(1.0) / sum);
  // 16 outputs at a time: four accumulators over all rows; a head of 8 or 4 takes the narrow loop.
  let i: usize = 0;
  for (; i + 64 <= bytes; i += 64) {
    let y0 = f32x4.splat(0);
    let y1 = y0;
    let y2 = y0;
    let y3 = y0;
    let v = values + i;
    for (let t = 0; t < count; t++) {
      const p = v128.load32_splat(scores + (usize(t) << 2));
      y0 = f32x4.add(y0, f32x4.mul(p, v128.load(v)));
      y1 = f32x4.add(y1, f32x4.mul(p, v128.load(v, 16)));
      y2 = f32x4.add(y2, f32x4.mul(p, v128.load(v, 32)));
      y3 = f32x4.add(y3, f32x4.mul(p, v128.load(v, 48)));
      v += stride;
    }
    v128.store(target + i, f32x4.mul(y0, inverse));
    v128.store(target + i, f32x4.mul(y1, inverse), 16);
    v128.store(target + i, f32x4.mul(y2, inverse), 32);
    v128.store(target + i, f32x4.mul(y3, inverse), 48);
  }
  for (; i < bytes; i += 16) {
    let y = f32x4.splat(0);
    let v = values + i;
    for (let t = 0; t < count; t++) {
      y = f32x4.add(y, f32x4.mul(v128.load32_splat(scores + (usize(t) << 2)), v128.load(v)));
      v += stride;
    }
    v128.store(target + i, f32x4.mul(y, inverse));
  }
}

/**
 * Causal attention of `rows` queries at cache rows [first, first + rows), each seeing at most the last `context` rows up to and
 * including its own (0: all from row 0).
 * @param qkv rows of 3 * heads * headDim floats; the first third is the rotated query
 * @param keys, values row 0 of the caches
 * @param target rows of heads * headDim floats
 */
export function attend(
  qkv: usize,
  keys: usize,
  values: usize,
  target: usize,
  scores: usize,
  rows: i32,
  first: i32,
  context: i32,
  heads: i32,
  headDim: i32,
): void {
  const width = usize(heads * headDim) << 2;
  const scale = f32(1.0) / sqrt(f32(headDim));
  for (let head = 0; head < heads; head++) {
    const column = usize(head * headDim) << 2;
    for (let row = 0; row < rows; row++) {
      const last = first + row;
      const from = context > 0 ? max(0, last - context + 1) : 0;
      const start = usize(from) * width + column;
      attendOne(
        qkv + usize(row) * 3 * width + column,
        keys + start,
        values + start,
        width,
        last - from + 1,
        headDim,
        scale,
        scores,
        target + usize(row) * width + column,
      );
    }
  }
}
