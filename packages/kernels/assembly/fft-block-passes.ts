// The passes of fft.ts for lengths that are a multiple of 4, at least 16. Between passes four real parts and their four
// imaginary parts alternate, 32 bytes a block: one address serves both, and half the address arithmetic goes.
// Every stride behind the first pass is a multiple of 4, so that no block is ever cut.

const cos72: f32 = 0.30901699437494745;
const sin72: f32 = 0.9510565162951535;
const cos144: f32 = -0.8090169943749475;
const sin144: f32 = 0.5877852522924731;
const sin60: f32 = 0.8660254037844386;
const sqrtHalf: f32 = 0.7071067811865476;

/** Bytes of the twiddle factors of the first pass: six arrays of four for every group of four p. */
export function firstPassTwiddleBytes(m: i32): i32 {
  return ((m + 3) >> 2) * 96;
}

/** Radix 4, stride 1, from arrays or pairs to blocks: four p at once, transposed so that each p gives one block. */
export function firstPass4(xRe: usize, xIm: usize, y: usize, m: i32, twiddles: usize, interleaved: bool): void {
  const quarter = usize(m) << 2;
  const half = quarter << 1;
  const threeQuarters = half + quarter;
  const last = quarter - 16;
  let w = twiddles;
  for (let group: usize = 0; group < quarter; group += 16) {
    const p = min(group, last);
    let ar: v128, ai: v128, br: v128, bi: v128, cr: v128, ci: v128, dr: v128, di: v128;
    if (interleaved) {
      const at = xRe + 2 * p;
      const a0 = v128.load(at);
      const a1 = v128.load(at, 16);
      ar = v128.shuffle<f32>(a0, a1, 0, 2, 4, 6);
      ai = v128.shuffle<f32>(a0, a1, 1, 3, 5, 7);
      const b0 = v128.load(at + half);
      const b1 = v128.load(at + half, 16);
      br = v128.shuffle<f32>(b0, b1, 0, 2, 4, 6);
      bi = v128.shuffle<f32>(b0, b1, 1, 3, 5, 7);
      const c0 = v128.load(at + 2 * half);
      const c1 = v128.load(at + 2 * half, 16);
      cr = v128.shuffle<f32>(c0, c1, 0, 2, 4, 6);
      ci = v128.shuffle<f32>(c0, c1, 1, 3, 5, 7);
      const d0 = v128.load(at + 3 * half);
      const d1 = v128.load(at + 3 * half, 16);
      dr = v128.shuffle<f32>(d0, d1, 0, 2, 4, 6);
      di = v128.shuffle<f32>(d0, d1, 1, 3, 5, 7);
    } else {
      const re = xRe + p;
      const im = xIm + p;
      ar = v128.load(re);
      ai = v128.load(im);
      br = v128.load(re + quarter);
      bi = v128.load(im + quarter);
      cr = v128.load(re + half);
      ci = v128.load(im + half);
      dr = v128.load(re + threeQuarters);
      di = v128.load(im + threeQuarters);
    }
    const t0r = f32x4.add(ar, cr);
    const t0i = f32x4.add(ai, ci);
    const t1r = f32x4.sub(ar, cr);
    const t1i = f32x4.sub(ai, ci);
    const t2r = f32x4.add(br, dr);
    const t2i = f32x4.add(bi, di);
    const t3r = f32x4.sub(br, dr);
    const t3i = f32x4.sub(bi, di);

    const y0r = f32x4.add(t0r, t2r);
    const y0i = f32x4.add(t0i, t2i);
    const u1r = f32x4.add(t1r, t3i);
    const u1i = f32x4.sub(t1i, t3r);
    const w1r = v128.load(w);
    const w1i = v128.load(w, 16);
    const y1r = f32x4.sub(f32x4.mul(u1r, w1r), f32x4.mul(u1i, w1i));
    const y1i = f32x4.add(f32x4.mul(u1r, w1i), f32x4.mul(u1i, w1r));
    const u2r = f32x4.sub(t0r, t2r);
    const u2i = f32x4.sub(t0i, t2i);
    const w2r = v128.load(w, 32);
    const w2i = v128.load(w, 48);
    const y2r = f32x4.sub(f32x4.mul(u2r, w2r), f32x4.mul(u2i, w2i));
    const y2i = f32x4.add(f32x4.mul(u2r, w2i), f32x4.mul(u2i, w2r));
    const u3r = f32x4.sub(t1r, t3i);
    const u3i = f32x4.add(t1i, t3r);
    const w3r = v128.load(w, 64);
    const w3i = v128.load(w, 80);
    const y3r = f32x4.sub(f32x4.mul(u3r, w3r), f32x4.mul(u3i, w3i));
    const y3i = f32x4.add(f32x4.mul(u3r, w3i), f32x4.mul(u3i, w3r));
    w += 96;
    const to = y + 8 * p;
    const r01 = v128.shuffle<f32>(y0r, y1r, 0, 4, 1, 5);
    const r01b = v128.shuffle<f32>(y0r, y1r, 2, 6, 3, 7);
    const r23 = v128.shuffle<f32>(y2r, y3r, 0, 4, 1, 5);
    const r23b = v128.shuffle<f32>(y2r, y3r, 2, 6, 3, 7);
    v128.store(to, v128.shuffle<i64>(r01, r23, 0, 2));
    v128.store(to, v128.shuffle<i64>(r01, r23, 1, 3), 32);
    v128.store(to, v128.shuffle<i64>(r01b, r23b, 0, 2), 64);
    v128.store(to, v128.shuffle<i64>(r01b, r23b, 1, 3), 96);
    const i01 = v128.shuffle<f32>(y0i, y1i, 0, 4, 1, 5);
    const i01b = v128.shuffle<f32>(y0i, y1i, 2, 6, 3, 7);
    const i23 = v128.shuffle<f32>(y2i, y3i, 0, 4, 1, 5);
    const i23b = v128.shuffle<f32>(y2i, y3i, 2, 6, 3, 7);
    v128.store(to, v128.shuffle<i64>(i01, i23, 0, 2), 16);
    v128.store(to, v128.shuffle<i64>(i01, i23, 1, 3), 48);
    v128.store(to, v128.shuffle<i64>(i01b, i23b, 0, 2), 80);
    v128.store(to, v128.shuffle<i64>(i01b, i23b, 1, 3), 112);
  }
}

