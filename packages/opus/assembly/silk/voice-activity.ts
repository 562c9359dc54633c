// Voice activity: energy of four bands against a tracked noise floor; also spectral tilt and input quality.
import {
  sigmoidNegative,
  sigmoidPositive,
  sigmoidSlope,
  VAD_NEGATIVE_OFFSET_Q5,
  VAD_NOISE_LEVEL_SMOOTH_COEF_Q16,
  VAD_NOISE_LEVELS_BIAS,
  VAD_SNR_FACTOR_Q16,
  VAD_SNR_SMOOTH_COEF_Q18,
  vadBankCoef0,
  vadBankCoef1,
  vadTiltWeights,
} from "../tables/encoder-tuning";
import { VAD_ENERGY, VAD_SIGNAL } from "./encoder-scratch";
import {
  ChannelEncoder,
  ENC_INPUT_QUALITY_Q15,
  ENC_VAD_BANK,
  ENC_VAD_BIAS,
  ENC_VAD_INVERSE_NOISE,
  ENC_VAD_NOISE,
  ENC_VAD_RATIO_Q8,
  ENC_VAD_SUBFRAME,
  VAD_BANDS,
} from "./encoder-state";
import { linearToLog, sat16, shiftRound, smlawb, smulbb, smulwb, smulww, squareRoot } from "./fixed-point";

const RATIOS: usize = VAD_ENERGY + 16;

function band(base: usize, index: i32): usize {
  return base + (usize(index) << 2);
}

/** Piecewise linear sigmoid, Q5 to Q15. */
export function sigmoidQ15(x: i32): i32 {
  const size = x < 0 ? -x : x;
  if (size >= 6 * 32) return x < 0 ? 0 : 32767;
  const at = usize(size >> 5) << 2;
  const step = smulbb(load<i32>(sigmoidSlope + at), size & 0x1f);
  return x < 0 ? load<i32>(sigmoidNegative + at) - step : load<i32>(sigmoidPositive + at) + step;
}

export function initVoiceActivity(c: ChannelEncoder): void {
  const base = changetype<usize>(c);
  for (let b: i32 = 0; b < VAD_BANDS; b++) {
    const bias = max(VAD_NOISE_LEVELS_BIAS / (b + 1), 1);
    store<i32>(band(base + ENC_VAD_BIAS, b), bias);
    store<i32>(band(base + ENC_VAD_NOISE, b), 100 * bias);
    store<i32>(band(base + ENC_VAD_INVERSE_NOISE, b), i32.MAX_VALUE / (100 * bias));
    store<i32>(band(base + ENC_VAD_RATIO_Q8, b), 100 * 256);
  }
  c.vadCounter = 15;
}

/** Splits i16[length] into two bands of half the rate; `low` may be `input`. */
function splitBands(input: usize, state: usize, low: usize, high: usize, length: i32): void {
  let s0 = load<i32>(state);
  let s1 = load<i32>(state, 4);
  const half = length >> 1;
  for (let k: i32 = 0; k < half; k++) {
    let x = i32(load<i16>(input + (usize(k) << 2))) << 10;
    let y = x - s0;
    let p = smlawb(y, y, vadBankCoef1);
    const first = s0 + p;
    s0 = x + p;
    x = i32(load<i16>(input + (usize(k) << 2), 2)) << 10;
    y = x - s1;
    p = smulwb(y, vadBankCoef0);
    const second = s1 + p;
    s1 = x + p;
    store<i16>(low + (usize(k) << 1), i16(sat16(shiftRound(second + first, 11))));
    store<i16>(high + (usize(k) << 1), i16(sat16(shiftRound(second - first, 11))));
  }
  store<i32>(state, s0);
  store<i32>(state, s1, 4);
}

function addPositiveSat(a: i32, b: i32): i32 {
  const sum = a + b;
  return sum < 0 ? i32.MAX_VALUE : sum;
}

/** Lets the noise floor of each band follow: fast down, slowly up, not at all in strong signal. */
function trackNoise(c: ChannelEncoder): void {
  const base = changetype<usize>(c);
  let least: i32 = 0;
  if (c.vadCounter < 1000) {
    least = 32767 / ((c.vadCounter >> 4) + 1);
    c.vadCounter++;
  }
  for (let b: i32 = 0; b < VAD_BANDS; b++) {
    let noise = load<i32>(band(base + ENC_VAD_NOISE, b));
    const energy = addPositiveSat(load<i32>(band(VAD_ENERGY, b)), load<i32>(band(base + ENC_VAD_BIAS, b)));
    const inverse = i32.MAX_VALUE / energy;
    let coefficient: i32;
    if (energy > noise << 3) coefficient = VAD_NOISE_LEVEL_SMOOTH_COEF_Q16 >> 3;
    else if (energy < noise) coefficient = VAD_NOISE_LEVEL_SMOOTH_COEF_Q16;
    else coefficient = smulwb(smulww(inverse, noise), VAD_NOISE_LEVEL_SMOOTH_COEF_Q16 << 1);
    coefficient = max(coefficient, least);
    const at = band(base + ENC_VAD_INVERSE_NOISE, b);
    const smoothed = smlawb(load<i32>(at), inverse - load<i32>(at), coefficient);
    store<i32>(at, smoothed);
    noise = min(i32.MAX_VALUE / smoothed, 0x00ffffff);
    store<i32>(band(base + ENC_VAD_NOISE, b), noise);
  }
}

