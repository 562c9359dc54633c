// Pitch prefilter of the encoder: finds the period of the input and takes the comb out that the decoder puts back.
import { COMBFILTER_MINPERIOD } from "../tables/celt";
import { pitchSecondCheck } from "../tables/encoder-tuning";
import { combFilter } from "./comb-filter";
import { INPUT_AT, LAG_ENERGY_AT, UNFILTERED_AT, UNFILTERED_STRIDE } from "./encoder-scratch";
import { analysisOf, CeltEncoder, inputMemory, MAX_PERIOD, prefilterMemory } from "./encoder-state";
import { correlate, correlateAtLags } from "./correlate";
import { floorOf } from "./math";
import { downsample, searchOffset } from "./pitch";
import { CORRELATION_AT, HALF_RATE_AT } from "./scratch";
import { OVERLAP } from "./state";

const TWO_PI: f64 = 2.0 * 3.14159265358979323846;

@unmanaged
export class Prefilter {
  on: i32;
  period: i32;
  gain: f32;
  gainIndex: i32;
}

/** Gain found by the refinement, returned beside the lag. */
const GAIN_AT: usize = CORRELATION_AT;
/** i32[32] lags of the refinement and f32[32] sums of products at them. */
const LAGS_AT: usize = CORRELATION_AT + 16;
const LAG_SUMS_AT: usize = LAGS_AT + 128;
const MAGNITUDES_AT: usize = LAG_SUMS_AT + 128;

function pitchGain(xy: f32, xx: f32, yy: f32): f32 {
  const one: f32 = 1.0;
  return xy / sqrt<f32>(one + xx * yy);
}

/** Rounded quotient a / 2k. */
function divided(a: i32, k: i32): i32 {
  return <i32>(<u32>(a + k) / <u32>(2 * k));
}

/**
 * Replaces a lag by a fraction of it where that explains the signal as well; the gain goes to GAIN_AT.
 * @returns the lag at 48 kHz
 */
function refineLag(lag: i32, frames: i32, previousPeriod: i32, previousGain: f32): i32 {
  const maxLag = MAX_PERIOD / 2;
  const minLag = COMBFILTER_MINPERIOD / 2;
  const previous = previousPeriod / 2;
  const count = frames / 2;
  const x = HALF_RATE_AT + (<usize>maxLag << 2);
  const start = min<i32>(lag / 2, maxLag - 1);
  const half: f32 = 0.5;
  // All lags that may be tried: 0, the lag itself, and two for every fraction of it.
  store<i32>(LAGS_AT, 0);
  store<i32>(LAGS_AT, start, 4);
  let lags = 2;
  for (let k = 2; k <= 15; k++) {
    const lag1 = divided(2 * start, k);
    if (lag1 < minLag) break;
    let lag2: i32;
    if (k == 2) lag2 = lag1 + start > maxLag ? start : start + lag1;
    else lag2 = divided(2 * load<i32>(pitchSecondCheck + (<usize>k << 2)) * start, k);
    store<i32>(LAGS_AT + (<usize>lags << 2), lag1);
    store<i32>(LAGS_AT + (<usize>lags << 2), lag2, 4);
    lags += 2;
  }
  for (let i = lags; i & 7; i++) store<i32>(LAGS_AT + (<usize>i << 2), 0);
  correlateAtLags(x, count, LAGS_AT, (lags + 7) & ~7, LAG_SUMS_AT);
  const xx = load<f32>(LAG_SUMS_AT);
  let xy = load<f32>(LAG_SUMS_AT, 4);
  store<f32>(LAG_ENERGY_AT, xx);
  let yy = xx;
  const end = x + (<usize>count << 2);
  for (let i: usize = 4; i <= <usize>maxLag << 2; i += 4) {
    const entering = load<f32>(x - i);
    const leaving = load<f32>(end - i);
    yy = yy + entering * entering - leaving * leaving;
    store<f32>(LAG_ENERGY_AT + i, max<f32>(0.0, yy));
  }
  yy = load<f32>(LAG_ENERGY_AT + (<usize>start << 2));
  let bestXy = xy;
  let bestYy = yy;
  const firstGain = pitchGain(xy, xx, yy);
  let gain = firstGain;
  let best = start;
  for (let i = 2; i < lags; i += 2) {
    const k = (i >> 1) + 1;
    const lag1 = load<i32>(LAGS_AT + (<usize>i << 2));
    const lag2 = load<i32>(LAGS_AT + (<usize>i << 2), 4);
    const xy1 = load<f32>(LAG_SUMS_AT + (<usize>i << 2));
    const xy2 = load<f32>(LAG_SUMS_AT + (<usize>i << 2), 4);
    xy = half * (xy1 + xy2);
    yy =
      half * (load<f32>(LAG_ENERGY_AT + (<usize>lag1 << 2)) + load<f32>(LAG_ENERGY_AT + (<usize>lag2 << 2)));
    const gain1 = pitchGain(xy, xx, yy);
    let continuity: f32 = 0.0;
    const distance = abs<i32>(lag1 - previous);
    if (distance <= 1) continuity = previousGain;
    else if (distance <= 2 && 5 * k * k < start) continuity = half * previousGain;
    // Very short lags correlate by themselves.
    let threshold: f32;
    if (lag1 < 3 * minLag) threshold = max<f32>(0.4, <f32>0.85 * firstGain - continuity);
    else threshold = max<f32>(0.3, <f32>0.7 * firstGain - continuity);
    if (gain1 > threshold) {
      bestXy = xy;
      bestYy = yy;
      best = lag1;
      gain = gain1;
    }
  }
  bestXy = max<f32>(0.0, bestXy);
  let result: f32 = bestYy <= bestXy ? <f32>1.0 : bestXy / (bestYy + <f32>1.0);
  correlate(x, x - (<usize>(best + 1) << 2), LAG_SUMS_AT, count, 3);
  const after = load<f32>(LAG_SUMS_AT);
  const at = load<f32>(LAG_SUMS_AT, 4);
  const before = load<f32>(LAG_SUMS_AT, 8);
  const share: f32 = 0.7;
  let offset = 0;
  if (after - before > share * (at - before)) offset = 1;
  else if (before - after > share * (at - after)) offset = -1;
  if (result > gain) result = gain;
  store<f32>(GAIN_AT, result);
  return max<i32>(COMBFILTER_MINPERIOD, 2 * best + offset);
}

