// C[m][n] = (+ C) rowScale[n] * activationScale[m] * sum over k of A[m][k] * W[n][k], with 8-bit weights and 16-bit activations.
//
// W is symmetric per row and packed W[n/4][k/8][n%4][k%8], so that one pass over the weights is one pass through memory: four rows side
// by side would be four streams of a few hundred bytes each, which no prefetcher follows. The dot product of SIMD128 multiplies 16-bit lanes, so activations may use as many
// bits as the 32-bit sum allows (see activationLimit): 13 to 15 bits instead of 8, at the same speed. Integer sums are exact:
// the result is the same bits on every machine and in any order.

/** Largest activation value for which `k` products with weights up to 127 cannot overflow 32 bits. */
function activationLimit(k: i32): f32 {
  return f32(min(32767, i32(2147483647 / (127 * k))));
}

/**
 * Quantises one row of `k` floats to 16 bits in `target`, zero-filled up to `paddedK`; returns the value of one step.
 */
export function quantizeActivations(x: usize, target: usize, k: i32, paddedK: i32): f32 {
  let largest = f32x4.splat(0);
  let i = 0;
  for (; i + 4 <= k; i += 4) largest = f32x4.max(largest, f32x4.abs(v128.load(x + (usize(i) << 2))));
  let peak = max(
    max(f32x4.extract_lane(largest, 0), f32x4.extract_lane(largest, 1)),
    max(f32x4.extract_lane(largest, 2), f32x4.extract_lane(largest, 3)),
  );
  for (; i < k; i++) peak = max(peak, abs(load<f32>(x + (usize(i) << 2))));
  const limit = activationLimit(paddedK);
  const inverse: f32 = peak > 0 ? limit / peak : 0;
  const factor = f32x4.splat(inverse);
  const bound = f32x4.splat(limit);
  i = 0;
  for (; i + 8 <= k; i += 8) {
    const at = x + (usize(i) << 2);
    const low = f32x4.min(f32x4.nearest(f32x4.mul(v128.load(at), factor)), bound);
    const high = f32x4.min(f32x4.nearest(f32x4.mul(v128.load(at, 16), factor)), bound);
    v128.store(
      target + (usize(i) << 1),
      i16x8.narrow_i32x4_s(i32x4.trunc_sat_f32x4_s(low), i32x4.trunc_sat_f32x4_s(high)),
    );
  }
  for (; i < paddedK; i++) {
    const value: f32 = i < k ? nearest(load<f32>(x + (usize(i) << 2)) * inverse) : 0;
    store<i16>(target + (usize(i) << 1), i16(min(value, limit)));
  }
  return peak / limit;
}

/** The four lane sums of four vectors as one vector. */
function sumLanes(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i32x4.add(v128.shuffle<u32>(a, b, 0, 4, 1, 5), v128.shuffle<u32>(a, b, 2, 6, 3, 7));
  const cd = i32x4.add(v128.shuffle<u32>(c, d, 0, 4, 1, 5), v128.shuffle<u32>(c, d, 2, 6, 3, 7));
  return i32x4.add(v128.shuffle<u32>(ab, cd, 0, 1, 4, 5), v128.shuffle<u32>(ab, cd, 2, 3, 6, 7));
}

function storeFour(c: usize, sums: v128, scale: v128, count: i32, add: bool): void {
  let y = f32x4.mul(f32x4.convert_i32x4_s(sums), scale);
  if (count >= 4) {
    if (add) y = f32x4.add(v128.load(c), y);
    v128.store(c, y);
    return;
  }
  for (let i = 0; i < count; i++) {
    let value = f32x4.extract_lane(y, 0);
    if (add) value = load<f32>(c) + value;
    store<f32>(c, value);
    c += 4;
    y = v128.shuffle<u32>(y, y, 1, 2, 3, 0);
  }
}

