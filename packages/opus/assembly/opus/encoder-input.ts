// What the Opus layer does to the input before either codec sees it: a high-pass that follows the pitch (voip) or the
// removal of the mean, and the replacement of values that no codec can handle.
import { largestMagnitude } from "../celt/input";
import { VARIABLE_HP_MIN_CUTOFF_HZ } from "../tables/encoder-tuning";
import { linearToLog, logToLinear, smlawb, smulbb, smulww } from "../silk/fixed-point";

/** Keeps the filter memory of decaying signals out of the denormal numbers (VERY_SMALL). */
const BIAS: f32 = 1e-30;
const Q28: f32 = 1.0 / 268435456.0;

/** Start of the smoothed cut-off, Q15 of its logarithm: 60 Hz. */
export function initialCutoffQ15(): i32 {
  return linearToLog(VARIABLE_HP_MIN_CUTOFF_HZ) << 8;
}

/** Moves the smoothed cut-off towards SILK's (or 60 Hz for CELT). */
export function followCutoff(smoothedQ15: i32, targetQ15: i32): i32 {
  // VARIABLE_HP_SMTH_COEF2 = 0.015 in Q16.
  return smlawb(smoothedQ15, targetQ15 - smoothedQ15, 983);
}

export function cutoffHz(smoothedQ15: i32): i32 {
  return logToLinear(smoothedQ15 >> 8);
}

/** Second-order section in transposed form on every `stride`-th f32; `memory` holds f32[2]. */
function filterSection(
  output: usize,
  input: usize,
  state: usize,
  frames: i32,
  stride: i32,
  b0: f32,
  b1: f32,
  a0: f32,
  a1: f32,
): void {
  let s0 = load<f32>(state);
  let s1 = load<f32>(state, 4);
  const step = usize(stride) << 2;
  let at: usize = 0;
  for (let k: i32 = 0; k < frames; k++) {
    const x = load<f32>(input + at);
    const y = s0 + b0 * x;
    s0 = s1 - y * a0 + b1 * x;
    s1 = -y * a1 + b0 * x + BIAS;
    store<f32>(output + at, y);
    at += step;
  }
  store<f32>(state, s0);
  store<f32>(state, s1, 4);
}

/** High-pass of interleaved f32; `state` holds f32[4]. */
export function highPass(
  output: usize,
  input: usize,
  state: usize,
  frames: i32,
  channels: i32,
  rateHz: i32,
  cutoff: i32,
): void {
  // 1.5 * 3.14159 / 1000 in Q19 times the cut-off, over the rate in kHz.
  const frequencyQ19 = smulbb(2471, cutoff) / (rateHz / 1000);
  // Radius 1 - 0.92 * frequency.
  const radiusQ28 = (1 << 28) - 471 * frequencyQ19;
  const radiusQ22 = radiusQ28 >> 6;
  const a0 = f32(smulww(radiusQ22, smulww(frequencyQ19, frequencyQ19) - (2 << 22))) * Q28;
  const a1 = f32(smulww(radiusQ22, radiusQ22)) * Q28;
  const b0 = f32(radiusQ28) * Q28;
  const b1 = f32(-radiusQ28 << 1) * Q28;
  filterSection(output, input, state, frames, channels, b0, b1, a0, a1);
  if (channels == 2) filterSection(output + 4, input + 4, state + 8, frames, 2, b0, b1, a0, a1);
}

/** Removes the mean (3 Hz) of interleaved f32; `state` as for the high-pass, which takes turns with it. */
export function rejectDc(output: usize, input: usize, state: usize, frames: i32, channels: i32, rateHz: i32): void {
  const slope: f32 = 6.3;
  const one: f32 = 1.0;
  const coefficient = (slope * f32(3)) / f32(rateHz);
  const rest = one - coefficient;
  if (channels == 2) {
    rejectDcStereo(output, input, state, frames, coefficient, rest);
    return;
  }
  let mean = load<f32>(state);
  for (let at: usize = 0; at < usize(frames) << 2; at += 4) {
    const x = load<f32>(input + at);
    store<f32>(output + at, x - mean);
    mean = coefficient * x + BIAS + rest * mean;
  }
  store<f32>(state, mean);
}

/** Both channels in two lanes. */
function rejectDcStereo(
  output: usize,
  input: usize,
  state: usize,
  frames: i32,
  coefficient: f32,
  rest: f32,
): void {
  const coefficients = f32x4.splat(coefficient);
  const rests = f32x4.splat(rest);
  const bias = f32x4.splat(BIAS);
  let means = i32x4.shuffle(v128.load32_zero(state), v128.load32_zero(state, 8), 0, 4, 1, 5);
  for (let at: usize = 0; at < usize(frames) << 3; at += 8) {
    const x = v128.load64_zero(input + at);
    v128.store64_lane(output + at, f32x4.sub(x, means), 0);
    means = f32x4.add(f32x4.add(f32x4.mul(coefficients, x), bias), f32x4.mul(rests, means));
  }
  v128.store_lane<f32>(state, means, 0);
  v128.store_lane<f32>(state, means, 1, 8);
}

/** Silences a block that holds NaN or absurd values (float input only), and the filter memory that saw it. */
export function dropInvalid(samples: usize, count: i32, state: usize): void {
  const limit: f32 = 1e9;
  const bytes = usize(count) << 2;
  // Sums in lanes differ from the sum in order by far less than their half; NaN fails this comparison too.
  let squares = f32x4.splat(0.0);
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) {
    const x = v128.load(samples + at);
    squares = f32x4.add(squares, f32x4.mul(x, x));
  }
  squares = f32x4.add(squares, i64x2.shuffle(squares, squares, 1, 0));
  let sum = f32x4.extract_lane(squares, 0) + f32x4.extract_lane(squares, 1);
  for (; at < bytes; at += 4) sum += load<f32>(samples + at) * load<f32>(samples + at);
  if (sum < 0.5 * limit) return;
  sum = 0;
  for (let i: usize = 0; i < bytes; i += 4) {
    const x = load<f32>(samples + i);
    sum += x * x;
  }
  if (sum < limit) return;
  memory.fill(samples, 0, usize(count) << 2);
  memory.fill(state, 0, 16);
}

/** Whether no sample exceeds half a step of `lsbDepth` bits. */
export function isDigitalSilence(samples: usize, count: i32, lsbDepth: i32): bool {
  const one: f32 = 1.0;
  const limit = one / f32(1 << lsbDepth);
  return largestMagnitude(samples, count) <= limit;
}