/** Lag for a tone: a multiple of its period that the filter can hold. */
function tonePeriod(frequency: f32): i32 {
  let folded = frequency;
  if (folded >= <f32>3.1416) folded = <f32>3.141593 - folded;
  let multiple = 1;
  while (folded >= <f32>multiple * <f32>0.39) multiple++;
  // A tone too low for the filter: the shortest lag reduces it at least.
  if (!(folded > <f32>0.006148)) return COMBFILTER_MINPERIOD;
  const half: f64 = 0.5;
  return min<i32>(<i32>floor<f64>(half + (TWO_PI * <f64>multiple) / <f64>folded), MAX_PERIOD - 2);
}

/** Sums of the magnitudes of `count` samples at four places, to MAGNITUDES: four chains of additions side by side. */
function measureMagnitudes(a: usize, b: usize, c: usize, d: usize, count: i32): void {
  let sumA: f32 = 0.0;
  let sumB: f32 = 0.0;
  let sumC: f32 = 0.0;
  let sumD: f32 = 0.0;
  for (let at: usize = 0; at < <usize>count << 2; at += 4) {
    sumA += abs<f32>(load<f32>(a + at));
    sumB += abs<f32>(load<f32>(b + at));
    sumC += abs<f32>(load<f32>(c + at));
    sumD += abs<f32>(load<f32>(d + at));
  }
  store<f32>(MAGNITUDES_AT, sumA);
  store<f32>(MAGNITUDES_AT, sumB, 4);
  store<f32>(MAGNITUDES_AT, sumC, 8);
  store<f32>(MAGNITUDES_AT, sumD, 12);
}

function unfiltered(channel: i32): usize {
  return UNFILTERED_AT + <usize>channel * UNFILTERED_STRIDE;
}

/** Gain before thresholds, and the lag into `result`. */
function findPeriod(
  state: CeltEncoder,
  result: Prefilter,
  count: i32,
  enabled: bool,
  toneFrequency: f32,
  toneishness: f32,
): f32 {
  if (enabled && toneishness > <f32>0.99) {
    result.period = tonePeriod(toneFrequency);
    return 0.75;
  }
  if (!enabled || state.complexity < 5) {
    result.period = COMBFILTER_MINPERIOD;
    return 0.0;
  }
  downsample(unfiltered(0), unfiltered(1), state.channels, (MAX_PERIOD + count) >> 1);
  // The last one and a half octaves would give too many false matches.
  const lag = MAX_PERIOD - searchOffset(MAX_PERIOD, count, MAX_PERIOD - 3 * COMBFILTER_MINPERIOD);
  const period = refineLag(lag, count, state.prefilterPeriod, state.prefilterGain);
  result.period = min<i32>(period, MAX_PERIOD - 2);
  const half: f32 = 0.5;
  let gain: f32 = <f32>0.7 * load<f32>(GAIN_AT);
  if (state.lossPercent > 2) gain = half * gain;
  if (state.lossPercent > 4) gain = half * gain;
  if (state.lossPercent > 8) gain = 0.0;
  return gain;
}

