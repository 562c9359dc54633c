// Noise shaping analysis: gains, spectral and harmonic shaping of the quantization noise, quantizer offset.
import { MIN_QGAIN_DB } from "../tables/silk-gains-pitch-ltp";
import {
  BANDWIDTH_EXPANSION,
  BG_SNR_DECR_dB,
  ENERGY_VARIATION_THRESHOLD_QNT_OFFSET,
  FIND_PITCH_WHITE_NOISE_FRACTION,
  HARM_HP_NOISE_COEF,
  HARM_SNR_INCR_dB,
  HARMONIC_SHAPING,
  HIGH_RATE_OR_LOW_QUALITY_HARMONIC_SHAPING,
  HP_NOISE_COEF,
  LOW_FREQ_SHAPING,
  LOW_QUALITY_LOW_FREQ_SHAPING_DECR,
  SHAPE_WHITE_NOISE_FRACTION,
  SUBFR_SMTH_COEF,
} from "../tables/encoder-tuning";
import {
  ANALYSIS,
  CORRELATIONS,
  DOUBLES,
  FrameAnalysis,
  GAINS,
  HARMONIC_GAIN,
  LF_AR,
  LF_MA,
  REFLECTIONS,
  SHAPING_AR,
  TILT,
  WINDOWED,
} from "./encoder-scratch";
import { ChannelEncoder, ENC_INDICES, ENC_INPUT_QUALITY_Q15, FrameIndices } from "./encoder-state";
import {
  applySineWindow,
  autocorrelation,
  energyOfFloats,
  expandBandwidthFloat,
  logTwo,
  powerOfTwo,
  reflectionsToLpc,
  schur,
  sigmoid,
} from "./float-signal";
import { PITCH_LAGS } from "./scratch";
import { SIGNAL_VOICED } from "./state";
import { warpedAutocorrelation } from "./warped-autocorrelation";

const ONE: f32 = 1.0;
const HALF: f32 = 0.5;
const Q7: f32 = 1.0 / 128.0;
const Q8: f32 = 1.0 / 256.0;
const Q15: f32 = 1.0 / 32768.0;
const COEFFICIENT_LIMIT: f32 = 3.999;

/** Gain of a warped filter relative to its unwarped form. */
function warpedGain(coefficients: usize, warping: f32, order: i32): f32 {
  const lambda = -warping;
  let gain = load<f32>(coefficients + (usize(order - 1) << 2));
  for (let i: i32 = order - 2; i >= 0; i--) gain = lambda * gain + load<f32>(coefficients + (usize(i) << 2));
  return ONE / (ONE - lambda * gain);
}

function scaleAll(values: usize, factor: f32, count: i32): void {
  for (let i: i32 = 0; i < count; i++) {
    const at = values + (usize(i) << 2);
    store<f32>(at, load<f32>(at) * factor);
  }
}

/** Warped coefficients to a monic filter; returns the gain that was taken out. */
function toMonic(coefficients: usize, lambda: f32, order: i32): f32 {
  for (let i: i32 = order - 1; i > 0; i--) {
    const at = coefficients + (usize(i) << 2);
    store<f32>(at - 4, load<f32>(at - 4) - lambda * load<f32>(at));
  }
  const gain = (ONE - lambda * lambda) / (ONE + lambda * load<f32>(coefficients));
  scaleAll(coefficients, gain, order);
  return gain;
}

/** The chirp that brings the largest coefficient below the limit, or 0 if all are below it. */
function limitingChirp(coefficients: usize, order: i32, round: i32): f32 {
  let largest: f32 = -1;
  let index: i32 = 0;
  for (let i: i32 = 0; i < order; i++) {
    const size = abs<f32>(load<f32>(coefficients + (usize(i) << 2)));
    if (size > largest) {
      largest = size;
      index = i;
    }
  }
  if (largest <= COEFFICIENT_LIMIT) return 0;
  const most: f32 = 0.99;
  const base: f32 = 0.8;
  const step: f32 = 0.1;
  return most - ((base + step * f32(round)) * (largest - COEFFICIENT_LIMIT)) / (largest * f32(index + 1));
}