/** Radix 4 from blocks to blocks. */
export function blockPass4(x: usize, y: usize, m: i32, s: i32, twiddles: usize): void {
  const step = usize(s) << 3;
  const step2 = step << 1;
  const step3 = step2 + step;
  const quarter = step * m;
  const half = quarter << 1;
  const threeQuarters = half + quarter;
  const end = twiddles + usize(m) * 24;
  let from = x;
  let to = y;
  for (let w = twiddles; w < end; w += 24) {
    const w1r = v128.load32_splat(w);
    const w1i = v128.load32_splat(w, 4);
    const w2r = v128.load32_splat(w, 8);
    const w2i = v128.load32_splat(w, 12);
    const w3r = v128.load32_splat(w, 16);
    const w3i = v128.load32_splat(w, 20);
    const rowEnd = from + step;
    while (from < rowEnd) {
      const ar = v128.load(from);
      const ai = v128.load(from, 16);
      const b = from + quarter;
      const br = v128.load(b);
      const bi = v128.load(b, 16);
      const c = from + half;
      const cr = v128.load(c);
      const ci = v128.load(c, 16);
      const d = from + threeQuarters;
      const dr = v128.load(d);
      const di = v128.load(d, 16);
      const t0r = f32x4.add(ar, cr);
      const t0i = f32x4.add(ai, ci);
      const t1r = f32x4.sub(ar, cr);
      const t1i = f32x4.sub(ai, ci);
      const t2r = f32x4.add(br, dr);
      const t2i = f32x4.add(bi, di);
      const t3r = f32x4.sub(br, dr);
      const t3i = f32x4.sub(bi, di);
      v128.store(to, f32x4.add(t0r, t2r));
      v128.store(to, f32x4.add(t0i, t2i), 16);
      const u1r = f32x4.add(t1r, t3i);
      const u1i = f32x4.sub(t1i, t3r);
      const to1 = to + step;
      v128.store(to1, f32x4.sub(f32x4.mul(u1r, w1r), f32x4.mul(u1i, w1i)));
      v128.store(to1, f32x4.add(f32x4.mul(u1r, w1i), f32x4.mul(u1i, w1r)), 16);
      const u2r = f32x4.sub(t0r, t2r);
      const u2i = f32x4.sub(t0i, t2i);
      const to2 = to + step2;
      v128.store(to2, f32x4.sub(f32x4.mul(u2r, w2r), f32x4.mul(u2i, w2i)));
      v128.store(to2, f32x4.add(f32x4.mul(u2r, w2i), f32x4.mul(u2i, w2r)), 16);
      const u3r = f32x4.sub(t1r, t3i);
      const u3i = f32x4.add(t1i, t3r);
      const to3 = to + step3;
      v128.store(to3, f32x4.sub(f32x4.mul(u3r, w3r), f32x4.mul(u3i, w3i)));
      v128.store(to3, f32x4.add(f32x4.mul(u3r, w3i), f32x4.mul(u3i, w3r)), 16);
      from += 32;
      to += 32;
    }
    to += step3;
  }
}