/** Quantised gain by the rate and by continuity with the last frame; 0 turns the filter off. */
function decideGain(state: CeltEncoder, result: Prefilter, wanted: f32, estimate: f32, bytes: i32): void {
  let gain = wanted;
  let threshold: f32 = 0.2;
  const tenth: f32 = 0.1;
  if (abs<i32>(result.period - state.prefilterPeriod) * 10 > result.period) {
    threshold += <f32>0.2;
    if (estimate > <f32>0.98) gain = 0.0;
  }
  if (bytes < 25) threshold += tenth;
  if (bytes < 35) threshold += tenth;
  if (state.prefilterGain > <f32>0.4) threshold -= tenth;
  if (state.prefilterGain > <f32>0.55) threshold -= tenth;
  threshold = max<f32>(threshold, 0.2);
  if (gain < threshold) {
    result.gain = 0.0;
    result.on = 0;
    result.gainIndex = 0;
    return;
  }
  if (abs<f32>(gain - state.prefilterGain) < tenth) gain = state.prefilterGain;
  const half: f32 = 0.5;
  const index = floorOf(half + (gain * <f32>32.0) / <f32>3.0) - 1;
  result.gainIndex = max<i32>(0, min<i32>(7, index));
  result.gain = <f32>0.09375 * <f32>(result.gainIndex + 1);
  result.on = 1;
}

/**
 * Filters the frame of `count` samples in INPUT (behind 120 samples of the past) in place, where that makes it smaller,
 * and keeps the unfiltered samples for the next frame.
 */
export function runPrefilter(
  state: CeltEncoder,
  result: Prefilter,
  count: i32,
  tapset: i32,
  enabled: bool,
  estimate: f32,
  availableBytes: i32,
  toneFrequency: f32,
  toneishness: f32,
): void {
  const channels = state.channels;
  const stride = <usize>(count + OVERLAP) << 2;
  const bytes = <usize>count << 2;
  const memoryBytes: usize = <usize>MAX_PERIOD << 2;
  const overlapBytes: usize = <usize>OVERLAP << 2;
  for (let channel = 0; channel < channels; channel++) {
    memory.copy(unfiltered(channel), prefilterMemory(state, channel), memoryBytes);
    memory.copy(
      unfiltered(channel) + memoryBytes,
      INPUT_AT + <usize>channel * stride + overlapBytes,
      bytes,
    );
  }
  let gain = findPeriod(state, result, count, enabled, toneFrequency, toneishness);
  const analysis = analysisOf(state);
  if (analysis.valid) gain = gain * analysis.maxPitchRatio;
  decideGain(state, result, gain, estimate, availableBytes);

  state.prefilterPeriod = max<i32>(state.prefilterPeriod, COMBFILTER_MINPERIOD);
  for (let channel = 0; channel < channels; channel++) {
    const input = INPUT_AT + <usize>channel * stride;
    memory.copy(input, inputMemory(state, channel), overlapBytes);
    combFilter(
      input + overlapBytes,
      unfiltered(channel) + memoryBytes,
      state.prefilterPeriod,
      result.period,
      count,
      -state.prefilterGain,
      -result.gain,
      state.prefilterTapset,
      tapset,
      true,
    );
  }
  // Before the filter and after it; for one channel the second pair is the first again.
  const input = INPUT_AT + overlapBytes;
  const other = <usize>(channels - 1);
  const first = unfiltered(0) + memoryBytes;
  measureMagnitudes(first, input, unfiltered(channels - 1) + memoryBytes, input + other * stride, count);
  const before0 = load<f32>(MAGNITUDES_AT);
  const after0 = load<f32>(MAGNITUDES_AT, 4);
  const before1 = load<f32>(MAGNITUDES_AT, 8);
  const after1 = load<f32>(MAGNITUDES_AT, 12);
  let cancel = false;
  if (channels == 2) {
    const quarter: f32 = 0.25;
    const hundredth: f32 = 0.01;
    const threshold0: f32 = quarter * result.gain * before0 + hundredth * before1;
    const threshold1: f32 = quarter * result.gain * before1 + hundredth * before0;
    // Neither channel much worse, and at least one much better.
    cancel = after0 - before0 > threshold0 || after1 - before1 > threshold1;
    if (before0 - after0 < threshold0 && before1 - after1 < threshold1) cancel = true;
  } else {
    cancel = after0 > before0;
  }
  if (cancel) {
    for (let channel = 0; channel < channels; channel++) {
      const input = INPUT_AT + <usize>channel * stride + overlapBytes;
      memory.copy(input, unfiltered(channel) + memoryBytes, bytes);
      combFilter(
        input,
        unfiltered(channel) + memoryBytes,
        state.prefilterPeriod,
        result.period,
        OVERLAP,
        -state.prefilterGain,
        0.0,
        state.prefilterTapset,
        tapset,
        true,
      );
    }
    result.gain = 0.0;
    result.on = 0;
    result.gainIndex = 0;
  }
  for (let channel = 0; channel < channels; channel++) {
    memory.copy(inputMemory(state, channel), INPUT_AT + <usize>channel * stride + bytes, overlapBytes);
    memory.copy(prefilterMemory(state, channel), unfiltered(channel) + bytes, memoryBytes);
  }
}
