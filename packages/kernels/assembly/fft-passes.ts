// The passes of fft.ts for lengths that are no multiple of 4 (and those below 16): real and imaginary parts in arrays of
// their own. Addresses are of f32 arrays; `m` and `s` as described there; all loads and stores of four lanes may be unaligned.

const cos72: f32 = 0.30901699437494745;
const sin72: f32 = 0.9510565162951535;
const cos144: f32 = -0.8090169943749475;
const sin144: f32 = 0.5877852522924731;
const sin60: f32 = 0.8660254037844386;

export function pass2(xRe: usize, xIm: usize, yRe: usize, yIm: usize, m: i32, s: i32, twiddles: usize): void {
  const step = usize(s) << 2;
  const half = step * m;
  const last = step - 16;
  for (let p: usize = 0; p < usize(m); p++) {
    const wr = v128.load32_splat(twiddles + p * 8);
    const wi = v128.load32_splat(twiddles + p * 8, 4);
    const from = p * step;
    const to = from << 1;
    for (let group: usize = 0; group < step; group += 16) {
      const q = min(group, last);
      const re = xRe + from + q;
      const im = xIm + from + q;
      const ar = v128.load(re);
      const ai = v128.load(im);
      const br = v128.load(re + half);
      const bi = v128.load(im + half);
      const outRe = yRe + to + q;
      const outIm = yIm + to + q;
      v128.store(outRe, f32x4.add(ar, br));
      v128.store(outIm, f32x4.add(ai, bi));
      const ur = f32x4.sub(ar, br);
      const ui = f32x4.sub(ai, bi);
      v128.store(outRe + step, f32x4.sub(f32x4.mul(ur, wr), f32x4.mul(ui, wi)));
      v128.store(outIm + step, f32x4.add(f32x4.mul(ur, wi), f32x4.mul(ui, wr)));
    }
  }
}

export function pass3(xRe: usize, xIm: usize, yRe: usize, yIm: usize, m: i32, s: i32, twiddles: usize): void {
  const step = usize(s) << 2;
  const third = step * m;
  const last = step - 16;
  const half = f32x4.splat(0.5);
  const sine = f32x4.splat(sin60);
  for (let p: usize = 0; p < usize(m); p++) {
    const w = twiddles + p * 16;
    const w1r = v128.load32_splat(w);
    const w1i = v128.load32_splat(w, 4);
    const w2r = v128.load32_splat(w, 8);
    const w2i = v128.load32_splat(w, 12);
    const from = p * step;
    const to = from * 3;
    for (let group: usize = 0; group < step; group += 16) {
      const q = min(group, last);
      const re = xRe + from + q;
      const im = xIm + from + q;
      const ar = v128.load(re);
      const ai = v128.load(im);
      const br = v128.load(re + third);
      const bi = v128.load(im + third);
      const cr = v128.load(re + 2 * third);
      const ci = v128.load(im + 2 * third);
      const sumR = f32x4.add(br, cr);
      const sumI = f32x4.add(bi, ci);
      const turnR = f32x4.mul(f32x4.sub(br, cr), sine);
      const turnI = f32x4.mul(f32x4.sub(bi, ci), sine);
      const middleR = f32x4.sub(ar, f32x4.mul(sumR, half));
      const middleI = f32x4.sub(ai, f32x4.mul(sumI, half));
      const u1r = f32x4.add(middleR, turnI);
      const u1i = f32x4.sub(middleI, turnR);
      const u2r = f32x4.sub(middleR, turnI);
      const u2i = f32x4.add(middleI, turnR);
      const outRe = yRe + to + q;
      const outIm = yIm + to + q;
      v128.store(outRe, f32x4.add(ar, sumR));
      v128.store(outIm, f32x4.add(ai, sumI));
      v128.store(outRe + step, f32x4.sub(f32x4.mul(u1r, w1r), f32x4.mul(u1i, w1i)));
      v128.store(outIm + step, f32x4.add(f32x4.mul(u1r, w1i), f32x4.mul(u1i, w1r)));
      v128.store(outRe + 2 * step, f32x4.sub(f32x4.mul(u2r, w2r), f32x4.mul(u2i, w2i)));
      v128.store(outIm + 2 * step, f32x4.add(f32x4.mul(u2r, w2i), f32x4.mul(u2i, w2r)));
    }
  }
}

