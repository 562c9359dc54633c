// Packet loss concealment of SILK: the last pitch period and its filters go on, fading; the first good frame after a
// loss fades in (RFC 6716 section 4.4).
import {
  LOG2_INV_LPC_GAIN_HIGH_THRES,
  LOG2_INV_LPC_GAIN_LOW_THRES,
  MAX_PITCH_LAG_MS,
  PITCH_DRIFT_FAC_Q16,
  plcHarmonicAttenuation,
  plcNoiseAttenuationUnvoiced,
  plcNoiseAttenuationVoiced,
  RAND_BUF_SIZE,
  V_PITCH_GAIN_START_MAX_Q14,
  V_PITCH_GAIN_START_MIN_Q14,
} from "../tables/silk-stereo-misc";
import {
  inverseVarQ,
  nextRandom,
  sat16,
  shiftRound,
  smlawb,
  smulbb,
  smulwb,
  smulww,
  squareRoot,
} from "./fixed-point";
import { expandBandwidth16, inversePredictionGain, whiten } from "./lpc";
import {
  ENERGY_INPUT,
  GAINS_Q16,
  LTP_BUFFER,
  LTP_SCALE_Q14,
  LTP_TAPS_Q14,
  PITCH_LAGS,
  PREDICTION_Q12,
  WHITENED,
} from "./scratch";
import {
  ChannelState,
  EXCITATION_Q14,
  LPC_STATE_Q14,
  LTP_ORDER,
  MAX_LPC_ORDER,
  OUT_BUFFER,
  PLC_GAINS_Q16,
  PLC_LPC_Q12,
  PLC_LTP_Q14,
  SIGNAL_VOICED,
} from "./state";
import { scaleToOutput, synthesize } from "./synthesis-filter";

/** BWE_COEF = 0.99 in Q16. */
const EXPANSION_Q16: i32 = 64881;

export function resetConcealment(c: ChannelState): void {
  c.plcPitchQ8 = c.frameLength << 7;
  store<i32>(changetype<usize>(c) + PLC_GAINS_Q16, 1 << 16);
  store<i32>(changetype<usize>(c) + PLC_GAINS_Q16, 1 << 16, 4);
  c.plcSubframeLength = 20;
  c.plcSubframes = 2;
}

function followRate(c: ChannelState): void {
  if (c.rateKhz == c.plcRateKhz) return;
  resetConcealment(c);
  c.plcRateKhz = c.rateKhz;
}

/** Keeps what concealment needs of a decoded frame; its parameters lie in the scratch memory. */
export function rememberFrame(c: ChannelState): void {
  followRate(c);
  const base = changetype<usize>(c);
  const taps = base + PLC_LTP_Q14;
  const last = c.subframes - 1;
  c.prevSignalType = c.signalType;
  if (c.signalType == SIGNAL_VOICED) {
    // The strongest of the subframes that the last pitch period covers.
    let strongest: i32 = 0;
    const lastLag = load<i32>(PITCH_LAGS + (usize(last) << 2));
    for (let j: i32 = 0; j < c.subframes && j * c.subframeLength < lastLag; j++) {
      let gain: i32 = 0;
      const from = LTP_TAPS_Q14 + usize((last - j) * LTP_ORDER * 2);
      for (let i: usize = 0; i < 10; i += 2) gain += i32(load<i16>(from + i));
      if (gain > strongest) {
        strongest = gain;
        c.plcPitchQ8 = load<i32>(PITCH_LAGS + (usize(last - j) << 2)) << 8;
      }
    }
    memory.fill(taps, 0, LTP_ORDER * 2);
    let middle = i32(i16(strongest));
    if (strongest < V_PITCH_GAIN_START_MIN_Q14) {
      const scale = (i32(V_PITCH_GAIN_START_MIN_Q14) << 10) / max(strongest, 1);
      middle = smulbb(middle, scale) >> 10;
    } else if (strongest > V_PITCH_GAIN_START_MAX_Q14) {
      const scale = (i32(V_PITCH_GAIN_START_MAX_Q14) << 14) / max(strongest, 1);
      middle = smulbb(middle, scale) >> 14;
    }
    store<i16>(taps, i16(middle), 4);
  } else {
    c.plcPitchQ8 = (c.rateKhz * 18) << 8;
    memory.fill(taps, 0, LTP_ORDER * 2);
  }
  memory.copy(base + PLC_LPC_Q12, PREDICTION_Q12 + 32, usize(c.lpcOrder) << 1);
  c.plcLtpScaleQ14 = load<i32>(LTP_SCALE_Q14);
  memory.copy(base + PLC_GAINS_Q16, GAINS_Q16 + (usize(c.subframes - 2) << 2), 8);
  c.plcSubframeLength = c.subframeLength;
  c.plcSubframes = c.subframes;
}

