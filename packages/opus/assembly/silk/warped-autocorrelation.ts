// Autocorrelation on a warped frequency axis: each lag is one more first-order all-pass section instead of a delay.
//
// Section i of sample n needs section i-1 of the same sample and its own past, so the products of two neighbouring
// samples, one section apart, are independent: they share a vector of two f64. Every lag keeps its own order of
// additions.
import { DOUBLES } from "./encoder-scratch";

const STATE: usize = DOUBLES; // f64[26]
const SUMS: usize = STATE + 208; // f64[26]

/** f32[order + 1] from f32[length]; order is even and at most 24. */
export function warpedAutocorrelation(output: usize, x: usize, warping: f32, length: i32, order: i32): void {
  const w = f64(warping);
  memory.fill(STATE, 0, 416);
  for (let n: i32 = 0; n < length; n++) {
    const input = f64(load<f32>(x + (usize(n) << 2)));
    let a = input;
    for (let i: i32 = 0; i < order; i += 2) {
      const at = STATE + (usize(i) << 3);
      const sum = SUMS + (usize(i) << 3);
      const b = load<f64>(at) + w * load<f64>(at, 8) - w * a;
      store<f64>(at, a);
      store<f64>(sum, load<f64>(sum) + input * a);
      a = load<f64>(at, 8) + w * load<f64>(at, 16) - w * b;
      store<f64>(at, b, 8);
      store<f64>(sum, load<f64>(sum, 8) + input * b, 8);
    }
    const last = usize(order) << 3;
    store<f64>(STATE + last, a);
    store<f64>(SUMS + last, load<f64>(SUMS + last) + input * a);
  }
  for (let i: i32 = 0; i <= order; i++) {
    store<f32>(output + (usize(i) << 2), f32(load<f64>(SUMS + (usize(i) << 3))));
  }
}
