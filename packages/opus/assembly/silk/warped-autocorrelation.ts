// Autocorrelation on a warped frequency axis: each lag is one more first-order all-pass section instead of a delay.
//
// The output of section i for sample n is a[i+1](n) = a[i](n-1) + w a[i+1](n-1) - w a[i](n). Two neighbouring samples go
// through the chain together as the two f64 lanes of a vector, the later one a section behind, so that everything it
// needs of the earlier one is ready. Every output and every sum keeps its own order of operations, hence the same bits
// as one sample after the other.
import { DOUBLES } from "./encoder-scratch";

const STATE: usize = DOUBLES; // f64[27]: a[i] of the last sample
const SUMS: usize = STATE + 224; // f64[26]

/** Two samples through the whole chain. */
function stepPair(first: f64, second: f64, w: v128, order: i32): void {
  const input = f64x2.replace_lane(f64x2.splat(first), 1, second);
  // At step i: the outputs [a[i](n), a[i-1](n+1)], the ones before them, and the ones before the next.
  let now = f64x2.replace_lane(f64x2.splat(0), 0, first);
  let before = f64x2.replace_lane(f64x2.splat(0), 0, load<f64>(STATE));
  let ahead = f64x2.replace_lane(f64x2.splat(first), 0, load<f64>(STATE, 8));
  let sums = f64x2.add(f64x2.replace_lane(f64x2.splat(0), 0, load<f64>(SUMS)), f64x2.mul(input, now));
  let next = f64x2.sub(f64x2.add(before, f64x2.mul(w, ahead)), f64x2.mul(w, now));
  now = f64x2.replace_lane(next, 1, second);
  const end = usize(order) << 3;
  for (let at: usize = 8; at <= end; at += 8) {
    before = ahead;
    ahead = v128.shuffle<f64>(v128.load64_splat(STATE + at + 8), now, 0, 2);
    sums = v128.shuffle<f64>(v128.load64_splat(SUMS + at), sums, 0, 2);
    sums = f64x2.add(sums, f64x2.mul(input, now));
    store<f64>(SUMS + at - 8, f64x2.extract_lane(sums, 1));
    store<f64>(STATE + at - 8, f64x2.extract_lane(now, 1));
    next = f64x2.sub(f64x2.add(before, f64x2.mul(w, ahead)), f64x2.mul(w, now));
    now = next;
  }
  const last = f64x2.extract_lane(now, 1);
  store<f64>(STATE + end, last);
  store<f64>(SUMS + end, f64x2.extract_lane(sums, 0) + second * last);
}

/** f32[order + 1] from f32[length]; length and order are even, order at most 24. */
export function warpedAutocorrelation(output: usize, x: usize, warping: f32, length: i32, order: i32): void {
  const w = f64x2.splat(f64(warping));
  memory.fill(STATE, 0, 432);
  for (let n: i32 = 0; n < length; n += 2) {
    const at = x + (usize(n) << 2);
    stepPair(f64(load<f32>(at)), f64(load<f32>(at, 4)), w, order);
  }
  for (let i: i32 = 0; i <= order; i++) {
    store<f32>(output + (usize(i) << 2), f32(load<f64>(SUMS + (usize(i) << 3))));
  }
}
