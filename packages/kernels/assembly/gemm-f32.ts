// C[m][n] = init[n] + sum over k of A[m][k] * W[n][k], in single precision.
//
// W is packed in panels of 8 outputs: W[n/8][k][n%8], the last panel filled with zeros. A's rows may overlap (lda < k): a causal
// convolution over time-major samples is this product with lda = stride * channels. The sum over k is sequential for every
// output, whatever the tile, so results do not depend on m and a scalar loop gives the same bits.

/** Rows of A that are multiplied with all panels before the next rows are: keeps A's block in the cache. */
const ROW_BLOCK: i32 = 256;

/** Stores the first `count` (1 to 8) of the 8 outputs `low`, `high`; adds to what is there if `add` is set. */
export function storePanel(c: usize, low: v128, high: v128, count: i32, add: bool): void {
  if (count >= 8) {
    if (add) {
      low = f32x4.add(v128.load(c), low);
      high = f32x4.add(v128.load(c, 16), high);
    }
    v128.store(c, low);
    v128.store(c, high, 16);
    return;
  }
  for (let i = 0; i < count; i++) {
    let value = f32x4.extract_lane(low, 0);
    if (add) value = load<f32>(c) + value;
    store<f32>(c, value);
    c += 4;
    // Rotate the eight lanes by one.
    const next = v128.shuffle<u32>(low, high, 1, 2, 3, 4);
    high = v128.shuffle<u32>(high, low, 1, 2, 3, 4);
    low = next;
  }
}

/**
 * Four rows times one panel, `k` at least 1. Row pointers may repeat; the caller stores only what is new.
 *
 * Four steps a turn, each of which may be the last: the branches keep the compiler from moving all loads of a turn to its front,
 * where they need more registers than there are (an unrolled loop without them is slower than no unrolling).
 */
function tile(
  a0: usize,
  a1: usize,
  a2: usize,
  a3: usize,
  w: usize,
  k: i32,
  low: v128,
  high: v128,
  c: usize,
  ldc: usize,
  rows: i32,
  count: i32,
  add: bool,
): void {
  let s00 = low;
  let s01 = high;
  let s10 = low;
  let s11 = high;
  let s20 = low;
  let s21 = high;
  let s30 = low;
  let s31 = high;
  let left = k;
  let w0: v128;
  let w1: v128;
  let x: v128;
  for (;;) {
    w0 = v128.load(w);
    w1 = v128.load(w, 16);
    x = v128.load32_splat(a0);
    s00 = f32x4.add(s00, f32x4.mul(x, w0));
    s01 = f32x4.add(s01, f32x4.mul(x, w1));
    x = v128.load32_splat(a1);
    s10 = f32x4.add(s10, f32x4.mul(x, w0));
    s11 = f32x4.add(s11, f32x4.mul(x, w1));
    x = v128.load32_splat(a2);
    s20 = f32x4.add(s20, f32x4.mul(x, w0));
    s21 = f32x4.add(s21, f32x4.mul(x, w1));
    x = v128.load32_splat(a3);
    s30 = f32x4.add(s30, f32x4.mul(x, w0));
    s31 = f32x4.add(s31, f32x4.mul(x, w1));
    if (left == 1) break;
    w0 = v128.load(w, 32);
    w1 = v128.load(w, 48);
    x = v128.load32_splat(a0, 4);
    s00 = f32x4.add(s00, f32x4.mul(x, w0));
    s01 = f32x4.add(s01, f32x4.mul(x, w1));
    x = v128.load32_splat(a1, 4);
    s10 = f32x4.add(s10, f32x4.mul(x, w0));
    s11 = f32x4.add(s11, f32x4.mul(x, w1));
    x = v128.load32_splat(a2, 4);
    s20 = f32x4.add(s20, f32x4.mul(x, w0));
    s21 = f32x4.add(s21, f32x4.mul(x, w1));
    x = v128.load32_splat(a3, 4);
    s30 = f32x4.add(s30, f32x4.mul(x, w0));
    s31 = f32x4.add(s31, f32x4.mul(x, w1));
    if (left == 2) break;
    w0 = v128.load(w, 64);
    w1 = v128.load(w, 80);
    x = v128.load32_splat(a0, 8);
    s00 = f32x4.add(s00, f32x4.mul(x, w0));
    s01 = f32x4.add(s01, f32x4.mul(x, w1));
    x = v128.load32_splat(a1, 8);
    s10 = f32x4.add(s10, f32x4.mul(x, w0));
    s11 = f32x4.add(s11, f32x4.mul(x, w1));
    x = v128.load32_splat(a2, 8);
    s20 = f32x4.add(s20, f32x4.mul(x, w0));
    s21 = f32x4.add(s21, f32x4.mul(x, w1));
    x = v128.load32_splat(a3, 8);
    s30 = f32x4.add(s30, f32x4.mul(x, w0));
    s31 = f32x4.add(s31, f32x4.mul(x, w1));
    if (left == 3) break;
    w0 = v128.load(w, 96);
    w1 = v128.load(w, 112);
    x = v128.load32_splat(a0, 12);
    s00 = f32x4.add(s00, f32x4.mul(x, w0));
    s01 = f32x4.add(s01, f32x4.mul(x, w1));
    x = v128.load32_splat(a1, 12);
    s10 = f32x4.add(s10, f32x4.mul(x, w0));
    s11 = f32x4.add(s11, f32x4.mul(x, w1));
    x = v128.load32_splat(a2, 12);
    s20 = f32x4.add(s20, f32x4.mul(x, w0));
    s21 = f32x4.add(s21, f32x4.mul(x, w1));
    x = v128.load32_splat(a3, 12);
    s30 = f32x4.add(s30, f32x4.mul(x, w0));
    s31 = f32x4.add(s31, f32x4.mul(x, w1));
    left -= 4;
    if (left == 0) break;
    a0 += 16;
    a1 += 16;
    a2 += 16;
    a3 += 16;
    w += 128;
  }
  storePanel(c, s00, s01, count, add);
  if (rows > 1) storePanel(c + ldc, s10, s11, count, add);
  if (rows > 2) storePanel(c + 2 * ldc, s20, s21, count, add);
  if (rows > 3) storePanel(c + 3 * ldc, s30, s31, count, add);
}

