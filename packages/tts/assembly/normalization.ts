// Normalisations of rows of `dim` floats (a multiple of 4). Sums run in four lanes, added in the order ((0+1)+(2+3)).

function laneSum(x: v128): f32 {
  return (
    f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1) + (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3))
  );
}

function meanOf(x: usize, dim: i32): f32 {
  let sum = f32x4.splat(0);
  for (let i: usize = 0; i < usize(dim) << 2; i += 16) sum = f32x4.add(sum, v128.load(x + i));
  return laneSum(sum) / f32(dim);
}

function squaresAbout(x: usize, dim: i32, mean: f32): f32 {
  const centre = f32x4.splat(mean);
  let sum = f32x4.splat(0);
  for (let i: usize = 0; i < usize(dim) << 2; i += 16) {
    const d = f32x4.sub(v128.load(x + i), centre);
    sum = f32x4.add(sum, f32x4.mul(d, d));
  }
  return laneSum(sum);
}

/** LayerNorm of `rows` rows: (x - mean) / sqrt(variance + eps) * weight + bias. `target` may be `x`. */
export function layerNorm(
  x: usize,
  weight: usize,
  bias: usize,
  target: usize,
  rows: i32,
  dim: i32,
  eps: f32,
): void {
  const bytes = usize(dim) << 2;
  for (let row = 0; row < rows; row++) {
    const mean = meanOf(x, dim);
    const centre = f32x4.splat(mean);
    const factor = f32x4.splat(f32(1.0) / sqrt(squaresAbout(x, dim, mean) / f32(dim) + eps));
    for (let i: usize = 0; i < bytes; i += 16) {
      const y = f32x4.mul(f32x4.sub(v128.load(x + i), centre), factor);
      v128.store(target + i, f32x4.add(f32x4.mul(y, v128.load(weight + i)), v128.load(bias + i)));
    }
    x += bytes;
    target += bytes;
  }
}

/** The flow net's LayerNorm of one row, eps 1e-6, then * (1 + scale) + shift; weight and bias may be 0 (no affine part). */
export function layerNormModulated(
  x: usize,
  weight: usize,
  bias: usize,
  shift: usize,
  scale: usize,
  target: usize,
  dim: i32,
): void {
  const mean = meanOf(x, dim);
  const centre = f32x4.splat(mean);
  const factor = f32x4.splat(f32(1.0) / sqrt(squaresAbout(x, dim, mean) / f32(dim) + f32(1e-6)));
  const one = f32x4.splat(1.0);
  for (let i: usize = 0; i < usize(dim) << 2; i += 16) {
    let y = f32x4.mul(f32x4.sub(v128.load(x + i), centre), factor);
    if (weight) y = f32x4.add(f32x4.mul(y, v128.load(weight + i)), v128.load(bias + i));
    v128.store(
      target + i,
      f32x4.add(f32x4.mul(y, f32x4.add(one, v128.load(scale + i))), v128.load(shift + i)),
    );
  }
}

/** x * alpha / sqrt(eps + variance), the variance unbiased (n - 1) about the mean, x itself not centred; eps 1e-5. */
export function varianceNorm(x: usize, alpha: usize, dim: i32): void {
  const variance = squaresAbout(x, dim, meanOf(x, dim)) / f32(dim - 1);
  const factor = f32x4.splat(f32(1.0) / sqrt(variance + f32(1e-5)));
  for (let i: usize = 0; i < usize(dim) << 2; i += 16) {
    v128.store(x + i, f32x4.mul(v128.load(x + i), f32x4.mul(v128.load(alpha + i), factor)));
  }
}
