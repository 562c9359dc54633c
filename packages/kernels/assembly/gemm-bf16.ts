// As gemm-f32.ts with weights in bfloat16: W[n/8][k][n%8] as u16. Eight weights are one load; shifting left by 16 gives the even
// outputs in single precision, masking gives the odd ones. Same order of sums, so for weights that bfloat16 holds exactly the
// results are those of gemmF32, bit for bit.

import { storePanel } from "./gemm-f32";

const ROW_BLOCK: i32 = 256;

function tile(
  a0: usize,
  a1: usize,
  a2: usize,
  a3: usize,
  w: usize,
  k: i32,
  even: v128,
  odd: v128,
  c: usize,
  ldc: usize,
  rows: i32,
  count: i32,
  add: bool,
): void {
  let s00 = even;
  let s01 = odd;
  let s10 = even;
  let s11 = odd;
  let s20 = even;
  let s21 = odd;
  let s30 = even;
  let s31 = odd;
  const mask = i32x4.splat(0xffff0000);
  let left = k;
  let w0: v128;
  let w1: v128;
  let x: v128;
  for (;;) {
    x = v128.load(w);
    w0 = i32x4.shl(x, 16);
    w1 = v128.and(x, mask);
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
    x = v128.load(w, 16);
    w0 = i32x4.shl(x, 16);
    w1 = v128.and(x, mask);
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
    x = v128.load(w, 32);
    w0 = i32x4.shl(x, 16);
    w1 = v128.and(x, mask);
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
    x = v128.load(w, 48);
    w0 = i32x4.shl(x, 16);
    w1 = v128.and(x, mask);
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
    w += 64;
  }
  storeInterleaved(c, s00, s01, count, add);
  if (rows > 1) storeInterleaved(c + ldc, s10, s11, count, add);
  if (rows > 2) storeInterleaved(c + 2 * ldc, s20, s21, count, add);
  if (rows > 3) storeInterleaved(c + 3 * ldc, s30, s31, count, add);
}

function storeInterleaved(c: usize, even: v128, odd: v128, count: i32, add: bool): void {
  storePanel(
    c,
    v128.shuffle<u32>(even, odd, 0, 4, 1, 5),
    v128.shuffle<u32>(even, odd, 2, 6, 3, 7),
    count,
    add,
  );
}

function evenOf(bias: usize): v128 {
  return bias ? v128.shuffle<u32>(v128.load(bias), v128.load(bias, 16), 0, 2, 4, 6) : f32x4.splat(0);
}

function oddOf(bias: usize): v128 {
  return bias ? v128.shuffle<u32>(v128.load(bias), v128.load(bias, 16), 1, 3, 5, 7) : f32x4.splat(0);
}

