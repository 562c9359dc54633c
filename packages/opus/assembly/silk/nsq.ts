// Noise shaping quantizer without look-ahead: each sample takes the cheaper of two levels at once.
import { NSQ_LF_Q14, NSQ_LTP_Q15, NSQ_SCALED_INPUT, NSQ_SHAPING_Q13, NSQ_TILT_Q14 } from "./encoder-scratch";
import {
  ChannelEncoder,
  FrameIndices,
  MAX_SHAPING_ORDER,
  NSQ_AR_Q14,
  NSQ_LPC_Q14,
  NSQ_OUTPUT,
  NSQ_SHAPE_Q14,
  QuantizerState,
} from "./encoder-state";
import {
  clampInt,
  divideVarQ,
  nextRandom,
  sat16,
  shiftRound,
  smlawb,
  smlawt,
  smulbb,
  smulwb,
  smulww,
} from "./fixed-point";
import {
  advanceMemories,
  levelAbove,
  levelBelow,
  lowerLevel,
  packHarmonicTaps,
  predictLongTermSample,
  quantizerOffset,
  rewhiten,
  scaleInput,
  scaleStates,
  shapeHarmonics,
} from "./nsq-common";
import { GAINS_Q16, LTP_TAPS_Q14, PITCH_LAGS, PREDICTION_Q12 } from "./scratch";
import { LTP_ORDER, SIGNAL_VOICED } from "./state";

/** Short-term prediction in Q10; `past` is the newest sample. */
function predictShortTerm(past: usize, coefficients: usize, order: i32): i32 {
  let sum = order >> 1;
  for (let k: i32 = 0; k < order; k++) {
    sum = smlawb(sum, load<i32>(past - (usize(k) << 2)), i32(load<i16>(coefficients + (usize(k) << 1))));
  }
  return sum;
}

/** Noise feedback through the shaping filter, Q12; shifts the delay line. */
function shapeNoise(newest: i32, line: usize, coefficients: usize, order: i32): i32 {
  let sum = order >> 1;
  let incoming = newest;
  for (let k: i32 = 0; k < order; k++) {
    const at = line + (usize(k) << 2);
    const leaving = load<i32>(at);
    store<i32>(at, incoming);
    sum = smlawb(sum, incoming, i32(load<i16>(coefficients + (usize(k) << 1))));
    incoming = leaving;
  }
  return sum << 1;
}

function rescale(c: ChannelEncoder, q: QuantizerState, k: i32, voiced: bool): void {
  const base = changetype<usize>(q);
  const gain = load<i32>(GAINS_Q16 + (usize(k) << 2));
  if (gain == q.prevGainQ16) return;
  const factor = divideVarQ(q.prevGainQ16, gain, 16);
  scaleStates(base + NSQ_SHAPE_Q14 + (usize(q.shapeAt - c.ltpMemory) << 2), c.ltpMemory, factor);
  if (voiced && q.rewhitened == 0) {
    const span = load<i32>(PITCH_LAGS + (usize(k) << 2)) + LTP_ORDER / 2;
    scaleStates(NSQ_LTP_Q15 + (usize(q.ltpAt - span) << 2), span, factor);
  }
  q.lowFrequencyQ14 = smulww(factor, q.lowFrequencyQ14);
  q.differenceQ14 = smulww(factor, q.differenceQ14);
  scaleStates(base + NSQ_LPC_Q14, 16, factor);
  scaleStates(base + NSQ_AR_Q14, MAX_SHAPING_ORDER, factor);
  q.prevGainQ16 = gain;
}

