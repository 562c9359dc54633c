/** The plain TypeScript oracle: a recursive mixed-radix transform in f64 by the definition, with the engine's cosine. */
export function fourier(
  re: ArrayLike<number>,
  im: ArrayLike<number>,
): { re: Float64Array; im: Float64Array } {
  const size = re.length;
  const outRe = new Float64Array(size);
  const outIm = new Float64Array(size);
  if (size === 1) {
    outRe[0] = re[0]!;
    outIm[0] = im[0]!;
    return { re: outRe, im: outIm };
  }
  const radix = [2, 3, 5].find((prime) => size % prime === 0) ?? size;
  const part = size / radix;
  const parts = Array.from({ length: radix }, (_, r) =>
    fourier(
      Float64Array.from({ length: part }, (_, i) => re[r + radix * i]!),
      Float64Array.from({ length: part }, (_, i) => im[r + radix * i]!),
    ),
  );
  for (let k = 0; k < size; k++) {
    for (let r = 0; r < radix; r++) {
      const angle = (-2 * Math.PI * ((r * k) % size)) / size;
      const c = Math.cos(angle);
      const s = Math.sin(angle);
      const { re: x, im: y } = parts[r]!;
      outRe[k] = outRe[k]! + x[k % part]! * c - y[k % part]! * s;
      outIm[k] = outIm[k]! + x[k % part]! * s + y[k % part]! * c;
    }
  }
  return { re: outRe, im: outIm };
}

/** Largest error of any part of any value, relative to the root mean square of the expected spectrum. */
export function spectrumError(
  actualRe: ArrayLike<number>,
  actualIm: ArrayLike<number>,
  expected: { re: ArrayLike<number>; im: ArrayLike<number> },
): number {
  let worst = 0;
  let energy = 0;
  for (let k = 0; k < actualRe.length; k++) {
    worst = Math.max(
      worst,
      Math.abs(actualRe[k]! - expected.re[k]!),
      Math.abs(actualIm[k]! - expected.im[k]!),
    );
    energy += expected.re[k]! ** 2 + expected.im[k]! ** 2;
  }
  return worst / Math.sqrt(energy / actualRe.length || 1);
}
