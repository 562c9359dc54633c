// Decodes the excitation of one frame into samples: scaling, long-term and short-term prediction
// (RFC 6716 section 4.2.7.9).
import { QUANT_LEVEL_ADJUST_Q10, quantizationOffsets } from "../tables/silk-excitation";
import { divideVarQ, inverseVarQ, nextRandom, smulwb, smulww } from "./fixed-point";
import { whiten } from "./lpc";
import {
  GAINS_Q16,
  HISTORY_REACH,
  LTP_BUFFER,
  LTP_SCALE_Q14,
  LTP_TAPS_Q14,
  PITCH_LAGS,
  PREDICTION_Q12,
  PULSES,
  RESIDUAL_Q14,
  SYNTHESIS_Q14,
  WHITENED,
} from "./scratch";
import {
  ChannelState,
  EXCITATION_Q14,
  LPC_STATE_Q14,
  LTP_ORDER,
  OUT_BUFFER,
  SIGNAL_VOICED,
} from "./state";
import { scaleToOutput, synthesize } from "./synthesis-filter";

/** Excitation in Q14 from the pulses, with the offset of the quantizer and pseudo-random signs. */
function scaleExcitation(c: ChannelState): void {
  const offsetAt = usize(((c.signalType >> 1) << 1) + c.quantOffsetType) << 1;
  const offset = i32(load<i16>(quantizationOffsets + offsetAt)) << 4;
  const adjust = QUANT_LEVEL_ADJUST_Q10 << 4;
  const excitation = changetype<usize>(c) + EXCITATION_Q14;
  let seed = c.seed;
  for (let i: i32 = 0; i < c.frameLength; i++) {
    seed = nextRandom(seed);
    const pulse = i32(load<i16>(PULSES + (usize(i) << 1)));
    let value = pulse << 14;
    if (pulse > 0) value -= adjust;
    else if (pulse < 0) value += adjust;
    value += offset;
    store<i32>(excitation + (usize(i) << 2), seed < 0 ? -value : value);
    seed += pulse;
  }
}

/** Per lane (x * tap) >> 16. */
function tapTerms(x: v128, tap: v128): v128 {
  const low = v128.and(x, i32x4.splat(0xffff));
  return i32x4.add(i32x4.mul(i32x4.shr_s(x, 16), tap), i32x4.shr_s(i32x4.mul(low, tap), 16));
}

/** Adds the prediction of five taps around `lag` (>= 16, so four outputs are independent) to the excitation. */
function predictLongTerm(excitation: usize, bufferAt: usize, lag: i32, taps: usize, length: i32): void {
  const tap0 = i32x4.splat(i32(load<i16>(taps)));
  const tap1 = i32x4.splat(i32(load<i16>(taps, 2)));
  const tap2 = i32x4.splat(i32(load<i16>(taps, 4)));
  const tap3 = i32x4.splat(i32(load<i16>(taps, 6)));
  const tap4 = i32x4.splat(i32(load<i16>(taps, 8)));
  // The newest sample is the one two after the lag.
  const past = bufferAt - (usize(lag - LTP_ORDER / 2) << 2);
  for (let i: i32 = 0; i < length; i += 4) {
    const at = usize(i) << 2;
    let sum = i32x4.add(i32x4.splat(2), tapTerms(v128.load(past + at), tap0));
    sum = i32x4.add(sum, tapTerms(v128.load(past + at - 4), tap1));
    sum = i32x4.add(sum, tapTerms(v128.load(past + at - 8), tap2));
    sum = i32x4.add(sum, tapTerms(v128.load(past + at - 12), tap3));
    sum = i32x4.add(sum, tapTerms(v128.load(past + at - 16), tap4));
    const residual = i32x4.add(v128.load(excitation + at), i32x4.shl(sum, 1));
    v128.store(RESIDUAL_Q14 + at, residual);
    v128.store(bufferAt + at, i32x4.shl(residual, 1));
  }
}

