// Linear prediction of the concealment: autocorrelation, Levinson-Durbin, and the filters in both directions.
import { correlate } from "./correlate";
import { REVERSED_AT, SYNTHESIS_AT } from "./scratch";

/** Autocorrelation of `count` values for lags 0..order. */
export function autocorrelate(x: usize, out: usize, order: i32, count: i32): void {
  const whole = count - order;
  correlate(x, x, out, whole, order + 1);
  for (let lag = 0; lag <= order; lag++) {
    let rest: f32 = 0.0;
    for (let i = lag + whole; i < count; i++) {
      rest += load<f32>(x + (<usize>i << 2)) * load<f32>(x + (<usize>(i - lag) << 2));
    }
    const at = out + (<usize>lag << 2);
    store<f32>(at, load<f32>(at) + rest);
  }
}

/** Coefficients of the predictor from the autocorrelation; stops at a gain of 30 dB. */
export function levinson(lpc: usize, ac: usize, order: i32): void {
  memory.fill(lpc, 0, <usize>order << 2);
  const power = load<f32>(ac);
  let error = power;
  if (!(power > 1e-10)) return;
  for (let i = 0; i < order; i++) {
    let sum: f32 = 0.0;
    for (let j = 0; j < i; j++) {
      sum += load<f32>(lpc + (<usize>j << 2)) * load<f32>(ac + (<usize>(i - j) << 2));
    }
    sum += load<f32>(ac + (<usize>(i + 1) << 2));
    const reflection: f32 = -(sum / error);
    store<f32>(lpc + (<usize>i << 2), reflection);
    for (let j = 0; j < (i + 1) >> 1; j++) {
      const low = lpc + (<usize>j << 2);
      const high = lpc + (<usize>(i - 1 - j) << 2);
      const first = load<f32>(low);
      const second = load<f32>(high);
      store<f32>(low, first + reflection * second);
      store<f32>(high, second + reflection * first);
    }
    error = error - reflection * reflection * error;
    if (error <= <f32>0.001 * power) break;
  }
}

function reverse(coefficients: usize, order: i32): void {
  for (let i = 0; i < order; i++) {
    store<f32>(REVERSED_AT + (<usize>i << 2), load<f32>(coefficients + (<usize>(order - 1 - i) << 2)));
  }
}

/** y[n] = x[n] + sum of a[k] x[n-1-k], oldest term first; reads `order` values before `x`. `count` is a multiple of 4. */
export function filterForward(x: usize, lpc: usize, y: usize, count: i32, order: i32): void {
  reverse(lpc, order);
  const orderBytes = <usize>order << 2;
  let at: usize = 0;
  const whole = (<usize>count << 2) & ~15;
  for (; at < whole; at += 16) {
    let sum = v128.load(x + at);
    const past = x + at - orderBytes;
    for (let k: usize = 0; k < orderBytes; k += 4) {
      sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(REVERSED_AT + k), v128.load(past + k)));
    }
    v128.store(y + at, sum);
  }
  for (; at < <usize>count << 2; at += 4) {
    let sum = load<f32>(x + at);
    const past = x + at - orderBytes;
    for (let k: usize = 0; k < orderBytes; k += 4) {
      sum = sum + load<f32>(REVERSED_AT + k) * load<f32>(past + k);
    }
    store<f32>(y + at, sum);
  }
}

/**
 * In place y[n] = x[n] - sum of a[k] y[n-1-k]; the `order` values before `x` are the past output. Four outputs at a time
 * as an FIR filter over the known past, then corrected by each other, as the reference does. `count` is a multiple of 4.
 */
export function filterBackward(x: usize, lpc: usize, count: i32, order: i32): void {
  reverse(lpc, order);
  const orderBytes = <usize>order << 2;
  const a0 = load<f32>(lpc);
  const a1 = load<f32>(lpc, 4);
  const a2 = load<f32>(lpc, 8);
  // Negated output.
  for (let k: usize = 0; k < orderBytes; k += 4) {
    store<f32>(SYNTHESIS_AT + k, -load<f32>(x - orderBytes + k));
  }
  memory.fill(SYNTHESIS_AT + orderBytes, 0, <usize>count << 2);
  for (let i: usize = 0; i < <usize>count << 2; i += 16) {
    let sum = v128.load(x + i);
    const past = SYNTHESIS_AT + i;
    for (let k: usize = 0; k < orderBytes; k += 4) {
      sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(REVERSED_AT + k), v128.load(past + k)));
    }
    const negated = past + orderBytes;
    const y0 = f32x4.extract_lane(sum, 0);
    const n0: f32 = -y0;
    const y1: f32 = f32x4.extract_lane(sum, 1) + n0 * a0;
    const n1: f32 = -y1;
    const y2: f32 = f32x4.extract_lane(sum, 2) + n1 * a0 + n0 * a1;
    const n2: f32 = -y2;
    const y3: f32 = f32x4.extract_lane(sum, 3) + n2 * a0 + n1 * a1 + n0 * a2;
    store<f32>(x + i, y0);
    store<f32>(x + i, y1, 4);
    store<f32>(x + i, y2, 8);
    store<f32>(x + i, y3, 12);
    store<f32>(negated, n0);
    store<f32>(negated, n1, 4);
    store<f32>(negated, n2, 8);
    store<f32>(negated, -y3, 12);
  }
}
