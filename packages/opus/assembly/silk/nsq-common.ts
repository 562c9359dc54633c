// What both noise shaping quantizers share: conversion of the parameters, rewhitening, level changes, the choice
// between two quantization levels.
import { QUANT_LEVEL_ADJUST_Q10, quantizationOffsets } from "../tables/silk-excitation";
import { ltpScales } from "../tables/silk-gains-pitch-ltp";
import {
  ANALYSIS,
  FrameAnalysis,
  GAINS,
  HARMONIC_GAIN,
  LF_AR,
  LF_MA,
  LTP_COEFFICIENTS,
  NSQ_HARMONIC_Q14,
  NSQ_INPUT,
  NSQ_LF_Q14,
  NSQ_LTP_Q15,
  NSQ_SCALED_INPUT,
  NSQ_SHAPING_Q13,
  NSQ_TILT_Q14,
  NSQ_WHITENED,
  PREDICTION,
  SHAPING_AR,
  TILT,
} from "./encoder-scratch";
import { ChannelEncoder, FrameIndices, NSQ_OUTPUT, NSQ_SHAPE_Q14, QuantizerState } from "./encoder-state";
import { addSat32, inverseVarQ, shiftRound, smlawb, smlawt, smulwb, smulww } from "./fixed-point";
import { roundToInt } from "./float-signal";
import { whiten } from "./lpc";
import { GAINS_Q16, LTP_SCALE_Q14, LTP_TAPS_Q14, PITCH_LAGS, PREDICTION_Q12 } from "./scratch";
import { LTP_ORDER, SIGNAL_VOICED } from "./state";

const Q10: f32 = 1024.0;
const Q12: f32 = 4096.0;
const Q13: f32 = 8192.0;
const Q14: f32 = 16384.0;
const Q16: f32 = 65536.0;

function rounded(at: usize, scale: f32): i32 {
  return roundToInt(load<f32>(at) * scale);
}

/** Fills the integer parameters from the analysis; `x` is the first sample of the frame; returns lambda in Q10. */
export function prepareParameters(c: ChannelEncoder, indices: FrameIndices, x: usize): i32 {
  for (let k: i32 = 0; k < c.subframes; k++) {
    const at = usize(k) << 2;
    for (let j: i32 = 0; j < c.shapingOrder; j++) {
      const index = usize(k * 24 + j);
      store<i16>(NSQ_SHAPING_Q13 + (index << 1), i16(rounded(SHAPING_AR + (index << 2), Q13)));
    }
    store<i32>(NSQ_LF_Q14 + at, (rounded(LF_AR + at, Q14) << 16) | (rounded(LF_MA + at, Q14) & 0xffff));
    store<i32>(NSQ_TILT_Q14 + at, rounded(TILT + at, Q14));
    store<i32>(NSQ_HARMONIC_Q14 + at, rounded(HARMONIC_GAIN + at, Q14));
    store<i32>(GAINS_Q16 + at, rounded(GAINS + at, Q16));
  }
  for (let i: i32 = 0; i < c.subframes * LTP_ORDER; i++) {
    store<i16>(LTP_TAPS_Q14 + (usize(i) << 1), i16(rounded(LTP_COEFFICIENTS + (usize(i) << 2), Q14)));
  }
  for (let i: i32 = 0; i < c.predictOrder; i++) {
    const at = usize(i) << 1;
    store<i16>(PREDICTION_Q12 + at, i16(rounded(PREDICTION + (at << 1), Q12)));
    store<i16>(PREDICTION_Q12 + 32 + at, i16(rounded(PREDICTION + 64 + (at << 1), Q12)));
  }
  const scale = indices.signalType == SIGNAL_VOICED ? i32(load<i16>(ltpScales + (usize(indices.ltpScale) << 1))) : 0;
  store<i32>(LTP_SCALE_Q14, scale);
  for (let i: i32 = 0; i < c.frameLength; i++) {
    store<i16>(NSQ_INPUT + (usize(i) << 1), i16(roundToInt(load<f32>(x + (usize(i) << 2)))));
  }
  return roundToInt(changetype<FrameAnalysis>(ANALYSIS).lambda * Q10);
}

export function quantizerOffset(indices: FrameIndices): i32 {
  const at = usize(((indices.signalType >> 1) << 1) + indices.quantOffsetType) << 1;
  return i32(load<i16>(quantizationOffsets + at));
}

/** The three-tap harmonic shaping filter: outer taps in the low half, middle tap in the high half. */
export function packHarmonicTaps(subframe: i32): i32 {
  const gain = load<i32>(NSQ_HARMONIC_Q14 + (usize(subframe) << 2));
  return (gain >> 2) | ((gain >> 1) << 16);
}

