// One step (20 ms) of the music and speech analysis at 24 kHz: phase predictability of every bin, energies and their
// dynamics in 18 bands, cepstra, bandwidth and leakage; the network makes probabilities of them.
import { LEAK_BANDS, LEAK_BOOST, SIGNAL_ANALYSIS_BYTES, SignalAnalysis } from "../celt/encoder-state";
import { fft } from "../celt/fft";
import { FFT_IMAGINARY_AT, FFT_REAL_AT } from "../celt/scratch";
import { bands, dct, featureBias, window } from "../tables/analysis-network";
import { fftBitrev480, fftScale } from "../tables/celt-transform";
import { ANALYSIS_WORK_AT, ENERGY_SCALE, takeInput } from "./analysis-input";
import { runNetwork } from "./analysis-network";
import {
  ANGLE,
  ANGLE_D,
  ANGLE_D2,
  AnalysisState,
  BAND_TONALITY,
  CEPSTRA,
  CEPSTRUM_MEAN,
  DEVIATION,
  ENERGY,
  HIGH_ENERGY,
  HISTORY_FRAMES,
  LOG_ENERGY,
  LOW_ENERGY,
  MEAN_ENERGY,
  NETWORK_STATE,
  resultAt,
  RESULTS,
  SAMPLES,
  STEP_SAMPLES,
  TONE_BANDS,
} from "./analysis-state";
import { isDigitalSilence } from "./encoder-input";

const ONE: f32 = 1.0;
const HALF: f32 = 0.5;
const PI4: f32 = 97.40909103400243;
/** 1 / 2 pi. */
const TURNS: f32 = 0.15915494309189535;
const LOG2_HALF: f32 = <f32>0.5 * <f32>1.442695;
const LEAKAGE: f32 = 2.5;
const LEAKAGE_SLOPE: f32 = 2.0;
/** Bands above which a tone counts; the others are left out of the tonality. */
const TONAL_SKIP: i32 = 9;
const MOST_STEPS: i32 = 10000;

// Work memory of a step.
const TONALITY: usize = ANALYSIS_WORK_AT; // f32[240]
const TONALITY_NOW: usize = TONALITY + 960;
const NOISINESS: usize = TONALITY_NOW + 960;
const LOGS: usize = NOISINESS + 960; // f32[18]
const LOGS2: usize = LOGS + 80; // f32[19]
const LEAK_FROM: usize = LOGS2 + 80; // f32[19]
const LEAK_TO: usize = LEAK_FROM + 80; // f32[19]
const CEPSTRUM: usize = LEAK_TO + 80; // f32[8]
const MIDDLE: usize = CEPSTRUM + 32; // f32[8]
const FEATURES: usize = MIDDLE + 32; // f32[25]
const PROBABILITIES: usize = FEATURES + 112; // f32[2]
const MASKED: usize = PROBABILITIES + 16; // i32[19]
const SUMS: usize = MASKED + 80;
/** 640 bytes. */
export const NETWORK_WORK: usize = SUMS + 64;

/** Sums over the bands of a step. */
@unmanaged
class BandSums {
  noisiness: f32;
  stationarity: f32;
  loudness: f32;
  relativeEnergy: f32;
  largestTonality: f32;
  slope: f32;
}

function get(array: usize, index: i32): f32 {
  return load<f32>(array + (<usize>index << 2));
}

function set(array: usize, index: i32, value: f32): void {
  store<f32>(array + (<usize>index << 2), value);
}

function edge(band: i32): i32 {
  return load<i32>(bands + (<usize>band << 2));
}