/** Right shift that lets the sum of squares of i16[length] fit; the energy itself comes by `energyOf`. */
export function energyShift(x: usize, length: i32): i32 {
  const shift = 31 - i32(clz<i32>(length));
  const energy = shiftedEnergy(x, length, shift, length);
  return max(0, shift + 3 - i32(clz<i32>(energy)));
}

/** Sum of squares of i16[length], each pair shifted right by `shift`. */
export function energyOf(x: usize, length: i32, shift: i32): i32 {
  return shiftedEnergy(x, length, shift, 0);
}

function shiftedEnergy(x: usize, length: i32, shift: i32, start: i32): i32 {
  let sum = u32(start);
  let i: i32 = 0;
  for (; i < length - 1; i += 2) {
    const a = i32(load<i16>(x + (usize(i) << 1)));
    const b = i32(load<i16>(x + (usize(i) << 1), 2));
    sum += u32(a * a + b * b) >> shift;
  }
  if (i < length) {
    const a = i32(load<i16>(x + (usize(i) << 1)));
    sum += u32(a * a) >> shift;
  }
  return i32(sum);
}

/** Start of the 128 excitation samples used as noise: the quieter of the last two subframes. */
function noiseSource(c: ChannelState): usize {
  const base = changetype<usize>(c);
  const excitation = base + EXCITATION_Q14;
  const length = c.subframeLength;
  for (let k: i32 = 0; k < 2; k++) {
    const gain = load<i32>(base + PLC_GAINS_Q16 + (usize(k) << 2)) >> 6;
    const from = excitation + (usize((k + c.subframes - 2) * length) << 2);
    for (let i: i32 = 0; i < length; i++) {
      const scaled = smulww(load<i32>(from + (usize(i) << 2)), gain) >> 8;
      store<i16>(ENERGY_INPUT + (usize(k * length + i) << 1), i16(sat16(scaled)));
    }
  }
  const later = ENERGY_INPUT + (usize(length) << 1);
  const shift1 = energyShift(ENERGY_INPUT, length);
  const shift2 = energyShift(later, length);
  const energy1 = energyOf(ENERGY_INPUT, length, shift1);
  const energy2 = energyOf(later, length, shift2);
  const quieterFirst = energy1 >> shift2 < energy2 >> shift1;
  const end = (quieterFirst ? c.plcSubframes - 1 : c.plcSubframes) * c.plcSubframeLength;
  return excitation + (usize(max(0, end - RAND_BUF_SIZE)) << 2);
}

