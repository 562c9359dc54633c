// Sums of four lanes and dot products with a fixed order of additions.

/** (lane 0 + lane 1) + (lane 2 + lane 3). */
export function sumOfLanes(x: v128): f32 {
  const pairs = f32x4.add(x, v128.shuffle<f32>(x, x, 1, 0, 3, 2));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 2);
}

/** Dot product of `count` values (a multiple of 8) in two accumulators of four lanes, which are added at the end. */
export function dotProduct8(a: usize, b: usize, count: i32): f32 {
  let even = f32x4.splat(0);
  let odd = f32x4.splat(0);
  for (let at: usize = 0; at < usize(count) << 2; at += 32) {
    even = f32x4.add(even, f32x4.mul(v128.load(a + at), v128.load(b + at)));
    odd = f32x4.add(odd, f32x4.mul(v128.load(a + at, 16), v128.load(b + at, 16)));
  }
  return sumOfLanes(f32x4.add(even, odd));
}

/**
 * `dotProduct8(a, b)` and `dotProduct8(c, d)`, the same bits, written side by side to `output`. An addition waits for the one before it in
 * its accumulator; the two products fill each other's waiting.
 */
export function dotProductPair8(a: usize, b: usize, c: usize, d: usize, count: i32, output: usize): void {
  let even = f32x4.splat(0);
  let odd = f32x4.splat(0);
  let otherEven = f32x4.splat(0);
  let otherOdd = f32x4.splat(0);
  for (let at: usize = 0; at < usize(count) << 2; at += 32) {
    even = f32x4.add(even, f32x4.mul(v128.load(a + at), v128.load(b + at)));
    odd = f32x4.add(odd, f32x4.mul(v128.load(a + at, 16), v128.load(b + at, 16)));
    otherEven = f32x4.add(otherEven, f32x4.mul(v128.load(c + at), v128.load(d + at)));
    otherOdd = f32x4.add(otherOdd, f32x4.mul(v128.load(c + at, 16), v128.load(d + at, 16)));
  }
  store<f32>(output, sumOfLanes(f32x4.add(even, odd)));
  store<f32>(output, sumOfLanes(f32x4.add(otherEven, otherOdd)), 4);
}