/** Arc tangents of four quotients y / x by a rational function, good to 1e-4. */
function arcTangents(y: v128, x: v128): v128 {
  const quarter = f32x4.splat(<f32>3.1415926535897931 / <f32>2.0);
  const negative = f32x4.neg(quarter);
  const zero = f32x4.splat(0.0);
  const x2 = f32x4.mul(x, x);
  const y2 = f32x4.mul(y, y);
  const product = f32x4.mul(x, y);
  const steep = f32x4.lt(x2, y2);
  const high = v128.bitselect(y2, x2, steep);
  const low = v128.bitselect(x2, y2, steep);
  const denominator = f32x4.mul(
    f32x4.add(high, f32x4.mul(f32x4.splat(0.67848403), low)),
    f32x4.add(high, f32x4.mul(f32x4.splat(0.08595542), low)),
  );
  const numerator = f32x4.mul(
    v128.bitselect(f32x4.neg(product), product, steep),
    f32x4.add(high, f32x4.mul(f32x4.splat(0.43157974), low)),
  );
  const side = v128.bitselect(negative, quarter, f32x4.lt(y, zero));
  const other = v128.andnot(v128.bitselect(negative, quarter, f32x4.lt(product, zero)), steep);
  const result = f32x4.sub(f32x4.add(f32x4.div(numerator, denominator), side), other);
  return v128.andnot(result, f32x4.lt(f32x4.add(x2, y2), f32x4.splat(1e-18)));
}

/** Two windows of 20 ms, 10 ms apart, as real and imaginary part of one FFT. */
function transformWindows(samples: usize): void {
  const scale = load<f32>(fftScale);
  for (let i = 0; i < 240; i++) {
    const w = load<f32>(window + (<usize>i << 2));
    const low = <usize>load<i16>(fftBitrev480 + (<usize>i << 1)) << 2;
    const high = <usize>load<i16>(fftBitrev480 + (<usize>(479 - i) << 1)) << 2;
    store<f32>(FFT_REAL_AT + low, w * get(samples, i) * scale);
    store<f32>(FFT_IMAGINARY_AT + low, w * get(samples, 240 + i) * scale);
    store<f32>(FFT_REAL_AT + high, w * get(samples, 479 - i) * scale);
    store<f32>(FFT_IMAGINARY_AT + high, w * get(samples, 719 - i) * scale);
  }
}

/** Four values from `i` on, and four from `i` on backwards. */
function ahead(array: usize, i: i32): v128 {
  return v128.load(array + (<usize>i << 2));
}

function back(array: usize, i: i32): v128 {
  const values = v128.load(array + (<usize>(i - 3) << 2));
  return i32x4.shuffle(values, values, 3, 2, 1, 0);
}

/** How well the phase of every bin follows from the ones before. */
function measureTonality(base: usize): void {
  const angles = base + ANGLE;
  const slopes = base + ANGLE_D;
  const curves = base + ANGLE_D2;
  const turns = f32x4.splat(TURNS);
  const factor = f32x4.splat(<f32>40.0 * <f32>16.0 * PI4);
  const small = f32x4.splat(0.015);
  const one = f32x4.splat(1.0);
  // The last four bins end with one too many: it falls on places without meaning, and on the first sample behind them.
  const behind = get(curves, 240);
  for (let i = 1; i < 240; i += 4) {
    const re = ahead(FFT_REAL_AT, i);
    const im = ahead(FFT_IMAGINARY_AT, i);
    const re2 = back(FFT_REAL_AT, 480 - i);
    const im2 = back(FFT_IMAGINARY_AT, 480 - i);
    const first = f32x4.mul(turns, arcTangents(f32x4.sub(im, im2), f32x4.add(re, re2)));
    const firstSlope = f32x4.sub(first, ahead(angles, i));
    const firstCurve = f32x4.sub(firstSlope, ahead(slopes, i));
    const second = f32x4.mul(turns, arcTangents(f32x4.sub(re2, re), f32x4.add(im, im2)));
    const secondSlope = f32x4.sub(second, first);
    const secondCurve = f32x4.sub(secondSlope, firstSlope);
    let deviation1 = f32x4.sub(firstCurve, f32x4.nearest(firstCurve));
    let deviation2 = f32x4.sub(secondCurve, f32x4.nearest(secondCurve));
    const noise = f32x4.add(f32x4.abs(deviation1), f32x4.abs(deviation2));
    deviation1 = f32x4.mul(deviation1, deviation1);
    deviation1 = f32x4.mul(deviation1, deviation1);
    deviation2 = f32x4.mul(deviation2, deviation2);
    deviation2 = f32x4.mul(deviation2, deviation2);
    const sum = f32x4.add(f32x4.add(ahead(curves, i), deviation1), f32x4.mul(f32x4.splat(2.0), deviation2));
    const mean = f32x4.mul(f32x4.splat(0.25), sum);
    const at = <usize>i << 2;
    v128.store(NOISINESS + at, noise);
    v128.store(TONALITY + at, f32x4.sub(f32x4.div(one, f32x4.add(one, f32x4.mul(factor, mean))), small));
    v128.store(
      TONALITY_NOW + at,
      f32x4.sub(f32x4.div(one, f32x4.add(one, f32x4.mul(factor, deviation2))), small),
    );
    v128.store(angles + at, second);
    v128.store(slopes + at, secondSlope);
    v128.store(curves + at, deviation2);
  }
  set(curves, 240, behind);
  for (let i = 2; i < 239; i++) {
    const around = max<f32>(get(TONALITY_NOW, i - 1), get(TONALITY_NOW, i + 1));
    const now: f32 = min<f32>(get(TONALITY_NOW, i), around) - <f32>0.1;
    set(TONALITY, i, <f32>0.9 * max<f32>(get(TONALITY, i), now));
  }
}