/** Radix 3 from blocks to blocks, or as a last pass (m = 1) to two arrays. */
export function blockPass3(x: usize, y: usize, m: i32, s: i32, twiddles: usize, toArrays: bool): void {
  const row = usize(s) << 3;
  const third = row * m;
  // A block's imaginary parts follow its real ones; in two arrays they are 3 s values away.
  const step = toArrays ? row >> 1 : row;
  const im: usize = toArrays ? 3 * step : 16;
  const advance: usize = toArrays ? 16 : 32;
  const half = f32x4.splat(0.5);
  const sine = f32x4.splat(sin60);
  const end = twiddles + usize(m) * 16;
  let from = x;
  let to = y;
  for (let w = twiddles; w < end; w += 16) {
    const rowEnd = from + row;
    while (from < rowEnd) {
      const ar = v128.load(from);
      const ai = v128.load(from, 16);
      const br = v128.load(from + third);
      const bi = v128.load(from + third, 16);
      const cr = v128.load(from + 2 * third);
      const ci = v128.load(from + 2 * third, 16);
      const sumR = f32x4.add(br, cr);
      const sumI = f32x4.add(bi, ci);
      const turnR = f32x4.mul(f32x4.sub(br, cr), sine);
      const turnI = f32x4.mul(f32x4.sub(bi, ci), sine);
      const middleR = f32x4.sub(ar, f32x4.mul(sumR, half));
      const middleI = f32x4.sub(ai, f32x4.mul(sumI, half));
      v128.store(to, f32x4.add(ar, sumR));
      v128.store(to + im, f32x4.add(ai, sumI));
      storeTurned(to + step, im, f32x4.add(middleR, turnI), f32x4.sub(middleI, turnR), w);
      storeTurned(to + 2 * step, im, f32x4.sub(middleR, turnI), f32x4.add(middleI, turnR), w + 8);
      from += 32;
      to += advance;
    }
    to += 2 * step;
  }
}

/** Radix 5 from blocks to blocks, or as a last pass (m = 1) to two arrays. */
export function blockPass5(x: usize, y: usize, m: i32, s: i32, twiddles: usize, toArrays: bool): void {
  const row = usize(s) << 3;
  const fifth = row * m;
  const step = toArrays ? row >> 1 : row;
  const im: usize = toArrays ? 5 * step : 16;
  const advance: usize = toArrays ? 16 : 32;
  const c1 = f32x4.splat(cos72);
  const c2 = f32x4.splat(cos144);
  const s1 = f32x4.splat(sin72);
  const s2 = f32x4.splat(sin144);
  const end = twiddles + usize(m) * 32;
  let from = x;
  let to = y;
  for (let w = twiddles; w < end; w += 32) {
    const rowEnd = from + row;
    while (from < rowEnd) {
      const ar = v128.load(from);
      const ai = v128.load(from, 16);
      const br = v128.load(from + fifth);
      const bi = v128.load(from + fifth, 16);
      const cr = v128.load(from + 2 * fifth);
      const ci = v128.load(from + 2 * fifth, 16);
      const dr = v128.load(from + 3 * fifth);
      const di = v128.load(from + 3 * fifth, 16);
      const er = v128.load(from + 4 * fifth);
      const ei = v128.load(from + 4 * fifth, 16);
      const t1r = f32x4.add(br, er);
      const t1i = f32x4.add(bi, ei);
      const t2r = f32x4.add(cr, dr);
      const t2i = f32x4.add(ci, di);
      const t3r = f32x4.sub(br, er);
      const t3i = f32x4.sub(bi, ei);
      const t4r = f32x4.sub(cr, dr);
      const t4i = f32x4.sub(ci, di);
      v128.store(to, f32x4.add(ar, f32x4.add(t1r, t2r)));
      v128.store(to + im, f32x4.add(ai, f32x4.add(t1i, t2i)));
      const m1r = f32x4.add(ar, f32x4.add(f32x4.mul(t1r, c1), f32x4.mul(t2r, c2)));
      const m1i = f32x4.add(ai, f32x4.add(f32x4.mul(t1i, c1), f32x4.mul(t2i, c2)));
      const n1r = f32x4.add(f32x4.mul(t3r, s1), f32x4.mul(t4r, s2));
      const n1i = f32x4.add(f32x4.mul(t3i, s1), f32x4.mul(t4i, s2));
      storeTurned(to + step, im, f32x4.add(m1r, n1i), f32x4.sub(m1i, n1r), w);
      storeTurned(to + 4 * step, im, f32x4.sub(m1r, n1i), f32x4.add(m1i, n1r), w + 24);
      const m2r = f32x4.add(ar, f32x4.add(f32x4.mul(t1r, c2), f32x4.mul(t2r, c1)));
      const m2i = f32x4.add(ai, f32x4.add(f32x4.mul(t1i, c2), f32x4.mul(t2i, c1)));
      const n2r = f32x4.sub(f32x4.mul(t3r, s2), f32x4.mul(t4r, s1));
      const n2i = f32x4.sub(f32x4.mul(t3i, s2), f32x4.mul(t4i, s1));
      storeTurned(to + 2 * step, im, f32x4.add(m2r, n2i), f32x4.sub(m2i, n2r), w + 8);
      storeTurned(to + 3 * step, im, f32x4.sub(m2r, n2i), f32x4.add(m2i, n2r), w + 16);
      from += 32;
      to += advance;
    }
    to += 4 * step;
  }
}

