// Short-term prediction of the encoder: Burg analysis of the long-term residual, choice of the interpolation between
// frames, quantization, residual energies.
import { FrameAnalysis, ANALYSIS, GAINS, INVERSE_GAINS, LPC_A, LPC_B, LPC_INPUT, LPC_RESIDUAL, LTP_COEFFICIENTS, PREDICTION, RESIDUAL_ENERGIES } from "./encoder-scratch";
import { burg } from "./burg";
import { ChannelEncoder, ENC_INDICES, ENC_PREV_NLSF_Q15, FrameIndices } from "./encoder-state";
import { energyOfFloats, powerOfTwo, whitenFloat } from "./float-signal";
import { analyzeLongTerm, filterLongTerm } from "./ltp-analysis";
import { nlsfToLpc } from "./nlsf";
import { interpolateNlsf, lpcToNlsf, processNlsf } from "./nlsf-encode";
import { NLSF_FIRST_HALF_Q15, NLSF_Q15, PREDICTION_Q12 } from "./scratch";
import { LTP_ORDER, MAX_SUBFRAMES, SIGNAL_VOICED } from "./state";

const Q12: f32 = 1.0 / 4096.0;

function coefficientsToFloat(output: usize, coefficientsQ12: usize, order: i32): void {
  for (let i: i32 = 0; i < order; i++) {
    const value = f32(i32(load<i16>(coefficientsQ12 + (usize(i) << 1))));
    store<f32>(output + (usize(i) << 2), value * Q12);
  }
}

/** NLSFs of the frame in NLSF_Q15, and the interpolation factor in the indices. */
function findNlsf(c: ChannelEncoder, minInverseGain: f32): void {
  const base = changetype<usize>(c);
  const indices = changetype<FrameIndices>(base + ENC_INDICES);
  const order = c.predictOrder;
  const span = c.subframeLength + order;
  indices.nlsfInterpolation = 4;
  let energy = burg(LPC_A, LPC_INPUT, minInverseGain, span, c.subframes, order);
  if (c.interpolateNlsf != 0 && c.firstFrameAfterReset == 0 && c.subframes == MAX_SUBFRAMES) {
    // The second half alone; then the first half with coefficients between the last frame's and these.
    const secondHalf = LPC_INPUT + (usize(2 * span) << 2);
    energy -= burg(LPC_B, secondHalf, minInverseGain, span, 2, order);
    lpcToNlsf(NLSF_Q15, LPC_B, order);
    let previous: f32 = f32.MAX_VALUE;
    for (let factor: i32 = 3; factor >= 0; factor--) {
      interpolateNlsf(NLSF_FIRST_HALF_Q15, base + ENC_PREV_NLSF_Q15, NLSF_Q15, factor, order);
      nlsfToLpc(PREDICTION_Q12, NLSF_FIRST_HALF_Q15, order);
      coefficientsToFloat(LPC_B, PREDICTION_Q12, order);
      whitenFloat(LPC_RESIDUAL, LPC_B, LPC_INPUT, 2 * span, order);
      const first = LPC_RESIDUAL + (usize(order) << 2);
      const candidate = f32(
        energyOfFloats(first, span - order) + energyOfFloats(first + (usize(span) << 2), span - order),
      );
      if (candidate < energy) {
        energy = candidate;
        indices.nlsfInterpolation = factor;
      } else if (candidate > previous) {
        break;
      }
      previous = candidate;
    }
  }
  if (indices.nlsfInterpolation == 4) lpcToNlsf(NLSF_Q15, LPC_A, order);
}

/** Energy of the residual of every subframe with the quantized coefficients, at the level of the signal. */
function residualEnergies(c: ChannelEncoder): void {
  const order = c.predictOrder;
  const span = order + c.subframeLength;
  for (let k: i32 = 0; k < c.subframes; k += 2) {
    const coefficients = PREDICTION + usize(k >> 1) * 64;
    whitenFloat(LPC_RESIDUAL, coefficients, LPC_INPUT + (usize(k * span) << 2), 2 * span, order);
    for (let j: i32 = 0; j < 2; j++) {
      const at = usize(k + j) << 2;
      const gain = load<f32>(GAINS + at);
      const residual = LPC_RESIDUAL + (usize(order + j * span) << 2);
      const energy = f64(gain * gain) * energyOfFloats(residual, c.subframeLength);
      store<f32>(RESIDUAL_ENERGIES + at, f32(energy));
    }
  }
}

/** Predictors of the frame; `residual` is the whitened frame, `frame` its first sample in the history buffer. */
export function analyzePrediction(c: ChannelEncoder, residual: usize, frame: usize, coding: i32): void {
  const base = changetype<usize>(c);
  const analysis = changetype<FrameAnalysis>(ANALYSIS);
  const indices = changetype<FrameIndices>(base + ENC_INDICES);
  const order = c.predictOrder;
  const one: f32 = 1.0;
  for (let k: usize = 0; k < usize(c.subframes) << 2; k += 4) {
    store<f32>(INVERSE_GAINS + k, one / load<f32>(GAINS + k));
  }
  memory.fill(NLSF_Q15, 0, 32);
  const start = frame - (usize(order) << 2);
  if (indices.signalType == SIGNAL_VOICED) {
    analyzeLongTerm(c, residual, coding);
    filterLongTerm(c, LPC_INPUT, start, INVERSE_GAINS, order);
  } else {
    const span = c.subframeLength + order;
    for (let k: i32 = 0; k < c.subframes; k++) {
      const scale = load<f32>(INVERSE_GAINS + (usize(k) << 2));
      const source = start + (usize(k * c.subframeLength) << 2);
      const target = LPC_INPUT + (usize(k * span) << 2);
      for (let i: usize = 0; i < usize(span) << 2; i += 4) {
        store<f32>(target + i, scale * load<f32>(source + i));
      }
    }
    memory.fill(LTP_COEFFICIENTS, 0, usize(c.subframes * LTP_ORDER) << 2);
    analysis.ltpGainDb = 0;
    c.sumLogGainQ7 = 0;
  }
  let minInverseGain: f32;
  if (c.firstFrameAfterReset != 0) {
    const limit: f32 = 1e2;
    minInverseGain = one / limit;
  } else {
    const limit: f32 = 1e4;
    const three: f32 = 3.0;
    const quarter: f32 = 0.25;
    const rest: f32 = 0.75;
    minInverseGain = f32(powerOfTwo(analysis.ltpGainDb / three)) / limit;
    minInverseGain /= quarter + rest * analysis.codingQuality;
  }
  findNlsf(c, minInverseGain);
  processNlsf(c, NLSF_Q15);
  coefficientsToFloat(PREDICTION, PREDICTION_Q12, order);
  coefficientsToFloat(PREDICTION + 64, PREDICTION_Q12 + 32, order);
  residualEnergies(c);
  memory.copy(base + ENC_PREV_NLSF_Q15, NLSF_Q15, 32);
}
