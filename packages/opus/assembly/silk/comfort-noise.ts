// Comfort noise: while packets are missing, the noise floor of the inactive frames before goes on under the fading
// concealment.
import {
  CNG_BUF_MASK_MAX,
  CNG_GAIN_SMTH_Q16,
  CNG_GAIN_SMTH_THRESHOLD_Q16,
  CNG_NLSF_SMTH_Q16,
} from "../tables/silk-stereo-misc";
import { nextRandom, smulwb, smulww, squareRoot } from "./fixed-point";
import { nlsfToLpc } from "./nlsf";
import { CNG_OUTPUT, GAINS_Q16, PREDICTION_Q12, SYNTHESIS_Q14 } from "./scratch";
import {
  ChannelState,
  CNG_EXCITATION_Q14,
  CNG_NLSF_Q15,
  CNG_SYNTHESIS_Q14,
  EXCITATION_Q14,
  PLC_GAINS_Q16,
  PREV_NLSF_Q15,
  SIGNAL_INACTIVE,
} from "./state";
import { scaleToOutput, synthesize } from "./synthesis-filter";

export function resetComfortNoise(c: ChannelState): void {
  const step = 32767 / (c.lpcOrder + 1);
  let sum: i32 = 0;
  for (let i: i32 = 0; i < c.lpcOrder; i++) {
    sum += step;
    store<i16>(changetype<usize>(c) + CNG_NLSF_Q15 + (usize(i) << 1), i16(sum));
  }
  c.cngGainQ16 = 0;
  c.cngSeed = 3176576;
}

/** Follows envelope, excitation and gain of the background. */
function learn(c: ChannelState): void {
  const base = changetype<usize>(c);
  for (let i: i32 = 0; i < c.lpcOrder; i++) {
    const at = usize(i) << 1;
    const old = i32(load<i16>(base + CNG_NLSF_Q15 + at));
    const difference = i32(load<i16>(base + PREV_NLSF_Q15 + at)) - old;
    store<i16>(base + CNG_NLSF_Q15 + at, i16(old + smulwb(difference, CNG_NLSF_SMTH_Q16)));
  }
  let loudest: i32 = 0;
  let loudestSubframe: i32 = 0;
  for (let k: i32 = 0; k < c.subframes; k++) {
    const gain = load<i32>(GAINS_Q16 + (usize(k) << 2));
    if (gain > loudest) {
      loudest = gain;
      loudestSubframe = k;
    }
  }
  const bytes = usize(c.subframeLength) << 2;
  const store0 = base + CNG_EXCITATION_Q14;
  memory.copy(store0 + bytes, store0, usize(c.subframes - 1) * bytes);
  memory.copy(store0, base + EXCITATION_Q14 + usize(loudestSubframe) * bytes, bytes);
  for (let k: i32 = 0; k < c.subframes; k++) {
    const gain = load<i32>(GAINS_Q16 + (usize(k) << 2));
    c.cngGainQ16 += smulwb(gain - c.cngGainQ16, CNG_GAIN_SMTH_Q16);
    // 3 dB above the newest gain the estimate falls at once.
    if (smulww(c.cngGainQ16, CNG_GAIN_SMTH_THRESHOLD_Q16) > gain) c.cngGainQ16 = gain;
  }
}

/** Gain of the noise in Q10: the learned level without the energy that concealment still carries. */
function noiseGain(c: ChannelState): i32 {
  const lastGain = load<i32>(changetype<usize>(c) + PLC_GAINS_Q16, 4);
  const concealed = smulww(c.plcNoiseScaleQ14, lastGain);
  const learned = c.cngGainQ16;
  if (concealed >= 1 << 21 || learned > 1 << 23) {
    const high = concealed >> 16;
    const learnedHigh = learned >> 16;
    return (squareRoot(learnedHigh * learnedHigh - ((high * high) << 5)) << 16) >> 6;
  }
  const energy = smulww(learned, learned) - (smulww(concealed, concealed) << 5);
  return (squareRoot(energy) << 8) >> 6;
}

/** Learns from an inactive frame, or adds noise to a concealed one. */
export function applyComfortNoise(c: ChannelState, frame: usize, length: i32): void {
  const base = changetype<usize>(c);
  if (c.rateKhz != c.cngRateKhz) {
    resetComfortNoise(c);
    c.cngRateKhz = c.rateKhz;
  }
  if (c.lossCount == 0 && c.prevSignalType == SIGNAL_INACTIVE) learn(c);
  if (c.lossCount == 0) {
    memory.fill(base + CNG_SYNTHESIS_Q14, 0, usize(c.lpcOrder) << 2);
    return;
  }
  const gain = noiseGain(c);
  let mask = CNG_BUF_MASK_MAX;
  while (mask > length) mask >>= 1;
  let seed = c.cngSeed;
  for (let i: i32 = 0; i < length; i++) {
    seed = nextRandom(seed);
    const index = (seed >> 24) & mask;
    const sample = load<i32>(base + CNG_EXCITATION_Q14 + (usize(index) << 2));
    store<i32>(SYNTHESIS_Q14 + 64 + (usize(i) << 2), sample);
  }
  c.cngSeed = seed;
  nlsfToLpc(PREDICTION_Q12, base + CNG_NLSF_Q15, c.lpcOrder);
  memory.copy(SYNTHESIS_Q14, base + CNG_SYNTHESIS_Q14, 64);
  synthesize(SYNTHESIS_Q14, SYNTHESIS_Q14 + 64, PREDICTION_Q12, c.lpcOrder, length);
  scaleToOutput(CNG_OUTPUT, SYNTHESIS_Q14 + 64, gain, length);
  for (let i: usize = 0; i < usize(length) << 1; i += 16) {
    v128.store(frame + i, i16x8.add_sat_s(v128.load(frame + i), v128.load(CNG_OUTPUT + i)));
  }
  memory.copy(base + CNG_SYNTHESIS_Q14, SYNTHESIS_Q14 + (usize(length) << 2), 64);
}