/** Stores (re, im) times the factor at w, the imaginary part `im` bytes behind the real one. */
function storeTurned(to: usize, imOffset: usize, re: v128, im: v128, w: usize): void {
  const wr = v128.load32_splat(w);
  const wi = v128.load32_splat(w, 4);
  v128.store(to, f32x4.sub(f32x4.mul(re, wr), f32x4.mul(im, wi)));
  v128.store(to + imOffset, f32x4.add(f32x4.mul(re, wi), f32x4.mul(im, wr)));
}

/** Radix 2 as a last pass (m = 1): from blocks to two arrays of 2 s values. */
export function lastPass2(x: usize, y: usize, s: i32): void {
  const step = usize(s) << 2;
  const end = x + 2 * step;
  const half = 2 * step;
  let to = y;
  for (let from = x; from < end; from += 32) {
    const ar = v128.load(from);
    const ai = v128.load(from, 16);
    const br = v128.load(from + half);
    const bi = v128.load(from + half, 16);
    v128.store(to, f32x4.add(ar, br));
    v128.store(to + step, f32x4.sub(ar, br));
    v128.store(to + half, f32x4.add(ai, bi));
    v128.store(to + half + step, f32x4.sub(ai, bi));
    to += 16;
  }
}

/** Radix 4 as a last pass (m = 1): from blocks to two arrays of 4 s values. */
export function lastPass4(x: usize, y: usize, s: i32): void {
  const step = usize(s) << 2;
  const step2 = step << 1;
  const step3 = step2 + step;
  const row = step << 1;
  const row2 = row << 1;
  const row3 = row2 + row;
  const end = x + row;
  let re = y;
  let im = y + (step << 2);
  for (let from = x; from < end; from += 32) {
    const ar = v128.load(from);
    const ai = v128.load(from, 16);
    const br = v128.load(from + row);
    const bi = v128.load(from + row, 16);
    const cr = v128.load(from + row2);
    const ci = v128.load(from + row2, 16);
    const dr = v128.load(from + row3);
    const di = v128.load(from + row3, 16);
    const t0r = f32x4.add(ar, cr);
    const t0i = f32x4.add(ai, ci);
    const t1r = f32x4.sub(ar, cr);
    const t1i = f32x4.sub(ai, ci);
    const t2r = f32x4.add(br, dr);
    const t2i = f32x4.add(bi, di);
    const t3r = f32x4.sub(br, dr);
    const t3i = f32x4.sub(bi, di);
    v128.store(re, f32x4.add(t0r, t2r));
    v128.store(im, f32x4.add(t0i, t2i));
    v128.store(re + step, f32x4.add(t1r, t3i));
    v128.store(im + step, f32x4.sub(t1i, t3r));
    v128.store(re + step2, f32x4.sub(t0r, t2r));
    v128.store(im + step2, f32x4.sub(t0i, t2i));
    v128.store(re + step3, f32x4.sub(t1r, t3i));
    v128.store(im + step3, f32x4.add(t1i, t3r));
    re += 16;
    im += 16;
  }
}

