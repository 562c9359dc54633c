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
  // The same operations in the same order as log2Pair of the WASM core.
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