/**
 * Brings a panel into the cache: its first product would wait for every line, one after the other, because a tile computes long for each;
 * bare loads wait for many lines at once. Worth it where several tiles use the panel.
 */
function touch(start: usize, bytes: usize): void {
  for (const end = start + bytes; start + 256 <= end; start += 256) {
    load<i32>(start);
    load<i32>(start, 64);
    load<i32>(start, 128);
    load<i32>(start, 192);
  }
}

/** One row times four panels: the stream through the weights is the cost. */
function fourPanels(a: usize, w: usize, k: i32, bias: usize, c: usize, add: bool): void {
  const panel = usize(k) << 5;
  let s0 = bias ? v128.load(bias) : f32x4.splat(0);
  let s1 = bias ? v128.load(bias, 16) : f32x4.splat(0);
  let s2 = bias ? v128.load(bias, 32) : f32x4.splat(0);
  let s3 = bias ? v128.load(bias, 48) : f32x4.splat(0);
  let s4 = bias ? v128.load(bias, 64) : f32x4.splat(0);
  let s5 = bias ? v128.load(bias, 80) : f32x4.splat(0);
  let s6 = bias ? v128.load(bias, 96) : f32x4.splat(0);
  let s7 = bias ? v128.load(bias, 112) : f32x4.splat(0);
  let w1 = w + panel;
  let w2 = w1 + panel;
  let w3 = w2 + panel;
  let left = k;
  let x: v128;
  for (;;) {
    x = v128.load32_splat(a);
    s0 = f32x4.add(s0, f32x4.mul(x, v128.load(w)));
    s1 = f32x4.add(s1, f32x4.mul(x, v128.load(w, 16)));
    s2 = f32x4.add(s2, f32x4.mul(x, v128.load(w1)));
    s3 = f32x4.add(s3, f32x4.mul(x, v128.load(w1, 16)));
    s4 = f32x4.add(s4, f32x4.mul(x, v128.load(w2)));
    s5 = f32x4.add(s5, f32x4.mul(x, v128.load(w2, 16)));
    s6 = f32x4.add(s6, f32x4.mul(x, v128.load(w3)));
    s7 = f32x4.add(s7, f32x4.mul(x, v128.load(w3, 16)));
    if (left == 1) break;
    x = v128.load32_splat(a, 4);
    s0 = f32x4.add(s0, f32x4.mul(x, v128.load(w, 32)));
    s1 = f32x4.add(s1, f32x4.mul(x, v128.load(w, 48)));
    s2 = f32x4.add(s2, f32x4.mul(x, v128.load(w1, 32)));
    s3 = f32x4.add(s3, f32x4.mul(x, v128.load(w1, 48)));
    s4 = f32x4.add(s4, f32x4.mul(x, v128.load(w2, 32)));
    s5 = f32x4.add(s5, f32x4.mul(x, v128.load(w2, 48)));
    s6 = f32x4.add(s6, f32x4.mul(x, v128.load(w3, 32)));
    s7 = f32x4.add(s7, f32x4.mul(x, v128.load(w3, 48)));
    if (left == 2) break;
    x = v128.load32_splat(a, 8);
    s0 = f32x4.add(s0, f32x4.mul(x, v128.load(w, 64)));
    s1 = f32x4.add(s1, f32x4.mul(x, v128.load(w, 80)));
    s2 = f32x4.add(s2, f32x4.mul(x, v128.load(w1, 64)));
    s3 = f32x4.add(s3, f32x4.mul(x, v128.load(w1, 80)));
    s4 = f32x4.add(s4, f32x4.mul(x, v128.load(w2, 64)));
    s5 = f32x4.add(s5, f32x4.mul(x, v128.load(w2, 80)));
    s6 = f32x4.add(s6, f32x4.mul(x, v128.load(w3, 64)));
    s7 = f32x4.add(s7, f32x4.mul(x, v128.load(w3, 80)));
    if (left == 3) break;
    x = v128.load32_splat(a, 12);
    s0 = f32x4.add(s0, f32x4.mul(x, v128.load(w, 96)));
    s1 = f32x4.add(s1, f32x4.mul(x, v128.load(w, 112)));
    s2 = f32x4.add(s2, f32x4.mul(x, v128.load(w1, 96)));
    s3 = f32x4.add(s3, f32x4.mul(x, v128.load(w1, 112)));
    s4 = f32x4.add(s4, f32x4.mul(x, v128.load(w2, 96)));
    s5 = f32x4.add(s5, f32x4.mul(x, v128.load(w2, 112)));
    s6 = f32x4.add(s6, f32x4.mul(x, v128.load(w3, 96)));
    s7 = f32x4.add(s7, f32x4.mul(x, v128.load(w3, 112)));
    left -= 4;
    if (left == 0) break;
    a += 16;
    w += 128;
    w1 += 128;
    w2 += 128;
    w3 += 128;
  }
  storePanel(c, s0, s1, 8, add);
  storePanel(c + 32, s2, s3, 8, add);
  storePanel(c + 64, s4, s5, 8, add);
  storePanel(c + 96, s6, s7, 8, add);
}