/** One row of activations times four rows of weights; `k` a multiple of 8. The turns are broken up as in gemm-f32.ts. */
function oneRow(a: usize, w: usize, k: i32, c: usize, scale: v128, count: i32, add: bool): void {
  let s0 = i32x4.splat(0);
  let s1 = i32x4.splat(0);
  let s2 = i32x4.splat(0);
  let s3 = i32x4.splat(0);
  let left = k >> 3;
  let x: v128;
  for (;;) {
    x = v128.load(a);
    s0 = i32x4.add(s0, i32x4.dot_i16x8_s(x, v128.load8x8_s(w)));
    s1 = i32x4.add(s1, i32x4.dot_i16x8_s(x, v128.load8x8_s(w, 8)));
    s2 = i32x4.add(s2, i32x4.dot_i16x8_s(x, v128.load8x8_s(w, 16)));
    s3 = i32x4.add(s3, i32x4.dot_i16x8_s(x, v128.load8x8_s(w, 24)));
    if (left == 1) break;
    x = v128.load(a, 16);
    s0 = i32x4.add(s0, i32x4.dot_i16x8_s(x, v128.load8x8_s(w, 32)));
    s1 = i32x4.add(s1, i32x4.dot_i16x8_s(x, v128.load8x8_s(w, 40)));
    s2 = i32x4.add(s2, i32x4.dot_i16x8_s(x, v128.load8x8_s(w, 48)));
    s3 = i32x4.add(s3, i32x4.dot_i16x8_s(x, v128.load8x8_s(w, 56)));
    if (left == 2) break;
    x = v128.load(a, 32);
    s0 = i32x4.add(s0, i32x4.dot_i16x8_s(x, v128.load8x8_s(w, 64)));
    s1 = i32x4.add(s1, i32x4.dot_i16x8_s(x, v128.load8x8_s(w, 72)));
    s2 = i32x4.add(s2, i32x4.dot_i16x8_s(x, v128.load8x8_s(w, 80)));
    s3 = i32x4.add(s3, i32x4.dot_i16x8_s(x, v128.load8x8_s(w, 88)));
    if (left == 3) break;
    x = v128.load(a, 48);
    s0 = i32x4.add(s0, i32x4.dot_i16x8_s(x, v128.load8x8_s(w, 96)));
    s1 = i32x4.add(s1, i32x4.dot_i16x8_s(x, v128.load8x8_s(w, 104)));
    s2 = i32x4.add(s2, i32x4.dot_i16x8_s(x, v128.load8x8_s(w, 112)));
    s3 = i32x4.add(s3, i32x4.dot_i16x8_s(x, v128.load8x8_s(w, 120)));
    left -= 4;
    if (left == 0) break;
    a += 64;
    w += 128;
  }
  storeFour(c, sumLanes(s0, s1, s2, s3), scale, count, add);
}

function twoRows(
  a: usize,
  b: usize,
  w: usize,
  k: i32,
  c: usize,
  d: usize,
  scaleA: v128,
  scaleB: v128,
  count: i32,
  add: bool,
): void {
  let s0 = i32x4.splat(0);
  let s1 = i32x4.splat(0);
  let s2 = i32x4.splat(0);
  let s3 = i32x4.splat(0);
  let t0 = i32x4.splat(0);
  let t1 = i32x4.splat(0);
  let t2 = i32x4.splat(0);
  let t3 = i32x4.splat(0);
  let left = k >> 3;
  let x: v128;
  let y: v128;
  let row: v128;
  for (;;) {
    x = v128.load(a);
    y = v128.load(b);
    row = v128.load8x8_s(w);
    s0 = i32x4.add(s0, i32x4.dot_i16x8_s(x, row));
    t0 = i32x4.add(t0, i32x4.dot_i16x8_s(y, row));
    row = v128.load8x8_s(w, 8);
    s1 = i32x4.add(s1, i32x4.dot_i16x8_s(x, row));
    t1 = i32x4.add(t1, i32x4.dot_i16x8_s(y, row));
    row = v128.load8x8_s(w, 16);
    s2 = i32x4.add(s2, i32x4.dot_i16x8_s(x, row));
    t2 = i32x4.add(t2, i32x4.dot_i16x8_s(y, row));
    row = v128.load8x8_s(w, 24);
    s3 = i32x4.add(s3, i32x4.dot_i16x8_s(x, row));
    t3 = i32x4.add(t3, i32x4.dot_i16x8_s(y, row));
    if (left == 1) break;
    x = v128.load(a, 16);
    y = v128.load(b, 16);
    row = v128.load8x8_s(w, 32);
    s0 = i32x4.add(s0, i32x4.dot_i16x8_s(x, row));
    t0 = i32x4.add(t0, i32x4.dot_i16x8_s(y, row));
    row = v128.load8x8_s(w, 40);
    s1 = i32x4.add(s1, i32x4.dot_i16x8_s(x, row));
    t1 = i32x4.add(t1, i32x4.dot_i16x8_s(y, row));
    row = v128.load8x8_s(w, 48);
    s2 = i32x4.add(s2, i32x4.dot_i16x8_s(x, row));
    t2 = i32x4.add(t2, i32x4.dot_i16x8_s(y, row));
    row = v128.load8x8_s(w, 56);
    s3 = i32x4.add(s3, i32x4.dot_i16x8_s(x, row));
    t3 = i32x4.add(t3, i32x4.dot_i16x8_s(y, row));
    if (left == 2) break;
    x = v128.load(a, 32);
    y = v128.load(b, 32);
    row = v128.load8x8_s(w, 64);
    s0 = i32x4.add(s0, i32x4.dot_i16x8_s(x, row));
    t0 = i32x4.add(t0, i32x4.dot_i16x8_s(y, row));
    row = v128.load8x8_s(w, 72);
    s1 = i32x4.add(s1, i32x4.dot_i16x8_s(x, row));
    t1 = i32x4.add(t1, i32x4.dot_i16x8_s(y, row));
    row = v128.load8x8_s(w, 80);
    s2 = i32x4.add(s2, i32x4.dot_i16x8_s(x, row));
    t2 = i32x4.add(t2, i32x4.dot_i16x8_s(y, row));
    row = v128.load8x8_s(w, 88);
    s3 = i32x4.add(s3, i32x4.dot_i16x8_s(x, row));
    t3 = i32x4.add(t3, i32x4.dot_i16x8_s(y, row));
    if (left == 3) break;
    x = v128.load(a, 48);
    y = v128.load(b, 48);
    row = v128.load8x8_s(w, 96);
    s0 = i32x4.add(s0, i32x4.dot_i16x8_s(x, row));
    t0 = i32x4.add(t0, i32x4.dot_i16x8_s(y, row));
    row = v128.load8x8_s(w, 104);
    s1 = i32x4.add(s1, i32x4.dot_i16x8_s(x, row));
    t1 = i32x4.add(t1, i32x4.dot_i16x8_s(y, row));
    row = v128.load8x8_s(w, 112);
    s2 = i32x4.add(s2, i32x4.dot_i16x8_s(x, row));
    t2 = i32x4.add(t2, i32x4.dot_i16x8_s(y, row));
    row = v128.load8x8_s(w, 120);
    s3 = i32x4.add(s3, i32x4.dot_i16x8_s(x, row));
    t3 = i32x4.add(t3, i32x4.dot_i16x8_s(y, row));
    left -= 4;
    if (left == 0) break;
    a += 64;
    b += 64;
    w += 128;
  }
  storeFour(c, sumLanes(s0, s1, s2, s3), scaleA, count, add);
  storeFour(d, sumLanes(t0, t1, t2, t3), scaleB, count, add);
}