function binEnergy(i: i32): f32 {
  const re = get(FFT_REAL_AT, i);
  const re2 = get(FFT_REAL_AT, 480 - i);
  const im = get(FFT_IMAGINARY_AT, i);
  const im2 = get(FFT_IMAGINARY_AT, 480 - i);
  return re * re + re2 * re2 + im * im + im2 * im2;
}

function logEnergy(energy: f32): f32 {
  return <f32>NativeMath.log(<f64>(energy + <f32>1e-10));
}

/** The range in which the level of a band moves, 15 nepers at most. */
function trackRange(base: usize, band: i32, log: f32, first: bool): void {
  let high = get(base + HIGH_ENERGY, band);
  let low = get(base + LOW_ENERGY, band);
  if (first) {
    high = log;
    low = log;
  }
  const span: f64 = 7.5;
  if (<f64>high > <f64>low + span) {
    if (high - log > log - low) high -= <f32>0.01;
    else low += <f32>0.01;
  }
  if (log > high) {
    high = log;
    low = max<f32>(high - <f32>15.0, low);
  } else if (log < low) {
    low = log;
    high = min<f32>(low + <f32>15.0, high);
  }
  set(base + HIGH_ENERGY, band, high);
  set(base + LOW_ENERGY, band, low);
}

/** Energies, tonality and stationarity of the bands; false where a level makes no sense. */
function measureBands(state: AnalysisState, sums: BandSums): bool {
  const base = changetype<usize>(state);
  memory.fill(changetype<usize>(sums), 0, offsetof<BandSums>());
  let tonality: f32 = 0.0;
  for (let band = 0; band < TONE_BANDS; band++) {
    let energy: f32 = 0.0;
    let tonal: f32 = 0.0;
    let noisy: f32 = 0.0;
    for (let i = edge(band); i < edge(band + 1); i++) {
      const bin: f32 = ENERGY_SCALE * binEnergy(i);
      energy += bin;
      tonal += bin * max<f32>(0.0, get(TONALITY, i));
      noisy += bin * <f32>2.0 * (HALF - get(NOISINESS, i));
    }
    if (!(energy < 1e9)) return false;
    const history = base + ENERGY + (<usize>band << 2);
    store<f32>(history + <usize>(state.historyAt * TONE_BANDS * 4), energy);
    sums.noisiness += noisy / (<f32>1e-15 + energy);
    sums.loudness += sqrt<f32>(energy + <f32>1e-10);
    const log = logEnergy(energy);
    set(LOGS, band, log);
    set(LOGS2, band + 1, LOG2_HALF * log);
    store<f32>(base + LOG_ENERGY + (<usize>(state.historyAt * TONE_BANDS + band) << 2), log);
    trackRange(base, band, log, state.count == 0);
    const low = get(base + LOW_ENERGY, band);
    sums.relativeEnergy += (log - low) / (<f32>1e-5 + (get(base + HIGH_ENERGY, band) - low));
    let roots: f32 = 0.0;
    let total: f32 = 0.0;
    for (let i = 0; i < HISTORY_FRAMES; i++) {
      const past = load<f32>(history + <usize>(i * TONE_BANDS * 4));
      roots += sqrt<f32>(past);
      total += past;
    }
    const tiny: f64 = 1e-15;
    const norm = <f32>sqrt<f64>(tiny + <f64>(<f32>8.0 * total));
    let stationarity = min<f32>(0.99, roots / norm);
    stationarity *= stationarity;
    stationarity *= stationarity;
    sums.stationarity += stationarity;
    const before = base + BAND_TONALITY;
    const own: f32 = max<f32>(tonal / (<f32>1e-15 + energy), stationarity * get(before, band));
    set(before, band, own);
    tonality += own;
    if (band >= TONE_BANDS - TONAL_SKIP) tonality -= get(before, band - TONE_BANDS + TONAL_SKIP);
    const below: i32 = band - TONE_BANDS;
    const weight: f32 = ONE + <f32>0.03 * <f32>below;
    sums.largestTonality = max<f32>(sums.largestTonality, weight * tonality);
    const distance: i32 = band - 8;
    sums.slope += own * <f32>distance;
  }
  return true;
}