/**
 * @param a rows of `k` floats, `lda` floats apart
 * @param w packed panels, see above
 * @param bias `n` floats padded to a multiple of 8, or 0
 * @param c rows of `n` floats, `ldc` floats apart; added to if `add` is not 0
 */
export function gemmF32(
  a: usize,
  lda: i32,
  w: usize,
  bias: usize,
  c: usize,
  ldc: i32,
  m: i32,
  n: i32,
  k: i32,
  add: i32,
): void {
  const strideA = usize(lda) << 2;
  const strideC = usize(ldc) << 2;
  const panel = usize(k) << 5;
  for (let block = 0; block < m; block += ROW_BLOCK) {
    const blockEnd = min(m, block + ROW_BLOCK);
    let column = 0;
    if (m == 1) {
      for (; column + 32 <= n; column += 32) {
        const at = usize(column) << 2;
        fourPanels(a, w + usize(column >> 3) * panel, k, bias ? bias + at : 0, c + at, add != 0);
      }
    }
    for (; column < n; column += 8) {
      const at = usize(column) << 2;
      const low = bias ? v128.load(bias + at) : f32x4.splat(0);
      const high = bias ? v128.load(bias + at, 16) : f32x4.splat(0);
      const wp = w + usize(column >> 3) * panel;
      if (blockEnd - block > 4) touch(wp, panel);
      for (let row = block; row < blockEnd; row += 4) {
        const rows = min(4, blockEnd - row);
        const a0 = a + usize(row) * strideA;
        const a1 = rows > 1 ? a0 + strideA : a0;
        const a2 = rows > 2 ? a1 + strideA : a1;
        const a3 = rows > 3 ? a2 + strideA : a2;
        tile(a0, a1, a2, a3, wp, k, low, high, c + usize(row) * strideC + at, strideC, rows, n - column, add != 0);
      }
    }
  }
}

/** Packs row-major weights [n][k] into panels of 8 outputs; `target` holds ceil(n/8) * k * 8 floats. */
export function packPanelsF32(source: usize, target: usize, n: i32, k: i32): void {
  const stride = usize(k) << 2;
  for (let panel = 0; panel < n; panel += 8) {
    for (let i = 0; i < k; i++) {
      for (let lane = 0; lane < 8; lane++) {
        const row = panel + lane;
        store<f32>(target, row < n ? load<f32>(source + usize(row) * stride + (usize(i) << 2)) : 0);
        target += 4;
      }
    }
  }
}