function fourPanels(a: usize, w: usize, k: i32, bias: usize, c: usize, add: bool): void {
  const panel = usize(k) << 4;
  let s0 = evenOf(bias);
  let s1 = oddOf(bias);
  let s2 = evenOf(bias ? bias + 32 : 0);
  let s3 = oddOf(bias ? bias + 32 : 0);
  let s4 = evenOf(bias ? bias + 64 : 0);
  let s5 = oddOf(bias ? bias + 64 : 0);
  let s6 = evenOf(bias ? bias + 96 : 0);
  let s7 = oddOf(bias ? bias + 96 : 0);
  let w1 = w + panel;
  let w2 = w1 + panel;
  let w3 = w2 + panel;
  const mask = i32x4.splat(0xffff0000);
  let left = k;
  let x: v128;
  let pair: v128;
  for (;;) {
    x = v128.load32_splat(a);
    pair = v128.load(w);
    s0 = f32x4.add(s0, f32x4.mul(x, i32x4.shl(pair, 16)));
    s1 = f32x4.add(s1, f32x4.mul(x, v128.and(pair, mask)));
    pair = v128.load(w1);
    s2 = f32x4.add(s2, f32x4.mul(x, i32x4.shl(pair, 16)));
    s3 = f32x4.add(s3, f32x4.mul(x, v128.and(pair, mask)));
    pair = v128.load(w2);
    s4 = f32x4.add(s4, f32x4.mul(x, i32x4.shl(pair, 16)));
    s5 = f32x4.add(s5, f32x4.mul(x, v128.and(pair, mask)));
    pair = v128.load(w3);
    s6 = f32x4.add(s6, f32x4.mul(x, i32x4.shl(pair, 16)));
    s7 = f32x4.add(s7, f32x4.mul(x, v128.and(pair, mask)));
    if (left == 1) break;
    x = v128.load32_splat(a, 4);
    pair = v128.load(w, 16);
    s0 = f32x4.add(s0, f32x4.mul(x, i32x4.shl(pair, 16)));
    s1 = f32x4.add(s1, f32x4.mul(x, v128.and(pair, mask)));
    pair = v128.load(w1, 16);
    s2 = f32x4.add(s2, f32x4.mul(x, i32x4.shl(pair, 16)));
    s3 = f32x4.add(s3, f32x4.mul(x, v128.and(pair, mask)));
    pair = v128.load(w2, 16);
    s4 = f32x4.add(s4, f32x4.mul(x, i32x4.shl(pair, 16)));
    s5 = f32x4.add(s5, f32x4.mul(x, v128.and(pair, mask)));
    pair = v128.load(w3, 16);
    s6 = f32x4.add(s6, f32x4.mul(x, i32x4.shl(pair, 16)));
    s7 = f32x4.add(s7, f32x4.mul(x, v128.and(pair, mask)));
    if (left == 2) break;
    x = v128.load32_splat(a, 8);
    pair = v128.load(w, 32);
    s0 = f32x4.add(s0, f32x4.mul(x, i32x4.shl(pair, 16)));
    s1 = f32x4.add(s1, f32x4.mul(x, v128.and(pair, mask)));
    pair = v128.load(w1, 32);
    s2 = f32x4.add(s2, f32x4.mul(x, i32x4.shl(pair, 16)));
    s3 = f32x4.add(s3, f32x4.mul(x, v128.and(pair, mask)));
    pair = v128.load(w2, 32);
    s4 = f32x4.add(s4, f32x4.mul(x, i32x4.shl(pair, 16)));
    s5 = f32x4.add(s5, f32x4.mul(x, v128.and(pair, mask)));
    pair = v128.load(w3, 32);
    s6 = f32x4.add(s6, f32x4.mul(x, i32x4.shl(pair, 16)));
    s7 = f32x4.add(s7, f32x4.mul(x, v128.and(pair, mask)));
    if (left == 3) break;
    x = v128.load32_splat(a, 12);
    pair = v128.load(w, 48);
    s0 = f32x4.add(s0, f32x4.mul(x, i32x4.shl(pair, 16)));
    s1 = f32x4.add(s1, f32x4.mul(x, v128.and(pair, mask)));
    pair = v128.load(w1, 48);
    s2 = f32x4.add(s2, f32x4.mul(x, i32x4.shl(pair, 16)));
    s3 = f32x4.add(s3, f32x4.mul(x, v128.and(pair, mask)));
    pair = v128.load(w2, 48);
    s4 = f32x4.add(s4, f32x4.mul(x, i32x4.shl(pair, 16)));
    s5 = f32x4.add(s5, f32x4.mul(x, v128.and(pair, mask)));
    pair = v128.load(w3, 48);
    s6 = f32x4.add(s6, f32x4.mul(x, i32x4.shl(pair, 16)));
    s7 = f32x4.add(s7, f32x4.mul(x, v128.and(pair, mask)));
    left -= 4;
    if (left == 0) break;
    a += 16;
    w += 64;
    w1 += 64;
    w2 += 64;
    w3 += 64;
  }
  storeInterleaved(c, s0, s1, 8, add);
  storeInterleaved(c + 32, s2, s3, 8, add);
  storeInterleaved(c + 64, s4, s5, 8, add);
  storeInterleaved(c + 96, s6, s7, 8, add);
}

/** Arguments as of gemmF32; `w` holds bfloat16 panels. */
export function gemmBf16(
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
  const panel = usize(k) << 4;
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
      const even = evenOf(bias ? bias + at : 0);
      const odd = oddOf(bias ? bias + at : 0);
      const wp = w + usize(column >> 3) * panel;
      for (let row = block; row < blockEnd; row += 4) {
        const rows = min(4, blockEnd - row);
        const a0 = a + usize(row) * strideA;
        const a1 = rows > 1 ? a0 + strideA : a0;
        const a2 = rows > 2 ? a1 + strideA : a1;
        const a3 = rows > 3 ? a2 + strideA : a2;
        tile(a0, a1, a2, a3, wp, k, even, odd, c + usize(row) * strideC + at, strideC, rows, n - column, add != 0);
      }
    }
  }
}

/** Rounds row-major floats [n][k] to bfloat16 (nearest, ties to even) and packs them; `target` holds ceil(n/8) * k * 8 u16. */
export function packPanelsBf16(source: usize, target: usize, n: i32, k: i32): void {
  const stride = usize(k) << 2;
  for (let panel = 0; panel < n; panel += 8) {
    for (let i = 0; i < k; i++) {
      for (let lane = 0; lane < 8; lane++) {
        const row = panel + lane;
        let bits: u32 = row < n ? load<u32>(source + usize(row) * stride + (usize(i) << 2)) : 0;
        bits += 0x7fff + ((bits >> 16) & 1);
        store<u16>(target, u16(bits >> 16));
        target += 2;
      }
    }
  }
}
