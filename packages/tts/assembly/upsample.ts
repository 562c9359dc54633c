/**
 * Depthwise transposed convolution with kernel 2 * stride: y[j] = x * w[j] + previous * w[j + stride] for j < stride.
 * @param w time-major weights [2 * stride][channels]; channels a multiple of 4
 */
export function upsample(x: usize, previous: usize, w: usize, target: usize, stride: i32, channels: i32): void {
  const bytes = usize(channels) << 2;
  const half = usize(stride) * bytes;
  for (let j = 0; j < stride; j++) {
    for (let i: usize = 0; i < bytes; i += 16) {
      v128.store(
        target + i,
        f32x4.add(
          f32x4.mul(v128.load(x + i), v128.load(w + i)),
          f32x4.mul(v128.load(previous + i), v128.load(w + half + i)),
        ),
      );
    }
    w += bytes;
    target += bytes;
  }
}
