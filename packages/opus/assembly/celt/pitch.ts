// Pitch search of the concealment and of the encoder's prefilter: correlation at a quarter and at half of the rate. Sums run in the reference's order;
// vectors hold neighbouring lags.
import { correlate } from "./correlate";
import { autocorrelate, levinson } from "./lpc";
import { COEFFICIENTS_AT, CORRELATION_AT, HALF_RATE_AT, QUARTER_RATE_X_AT, QUARTER_RATE_Y_AT } from "./scratch";
import { CeltState, channelBuffer, HISTORY } from "./state";

const MAX_LAG: i32 = 720;
const MIN_LAG: i32 = 100;

function sample(x: usize, i: i32): f32 {
  return load<f32>(x + (<usize>i << 2));
}

/** Every second sample, smoothed, into HALF_RATE or added to it. */
function halveRate(x: usize, length: i32, accumulate: bool): void {
  const quarter = f32x4.splat(0.25);
  const half = f32x4.splat(0.5);
  const first: f32 = <f32>0.25 * sample(x, 1) + <f32>0.5 * sample(x, 0);
  store<f32>(HALF_RATE_AT, accumulate ? load<f32>(HALF_RATE_AT) + first : first);
  let i = 1;
  for (; i + 4 <= length; i += 4) {
    const to = HALF_RATE_AT + (<usize>i << 2);
    const from = x + (<usize>(2 * i) << 2);
    const low = v128.load(from - 4);
    const high = v128.load(from + 12);
    const last = v128.load(from + 16);
    const before = i32x4.shuffle(low, high, 0, 2, 4, 6);
    const now = i32x4.shuffle(low, high, 1, 3, 5, 7);
    const after = i32x4.shuffle(i32x4.shuffle(low, high, 2, 4, 6, 6), last, 0, 1, 2, 7);
    const value = f32x4.add(
      f32x4.add(f32x4.mul(quarter, before), f32x4.mul(quarter, after)),
      f32x4.mul(half, now),
    );
    v128.store(to, accumulate ? f32x4.add(v128.load(to), value) : value);
  }
  for (; i < length; i++) {
    const to = HALF_RATE_AT + (<usize>i << 2);
    const value: f32 =
      <f32>0.25 * sample(x, 2 * i - 1) + <f32>0.25 * sample(x, 2 * i + 1) + <f32>0.5 * sample(x, 2 * i);
    store<f32>(to, accumulate ? load<f32>(to) + value : value);
  }
}

/** Half-rate, spectrally flattened sum of one or two channels, 2 `length` samples each, into HALF_RATE. */
export function downsample(left: usize, right: usize, channels: i32, length: i32): void {
  halveRate(left, length, false);
  if (channels == 2) halveRate(right, length, true);
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

/** x[n] += b0 x[n-1] + ... + b4 x[n-5] in place, from the end on, so that the past is still there. */
function flatten(b0: f32, b1: f32, b2: f32, b3: f32, b4: f32, count: i32): void {
  memory.fill(HALF_RATE_AT - 20, 0, 20);
  const c0 = f32x4.splat(b0);
  const c1 = f32x4.splat(b1);
  const c2 = f32x4.splat(b2);
  const c3 = f32x4.splat(b3);
  const c4 = f32x4.splat(b4);
  let at = HALF_RATE_AT + (<usize>count << 2) - 16;
  for (; at >= HALF_RATE_AT; at -= 16) {
    let sum = f32x4.add(v128.load(at), f32x4.mul(c0, v128.load(at - 4)));
    sum = f32x4.add(sum, f32x4.mul(c1, v128.load(at - 8)));
    sum = f32x4.add(sum, f32x4.mul(c2, v128.load(at - 12)));
    sum = f32x4.add(sum, f32x4.mul(c3, v128.load(at - 16)));
    v128.store(at, f32x4.add(sum, f32x4.mul(c4, v128.load(at - 20))));
  }
  for (at += 12; at >= HALF_RATE_AT; at -= 4) {
    const sum: f32 =
      load<f32>(at) + b0 * load<f32>(at - 4) + b1 * load<f32>(at - 8) + b2 * load<f32>(at - 12);
    store<f32>(at, sum + b3 * load<f32>(at - 16) + b4 * load<f32>(at - 20));
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

/** Correlation at the five places around `centre`, as far as they are within `places`. */
function correlateAround(x: usize, y: usize, centre: i32, count: i32, places: i32): void {
  const first = max<i32>(0, centre - 2);
  const found = min<i32>(places, centre + 3) - first;
  const out = CORRELATION_AT + (<usize>first << 2);
  correlate(x, y + (<usize>first << 2), out, count, found);
  for (let i: usize = 0; i < <usize>found << 2; i += 4) store<f32>(out + i, max<f32>(-1.0, load<f32>(out + i)));
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
  memory.fill(CORRELATION_AT, 0, <usize>(range >> 1) << 2);
  correlateAround(x, y, coarse0, length >> 1, range >> 1);
  correlateAround(x, y, coarse1, length >> 1, range >> 1);
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
