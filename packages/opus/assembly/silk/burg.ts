// Burg's method over several subframes at once, with a limit on the prediction gain (SILK's modified covariance form).
import { FIND_LPC_COND_FAC } from "../tables/encoder-tuning";
import { DOUBLES } from "./encoder-scratch";
import { energyOfFloats, innerProduct } from "./float-signal";

const FIRST_ROW: usize = DOUBLES; // f64[16]
const LAST_ROW: usize = FIRST_ROW + 128; // f64[16]
const FORWARD: usize = LAST_ROW + 128; // f64[17]
const BACKWARD: usize = FORWARD + 144; // f64[17]
const COEFFICIENTS: usize = BACKWARD + 144; // f64[16]

function get(base: usize, index: i32): f64 {
  return load<f64>(base + (usize(index) << 3));
}

function set(base: usize, index: i32, value: f64): void {
  store<f64>(base + (usize(index) << 3), value);
}

function sample(x: usize, index: i32): f32 {
  return load<f32>(x + (usize(index) << 2));
}

/**
 * Prediction coefficients, f32[order], of `count` consecutive pieces of `length` samples; returns the residual energy.
 * The inverse gain never falls below `minInverseGain`.
 */
export function burg(
  output: usize,
  x: usize,
  minInverseGain: f32,
  length: i32,
  count: i32,
  order: i32,
): f32 {
  const condition = f64(FIND_LPC_COND_FAC);
  const tiny: f32 = 1e-9;
  let energy = energyOfFloats(x, count * length);
  memory.fill(FIRST_ROW, 0, 128);
  for (let s: i32 = 0; s < count; s++) {
    const piece = x + (usize(s * length) << 2);
    for (let n: i32 = 1; n <= order; n++) {
      const product = innerProduct(piece, piece + (usize(n) << 2), length - n);
      set(FIRST_ROW, n - 1, get(FIRST_ROW, n - 1) + product);
    }
  }
  memory.copy(LAST_ROW, FIRST_ROW, 128);
  const start = energy + condition * energy + f64(tiny);
  set(FORWARD, 0, start);
  set(BACKWARD, 0, start);
  let inverseGain: f64 = 1;
  let limited = false;
  for (let n: i32 = 0; n < order; n++) {
    for (let s: i32 = 0; s < count; s++) {
      const piece = x + (usize(s * length) << 2);
      const front = sample(piece, n);
      const back = sample(piece, length - n - 1);
      let a = f64(front);
      let b = f64(back);
      for (let k: i32 = 0; k < n; k++) {
        const early = sample(piece, n - k - 1);
        const late = sample(piece, length - n + k);
        // These two products are f32.
        set(FIRST_ROW, k, get(FIRST_ROW, k) - f64(front * early));
        set(LAST_ROW, k, get(LAST_ROW, k) - f64(back * late));
        const coefficient = get(COEFFICIENTS, k);
        a += f64(early) * coefficient;
        b += f64(late) * coefficient;
      }
      for (let k: i32 = 0; k <= n; k++) {
        set(FORWARD, k, get(FORWARD, k) - a * f64(sample(piece, n - k)));
        set(BACKWARD, k, get(BACKWARD, k) - b * f64(sample(piece, length - n + k - 1)));
      }
    }
    let first = get(FIRST_ROW, n);
    let last = get(LAST_ROW, n);
    for (let k: i32 = 0; k < n; k++) {
      const coefficient = get(COEFFICIENTS, k);
      first += get(LAST_ROW, n - k - 1) * coefficient;
      last += get(FIRST_ROW, n - k - 1) * coefficient;
    }
    set(FORWARD, n + 1, first);
    set(BACKWARD, n + 1, last);
    let numerator = last;
    let backward = get(BACKWARD, 0);
    let forward = get(FORWARD, 0);
    for (let k: i32 = 0; k < n; k++) {
      const coefficient = get(COEFFICIENTS, k);
      numerator += get(BACKWARD, n - k) * coefficient;
      backward += get(BACKWARD, k + 1) * coefficient;
      forward += get(FORWARD, k + 1) * coefficient;
    }
    const minusTwo: f64 = -2.0;
    const one: f64 = 1.0;
    let reflection = (minusTwo * numerator) / (forward + backward);
    const next = inverseGain * (one - reflection * reflection);
    if (next <= f64(minInverseGain)) {
      reflection = sqrt<f64>(one - f64(minInverseGain) / inverseGain);
      if (numerator > 0) reflection = -reflection;
      inverseGain = f64(minInverseGain);
      limited = true;
    } else {
      inverseGain = next;
    }
    const half = (n + 1) >> 1;
    for (let k: i32 = 0; k < half; k++) {
      const a = get(COEFFICIENTS, k);
      const b = get(COEFFICIENTS, n - k - 1);
      set(COEFFICIENTS, k, a + reflection * b);
      set(COEFFICIENTS, n - k - 1, b + reflection * a);
    }
    set(COEFFICIENTS, n, reflection);
    if (limited) {
      for (let k: i32 = n + 1; k < order; k++) set(COEFFICIENTS, k, 0);
      break;
    }
    for (let k: i32 = 0; k <= n + 1; k++) {
      const f = get(FORWARD, k);
      const b = get(BACKWARD, n - k + 1);
      set(FORWARD, k, f + reflection * b);
      set(BACKWARD, n - k + 1, b + reflection * f);
    }
  }
  let residual: f64;
  if (limited) {
    for (let k: i32 = 0; k < order; k++) {
      store<f32>(output + (usize(k) << 2), f32(-get(COEFFICIENTS, k)));
    }
    for (let s: i32 = 0; s < count; s++) energy -= energyOfFloats(x + (usize(s * length) << 2), order);
    residual = energy * inverseGain;
  } else {
    residual = get(FORWARD, 0);
    let squares: f64 = 1;
    for (let k: i32 = 0; k < order; k++) {
      const coefficient = get(COEFFICIENTS, k);
      residual += get(FORWARD, k + 1) * coefficient;
      squares += coefficient * coefficient;
      store<f32>(output + (usize(k) << 2), f32(-coefficient));
    }
    residual -= condition * energy * squares;
  }
  return f32(residual);
}
