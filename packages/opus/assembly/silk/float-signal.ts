// Floating-point helpers of the SILK encoder. The grouping of the sums is normative: products of f32 samples are
// added in f64, four at a time; every other operation is f32 in the order written.

const LOG2_OF_10: f64 = 3.32192809488736;
const HALF: f32 = 0.5;
const PI_F32: f32 = 3.1415926536;

/** x rounded to the nearest integer, halves to even. */
export function roundToInt(x: f32): i32 {
  return i32(nearest<f32>(x));
}

/** log2(x) as f32 of a double product. */
export function logTwo(x: f64): f32 {
  return f32(LOG2_OF_10 * NativeMath.log10(x));
}

/** 1 / (1 + exp(-x)). */
export function sigmoid(x: f32): f32 {
  const one: f64 = 1.0;
  return f32(one / (one + NativeMath.exp(f64(-x))));
}

/** 2^x for an f32 exponent, in f64. Not `pow`: the library's keeps a mutable global. */
export function powerOfTwo(x: f32): f64 {
  return NativeMath.exp2(f64(x));
}

export function energyOfFloats(x: usize, length: i32): f64 {
  let sum: f64 = 0;
  let i: i32 = 0;
  let at = x;
  for (; i < length - 3; i += 4) {
    const a = f64(load<f32>(at));
    const b = f64(load<f32>(at, 4));
    const c = f64(load<f32>(at, 8));
    const d = f64(load<f32>(at, 12));
    sum += a * a + b * b + c * c + d * d;
    at += 16;
  }
  for (; i < length; i++) {
    const a = f64(load<f32>(at));
    sum += a * a;
    at += 4;
  }
  return sum;
}

export function innerProduct(x: usize, y: usize, length: i32): f64 {
  let sum: f64 = 0;
  let i: i32 = 0;
  let at: usize = 0;
  for (; i < length - 3; i += 4) {
    sum +=
      f64(load<f32>(x + at)) * f64(load<f32>(y + at)) +
      f64(load<f32>(x + at, 4)) * f64(load<f32>(y + at, 4)) +
      f64(load<f32>(x + at, 8)) * f64(load<f32>(y + at, 8)) +
      f64(load<f32>(x + at, 12)) * f64(load<f32>(y + at, 12));
    at += 16;
  }
  for (; i < length; i++) {
    sum += f64(load<f32>(x + at)) * f64(load<f32>(y + at));
    at += 4;
  }
  return sum;
}

/** Autocorrelation for lags 0..count-1, f32[count]. */
export function autocorrelation(output: usize, x: usize, length: i32, count: i32): void {
  const lags = min(count, length);
  for (let lag: i32 = 0; lag < lags; lag++) {
    const shifted = x + (usize(lag) << 2);
    store<f32>(output + (usize(lag) << 2), f32(innerProduct(x, shifted, length - lag)));
  }
}

/** Reflection coefficients of an autocorrelation; returns the residual energy. `work` holds f64[2 * (order + 1)]. */
export function schur(reflections: usize, correlation: usize, order: i32, work: usize): f32 {
  const floor: f32 = 1e-9;
  for (let k: i32 = 0; k <= order; k++) {
    const value = f64(load<f32>(correlation + (usize(k) << 2)));
    store<f64>(work + (usize(k) << 4), value);
    store<f64>(work + (usize(k) << 4), value, 8);
  }
  for (let k: i32 = 0; k < order; k++) {
    // The energy is compared with the floor and used in f64.
    const energy = load<f64>(work, 8);
    const reflection = -load<f64>(work + (usize(k + 1) << 4)) / (energy > f64(floor) ? energy : f64(floor));
    store<f32>(reflections + (usize(k) << 2), f32(reflection));
    for (let n: i32 = 0; n < order - k; n++) {
      const forward = work + (usize(n + k + 1) << 4);
      const backward = work + (usize(n) << 4);
      const a = load<f64>(forward);
      const b = load<f64>(backward, 8);
      store<f64>(forward, a + b * reflection);
      store<f64>(backward, b + a * reflection, 8);
    }
  }
  return f32(load<f64>(work, 8));
}

/** Prediction coefficients, f32[order], of reflection coefficients. */
export function reflectionsToLpc(output: usize, reflections: usize, order: i32): void {
  for (let k: i32 = 0; k < order; k++) {
    const r = load<f32>(reflections + (usize(k) << 2));
    const half = (k + 1) >> 1;
    for (let n: i32 = 0; n < half; n++) {
      const front = output + (usize(n) << 2);
      const back = output + (usize(k - n - 1) << 2);
      const a = load<f32>(front);
      const b = load<f32>(back);
      store<f32>(front, a + b * r);
      store<f32>(back, b + a * r);
    }
    store<f32>(output + (usize(k) << 2), -r);
  }
}

