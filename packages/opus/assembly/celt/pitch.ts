// Pitch search of the concealment and of the encoder's prefilter: correlation at a quarter and at half of the rate. Sums run in the reference's order;
// vectors hold neighbouring lags.
import { correlate } from "./correlate";
import { autocorrelate, levinson } from "./lpc";
import { COEFFICIENTS_AT, CORRELATION_AT, HALF_RATE_AT, QUARTER_RATE_X_AT, QUARTER_RATE_Y_AT } from "./scratch";
import { innerProduct } from "./math";
import { CeltState, channelBuffer, HISTORY } from "./state";

const MAX_LAG: i32 = 720;
const MIN_LAG: i32 = 100;

function sample(x: usize, i: i32): f32 {
  return load<f32>(x + (<usize>i << 2));
}

/** Half-rate, spectrally flattened sum of one or two channels, 2 `length` samples each, into HALF_RATE. */
export function downsample(left: usize, right: usize, channels: i32, length: i32): void {
  for (let channel = 0; channel < channels; channel++) {
    const x = channel ? right : left;
    for (let i = 0; i < length; i++) {
      const to = HALF_RATE_AT + (<usize>i << 2);
      let value: f32;
      if (i == 0) {
        value = <f32>0.25 * sample(x, 1) + <f32>0.5 * sample(x, 0);
        store<f32>(to, channel ? load<f32>(to) + value : value);
      } else {
        value =
          <f32>0.25 * sample(x, 2 * i - 1) + <f32>0.25 * sample(x, 2 * i + 1) + <f32>0.5 * sample(x, 2 * i);
        store<f32>(to, channel ? load<f32>(to) + value : value);
      }
    }
  }
  const ac = COEFFICIENTS_AT;
  autocorrelate(HALF_RATE_AT, ac, 4, length);
  store<f32>(ac, load<f32>(ac) * <f32>1.0001);
  for (let i = 1; i <= 4; i++) {
    const at = ac + (<usize>i << 2);
    const value = load<f32>(at);
    const lag: f32 = <f32>0.008 * <f32>i;
    store<f32>(at, value - value * lag * lag);
  }
  const lpc = ac + 32;
  levinson(lpc, ac, 4);
  let gain: f32 = 1.0;
  for (let i: usize = 0; i < 16; i += 4) {
    gain = <f32>0.9 * gain;
    store<f32>(lpc + i, load<f32>(lpc + i) * gain);
  }
  const zero: f32 = 0.8;
  const a0 = load<f32>(lpc);
  const a1 = load<f32>(lpc, 4);
  const a2 = load<f32>(lpc, 8);
  const a3 = load<f32>(lpc, 12);
  flatten(a0 + zero, a1 + zero * a0, a2 + zero * a1, a3 + zero * a2, zero * a3, length);
}

/** x[n] += b0 x[n-1] + ... + b4 x[n-5] in place. */
function flatten(b0: f32, b1: f32, b2: f32, b3: f32, b4: f32, count: i32): void {
  let x1: f32 = 0.0;
  let x2: f32 = 0.0;
  let x3: f32 = 0.0;
  let x4: f32 = 0.0;
  let x5: f32 = 0.0;
  const end = HALF_RATE_AT + (<usize>count << 2);
  for (let at = HALF_RATE_AT; at < end; at += 4) {
    const x0 = load<f32>(at);
    store<f32>(at, x0 + b0 * x1 + b1 * x2 + b2 * x3 + b3 * x4 + b4 * x5);
    x5 = x4;
    x4 = x3;
    x3 = x2;
    x2 = x1;
    x1 = x0;
  }
}

/** The two lags of the largest normalised correlation: the best in the low 16 bits, the second above. */
function bestTwo(y: usize, count: i32, lags: i32): i32 {
  let energy: f32 = 1.0;
  let bestNumerator0: f32 = -1.0;
  let bestNumerator1: f32 = -1.0;
  let bestEnergy0: f32 = 0.0;
  let bestEnergy1: f32 = 0.0;
  let best0 = 0;
  let best1 = 1;
  for (let i = 0; i < count; i++) energy += sample(y, i) * sample(y, i);
  for (let lag = 0; lag < lags; lag++) {
    const correlation = sample(CORRELATION_AT, lag);
    if (correlation > 0.0) {
      const scaled: f32 = correlation * <f32>1e-12;
      const numerator: f32 = scaled * scaled;
      if (numerator * bestEnergy1 > bestNumerator1 * energy) {
        if (numerator * bestEnergy0 > bestNumerator0 * energy) {
          bestNumerator1 = bestNumerator0;
          bestEnergy1 = bestEnergy0;
          best1 = best0;
          bestNumerator0 = numerator;
          bestEnergy0 = energy;
          best0 = lag;
        } else {
          bestNumerator1 = numerator;
          bestEnergy1 = energy;
          best1 = lag;
        }
      }
    }
    const entering = sample(y, lag + count);
    const leaving = sample(y, lag);
    energy += entering * entering - leaving * leaving;
    energy = max<f32>(1.0, energy);
  }
  return best0 | (best1 << 16);
}

/** Pitch lag of the last samples, 100..720 at 48 kHz. */
export function searchPitch(state: CeltState): i32 {
  downsample(channelBuffer(state, 0), channelBuffer(state, 1), state.channels, HISTORY >> 1);
  return MAX_LAG - searchOffset(MAX_LAG, HISTORY - MAX_LAG, MAX_LAG - MIN_LAG);
}

/**
 * Place at which HALF_RATE matches its part from `maxLag` on best, counted from its start.
 * @param length samples compared, @param range places tried; all at 48 kHz
 */
export function searchOffset(maxLag: i32, length: i32, range: i32): i32 {
  const x = HALF_RATE_AT + (<usize>(maxLag >> 1) << 2);
  const y = HALF_RATE_AT;
  const total = length + range;
  for (let i: usize = 0; i < <usize>(length >> 2); i++) {
    store<f32>(QUARTER_RATE_X_AT + (i << 2), load<f32>(x + (i << 3)));
  }
  for (let i: usize = 0; i < <usize>(total >> 2); i++) {
    store<f32>(QUARTER_RATE_Y_AT + (i << 2), load<f32>(y + (i << 3)));
  }
  correlate(QUARTER_RATE_X_AT, QUARTER_RATE_Y_AT, CORRELATION_AT, length >> 2, range >> 2);
  let best = bestTwo(QUARTER_RATE_Y_AT, length >> 2, range >> 2);
  const coarse0 = 2 * (best & 0xffff);
  const coarse1 = 2 * (best >> 16);
  for (let lag = 0; lag < range >> 1; lag++) {
    let value: f32 = 0.0;
    if (abs<i32>(lag - coarse0) <= 2 || abs<i32>(lag - coarse1) <= 2) {
      value = max<f32>(-1.0, innerProduct(x, y + (<usize>lag << 2), length >> 1));
    }
    store<f32>(CORRELATION_AT + (<usize>lag << 2), value);
  }
  best = bestTwo(y, length >> 1, range >> 1) & 0xffff;
  let offset = 0;
  if (best > 0 && best < (range >> 1) - 1) {
    const a = sample(CORRELATION_AT, best - 1);
    const b = sample(CORRELATION_AT, best);
    const c = sample(CORRELATION_AT, best + 1);
    if (c - a > <f32>0.7 * (b - a)) offset = 1;
    else if (a - c > <f32>0.7 * (b - c)) offset = -1;
  }
  return 2 * best - offset;
}
