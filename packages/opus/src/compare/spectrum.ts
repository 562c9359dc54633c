/**
 * Discrete Fourier transform of two real signals at once (as real and imaginary part), for lengths 2^a 3^b 5^c.
 * Sines come from rotation in double precision, so that every engine computes the same bits.
 */
export class PairTransform {
  readonly length: number;
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;
  readonly #radices: number[] = [];
  #re: Float64Array;
  #im: Float64Array;
  #nextRe: Float64Array;
  #nextIm: Float64Array;

  constructor(length: number) {
    this.length = length;
    this.#cos = new Float64Array(length);
    this.#sin = new Float64Array(length);
    for (let k = 0; k < length; k++) {
      const [c, s] = cosSinTurn(k, length);
      this.#cos[k] = c;
      this.#sin[k] = s;
    }
    for (let rest = length; rest > 1; ) {
      const radix = [4, 2, 3, 5].find((each) => rest % each === 0);
      if (radix === undefined) throw new RangeError(`No transform of length ${length}.`);
      this.#radices.push(radix);
      rest /= radix;
    }
    this.#re = new Float64Array(length);
    this.#im = new Float64Array(length);
    this.#nextRe = new Float64Array(length);
    this.#nextIm = new Float64Array(length);
  }

  /** Power of bins 0..bins-1 of both signals into `powers`, [bin][signal]. */
  powers(first: Float64Array, second: Float64Array, bins: number, powers: Float64Array): void {
    this.#re.set(first);
    this.#im.set(second);
    this.#transform();
    const n = this.length;
    for (let k = 0; k < bins; k++) {
      const m = (n - k) % n;
      const a = this.#re[k]!;
      const b = this.#im[k]!;
      const c = this.#re[m]!;
      const d = this.#im[m]!;
      powers[2 * k] = ((a + c) ** 2 + (b - d) ** 2) / 4;
      powers[2 * k + 1] = ((b + d) ** 2 + (a - c) ** 2) / 4;
    }
  }

  /** Stockham's self-sorting stages. */
  #transform(): void {
    const n = this.length;
    const cos = this.#cos;
    const sin = this.#sin;
    let stride = 1;
    let size = n;
    for (const radix of this.#radices) {
      const part = size / radix;
      const re = this.#re;
      const im = this.#im;
      const outRe = this.#nextRe;
      const outIm = this.#nextIm;
      for (let p = 0; p < part; p++) {
        for (let q = 0; q < stride; q++) {
          for (let r = 0; r < radix; r++) {
            let sumRe = 0;
            let sumIm = 0;
            for (let s = 0; s < radix; s++) {
              // exp(-2 pi i (r s / radix + r p / size)).
              const turn = ((((r * s) % radix) * n) / radix + r * p * stride) % n;
              const from = q + stride * (p + part * s);
              sumRe += re[from]! * cos[turn]! + im[from]! * sin[turn]!;
              sumIm += im[from]! * cos[turn]! - re[from]! * sin[turn]!;
            }
            const to = q + stride * (radix * p + r);
            outRe[to] = sumRe;
            outIm[to] = sumIm;
          }
        }
      }
      this.#re = outRe;
      this.#im = outIm;
      this.#nextRe = re;
      this.#nextIm = im;
      stride *= radix;
      size = part;
    }
  }
}

/** Cosine and sine of k/n of a turn, by symmetry and Taylor series up to an eighth of a turn. */
export function cosSinTurn(k: number, n: number): [number, number] {
  const eighth = Math.floor((8 * k) / n);
  // Distance to the nearest multiple of a quarter turn, at most an eighth.
  const quarter = Math.floor((eighth + 1) / 2);
  const x = (2 * Math.PI * (4 * k - quarter * n)) / (4 * n);
  const square = x * x;
  let cos = 1;
  let sin = 1;
  for (let i = 20; i > 0; i -= 2) {
    cos = 1 - (cos * square) / (i * (i - 1));
    sin = 1 - (sin * square) / (i * (i + 1));
  }
  sin *= x;
  if (quarter % 4 === 0) return [cos, sin];
  if (quarter % 4 === 1) return [-sin, cos];
  if (quarter % 4 === 2) return [-cos, -sin];
  return [sin, -cos];
}

const bits = new DataView(new ArrayBuffer(8));

/** Natural logarithm of a positive normal number, by the series of atanh; equal bits on every engine. */
export function naturalLog(x: number): number {
  bits.setFloat64(0, x);
  let exponent = (bits.getUint16(0) >> 4) - 1023;
  bits.setUint16(0, (bits.getUint16(0) & 0x000f) | 0x3ff0);
  let mantissa = bits.getFloat64(0);
  if (mantissa > Math.SQRT2) {
    mantissa /= 2;
    exponent++;
  }
  const t = (mantissa - 1) / (mantissa + 1);
  const square = t * t;
  let sum = 0;
  for (let i = 21; i >= 1; i -= 2) sum = sum * square + 1 / i;
  return 2 * t * sum + exponent * Math.LN2;
}