/** Boosts of the bands into which others leak, into the result. */
function measureLeakage(result: SignalAnalysis): void {
  const out = changetype<usize>(result) + LEAK_BOOST;
  set(LEAK_FROM, 0, get(LOGS2, 0));
  set(LEAK_TO, 0, get(LOGS2, 0) - LEAKAGE);
  for (let band = 1; band <= TONE_BANDS; band++) {
    const slope: f32 = (LEAKAGE_SLOPE * <f32>(edge(band) - edge(band - 1))) / <f32>4.0;
    set(LEAK_FROM, band, min<f32>(get(LEAK_FROM, band - 1) + slope, get(LOGS2, band)));
    set(LEAK_TO, band, max<f32>(get(LEAK_TO, band - 1) - slope, get(LOGS2, band) - LEAKAGE));
  }
  for (let band = TONE_BANDS - 2; band >= 0; band--) {
    const slope: f32 = (LEAKAGE_SLOPE * <f32>(edge(band + 1) - edge(band))) / <f32>4.0;
    set(LEAK_FROM, band, min<f32>(get(LEAK_FROM, band + 1) + slope, get(LEAK_FROM, band)));
    set(LEAK_TO, band, max<f32>(get(LEAK_TO, band + 1) - slope, get(LEAK_TO, band)));
  }
  for (let band = 0; band <= TONE_BANDS; band++) {
    const log = get(LOGS2, band);
    const boost: f32 =
      max<f32>(0.0, get(LEAK_TO, band) - log) + max<f32>(0.0, log - (get(LEAK_FROM, band) + LEAKAGE));
    const half: f64 = 0.5;
    const steps = <i32>floor<f64>(half + <f64>(<f32>64.0 * boost));
    store<u8>(out + <usize>band, u8(min<i32>(255, steps)));
  }
  for (let band = TONE_BANDS + 1; band < LEAK_BANDS; band++) store<u8>(out + <usize>band, 0);
}

