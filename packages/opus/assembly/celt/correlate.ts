// Cross-correlation in the reference's order of addition; vectors hold neighbouring lags.
import { innerProduct } from "./math";

/** x[i] * y[lag + i] summed over i, for `lags` lags. */
export function correlate(x: usize, y: usize, out: usize, count: i32, lags: i32): void {
  let lag = 0;
  const bytes = <usize>count << 2;
  for (; lag + 4 <= lags; lag += 4) {
    let sum = f32x4.splat(0.0);
    const shifted = y + (<usize>lag << 2);
    for (let at: usize = 0; at < bytes; at += 4) {
      sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(x + at), v128.load(shifted + at)));
    }
    v128.store(out + (<usize>lag << 2), sum);
  }
  for (; lag < lags; lag++) store<f32>(out + (<usize>lag << 2), innerProduct(x, y + (<usize>lag << 2), count));
}