/** Whitens the decoded past again with the coefficients of subframe `k`. */
export function rewhiten(c: ChannelEncoder, q: QuantizerState, k: i32, lag: i32, prediction: usize): void {
  const start = c.ltpMemory - lag - c.predictOrder - LTP_ORDER / 2;
  const past = changetype<usize>(q) + NSQ_OUTPUT + (usize(start + k * c.subframeLength) << 1);
  whiten(NSQ_WHITENED + (usize(start) << 1), past, prediction, c.ltpMemory - start, c.predictOrder);
  q.rewhitened = 1;
  q.ltpAt = c.ltpMemory;
}

/** Scales the input of subframe `k`, and the rewhitened past if there is one, by the inverse gain. */
export function scaleInput(c: ChannelEncoder, q: QuantizerState, k: i32): void {
  const gain = load<i32>(GAINS_Q16 + (usize(k) << 2));
  const lag = load<i32>(PITCH_LAGS + (usize(k) << 2));
  let inverse = inverseVarQ(max(gain, 1), 47);
  const inverseQ26 = shiftRound(inverse, 5);
  const input = NSQ_INPUT + (usize(k * c.subframeLength) << 1);
  for (let i: i32 = 0; i < c.subframeLength; i++) {
    const sample = i32(load<i16>(input + (usize(i) << 1)));
    store<i32>(NSQ_SCALED_INPUT + (usize(i) << 2), smulww(sample, inverseQ26));
  }
  if (q.rewhitened == 0) return;
  if (k == 0) inverse = smulwb(inverse, load<i32>(LTP_SCALE_Q14)) << 2;
  for (let i: i32 = q.ltpAt - lag - LTP_ORDER / 2; i < q.ltpAt; i++) {
    const sample = i32(load<i16>(NSQ_WHITENED + (usize(i) << 1)));
    store<i32>(NSQ_LTP_Q15 + (usize(i) << 2), smulwb(inverse, sample));
  }
}

/** Multiplies `count` i32 by a Q16 factor. */
export function scaleStates(at: usize, count: i32, factorQ16: i32): void {
  for (let i: usize = 0; i < usize(count) << 2; i += 4) {
    store<i32>(at + i, smulww(factorQ16, load<i32>(at + i)));
  }
}

/** Long-term prediction of one sample, Q13, rounded to nearest; `past` is the newest of the five. */
export function predictLongTermSample(past: usize, taps: usize): i32 {
  let sum = smlawb(2, load<i32>(past), i32(load<i16>(taps)));
  sum = smlawb(sum, load<i32>(past - 4), i32(load<i16>(taps, 2)));
  sum = smlawb(sum, load<i32>(past - 8), i32(load<i16>(taps, 4)));
  sum = smlawb(sum, load<i32>(past - 12), i32(load<i16>(taps, 6)));
  return smlawb(sum, load<i32>(past - 16), i32(load<i16>(taps, 8)));
}

/** Harmonic noise shaping of one sample around one lag ago. */
export function shapeHarmonics(past: usize, packedTaps: i32): i32 {
  const sum = smulwb(addSat32(load<i32>(past), load<i32>(past - 8)), packedTaps);
  return smlawt(sum, load<i32>(past - 4), packedTaps);
}

/** Index of the lower of the two candidate levels around residual - offset; a large lambda prefers zero. */
export function lowerLevel(distance: i32, lambdaQ10: i32): i32 {
  if (lambdaQ10 > 2048) {
    const deadZone = lambdaQ10 / 2 - 512;
    if (distance > deadZone) return (distance - deadZone) >> 10;
    if (distance < -deadZone) return (distance + deadZone) >> 10;
    return distance < 0 ? -1 : 0;
  }
  return distance >> 10;
}

/** The lower candidate in Q10 for its index. */
export function levelBelow(index: i32, offset: i32): i32 {
  if (index > 0) return (index << 10) - QUANT_LEVEL_ADJUST_Q10 + offset;
  if (index == 0) return offset;
  if (index == -1) return offset - (1024 - QUANT_LEVEL_ADJUST_Q10);
  return (index << 10) + QUANT_LEVEL_ADJUST_Q10 + offset;
}

/** The upper candidate in Q10. */
export function levelAbove(index: i32, below: i32, offset: i32): i32 {
  if (index == 0) return below + 1024 - QUANT_LEVEL_ADJUST_Q10;
  if (index == -1) return offset;
  return below + 1024;
}

/** Shifts the memories of the quantizer by one frame. */
export function advanceMemories(c: ChannelEncoder, q: QuantizerState): void {
  const output = changetype<usize>(q) + NSQ_OUTPUT;
  const shape = changetype<usize>(q) + NSQ_SHAPE_Q14;
  memory.copy(output, output + (usize(c.frameLength) << 1), usize(c.ltpMemory) << 1);
  memory.copy(shape, shape + (usize(c.frameLength) << 2), usize(c.ltpMemory) << 2);
}
