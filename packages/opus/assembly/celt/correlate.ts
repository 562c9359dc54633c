// Cross-correlation in the reference's order of addition; vectors hold lags. A sum is one long chain of additions, so that
// several chains run side by side.

/** x[i] * y[lag + i] summed over i, for `lags` lags. */
export function correlate(x: usize, y: usize, out: usize, count: i32, lags: i32): void {
  let lag = 0;
  const bytes = <usize>count << 2;
  for (; lag + 16 <= lags; lag += 16) {
    let sum0 = f32x4.splat(0.0);
    let sum1 = sum0;
    let sum2 = sum0;
    let sum3 = sum0;
    const shifted = y + (<usize>lag << 2);
    for (let at: usize = 0; at < bytes; at += 4) {
      const value = v128.load32_splat(x + at);
      sum0 = f32x4.add(sum0, f32x4.mul(value, v128.load(shifted + at)));
      sum1 = f32x4.add(sum1, f32x4.mul(value, v128.load(shifted + at, 16)));
      sum2 = f32x4.add(sum2, f32x4.mul(value, v128.load(shifted + at, 32)));
      sum3 = f32x4.add(sum3, f32x4.mul(value, v128.load(shifted + at, 48)));
    }
    const to = out + (<usize>lag << 2);
    v128.store(to, sum0);
    v128.store(to, sum1, 16);
    v128.store(to, sum2, 32);
    v128.store(to, sum3, 48);
  }
  for (; lag < lags; lag += 8) {
    let sum0 = f32x4.splat(0.0);
    let sum1 = sum0;
    const shifted = y + (<usize>lag << 2);
    for (let at: usize = 0; at < bytes; at += 4) {
      const value = v128.load32_splat(x + at);
      sum0 = f32x4.add(sum0, f32x4.mul(value, v128.load(shifted + at)));
      sum1 = f32x4.add(sum1, f32x4.mul(value, v128.load(shifted + at, 16)));
    }
    const to = out + (<usize>lag << 2);
    storeLanes(to, sum0, lags - lag);
    storeLanes(to + 16, sum1, lags - lag - 4);
  }
}

/** The first `lanes` (any number) of four values. */
function storeLanes(to: usize, values: v128, lanes: i32): void {
  if (lanes >= 4) {
    v128.store(to, values);
    return;
  }
  if (lanes > 0) v128.store_lane<f32>(to, values, 0);
  if (lanes > 1) v128.store_lane<f32>(to, values, 1, 4);
  if (lanes > 2) v128.store_lane<f32>(to, values, 2, 8);
}

/**
 * x[i] * x[i - lag] summed over i, for `lags` (a multiple of 8) lags in any order, i32 at `lagsAt`; sums go to `out`. `count`
 * is a multiple of 4.
 */
export function correlateAtLags(x: usize, count: i32, lagsAt: usize, lags: i32, out: usize): void {
  for (let i: usize = 0; i < <usize>lags << 2; i += 32) {
    let y0 = past(x, lagsAt + i);
    let y1 = past(x, lagsAt + i + 4);
    let y2 = past(x, lagsAt + i + 8);
    let y3 = past(x, lagsAt + i + 12);
    let y4 = past(x, lagsAt + i + 16);
    let y5 = past(x, lagsAt + i + 20);
    let y6 = past(x, lagsAt + i + 24);
    let y7 = past(x, lagsAt + i + 28);
    let sum0 = f32x4.splat(0.0);
    let sum1 = sum0;
    const end = x + (<usize>count << 2);
    for (let at = x; at < end; at += 16) {
      // Products of four neighbours for each of four lags, turned so that a vector holds one product of every lag.
      const value = v128.load(at);
      let a = f32x4.mul(value, v128.load(y0));
      let b = f32x4.mul(value, v128.load(y1));
      let c = f32x4.mul(value, v128.load(y2));
      let d = f32x4.mul(value, v128.load(y3));
      let ab = i32x4.shuffle(a, b, 0, 4, 1, 5);
      let cd = i32x4.shuffle(c, d, 0, 4, 1, 5);
      let abHigh = i32x4.shuffle(a, b, 2, 6, 3, 7);
      let cdHigh = i32x4.shuffle(c, d, 2, 6, 3, 7);
      sum0 = f32x4.add(sum0, i64x2.shuffle(ab, cd, 0, 2));
      sum0 = f32x4.add(sum0, i64x2.shuffle(ab, cd, 1, 3));
      sum0 = f32x4.add(sum0, i64x2.shuffle(abHigh, cdHigh, 0, 2));
      sum0 = f32x4.add(sum0, i64x2.shuffle(abHigh, cdHigh, 1, 3));
      a = f32x4.mul(value, v128.load(y4));
      b = f32x4.mul(value, v128.load(y5));
      c = f32x4.mul(value, v128.load(y6));
      d = f32x4.mul(value, v128.load(y7));
      ab = i32x4.shuffle(a, b, 0, 4, 1, 5);
      cd = i32x4.shuffle(c, d, 0, 4, 1, 5);
      abHigh = i32x4.shuffle(a, b, 2, 6, 3, 7);
      cdHigh = i32x4.shuffle(c, d, 2, 6, 3, 7);
      sum1 = f32x4.add(sum1, i64x2.shuffle(ab, cd, 0, 2));
      sum1 = f32x4.add(sum1, i64x2.shuffle(ab, cd, 1, 3));
      sum1 = f32x4.add(sum1, i64x2.shuffle(abHigh, cdHigh, 0, 2));
      sum1 = f32x4.add(sum1, i64x2.shuffle(abHigh, cdHigh, 1, 3));
      y0 += 16;
      y1 += 16;
      y2 += 16;
      y3 += 16;
      y4 += 16;
      y5 += 16;
      y6 += 16;
      y7 += 16;
    }
    v128.store(out + i, sum0);
    v128.store(out + i, sum1, 16);
  }
}

function past(x: usize, lagAt: usize): usize {
  return x - (<usize>load<i32>(lagAt) << 2);
}