/** Mean distance of every spectrum of the history to its nearest neighbour. */
function measureVariability(base: usize): f32 {
  let sum: f32 = 0.0;
  for (let i = 0; i < HISTORY_FRAMES; i++) {
    let nearestDistance: f32 = 1e15;
    for (let j = 0; j < HISTORY_FRAMES; j++) {
      let distance: f32 = 0.0;
      for (let k = 0; k < TONE_BANDS; k++) {
        const difference: f32 =
          get(base + LOG_ENERGY, i * TONE_BANDS + k) - get(base + LOG_ENERGY, j * TONE_BANDS + k);
        distance += difference * difference;
      }
      if (j != i) nearestDistance = min<f32>(nearestDistance, distance);
    }
    sum += nearestDistance;
  }
  return sqrt<f32>(sum / <f32>HISTORY_FRAMES / <f32>TONE_BANDS);
}

/** Highest band that holds signal, 1..20, and the share of what lies below the highest pitch. */
function measureBandwidth(
  state: AnalysisState,
  result: SignalAnalysis,
  decay: f32,
  highEnergy: f32,
  rate: i32,
  lsbDepth: i32,
): i32 {
  const means = changetype<usize>(state) + MEAN_ENERGY;
  let floor: f32 = <f32>5.7e-4 / <f32>(1 << max<i32>(0, lsbDepth - 8));
  floor *= floor;
  let mask: f32 = 0.0;
  let largest: f32 = 0.0;
  let below: f32 = 0.0;
  let above: f32 = 0.0;
  let bandwidth = 0;
  const three: f32 = 3.0;
  for (let band = 0; band < TONE_BANDS; band++) {
    const start = edge(band);
    const end = edge(band + 1);
    let energy: f32 = 0.0;
    for (let i = start; i < end; i++) energy += binEnergy(i);
    energy = ENERGY_SCALE * energy;
    largest = max<f32>(largest, energy);
    if (start < 64) below += energy;
    else above += energy;
    const mean = max<f32>((ONE - decay) * get(means, band), energy);
    set(means, band, mean);
    const peak = max<f32>(energy, mean);
    const width = <f32>(end - start);
    if (energy * <f32>1e9 > largest && (peak > three * floor * width || energy > floor * width)) bandwidth = band + 1;
    const share: f32 = state.previousBandwidth >= band + 1 ? 0.01 : 0.05;
    store<i32>(MASKED + (<usize>band << 2), i32(energy < share * mask));
    mask = max<f32>(<f32>0.05 * mask, energy);
  }
  store<i32>(MASKED + (<usize>TONE_BANDS << 2), 0);
  if (rate == 48000) {
    // Above 12 kHz only the energy is known, with some leakage from below.
    const energy: f32 = highEnergy * <f32>(1.0 / 3600.0);
    const ratio: f32 = state.previousBandwidth == 20 ? 10.0 : 30.0;
    above += energy;
    const mean = max<f32>((ONE - decay) * get(means, TONE_BANDS), energy);
    set(means, TONE_BANDS, mean);
    const peak = max<f32>(energy, mean);
    const width: f32 = 160.0;
    if (peak > three * ratio * floor * width || energy > ratio * floor * width) bandwidth = 20;
    const share: f32 = state.previousBandwidth == 20 ? 0.01 : 0.05;
    store<i32>(MASKED + (<usize>TONE_BANDS << 2), i32(energy < share * mask));
  }
  result.maxPitchRatio = above > below ? below / above : ONE;
  if (bandwidth == 20 && load<i32>(MASKED + (<usize>TONE_BANDS << 2))) bandwidth -= 2;
  else if (bandwidth > 0 && bandwidth <= TONE_BANDS && load<i32>(MASKED + (<usize>(bandwidth - 1) << 2))) {
    bandwidth--;
  }
  return state.count <= 2 ? 20 : bandwidth;
}

function takeCepstra(base: usize): void {
  for (let i = 0; i < 8; i++) {
    let sum: f32 = 0.0;
    let middle: f32 = 0.0;
    for (let band = 0; band < 16; band++) {
      const factor = get(dct, i * 16 + band);
      sum += factor * get(LOGS, band);
      middle += factor * HALF * (get(base + HIGH_ENERGY, band) + get(base + LOW_ENERGY, band));
    }
    set(CEPSTRUM, i, sum);
    set(MIDDLE, i, middle);
  }
}