function limitWarped(coefficients: usize, lambda: f32, order: i32): void {
  let gain = toMonic(coefficients, lambda, order);
  for (let round: i32 = 0; round < 10; round++) {
    const chirp = limitingChirp(coefficients, order, round);
    if (chirp == 0) return;
    for (let i: i32 = 1; i < order; i++) {
      const at = coefficients + (usize(i) << 2);
      store<f32>(at - 4, load<f32>(at - 4) + lambda * load<f32>(at));
    }
    gain = ONE / gain;
    scaleAll(coefficients, gain, order);
    expandBandwidthFloat(coefficients, order, chirp);
    gain = toMonic(coefficients, lambda, order);
  }
}

function limitPlain(coefficients: usize, order: i32): void {
  for (let round: i32 = 0; round < 10; round++) {
    const chirp = limitingChirp(coefficients, order, round);
    if (chirp == 0) return;
    expandBandwidthFloat(coefficients, order, chirp);
  }
}

/** Sum of the changes of log energy between pieces of 2 ms of the whitened frame. */
function energyVariation(residual: usize, rateKhz: i32, pieces: i32): f32 {
  const length = 2 * rateKhz;
  let sum: f32 = 0;
  let previous: f32 = 0;
  for (let k: i32 = 0; k < pieces; k++) {
    const energy = f32(length) + f32(energyOfFloats(residual + (usize(k * length) << 2), length));
    const log = logTwo(f64(energy));
    if (k > 0) sum += abs<f32>(log - previous);
    previous = log;
  }
  return sum;
}

/** Shaping filter and unscaled gain of every subframe. */
function analyzeSubframes(c: ChannelEncoder, frame: usize, expansion: f32, warping: f32): void {
  const order = c.shapingOrder;
  const flat = c.rateKhz * 3;
  const slope = (c.shapeWindow - flat) / 2;
  for (let k: i32 = 0; k < c.subframes; k++) {
    const x = frame + (usize(k * c.subframeLength) << 2) - (usize(c.shapeLookAhead) << 2);
    const flatAt = usize(slope) << 2;
    const fallAt = usize(slope + flat) << 2;
    applySineWindow(WINDOWED, x, false, slope);
    memory.copy(WINDOWED + flatAt, x + flatAt, usize(flat) << 2);
    applySineWindow(WINDOWED + fallAt, x + fallAt, true, slope);
    if (c.warpingQ16 > 0) warpedAutocorrelation(CORRELATIONS, WINDOWED, warping, c.shapeWindow, order);
    else autocorrelation(CORRELATIONS, WINDOWED, c.shapeWindow, order + 1);
    const zeroLag = load<f32>(CORRELATIONS);
    store<f32>(CORRELATIONS, zeroLag + (zeroLag * SHAPE_WHITE_NOISE_FRACTION + ONE));
    const residual = schur(REFLECTIONS, CORRELATIONS, order, DOUBLES);
    const filter = SHAPING_AR + usize(k * 96);
    reflectionsToLpc(filter, REFLECTIONS, order);
    let gain = sqrt<f32>(residual);
    if (c.warpingQ16 > 0) gain *= warpedGain(filter, warping, order);
    store<f32>(GAINS + (usize(k) << 2), gain);
    expandBandwidthFloat(filter, order, expansion);
    if (c.warpingQ16 > 0) limitWarped(filter, warping, order);
    else limitPlain(filter, order);
  }
}