/** Synthesizes the frame whose parameters and pulses lie in the scratch memory; `output` is i16[frameLength]. */
export function synthesizeFrame(c: ChannelState, output: usize): void {
  const base = changetype<usize>(c);
  const order = c.lpcOrder;
  const length = c.subframeLength;
  const interpolated = c.nlsfInterpolation < 4;
  scaleExcitation(c);
  memory.copy(SYNTHESIS_Q14, base + LPC_STATE_Q14, 64);
  let ltpAt = LTP_BUFFER + (usize(c.ltpMemory) << 2);
  for (let k: i32 = 0; k < c.subframes; k++) {
    const excitation = base + EXCITATION_Q14 + (usize(k * length) << 2);
    const target = output + (usize(k * length) << 1);
    const prediction = PREDICTION_Q12 + (usize(k >> 1) << 5);
    const taps = LTP_TAPS_Q14 + usize(k * LTP_ORDER * 2);
    const gain = load<i32>(GAINS_Q16 + (usize(k) << 2));
    let voiced = c.signalType == SIGNAL_VOICED;
    let inverseGain = inverseVarQ(gain, 47);
    let gainAdjust: i32 = 1 << 16;
    if (gain != c.prevGainQ16) {
      gainAdjust = divideVarQ(c.prevGainQ16, gain, 16);
      for (let i: usize = 0; i < 64; i += 4) {
        store<i32>(SYNTHESIS_Q14 + i, smulww(gainAdjust, load<i32>(SYNTHESIS_Q14 + i)));
      }
    }
    c.prevGainQ16 = gain;

    // After concealment of voiced sound the pitch fades out instead of stopping.
    if (c.lossCount != 0 && c.prevSignalType == SIGNAL_VOICED && !voiced && k < 2) {
      memory.fill(taps, 0, LTP_ORDER * 2);
      store<i16>(taps, 4096, 4);
      voiced = true;
      store<i32>(PITCH_LAGS + (usize(k) << 2), c.lagPrev);
    }

    let residual = excitation;
    if (voiced) {
      const lag = load<i32>(PITCH_LAGS + (usize(k) << 2));
      const span = lag + LTP_ORDER / 2;
      if (k == 0 || (k == 2 && interpolated)) {
        const start = c.ltpMemory - lag - order - LTP_ORDER / 2;
        if (k == 0 && c.framesDecoded == 0) {
          store<i32>(HISTORY_REACH, max<i32>(load<i32>(HISTORY_REACH), c.ltpMemory - start));
        }
        if (k == 2) memory.copy(base + OUT_BUFFER + (usize(c.ltpMemory) << 1), output, usize(length) << 2);
        const past = base + OUT_BUFFER + (usize(start + k * length) << 1);
        whiten(WHITENED + (usize(start) << 1), past, prediction, c.ltpMemory - start, order);
        if (k == 0) inverseGain = smulwb(inverseGain, load<i32>(LTP_SCALE_Q14)) << 2;
        for (let i: i32 = 1; i <= span; i++) {
          const sample = i32(load<i16>(WHITENED + (usize(c.ltpMemory - i) << 1)));
          store<i32>(ltpAt - (usize(i) << 2), smulwb(inverseGain, sample));
        }
      } else if (gainAdjust != 1 << 16) {
        for (let i: i32 = 1; i <= span; i++) {
          const at = ltpAt - (usize(i) << 2);
          store<i32>(at, smulww(gainAdjust, load<i32>(at)));
        }
      }
      predictLongTerm(excitation, ltpAt, lag, taps, length);
      ltpAt += usize(length) << 2;
      residual = RESIDUAL_Q14;
    }
    synthesize(SYNTHESIS_Q14, residual, prediction, order, length);
    scaleToOutput(target, SYNTHESIS_Q14 + 64, gain >> 6, length);
    memory.copy(SYNTHESIS_Q14, SYNTHESIS_Q14 + (usize(length) << 2), 64);
  }
  memory.copy(base + LPC_STATE_Q14, SYNTHESIS_Q14, 64);
}