/** Band energies of the frame, i32[4] in VAD_ENERGY. */
function bandEnergies(c: ChannelEncoder, input: usize): void {
  const base = changetype<usize>(c);
  const length = c.frameLength;
  const half = length >> 1;
  const quarter = length >> 2;
  const eighth = length >> 3;
  const offset1 = eighth + quarter;
  const offset2 = offset1 + eighth;
  const offset3 = offset2 + quarter;
  const x = VAD_SIGNAL;
  const bank = base + ENC_VAD_BANK;
  splitBands(input, bank, x, x + (usize(offset3) << 1), length);
  splitBands(x, bank + 8, x, x + (usize(offset2) << 1), half);
  splitBands(x, bank + 16, x, x + (usize(offset1) << 1), quarter);
  // High-pass on the lowest band.
  let last = x + (usize(eighth - 1) << 1);
  store<i16>(last, load<i16>(last) >> 1);
  const kept = i32(load<i16>(last));
  for (; last > x; last -= 2) {
    store<i16>(last - 2, load<i16>(last - 2) >> 1);
    store<i16>(last, load<i16>(last) - load<i16>(last - 2));
  }
  store<i16>(x, i16(i32(load<i16>(x)) - c.vadHighPass));
  c.vadHighPass = kept;
  for (let b: i32 = 0; b < VAD_BANDS; b++) {
    const start = b == 0 ? 0 : b == 1 ? offset1 : b == 2 ? offset2 : offset3;
    const piece = (length >> min(VAD_BANDS - b, VAD_BANDS - 1)) >> 2;
    const memoryAt = band(base + ENC_VAD_SUBFRAME, b);
    let energy = load<i32>(memoryAt);
    let sum: i32 = 0;
    let at = x + (usize(start) << 1);
    for (let s: i32 = 0; s < 4; s++) {
      sum = 0;
      for (let i: i32 = 0; i < piece; i++) {
        const sample = i32(load<i16>(at)) >> 3;
        sum += sample * sample;
        at += 2;
      }
      // The last quarter counts half here and half in the next frame.
      energy = addPositiveSat(energy, s < 3 ? sum : sum >> 1);
    }
    store<i32>(memoryAt, sum);
    store<i32>(band(VAD_ENERGY, b), energy);
  }
}

/** Updates speech activity, tilt and input quality from i16[frameLength]. */
export function detectVoice(c: ChannelEncoder, input: usize): void {
  const base = changetype<usize>(c);
  bandEnergies(c, input);
  trackNoise(c);
  let squares: i32 = 0;
  let tilt: i32 = 0;
  for (let b: i32 = 0; b < VAD_BANDS; b++) {
    const energy = load<i32>(band(VAD_ENERGY, b));
    const noise = load<i32>(band(base + ENC_VAD_NOISE, b));
    const speech = energy - noise;
    let ratio: i32 = 256;
    if (speech > 0) {
      ratio = (energy & 0xff800000) == 0 ? (energy << 8) / (noise + 1) : energy / ((noise >> 8) + 1);
      let snr = linearToLog(ratio) - 8 * 128;
      squares += smulbb(snr, snr);
      if (speech < 1 << 20) snr = smulwb(squareRoot(speech) << 6, snr);
      tilt = smlawb(tilt, load<i32>(band(vadTiltWeights, b)), snr);
    }
    store<i32>(band(RATIOS, b), ratio);
  }
  squares /= VAD_BANDS;
  const snr = i32(i16(3 * squareRoot(squares)));
  let activity = sigmoidQ15(smulwb(VAD_SNR_FACTOR_Q16, snr) - VAD_NEGATIVE_OFFSET_Q5);
  c.inputTiltQ15 = (sigmoidQ15(tilt) - 16384) << 1;

  // Faint signals are less likely speech.
  let speech: i32 = 0;
  for (let b: i32 = 0; b < VAD_BANDS; b++) {
    const above = load<i32>(band(VAD_ENERGY, b)) - load<i32>(band(base + ENC_VAD_NOISE, b));
    speech += (b + 1) * (above >> 4);
  }
  if (c.frameLength == 20 * c.rateKhz) speech >>= 1;
  if (speech <= 0) activity >>= 1;
  else if (speech < 16384) activity = smulwb(32768 + squareRoot(speech << 16), activity);
  c.speechActivityQ8 = min(activity >> 7, 255);

  let smoothing = smulwb(VAD_SNR_SMOOTH_COEF_Q18, smulwb(activity, activity));
  if (c.frameLength == 10 * c.rateKhz) smoothing >>= 1;
  for (let b: i32 = 0; b < VAD_BANDS; b++) {
    const at = band(base + ENC_VAD_RATIO_Q8, b);
    const ratio = smlawb(load<i32>(at), load<i32>(band(RATIOS, b)) - load<i32>(at), smoothing);
    store<i32>(at, ratio);
    const level = 3 * (linearToLog(ratio) - 8 * 128);
    store<i32>(band(base + ENC_INPUT_QUALITY_Q15, b), sigmoidQ15((level - 16 * 128) >> 4));
  }
}