export function pass5(xRe: usize, xIm: usize, yRe: usize, yIm: usize, m: i32, s: i32, twiddles: usize): void {
  const step = usize(s) << 2;
  const fifth = step * m;
  const last = step - 16;
  const c1 = f32x4.splat(cos72);
  const c2 = f32x4.splat(cos144);
  const s1 = f32x4.splat(sin72);
  const s2 = f32x4.splat(sin144);
  for (let p: usize = 0; p < usize(m); p++) {
    const w = twiddles + p * 32;
    const from = p * step;
    const to = from * 5;
    for (let group: usize = 0; group < step; group += 16) {
      const q = min(group, last);
      const re = xRe + from + q;
      const im = xIm + from + q;
      const ar = v128.load(re);
      const ai = v128.load(im);
      const br = v128.load(re + fifth);
      const bi = v128.load(im + fifth);
      const cr = v128.load(re + 2 * fifth);
      const ci = v128.load(im + 2 * fifth);
      const dr = v128.load(re + 3 * fifth);
      const di = v128.load(im + 3 * fifth);
      const er = v128.load(re + 4 * fifth);
      const ei = v128.load(im + 4 * fifth);
      const t1r = f32x4.add(br, er);
      const t1i = f32x4.add(bi, ei);
      const t2r = f32x4.add(cr, dr);
      const t2i = f32x4.add(ci, di);
      const t3r = f32x4.sub(br, er);
      const t3i = f32x4.sub(bi, ei);
      const t4r = f32x4.sub(cr, dr);
      const t4i = f32x4.sub(ci, di);
      const outRe = yRe + to + q;
      const outIm = yIm + to + q;
      v128.store(outRe, f32x4.add(ar, f32x4.add(t1r, t2r)));
      v128.store(outIm, f32x4.add(ai, f32x4.add(t1i, t2i)));
      const m1r = f32x4.add(ar, f32x4.add(f32x4.mul(t1r, c1), f32x4.mul(t2r, c2)));
      const m1i = f32x4.add(ai, f32x4.add(f32x4.mul(t1i, c1), f32x4.mul(t2i, c2)));
      const n1r = f32x4.add(f32x4.mul(t3r, s1), f32x4.mul(t4r, s2));
      const n1i = f32x4.add(f32x4.mul(t3i, s1), f32x4.mul(t4i, s2));
      storeTurned(outRe + step, outIm + step, f32x4.add(m1r, n1i), f32x4.sub(m1i, n1r), w);
      storeTurned(outRe + 4 * step, outIm + 4 * step, f32x4.sub(m1r, n1i), f32x4.add(m1i, n1r), w + 24);
      const m2r = f32x4.add(ar, f32x4.add(f32x4.mul(t1r, c2), f32x4.mul(t2r, c1)));
      const m2i = f32x4.add(ai, f32x4.add(f32x4.mul(t1i, c2), f32x4.mul(t2i, c1)));
      const n2r = f32x4.sub(f32x4.mul(t3r, s2), f32x4.mul(t4r, s1));
      const n2i = f32x4.sub(f32x4.mul(t3i, s2), f32x4.mul(t4i, s1));
      storeTurned(outRe + 2 * step, outIm + 2 * step, f32x4.add(m2r, n2i), f32x4.sub(m2i, n2r), w + 8);
      storeTurned(outRe + 3 * step, outIm + 3 * step, f32x4.sub(m2r, n2i), f32x4.add(m2i, n2r), w + 16);
    }
  }
}

/** Stores (re, im) times the factor at w. */
function storeTurned(outRe: usize, outIm: usize, re: v128, im: v128, w: usize): void {
  const wr = v128.load32_splat(w);
  const wi = v128.load32_splat(w, 4);
  v128.store(outRe, f32x4.sub(f32x4.mul(re, wr), f32x4.mul(im, wi)));
  v128.store(outIm, f32x4.add(f32x4.mul(re, wi), f32x4.mul(im, wr)));
}

/** Any radix up to 5 with a stride below 4, by the definition of the small transform; first passes of odd lengths. */
export function scalarPass(
  radix: i32,
  xRe: usize,
  xIm: usize,
  yRe: usize,
  yIm: usize,
  m: i32,
  s: i32,
  twiddles: usize,
): void {
  for (let p = 0; p < m; p++) {
    for (let q = 0; q < s; q++) {
      for (let k = 0; k < radix; k++) {
        let re: f32 = 0;
        let im: f32 = 0;
        for (let j = 0; j < radix; j++) {
          const at = usize(q + s * (p + j * m)) << 2;
          const xr = load<f32>(xRe + at);
          const xi = load<f32>(xIm + at);
          const turn = (j * k) % radix;
          const c = rootCosine(radix, turn);
          const d = rootSine(radix, turn);
          re += xr * c + xi * d;
          im += xi * c - xr * d;
        }
        const to = usize(q + s * (radix * p + k)) << 2;
        if (k > 0) {
          const w = twiddles + (usize(p * (radix - 1) + k - 1) << 3);
          const wr = load<f32>(w);
          const wi = load<f32>(w, 4);
          const turned = re * wr - im * wi;
          im = re * wi + im * wr;
          re = turned;
        }
        store<f32>(yRe + to, re);
        store<f32>(yIm + to, im);
      }
    }
  }
}

/** cos(2 pi turn / radix). */
function rootCosine(radix: i32, turn: i32): f32 {
  if (turn == 0) return 1;
  if (radix == 2) return -1;
  if (radix == 3) return -0.5;
  if (radix == 4) return turn == 2 ? -1 : 0;
  return turn == 1 || turn == 4 ? cos72 : cos144;
}

/** sin(2 pi turn / radix). */
function rootSine(radix: i32, turn: i32): f32 {
  if (turn == 0 || radix == 2) return 0;
  if (radix == 3) return turn == 1 ? sin60 : -sin60;
  if (radix == 4) return turn == 1 ? 1 : turn == 3 ? -1 : 0;
  if (turn == 1) return sin72;
  if (turn == 4) return -sin72;
  return turn == 2 ? sin144 : -sin144;
}