/**
 * @param a rows of `k` 16-bit activations, contiguous, with one scale each in `activationScales`
 * @param w packed weights, see above; `rowScales` n floats rounded up to 4; `k` a multiple of 8
 * @param c rows of `n` floats, `ldc` floats apart; added to if `add` is not 0
 */
export function gemmInt8(
  a: usize,
  activationScales: usize,
  w: usize,
  rowScales: usize,
  c: usize,
  ldc: i32,
  m: i32,
  n: i32,
  k: i32,
  add: i32,
): void {
  const strideA = usize(k) << 1;
  const strideC = usize(ldc) << 2;
  for (let column = 0; column < n; column += 4) {
    const rows = w + usize(column) * usize(k);
    const scale = v128.load(rowScales + (usize(column) << 2));
    const at = c + (usize(column) << 2);
    let row = 0;
    for (; row + 2 <= m; row += 2) {
      const scales = activationScales + (usize(row) << 2);
      twoRows(
        a + usize(row) * strideA,
        a + usize(row + 1) * strideA,
        rows,
        k,
        at + usize(row) * strideC,
        at + usize(row + 1) * strideC,
        f32x4.mul(scale, v128.load32_splat(scales)),
        f32x4.mul(scale, v128.load32_splat(scales, 4)),
        n - column,
        add != 0,
      );
    }
    if (row < m) {
      const factor = f32x4.mul(scale, v128.load32_splat(activationScales + (usize(row) << 2)));
      oneRow(a + usize(row) * strideA, rows, k, at + usize(row) * strideC, factor, n - column, add != 0);
    }
  }
}

/**
 * Quantises row-major floats [n][k] to 8 bits, one scale a row, and packs them; `paddedK` is `k` rounded up to a multiple of 8, the rows
 * that fill up the last four are zero. `target` holds ceil(n/4) * 4 * paddedK bytes.
 */
export function packRowsInt8(source: usize, target: usize, scales: usize, n: i32, k: i32, paddedK: i32): void {
  const vectors = k & ~7;
  for (let row = 0; row < n; row++) {
    const from = source + usize(row) * (usize(k) << 2);
    let largest = f32x4.splat(0);
    for (let i = 0; i < vectors; i += 4) largest = f32x4.max(largest, f32x4.abs(v128.load(from + (usize(i) << 2))));
    let peak = max(
      max(f32x4.extract_lane(largest, 0), f32x4.extract_lane(largest, 1)),
      max(f32x4.extract_lane(largest, 2), f32x4.extract_lane(largest, 3)),
    );
    for (let i = vectors; i < k; i++) peak = max(peak, abs(load<f32>(from + (usize(i) << 2))));
    const inverse: f32 = peak > 0 ? f32(127.0) / peak : 0;
    const factor = f32x4.splat(inverse);
    let to = target + usize(row & ~3) * usize(paddedK) + (usize(row & 3) << 3);
    for (let i = 0; i < vectors; i += 8) {
      const at = from + (usize(i) << 2);
      const words = i16x8.narrow_i32x4_s(
        i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(at), factor))),
        i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(at, 16), factor))),
      );
      v128.store64_lane(to, i8x16.narrow_i16x8_s(words, words), 0);
      to += 32;
    }
    if (vectors < paddedK) {
      store<u64>(to, 0);
      for (let i = vectors; i < k; i++) {
        store<i8>(to + usize(i - vectors), i8(nearest(load<f32>(from + (usize(i) << 2)) * inverse)));
      }
    }
    store<f32>(scales + (usize(row) << 2), peak / f32(127.0));
  }
  for (let row = n; row < ((n + 3) & ~3); row++) {
    let to = target + usize(row & ~3) * usize(paddedK) + (usize(row & 3) << 3);
    for (let i = 0; i < paddedK; i += 8) {
      store<u64>(to, 0);
      to += 32;
    }
  }
}