/** Cepstra with their slopes and curvatures over the last frames, and how much they vary. */
function fillFeatures(state: AnalysisState, alpha: f32): void {
  const base = changetype<usize>(state);
  const past = base + CEPSTRA;
  const mean = base + CEPSTRUM_MEAN;
  const deviation = base + DEVIATION;
  for (let i = 0; i < 4; i++) {
    const value: f32 =
      <f32>-0.12299 * (get(CEPSTRUM, i) + get(past, i + 24)) +
      <f32>0.49195 * (get(past, i) + get(past, i + 16)) +
      <f32>0.69693 * get(past, i + 8) -
      <f32>1.4349 * get(mean, i);
    set(FEATURES, i, value);
    set(mean, i, (ONE - alpha) * get(mean, i) + alpha * get(CEPSTRUM, i));
  }
  for (let i = 0; i < 4; i++) {
    const value: f32 =
      <f32>0.63246 * (get(CEPSTRUM, i) - get(past, i + 24)) + <f32>0.31623 * (get(past, i) - get(past, i + 16));
    set(FEATURES, 4 + i, value);
  }
  for (let i = 0; i < 3; i++) {
    const value: f32 =
      <f32>0.53452 * (get(CEPSTRUM, i) + get(past, i + 24)) -
      <f32>0.26726 * (get(past, i) + get(past, i + 16)) -
      <f32>0.53452 * get(past, i + 8);
    set(FEATURES, 8 + i, value);
  }
  if (state.count > 5) {
    for (let i = 0; i < 9; i++) {
      const feature = get(FEATURES, i);
      set(deviation, i, (ONE - alpha) * get(deviation, i) + alpha * feature * feature);
    }
  }
  for (let i = 0; i < 4; i++) set(FEATURES, i, get(CEPSTRUM, i) - get(MIDDLE, i));
  for (let i = 0; i < 8; i++) {
    set(past, i + 24, get(past, i + 16));
    set(past, i + 16, get(past, i + 8));
    set(past, i + 8, get(past, i));
    set(past, i, get(CEPSTRUM, i));
  }
  for (let i = 0; i < 9; i++) set(FEATURES, 11 + i, sqrt<f32>(get(deviation, i)) - get(featureBias, i));
}

/** Takes `length` frames from `offset` on, and adds a result where a step is complete. */
export function analyseStep(
  state: AnalysisState,
  pcm: usize,
  frames: i32,
  start: i32,
  channels: i32,
  rate: i32,
  lsbDepth: i32,
): void {
  const base = changetype<usize>(state);
  if (!state.initialized) {
    state.filled = 240;
    state.initialized = 1;
  }
  let length = frames;
  let offset = start;
  if (rate == 48000) {
    length /= 2;
    offset /= 2;
  } else if (rate == 16000) {
    length = (3 * length) / 2;
    offset = (3 * offset) / 2;
  }
  const samples = base + SAMPLES;
  const room = STEP_SAMPLES - state.filled;
  const to = samples + (<usize>state.filled << 2);
  state.highEnergy += takeInput(state, pcm, to, min<i32>(length, room), offset, channels, rate);
  if (state.filled + length < STEP_SAMPLES) {
    state.filled += length;
    return;
  }
  const highEnergy = state.highEnergy;
  const at = state.writeAt;
  const result = resultAt(state, at);
  state.writeAt = at + 1 == RESULTS ? 0 : at + 1;
  const silent = isDigitalSilence(samples, STEP_SAMPLES, lsbDepth);
  if (!silent) transformWindows(samples);
  memory.copy(samples, samples + ((STEP_SAMPLES - 240) << 2), 240 << 2);
  const rest = length - room;
  state.highEnergy = takeInput(state, pcm, samples + (240 << 2), rest, offset + room, channels, rate);
  state.filled = 240 + rest;
  if (silent) {
    const before = resultAt(state, at == 0 ? RESULTS - 1 : at - 1);
    memory.copy(changetype<usize>(result), changetype<usize>(before), SIGNAL_ANALYSIS_BYTES);
    return;
  }
  fft(0);
  if (load<f32>(FFT_REAL_AT) != load<f32>(FFT_REAL_AT)) {
    result.valid = 0;
    return;
  }
  judgeStep(state, result, highEnergy, rate, lsbDepth);
}