/** `residual` is the whitened frame, `frame` the first sample of the frame in the history buffer. */
export function analyzeNoiseShaping(c: ChannelEncoder, residual: usize, frame: usize): void {
  const base = changetype<usize>(c);
  const analysis = changetype<FrameAnalysis>(ANALYSIS);
  const indices = changetype<FrameIndices>(base + ENC_INDICES);
  const voiced = indices.signalType == SIGNAL_VOICED;
  const quality0 = load<i32>(base + ENC_INPUT_QUALITY_Q15);
  const quality1 = load<i32>(base + ENC_INPUT_QUALITY_Q15, 4);
  const activity = f32(c.speechActivityQ8);

  let snr = f32(c.snrDbQ7) * Q7;
  analysis.inputQuality = HALF * f32(quality0 + quality1) * Q15;
  const quarter: f32 = 0.25;
  const twenty: f32 = 20.0;
  analysis.codingQuality = sigmoid(quarter * (snr - twenty));
  const inputQuality = analysis.inputQuality;
  const codingQuality = analysis.codingQuality;
  if (c.useCbr == 0) {
    const b = ONE - activity * Q8;
    snr -= BG_SNR_DECR_dB * codingQuality * (HALF + HALF * inputQuality) * b * b;
  }
  if (voiced) {
    snr += HARM_SNR_INCR_dB * c.ltpCorrelation;
  } else {
    const slope: f32 = -0.4;
    const six: f32 = 6.0;
    snr += (slope * f32(c.snrDbQ7) * Q7 + six) * (ONE - inputQuality);
  }

  if (voiced) {
    indices.quantOffsetType = 0;
  } else {
    const pieces = (5 * c.subframes) / 2;
    const variation = energyVariation(residual, c.rateKhz, pieces);
    indices.quantOffsetType = variation > ENERGY_VARIATION_THRESHOLD_QNT_OFFSET * f32(pieces - 1) ? 0 : 1;
  }

  let strength = FIND_PITCH_WHITE_NOISE_FRACTION * analysis.predictionGain;
  const expansion = BANDWIDTH_EXPANSION / (ONE + strength * strength);
  const q16: f32 = 65536.0;
  const perQuality: f32 = 0.01;
  const warping = f32(c.warpingQ16) / q16 + perQuality * codingQuality;
  analyzeSubframes(c, frame, expansion, warping);

  const perDb: f32 = 0.16;
  const gainFactor = f32(powerOfTwo(-perDb * snr));
  const gainFloor = f32(powerOfTwo(perDb * f32(MIN_QGAIN_DB)));
  for (let k: i32 = 0; k < c.subframes; k++) {
    const at = GAINS + (usize(k) << 2);
    store<f32>(at, load<f32>(at) * gainFactor + gainFloor);
  }

  strength = LOW_FREQ_SHAPING * (ONE + LOW_QUALITY_LOW_FREQ_SHAPING_DECR * (f32(quality0) * Q15 - ONE));
  strength *= activity * Q8;
  let tilt: f32;
  if (voiced) {
    const perRate: f32 = 0.2;
    const perLag: f32 = 3.0;
    for (let k: i32 = 0; k < c.subframes; k++) {
      const at = usize(k) << 2;
      const b = perRate / f32(c.rateKhz) + perLag / f32(load<i32>(PITCH_LAGS + at));
      store<f32>(LF_MA + at, -ONE + b);
      store<f32>(LF_AR + at, ONE - b - b * strength);
    }
    tilt = -HP_NOISE_COEF - (ONE - HP_NOISE_COEF) * HARM_HP_NOISE_COEF * activity * Q8;
  } else {
    const perRate: f32 = 1.3;
    const share: f32 = 0.6;
    const b = perRate / f32(c.rateKhz);
    for (let k: i32 = 0; k < c.subframes; k++) {
      const at = usize(k) << 2;
      store<f32>(LF_MA + at, -ONE + b);
      store<f32>(LF_AR + at, ONE - b - b * strength * share);
    }
    tilt = -HP_NOISE_COEF;
  }
  let harmonic: f32 = 0;
  if (voiced) {
    harmonic = HARMONIC_SHAPING;
    harmonic += HIGH_RATE_OR_LOW_QUALITY_HARMONIC_SHAPING * (ONE - (ONE - codingQuality) * inputQuality);
    harmonic *= sqrt<f32>(c.ltpCorrelation);
  }
  for (let k: i32 = 0; k < c.subframes; k++) {
    const at = usize(k) << 2;
    c.harmonicGainSmooth += SUBFR_SMTH_COEF * (harmonic - c.harmonicGainSmooth);
    store<f32>(HARMONIC_GAIN + at, c.harmonicGainSmooth);
    c.tiltSmooth += SUBFR_SMTH_COEF * (tilt - c.tiltSmooth);
    store<f32>(TILT + at, c.tiltSmooth);
  }
}