/** Radix 8 as a last pass (m = 1): from blocks to two arrays of 8 s values. Odd values first: they need more registers. */
export function lastPass8(x: usize, y: usize, s: i32): void {
  const step = usize(s) << 2;
  const row = step << 1;
  const end = x + row;
  const root = f32x4.splat(sqrtHalf);
  let re = y;
  let im = y + (step << 3);
  for (let from = x; from < end; from += 32) {
    const from2 = from + 2 * row;
    const from4 = from + 4 * row;
    const from6 = from + 6 * row;
    // Differences and sums of values half a length apart: a and a + 4, for a = 0 and 2, then for a = 1 and 3.
    const x0r = v128.load(from);
    const x0i = v128.load(from, 16);
    const x4r = v128.load(from4);
    const x4i = v128.load(from4, 16);
    const a0r = f32x4.add(x0r, x4r);
    const a0i = f32x4.add(x0i, x4i);
    const a4r = f32x4.sub(x0r, x4r);
    const a4i = f32x4.sub(x0i, x4i);
    const x2r = v128.load(from2);
    const x2i = v128.load(from2, 16);
    const x6r = v128.load(from6);
    const x6i = v128.load(from6, 16);
    const a2r = f32x4.add(x2r, x6r);
    const a2i = f32x4.add(x2i, x6i);
    const a6r = f32x4.sub(x2r, x6r);
    const a6i = f32x4.sub(x2i, x6i);
    const b0r = f32x4.add(a0r, a2r);
    const b0i = f32x4.add(a0i, a2i);
    const b2r = f32x4.sub(a0r, a2r);
    const b2i = f32x4.sub(a0i, a2i);
    const d0r = f32x4.add(a4r, a6i);
    const d0i = f32x4.sub(a4i, a6r);
    const d2r = f32x4.sub(a4r, a6i);
    const d2i = f32x4.add(a4i, a6r);
    const x1r = v128.load(from + row);
    const x1i = v128.load(from + row, 16);
    const x5r = v128.load(from4 + row);
    const x5i = v128.load(from4 + row, 16);
    const a1r = f32x4.add(x1r, x5r);
    const a1i = f32x4.add(x1i, x5i);
    const a5r = f32x4.sub(x1r, x5r);
    const a5i = f32x4.sub(x1i, x5i);
    const x3r = v128.load(from2 + row);
    const x3i = v128.load(from2 + row, 16);
    const x7r = v128.load(from6 + row);
    const x7i = v128.load(from6 + row, 16);
    const a3r = f32x4.add(x3r, x7r);
    const a3i = f32x4.add(x3i, x7i);
    const a7r = f32x4.sub(x3r, x7r);
    const a7i = f32x4.sub(x3i, x7i);
    const b1r = f32x4.add(a1r, a3r);
    const b1i = f32x4.add(a1i, a3i);
    const b3r = f32x4.sub(a1r, a3r);
    const b3i = f32x4.sub(a1i, a3i);
    v128.store(re, f32x4.add(b0r, b1r));
    v128.store(im, f32x4.add(b0i, b1i));
    const re2 = re + 2 * step;
    const im2 = im + 2 * step;
    const re4 = re + 4 * step;
    const im4 = im + 4 * step;
    const re6 = re + 6 * step;
    const im6 = im + 6 * step;
    v128.store(re4, f32x4.sub(b0r, b1r));
    v128.store(im4, f32x4.sub(b0i, b1i));
    v128.store(re2, f32x4.add(b2r, b3i));
    v128.store(im2, f32x4.sub(b2i, b3r));
    v128.store(re6, f32x4.sub(b2r, b3i));
    v128.store(im6, f32x4.add(b2i, b3r));
    // a5 (1 - i) and a7 (-1 - i), over the root of 2.
    const c1r = f32x4.mul(f32x4.add(a5r, a5i), root);
    const c1i = f32x4.mul(f32x4.sub(a5i, a5r), root);
    const c3r = f32x4.mul(f32x4.sub(a7i, a7r), root);
    const c3i = f32x4.mul(f32x4.add(a7r, a7i), root);
    const d1r = f32x4.add(c1r, c3r);
    const d1i = f32x4.sub(c1i, c3i);
    const d3r = f32x4.sub(c1r, c3r);
    const d3i = f32x4.add(c1i, c3i);
    v128.store(re + step, f32x4.add(d0r, d1r));
    v128.store(im + step, f32x4.add(d0i, d1i));
    v128.store(re4 + step, f32x4.sub(d0r, d1r));
    v128.store(im4 + step, f32x4.sub(d0i, d1i));
    v128.store(re2 + step, f32x4.add(d2r, d3i));
    v128.store(im2 + step, f32x4.sub(d2i, d3r));
    v128.store(re6 + step, f32x4.sub(d2r, d3i));
    v128.store(im6 + step, f32x4.add(d2i, d3r));
    re += 16;
    im += 16;
  }
}