/** Multiplies coefficient k by chirp^(k+1). */
export function expandBandwidthFloat(coefficients: usize, order: i32, chirp: f32): void {
  let factor = chirp;
  for (let k: i32 = 0; k < order; k++) {
    const at = coefficients + (usize(k) << 2);
    store<f32>(at, load<f32>(at) * factor);
    factor *= chirp;
  }
}

/**
 * Prediction residual of f32[length]; the first `order` outputs are 0. Four outputs at a time, each with its terms
 * in the order of the taps. `output` may not overlap `x`.
 */
export function whitenFloat(output: usize, coefficients: usize, x: usize, length: i32, order: i32): void {
  let n: i32 = order;
  for (; n + 3 < length; n += 4) {
    const at = x + (usize(n) << 2);
    let sum = f32x4.mul(v128.load(at - 4), v128.load32_splat(coefficients));
    for (let k: i32 = 1; k < order; k++) {
      const past = v128.load(at - 4 - (usize(k) << 2));
      sum = f32x4.add(sum, f32x4.mul(past, v128.load32_splat(coefficients + (usize(k) << 2))));
    }
    v128.store(output + (usize(n) << 2), f32x4.sub(v128.load(at), sum));
  }
  for (; n < length; n++) {
    const at = x + (usize(n) << 2);
    let sum = load<f32>(at - 4) * load<f32>(coefficients);
    for (let k: i32 = 1; k < order; k++) {
      sum += load<f32>(at - 4 - (usize(k) << 2)) * load<f32>(coefficients + (usize(k) << 2));
    }
    store<f32>(output + (usize(n) << 2), load<f32>(at) - sum);
  }
  memory.fill(output, 0, usize(order) << 2);
}

/** Half a sine: rising (from 0) or falling (to 0) over `length` samples, a multiple of 4. */
export function applySineWindow(output: usize, x: usize, falling: bool, length: i32): void {
  const frequency = PI_F32 / f32(length + 1);
  const two: f32 = 2.0;
  // Recursion of the sine: sin(n + 1) = 2 cos * sin(n) - sin(n - 1), the cosine by its Taylor polynomial.
  const c = two - frequency * frequency;
  let s0: f32 = 0;
  let s1: f32 = frequency;
  if (falling) {
    s0 = 1;
    s1 = HALF * c;
  }
  for (let k: i32 = 0; k < length; k += 4) {
    const at = usize(k) << 2;
    store<f32>(output + at, load<f32>(x + at) * HALF * (s0 + s1));
    store<f32>(output + at, load<f32>(x + at, 4) * s1, 4);
    s0 = c * s1 - s0;
    store<f32>(output + at, load<f32>(x + at, 8) * HALF * (s1 + s0), 8);
    store<f32>(output + at, load<f32>(x + at, 12) * s0, 12);
    s1 = c * s0 - s1;
  }
}

/** f32 to i16, rounded and saturated. */
export function floatsToInt16(output: usize, x: usize, length: i32): void {
  for (let i: i32 = 0; i < length; i++) {
    const value = roundToInt(load<f32>(x + (usize(i) << 2)));
    store<i16>(output + (usize(i) << 1), i16(value > 32767 ? 32767 : value < -32768 ? -32768 : value));
  }
}

export function int16ToFloats(output: usize, x: usize, length: i32): void {
  for (let i: i32 = 0; i < length; i++) {
    store<f32>(output + (usize(i) << 2), f32(i32(load<i16>(x + (usize(i) << 1)))));
  }
}

/** Sorts the largest `count` of f32[length] to the front, decreasing; `order` receives their former places. */
export function sortDecreasing(values: usize, order: usize, length: i32, count: i32): void {
  for (let i: i32 = 0; i < count; i++) store<i32>(order + (usize(i) << 2), i);
  for (let i: i32 = 1; i < length; i++) {
    const value = load<f32>(values + (usize(i) << 2));
    let j: i32 = i - 1;
    if (i >= count) {
      if (!(value > load<f32>(values + (usize(count - 1) << 2)))) continue;
      j = count - 2;
    }
    for (; j >= 0 && value > load<f32>(values + (usize(j) << 2)); j--) {
      store<f32>(values + (usize(j) << 2), load<f32>(values + (usize(j) << 2)), 4);
      store<i32>(order + (usize(j) << 2), load<i32>(order + (usize(j) << 2)), 4);
    }
    store<f32>(values + (usize(j + 1) << 2), value);
    store<i32>(order + (usize(j + 1) << 2), i);
  }
}
