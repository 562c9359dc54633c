// K-weighting (ITU-R BS.1770-5, annex 1) and true peak (annex 2), one channel at a time.

import { dotProduct8 } from "../../kernels/assembly/f32x4";
import { log2 } from "../../kernels/assembly/logarithm";

/** 10 log10(2). */
const decibelsPerOctave: f64 = 3.010299956639812;

/**
 * Runs two biquads in transposed direct form II over `count` f32 samples and returns the sum of the squares.
 * `filter` has b0 b1 b2 a1 a2 of the first, then of the second (f64); `state` has their two delays each, then the number
 * of samples that were not finite, which count as 0.
 */
export function weightedEnergy(samples: usize, count: i32, filter: usize, state: usize): f64 {
  const b0 = load<f64>(filter);
  const b1 = load<f64>(filter, 8);
  const b2 = load<f64>(filter, 16);
  const a1 = load<f64>(filter, 24);
  const a2 = load<f64>(filter, 32);
  const d0 = load<f64>(filter, 40);
  const d1 = load<f64>(filter, 48);
  const d2 = load<f64>(filter, 56);
  const c1 = load<f64>(filter, 64);
  const c2 = load<f64>(filter, 72);
  let s1 = load<f64>(state);
  let s2 = load<f64>(state, 8);
  let t1 = load<f64>(state, 16);
  let t2 = load<f64>(state, 24);
  let bad: f64 = 0;
  let energy: f64 = 0;
  for (let i: usize = 0; i < usize(count) << 2; i += 4) {
    let x = f64(load<f32>(samples + i));
    if (!(abs(x) < Infinity)) {
      x = 0;
      bad += 1;
    }
    const y = b0 * x + s1;
    s1 = b1 * x - a1 * y + s2;
    s2 = b2 * x - a2 * y;
    const z = d0 * y + t1;
    t1 = d1 * y - c1 * z + t2;
    t2 = d2 * y - c2 * z;
    energy += z * z;
  }
  // What is left of a tone after a long silence would become subnormal and slow.
  store<f64>(state, abs(s1) < 1e-60 ? 0 : s1);
  store<f64>(state, abs(s2) < 1e-60 ? 0 : s2, 8);
  store<f64>(state, abs(t1) < 1e-60 ? 0 : t1, 16);
  store<f64>(state, abs(t2) < 1e-60 ? 0 : t2, 24);
  store<f64>(state, load<f64>(state, 32) + bad, 32);
  return energy;
}

/**
 * Largest magnitude of `count` samples interpolated at `phases` positions each; `samples` begins with taps - 1 samples
 * of history. Values that are not finite count as 0 and are replaced.
 */
export function interpolatedPeak(samples: usize, count: i32, table: usize, phases: i32, taps: i32): f32 {
  let peak: f32 = 0;
  const rowBytes = usize(taps) << 2;
  for (let at = samples + rowBytes - 4; at < samples + rowBytes - 4 + (usize(count) << 2); at += 4) {
    if (!(abs(load<f32>(at)) < Infinity)) store<f32>(at, 0);
    for (let phase = 0; phase < phases; phase++) {
      peak = max(peak, abs(dotProduct8(at - rowBytes + 4, table + usize(phase) * rowBytes, taps)));
    }
  }
  return peak;
}

/**
 * Writes the mean energy of the last `count` blocks of a ring and its loudness (BS.1770-5, equation 2) to `result`, both
 * f64. The ring has `size` pairs (energy, number of frames); `end` blocks were written to it so far.
 */
export function windowLoudness(ring: usize, size: i32, end: i32, count: i32, result: usize): void {
  let energy: f64 = 0;
  let frames: f64 = 0;
  let slot = (end + size - count) % size;
  for (let i = 0; i < count; i++) {
    const at = ring + (usize(slot) << 4);
    energy += load<f64>(at);
    frames += load<f64>(at, 8);
    if (++slot == size) slot = 0;
  }
  const mean = energy / frames;
  store<f64>(result, mean);
  store<f64>(result, mean > 1e-200 ? decibelsPerOctave * log2(mean) - 0.691 : -Infinity, 8);
}