/** Everything that follows from the spectrum of a step. */
function judgeStep(
  state: AnalysisState,
  result: SignalAnalysis,
  highEnergy: f32,
  rate: i32,
  lsbDepth: i32,
): void {
  const base = changetype<usize>(state);
  const count = state.count;
  const alpha: f32 = ONE / <f32>min<i32>(10, 1 + count);
  const alphaEnergy: f32 = ONE / <f32>min<i32>(25, 1 + count);
  const decay: f32 = count <= 1 ? ONE : ONE / <f32>min<i32>(100, 1 + count);
  measureTonality(base);
  result.activity = 0.0;
  // The first band holds the mean.
  const two: f32 = 2.0;
  const re: f32 = two * load<f32>(FFT_REAL_AT);
  const im: f32 = two * load<f32>(FFT_IMAGINARY_AT);
  let lowest: f32 = re * re + im * im;
  for (let i = 1; i < 4; i++) lowest += binEnergy(i);
  lowest = ENERGY_SCALE * lowest;
  set(LOGS2, 0, LOG2_HALF * logEnergy(lowest));
  const sums = changetype<BandSums>(SUMS);
  if (!measureBands(state, sums)) {
    result.valid = 0;
    return;
  }
  measureLeakage(result);
  const variability = measureVariability(base);
  const bandwidth = measureBandwidth(state, result, decay, highEnergy, rate, lsbDepth);
  const loudness: f32 = <f32>20.0 * <f32>NativeMath.log10(<f64>sums.loudness);
  state.loudnessTracker = max<f32>(state.loudnessTracker - <f32>0.003, loudness);
  state.lowEnergyCount *= ONE - alphaEnergy;
  if (loudness < state.loudnessTracker - <f32>30.0) state.lowEnergyCount += alphaEnergy;
  takeCepstra(base);
  const bandCount = <f32>TONE_BANDS;
  const stationarity: f32 = sums.stationarity / bandCount;
  let relative: f32 = sums.relativeEnergy / bandCount;
  if (count < 10) relative = 0.5;
  const noisiness: f32 = sums.noisiness / bandCount;
  result.activity = noisiness + (ONE - noisiness) * relative;
  let tonality: f32 = sums.largestTonality / <f32>9.0;
  tonality = max<f32>(tonality, state.previousTonality * <f32>0.8);
  state.previousTonality = tonality;
  result.tonalitySlope = sums.slope / <f32>64.0;
  state.historyAt = (state.historyAt + 1) % HISTORY_FRAMES;
  state.count = min<i32>(count + 1, MOST_STEPS);
  result.tonality = tonality;
  fillFeatures(state, alpha);
  set(FEATURES, 18, variability - <f32>0.78);
  set(FEATURES, 20, result.tonality - <f32>0.154723);
  set(FEATURES, 21, result.activity - <f32>0.724643);
  set(FEATURES, 22, stationarity - <f32>0.743717);
  set(FEATURES, 23, result.tonalitySlope + <f32>0.069216);
  set(FEATURES, 24, state.lowEnergyCount - <f32>0.06793);
  runNetwork(FEATURES, base + NETWORK_STATE, NETWORK_WORK, PROBABILITIES);
  result.activityProbability = get(PROBABILITIES, 1);
  result.musicProbability = get(PROBABILITIES, 0);
  result.bandwidth = bandwidth;
  state.previousBandwidth = bandwidth;
  result.valid = 1;
}