/** Quantizes the frame; the parameters lie in the scratch memory. */
export function quantizeFrame(
  c: ChannelEncoder,
  q: QuantizerState,
  indices: FrameIndices,
  pulses: usize,
  lambdaQ10: i32,
): void {
  const base = changetype<usize>(q);
  const voiced = indices.signalType == SIGNAL_VOICED;
  const interpolated = indices.nlsfInterpolation != 4;
  const offset = quantizerOffset(indices);
  const length = c.subframeLength;
  const shaping = c.shapingOrder;
  const order = c.predictOrder;
  let lag = q.lagPrev;
  q.seed = indices.seed;
  q.shapeAt = c.ltpMemory;
  q.ltpAt = c.ltpMemory;
  for (let k: i32 = 0; k < c.subframes; k++) {
    const prediction = PREDICTION_Q12 + (usize((k >> 1) | (interpolated ? 0 : 1)) << 5);
    q.rewhitened = 0;
    if (voiced) {
      lag = load<i32>(PITCH_LAGS + (usize(k) << 2));
      if ((k & (interpolated ? 1 : 3)) == 0) rewhiten(c, q, k, lag, prediction);
    }
    scaleInput(c, q, k);
    rescale(c, q, k, voiced);

    const taps = LTP_TAPS_Q14 + usize(k * LTP_ORDER * 2);
    const filter = NSQ_SHAPING_Q13 + usize(k * 48);
    const harmonic = packHarmonicTaps(k);
    const tilt = load<i32>(NSQ_TILT_Q14 + (usize(k) << 2));
    const lowFrequency = load<i32>(NSQ_LF_Q14 + (usize(k) << 2));
    const gainQ10 = load<i32>(GAINS_Q16 + (usize(k) << 2)) >> 6;
    const output = base + NSQ_OUTPUT + (usize(c.ltpMemory + k * length) << 1);
    const target = pulses + usize(k * length);
    let shapePast = base + NSQ_SHAPE_Q14 + (usize(q.shapeAt - lag + 1) << 2);
    let ltpPast = NSQ_LTP_Q15 + (usize(q.ltpAt - lag + LTP_ORDER / 2) << 2);
    let synthesis = base + NSQ_LPC_Q14 + 60;
    for (let i: i32 = 0; i < length; i++) {
      q.seed = nextRandom(q.seed);
      const shortTerm = predictShortTerm(synthesis, prediction, order);
      let longTerm: i32 = 0;
      if (voiced) {
        longTerm = predictLongTermSample(ltpPast, taps);
        ltpPast += 4;
      }
      let feedback = shapeNoise(q.differenceQ14, base + NSQ_AR_Q14, filter, shaping);
      feedback = smlawb(feedback, q.lowFrequencyQ14, tilt);
      const shapeNow = base + NSQ_SHAPE_Q14 + (usize(q.shapeAt) << 2);
      let low = smulwb(load<i32>(shapeNow - 4), lowFrequency);
      low = smlawt(low, q.lowFrequencyQ14, lowFrequency);
      let wanted = (shortTerm << 2) - feedback - low;
      if (lag > 0) {
        const shaped = shapeHarmonics(shapePast, harmonic) << 1;
        shapePast += 4;
        wanted = shiftRound(longTerm - shaped + (wanted << 1), 3);
      } else {
        wanted = shiftRound(wanted, 2);
      }
      const input = load<i32>(NSQ_SCALED_INPUT + (usize(i) << 2));
      let residual = input - wanted;
      if (q.seed < 0) residual = -residual;
      residual = clampInt(residual, -(31 << 10), 30 << 10);
      const index = lowerLevel(residual - offset, lambdaQ10);
      const below = levelBelow(index, offset);
      const above = levelAbove(index, below, offset);
      const errorBelow = residual - below;
      const errorAbove = residual - above;
      const costBelow = smulbb(index < 0 ? -below : below, lambdaQ10) + smulbb(errorBelow, errorBelow);
      const costAbove = smulbb(index < -1 ? -above : above, lambdaQ10) + smulbb(errorAbove, errorAbove);
      const level = costAbove < costBelow ? above : below;
      const pulse = shiftRound(level, 10);
      store<i8>(target + usize(i), i8(pulse));
      let excitation = level << 4;
      if (q.seed < 0) excitation = -excitation;
      const predicted = excitation + (longTerm << 1);
      const decoded = predicted + (shortTerm << 4);
      store<i16>(output + (usize(i) << 1), i16(sat16(shiftRound(smulww(decoded, gainQ10), 8))));
      synthesis += 4;
      store<i32>(synthesis, decoded);
      q.differenceQ14 = decoded - (input << 4);
      q.lowFrequencyQ14 = q.differenceQ14 - (feedback << 2);
      store<i32>(shapeNow, q.lowFrequencyQ14 - (low << 2));
      store<i32>(NSQ_LTP_Q15 + (usize(q.ltpAt) << 2), predicted << 1);
      q.shapeAt++;
      q.ltpAt++;
      q.seed += i32(i8(pulse));
    }
    memory.copy(base + NSQ_LPC_Q14, base + NSQ_LPC_Q14 + (usize(length) << 2), 64);
  }
  q.lagPrev = load<i32>(PITCH_LAGS + (usize(c.subframes - 1) << 2));
  advanceMemories(c, q);
}
