const word = new DataView(new ArrayBuffer(8));

/** log2(x) for normal x > 0, to about one unit in the last place of an f64: exponent plus 2 atanh((m-1)/(m+1)) / ln 2. */
export function exactLog2(x: number): number {
  word.setFloat64(0, x);
  const high = word.getUint32(0);
  let exponent = (high >>> 20) - 1023;
  word.setUint32(0, (high & 0xf_ffff) | 0x3ff0_0000);
  let mantissa = word.getFloat64(0);
  if (mantissa > Math.SQRT2) {
    mantissa *= 0.5;
    exponent++;
  }
  const s = (mantissa - 1) / (mantissa + 1);
  const z = s * s;
  // Written out, without a loop, so that engines inline it and box no number.
  let sum = z / 23 + 1 / 21;
  sum = sum * z + 1 / 19;
  sum = sum * z + 1 / 17;
  sum = sum * z + 1 / 15;
  sum = sum * z + 1 / 13;
  sum = sum * z + 1 / 11;
  sum = sum * z + 1 / 9;
  sum = sum * z + 1 / 7;
  sum = sum * z + 1 / 5;
  sum = sum * z + 1 / 3;
  sum = sum * z + 1;
  return exponent + sum * s * (2 / Math.LN2);
}

/** f32(10 / log2 10) */
const decibelsPerOctave = Math.fround(10 / 3.321928094887362);

/** Power to decibels as the landmark profiles round it: f32(f32(10 / log2 10) * f32(log2(max(P, 1e-12)))). */
export function powerToDecibels(power: number): number {
  return Math.fround(decibelsPerOctave * Math.fround(exactLog2(Math.max(power, 1e-12))));
}

/** As {@link powerToDecibels}, from array to array: numbers that cross a module as arguments may be boxed on the heap. */
export function storeDecibels(powers: Float32Array, from: number, into: Float32Array, to: number): void {
  into[to] = powerToDecibels(powers[from]!);
}

/**
 * True if power `a[i]` is louder than `b[j]` after rounding to decibels. Rounding is monotone, and powers that differ by
 * more than a hundred-thousandth never round to the same decibels, so the logarithm is needed only for near ties.
 */
export function isLouder(a: Float32Array, i: number, b: Float32Array, j: number): boolean {
  const left = a[i]!;
  const right = b[j]!;
  if (left <= right) return false;
  if (left > right * 1.00001 && left > 1.1e-12) return true;
  return powerToDecibels(left) > powerToDecibels(right);
}