/** Replaces a lost frame; `output` is i16[frameLength]. */
export function concealFrame(c: ChannelState, output: usize): void {
  followRate(c);
  const base = changetype<usize>(c);
  const order = c.lpcOrder;
  const prediction = base + PLC_LPC_Q12;
  const taps = base + PLC_LTP_Q14;
  if (c.firstFrameAfterReset != 0) memory.fill(prediction, 0, MAX_LPC_ORDER * 2);
  const noise = noiseSource(c);
  const voiced = c.prevSignalType == SIGNAL_VOICED;
  const step = usize(min(1, c.lossCount)) << 1;
  const harmonicGain = i32(load<i16>(plcHarmonicAttenuation + step));
  let noiseGain = i32(load<i16>((voiced ? plcNoiseAttenuationVoiced : plcNoiseAttenuationUnvoiced) + step));
  let noiseScale = c.plcNoiseScaleQ14;

  expandBandwidth16(prediction, order, EXPANSION_Q16);
  if (c.lossCount == 0) {
    noiseScale = 1 << 14;
    if (voiced) {
      // Less noise where the pitch prediction is good, at least 0.2.
      for (let i: usize = 0; i < 10; i += 2) noiseScale = i32(i16(noiseScale - i32(load<i16>(taps + i))));
      noiseScale = smulbb(max(3277, noiseScale), c.plcLtpScaleQ14) >> 14;
    } else {
      // Less noise where the short-term prediction has much gain.
      const inverseGain = inversePredictionGain(prediction, order);
      let scale = min((1 << 30) >> LOG2_INV_LPC_GAIN_HIGH_THRES, inverseGain);
      scale = max((1 << 30) >> LOG2_INV_LPC_GAIN_LOW_THRES, scale) << LOG2_INV_LPC_GAIN_HIGH_THRES;
      noiseGain = smulwb(scale, noiseGain) >> 14;
    }
    noiseScale = i32(i16(noiseScale));
  }

  let seed = c.plcSeed;
  let lag = shiftRound(c.plcPitchQ8, 8);
  const memoryLength = c.ltpMemory;
  const start = memoryLength - lag - order - LTP_ORDER / 2;
  whiten(
    WHITENED + (usize(start) << 1),
    base + OUT_BUFFER + (usize(start) << 1),
    prediction,
    memoryLength - start,
    order,
  );
  const lastGain = load<i32>(base + PLC_GAINS_Q16, 4);
  const inverse = min(inverseVarQ(lastGain, 46), i32.MAX_VALUE >> 1);
  for (let i: i32 = start + order; i < memoryLength; i++) {
    const whitened = i32(load<i16>(WHITENED + (usize(i) << 1)));
    store<i32>(LTP_BUFFER + (usize(i) << 2), smulwb(inverse, whitened));
  }

  let at = LTP_BUFFER + (usize(memoryLength) << 2);
  for (let k: i32 = 0; k < c.subframes; k++) {
    const tap0 = i32(load<i16>(taps));
    const tap1 = i32(load<i16>(taps, 2));
    const tap2 = i32(load<i16>(taps, 4));
    const tap3 = i32(load<i16>(taps, 6));
    const tap4 = i32(load<i16>(taps, 8));
    let past = at - (usize(lag - LTP_ORDER / 2) << 2);
    for (let i: i32 = 0; i < c.subframeLength; i++) {
      let sum = smlawb(2, load<i32>(past), tap0);
      sum = smlawb(sum, load<i32>(past - 4), tap1);
      sum = smlawb(sum, load<i32>(past - 8), tap2);
      sum = smlawb(sum, load<i32>(past - 12), tap3);
      sum = smlawb(sum, load<i32>(past - 16), tap4);
      past += 4;
      seed = nextRandom(seed);
      const index = (seed >> 25) & (RAND_BUF_SIZE - 1);
      store<i32>(at, smlawb(sum, load<i32>(noise + (usize(index) << 2)), noiseScale) << 2);
      at += 4;
    }
    for (let j: usize = 0; j < 10; j += 2) {
      store<i16>(taps + j, i16(smulbb(harmonicGain, i32(load<i16>(taps + j))) >> 15));
    }
    noiseScale = i32(i16(smulbb(noiseScale, noiseGain) >> 15));
    // The pitch drifts down slowly, so that long concealment does not buzz.
    const drifted = smlawb(c.plcPitchQ8, c.plcPitchQ8, PITCH_DRIFT_FAC_Q16);
    c.plcPitchQ8 = min(drifted, (MAX_PITCH_LAG_MS * c.rateKhz) << 8);
    lag = shiftRound(c.plcPitchQ8, 8);
  }

  const synthesis = LTP_BUFFER + (usize(memoryLength - MAX_LPC_ORDER) << 2);
  memory.copy(synthesis, base + LPC_STATE_Q14, 64);
  synthesize(synthesis, synthesis + 64, prediction, order, c.frameLength);
  scaleToOutput(output, synthesis + 64, lastGain >> 6, c.frameLength);
  memory.copy(base + LPC_STATE_Q14, synthesis + (usize(c.frameLength) << 2), 64);

  c.plcSeed = seed;
  c.plcNoiseScaleQ14 = noiseScale;
  for (let k: usize = 0; k < 16; k += 4) store<i32>(PITCH_LAGS + k, lag);
  c.lossCount++;
}

/** Remembers the energy of concealed frames and fades the first good frame in from there. */
export function glueFrames(c: ChannelState, frame: usize, length: i32): void {
  if (c.lossCount != 0) {
    c.plcEnergyShift = energyShift(frame, length);
    c.plcEnergy = energyOf(frame, length, c.plcEnergyShift);
    c.plcLastFrameLost = 1;
    return;
  }
  if (c.plcLastFrameLost != 0) {
    const shift = energyShift(frame, length);
    let energy = energyOf(frame, length, shift);
    if (shift > c.plcEnergyShift) c.plcEnergy >>= shift - c.plcEnergyShift;
    else if (shift < c.plcEnergyShift) energy >>= c.plcEnergyShift - shift;
    if (energy > c.plcEnergy) {
      const zeros = i32(clz<i32>(c.plcEnergy)) - 1;
      c.plcEnergy <<= zeros;
      energy >>= max(24 - zeros, 0);
      const ratio = c.plcEnergy / max(energy, 1);
      let gain = squareRoot(ratio) << 4;
      const slope = (((1 << 16) - gain) / length) << 2;
      for (let i: i32 = 0; i < length; i++) {
        const sample = frame + (usize(i) << 1);
        store<i16>(sample, i16(smulwb(gain, i32(load<i16>(sample)))));
        gain += slope;
        if (gain > 1 << 16) break;
      }
    }
  }
  c.plcLastFrameLost = 0;
}
