// From indices to the parameters of synthesis: gains, prediction filters, lags, long-term taps.
import {
  contour,
  contour10ms,
  contour10msNb,
  contourNb,
  ltpScales,
  ltpTaps0,
  ltpTaps1,
  ltpTaps2,
} from "../tables/silk-gains-pitch-ltp";
import { BWE_AFTER_LOSS_Q16 } from "../tables/silk-stereo-misc";
import { clampInt } from "./fixed-point";
import { dequantizeGains } from "./gains";
import { expandBandwidth16 } from "./lpc";
import { decodeNlsf, nlsfToLpc } from "./nlsf";
import {
  GAINS_Q16,
  LTP_SCALE_Q14,
  LTP_TAPS_Q14,
  NLSF_FIRST_HALF_Q15,
  NLSF_Q15,
  PITCH_LAGS,
  PREDICTION_Q12,
} from "./scratch";
import {
  ChannelState,
  CODE_CONDITIONALLY,
  GAIN_INDICES,
  LTP_INDICES,
  LTP_ORDER,
  MAX_SUBFRAMES,
  NLSF_INDICES,
  PREV_NLSF_Q15,
  SIGNAL_VOICED,
} from "./state";

/** Lag of each subframe, i32[subframes] (RFC 6716 section 4.2.7.6.1). */
export function decodePitchLags(
  lags: usize,
  lagIndex: i32,
  contourIndex: i32,
  rateKhz: i32,
  subframes: i32,
): void {
  let offsets: usize;
  let count: i32;
  if (rateKhz == 8) {
    offsets = subframes == MAX_SUBFRAMES ? contourNb : contour10msNb;
    count = subframes == MAX_SUBFRAMES ? 11 : 3;
  } else {
    offsets = subframes == MAX_SUBFRAMES ? contour : contour10ms;
    count = subframes == MAX_SUBFRAMES ? 34 : 12;
  }
  const shortest = 2 * rateKhz;
  const longest = 18 * rateKhz;
  for (let k: i32 = 0; k < subframes; k++) {
    const offset = i32(load<i8>(offsets + usize(k * count + contourIndex)));
    store<i32>(lags + (usize(k) << 2), clampInt(shortest + lagIndex + offset, shortest, longest));
  }
}

export function ltpTapsOf(periodicity: i32): usize {
  return periodicity == 0 ? ltpTaps0 : periodicity == 1 ? ltpTaps1 : ltpTaps2;
}

/** Fills the parameter scratch from the channel's indices. */
export function decodeParameters(c: ChannelState, coding: i32): void {
  const base = changetype<usize>(c);
  const order = c.lpcOrder;
  const conditional = coding == CODE_CONDITIONALLY;
  const level = dequantizeGains(GAINS_Q16, base + GAIN_INDICES, c.lastGainIndex, conditional, c.subframes);
  c.lastGainIndex = level;

  decodeNlsf(NLSF_Q15, base + NLSF_INDICES, order);
  const second = PREDICTION_Q12 + 32;
  nlsfToLpc(second, NLSF_Q15, order);
  if (c.firstFrameAfterReset == 1) c.nlsfInterpolation = 4;
  if (c.nlsfInterpolation < 4) {
    for (let i: i32 = 0; i < order; i++) {
      const at = usize(i) << 1;
      const old = i32(load<i16>(base + PREV_NLSF_Q15 + at));
      const step = (c.nlsfInterpolation * (i32(load<i16>(NLSF_Q15 + at)) - old)) >> 2;
      store<i16>(NLSF_FIRST_HALF_Q15 + at, i16(old + step));
    }
    nlsfToLpc(PREDICTION_Q12, NLSF_FIRST_HALF_Q15, order);
  } else {
    memory.copy(PREDICTION_Q12, second, 32);
  }
  memory.copy(base + PREV_NLSF_Q15, NLSF_Q15, usize(order) << 1);
  if (c.lossCount != 0) {
    expandBandwidth16(PREDICTION_Q12, order, BWE_AFTER_LOSS_Q16);
    expandBandwidth16(second, order, BWE_AFTER_LOSS_Q16);
  }

  if (c.signalType == SIGNAL_VOICED) {
    decodePitchLags(PITCH_LAGS, c.lagIndex, c.contourIndex, c.rateKhz, c.subframes);
    const codebook = ltpTapsOf(c.periodicityIndex);
    for (let k: i32 = 0; k < c.subframes; k++) {
      const vector = codebook + usize(i32(load<i8>(base + LTP_INDICES + usize(k))) * LTP_ORDER);
      for (let i: i32 = 0; i < LTP_ORDER; i++) {
        const tap = i32(load<i8>(vector + usize(i))) << 7;
        store<i16>(LTP_TAPS_Q14 + (usize(k * LTP_ORDER + i) << 1), i16(tap));
      }
    }
    store<i32>(LTP_SCALE_Q14, i32(load<i16>(ltpScales + (usize(c.ltpScaleIndex) << 1))));
  } else {
    memory.fill(PITCH_LAGS, 0, 16);
    memory.fill(LTP_TAPS_Q14, 0, 40);
    c.periodicityIndex = 0;
    store<i32>(LTP_SCALE_Q14, 0);
  }
}
