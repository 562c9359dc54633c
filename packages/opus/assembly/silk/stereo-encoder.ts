// Left and right to mid and predicted side; division of the rate between them; gradual collapse to mono at low rates.
import { encodeIcdf, RangeEncoder } from "../range-encoder";
import { midOnlyIcdf, stereoJointIcdf, uniform3Icdf, uniform5Icdf } from "../tables/silk-stereo-misc";
import { energyOf, energyShift } from "./concealment";
import {
  STEREO_HIGH_MID,
  STEREO_HIGH_SIDE,
  STEREO_LOW_MID,
  STEREO_LOW_SIDE,
  STEREO_RATES,
  STEREO_RATIO,
  STEREO_SIDE,
} from "./encoder-scratch";
import { MID_ONLY_FLAGS, SilkEncoder, STEREO_INDICES } from "./encoder-state";
import { absInt, clampInt, divideVarQ, sat16, shiftRound, smlawb, smulbb, smulwb, squareRoot } from "./fixed-point";
import { STEREO_PREDICTORS } from "./scratch";
import { stereoPredictor } from "./stereo-decoder";

const INTERPOLATION_MS: i32 = 8;
const LA_SHAPE_MS: i32 = 5;
const LEVELS: i32 = 15;
const SUB_STEPS: i32 = 5;

function sampleAt(x: usize, index: i32): i32 {
  return i32(load<i16>(x + (usize(index) << 1)));
}

/** Low-pass 1-2-1 and the rest of i16[length + 2]. */
function splitBands(x: usize, low: usize, high: usize, length: i32): void {
  for (let n: i32 = 0; n < length; n++) {
    const sum = shiftRound(sampleAt(x, n) + sampleAt(x, n + 2) + (sampleAt(x, n + 1) << 1), 2);
    store<i16>(low + (usize(n) << 1), i16(sum));
    store<i16>(high + (usize(n) << 1), i16(sampleAt(x, n + 1) - sum));
  }
}

/** Predictor of y from x in Q13; smooths both amplitudes (i32[2]); the ratio goes to `ratioQ14`. */
function findPredictor(ratioQ14: usize, x: usize, y: usize, amplitudes: usize, length: i32, smoothing: i32): i32 {
  const shiftX = energyShift(x, length);
  const shiftY = energyShift(y, length);
  let scale = max(shiftX, shiftY);
  scale += scale & 1;
  let energyY = energyOf(y, length, shiftY) >> (scale - shiftY);
  const energyX = max(energyOf(x, length, shiftX) >> (scale - shiftX), 1);
  let correlation: i32 = 0;
  for (let i: i32 = 0; i < length; i++) correlation += (sampleAt(x, i) * sampleAt(y, i)) >> scale;
  const predictor = clampInt(divideVarQ(correlation, energyX, 13), -(1 << 14), 1 << 14);
  const squared = smulwb(predictor, predictor);
  // Faster for signals with large parts in both.
  const coefficient = max(smoothing, absInt(squared));
  scale >>= 1;
  const mid = load<i32>(amplitudes);
  store<i32>(amplitudes, smlawb(mid, (squareRoot(energyX) << scale) - mid, coefficient));
  energyY -= smulwb(correlation, predictor) << 4;
  energyY += smulwb(energyX, squared) << 6;
  const residual = load<i32>(amplitudes, 4);
  store<i32>(amplitudes, smlawb(residual, (squareRoot(energyY) << scale) - residual, coefficient), 4);
  const ratio = divideVarQ(load<i32>(amplitudes, 4), max(load<i32>(amplitudes), 1), 14);
  store<i32>(ratioQ14, clampInt(ratio, 0, 32767));
  return predictor;
}

/** Quantizes one predictor; writes its three indices i8[3] and returns the level. */
function quantizePredictor(predictor: i32, indices: usize): i32 {
  let least: i32 = i32.MAX_VALUE;
  let quantized: i32 = 0;
  let coarse: i32 = 0;
  let sub: i32 = 0;
  let done = false;
  for (let i: i32 = 0; i < LEVELS && !done; i++) {
    for (let j: i32 = 0; j < SUB_STEPS; j++) {
      const level = stereoPredictor(i, j);
      const error = absInt(predictor - level);
      if (error >= least) {
        // The levels increase: from here on it gets worse.
        done = true;
        break;
      }
      least = error;
      quantized = level;
      coarse = i;
      sub = j;
    }
  }
  const third = coarse / 3;
  store<i8>(indices, i8(coarse - third * 3));
  store<i8>(indices, i8(sub), 1);
  store<i8>(indices, i8(third), 2);
  return quantized;
}

/** Quantizes both predictors (STEREO_PREDICTORS, in place; the first minus the second). */
function quantizePredictors(indices: usize): void {
  const first = quantizePredictor(load<i32>(STEREO_PREDICTORS), indices);
  const second = quantizePredictor(load<i32>(STEREO_PREDICTORS, 4), indices + 3);
  store<i32>(STEREO_PREDICTORS, first - second);
  store<i32>(STEREO_PREDICTORS, second, 4);
}

function scalePredictors(widthQ14: i32): void {
  store<i32>(STEREO_PREDICTORS, smulbb(widthQ14, load<i32>(STEREO_PREDICTORS)) >> 14);
  store<i32>(STEREO_PREDICTORS, smulbb(widthQ14, load<i32>(STEREO_PREDICTORS, 4)) >> 14, 4);
}

export function stereoIndicesOf(e: SilkEncoder, frame: i32): usize {
  return changetype<usize>(e) + STEREO_INDICES + usize(frame * 6);
}

export function midOnlyFlagOf(e: SilkEncoder, frame: i32): usize {
  return changetype<usize>(e) + MID_ONLY_FLAGS + usize(frame);
}

/**
 * Converts one frame in place.
 * @param left i16[2 + length]: left, becomes mid; the frame begins at index 2 and its output at index 0
 * @param right i16[2 + length]: right, becomes side, output from index 1
 * @param totalBps rate of both channels; STEREO_RATES receives the shares
 */
export function leftRightToMidSide(
  e: SilkEncoder,
  left: usize,
  right: usize,
  frame: i32,
  totalBps: i32,
  activityQ8: i32,
  toMono: bool,
  rateKhz: i32,
  length: i32,
): void {
  const indices = stereoIndicesOf(e, frame);
  const mid = left;
  const side = STEREO_SIDE;
  for (let n: i32 = 0; n < length + 2; n++) {
    const l = sampleAt(left, n);
    const r = sampleAt(right, n);
    store<i16>(mid + (usize(n) << 1), i16(shiftRound(l + r, 1)));
    store<i16>(side + (usize(n) << 1), i16(sat16(shiftRound(l - r, 1))));
  }
  store<i16>(mid, e.mid0);
  store<i16>(mid, e.mid1, 2);
  store<i16>(side, e.side0);
  store<i16>(side, e.side1, 2);
  e.mid0 = load<i16>(mid + (usize(length) << 1));
  e.mid1 = load<i16>(mid + (usize(length) << 1), 2);
  e.side0 = load<i16>(side + (usize(length) << 1));
  e.side1 = load<i16>(side + (usize(length) << 1), 2);
  splitBands(mid, STEREO_LOW_MID, STEREO_HIGH_MID, length);
  splitBands(side, STEREO_LOW_SIDE, STEREO_HIGH_SIDE, length);

  const short = length == 10 * rateKhz;
  // STEREO_RATIO_SMOOTH_COEF (halved for 10 ms) in Q16.
  const smoothing = smulwb(smulbb(activityQ8, activityQ8), short ? 328 : 655);
  const amplitudes = changetype<usize>(e) + offsetof<SilkEncoder>("amplitude0");
  const low = findPredictor(STEREO_RATIO, STEREO_LOW_MID, STEREO_LOW_SIDE, amplitudes, length, smoothing);
  const high = findPredictor(STEREO_RATIO + 4, STEREO_HIGH_MID, STEREO_HIGH_SIDE, amplitudes + 8, length, smoothing);
  store<i32>(STEREO_PREDICTORS, low);
  store<i32>(STEREO_PREDICTORS, high, 4);
  const fraction = min(load<i32>(STEREO_RATIO, 4) + smulbb(load<i32>(STEREO_RATIO), 3), 1 << 16);

  const total = max(totalBps - (short ? 1200 : 600), 1);
  const leastMid = 2000 + smulbb(rateKhz, 600);
  const fraction3 = 3 * fraction;
  let midRate = divideVarQ(total, (13 << 16) + fraction3, 16 + 3);
  let sideRate: i32;
  let width: i32;
  if (midRate < leastMid) {
    midRate = leastMid;
    sideRate = total - midRate;
    const needed = smulwb((1 << 16) + fraction3, leastMid);
    width = clampInt(divideVarQ((sideRate << 1) - leastMid, needed, 14 + 2), 0, 1 << 14);
  } else {
    sideRate = total - midRate;
    width = 1 << 14;
  }
  e.smoothWidthQ14 = i32(i16(smlawb(e.smoothWidthQ14, width - e.smoothWidthQ14, smoothing)));
  const smooth = e.smoothWidthQ14;
  const audible = smulwb(fraction, smooth);

  let midOnly = false;
  if (toMono) {
    width = 0;
    store<i64>(STEREO_PREDICTORS, 0);
    quantizePredictors(indices);
  } else if (e.prevWidthQ14 == 0 && (8 * total < 13 * leastMid || audible < 819)) {
    // Code the panned mono signal only (0.05 in Q14).
    scalePredictors(smooth);
    quantizePredictors(indices);
    width = 0;
    store<i64>(STEREO_PREDICTORS, 0);
    midRate = total;
    sideRate = 0;
    midOnly = true;
  } else if (e.prevWidthQ14 != 0 && (8 * total < 11 * leastMid || audible < 328)) {
    // Fade to panned mono (0.02 in Q14).
    scalePredictors(smooth);
    quantizePredictors(indices);
    width = 0;
    store<i64>(STEREO_PREDICTORS, 0);
  } else if (smooth > 15565) {
    // Full width (0.95 in Q14).
    quantizePredictors(indices);
    width = 1 << 14;
  } else {
    scalePredictors(smooth);
    quantizePredictors(indices);
    width = smooth;
  }
  // The side goes on until the encoder's look-ahead has run through.
  if (midOnly) {
    e.silentSideLength += length - INTERPOLATION_MS * rateKhz;
    if (e.silentSideLength < LA_SHAPE_MS * rateKhz) midOnly = false;
    else e.silentSideLength = 10000;
  } else {
    e.silentSideLength = 0;
  }
  if (!midOnly && sideRate < 1) {
    sideRate = 1;
    midRate = max(1, total - sideRate);
  }
  store<i32>(STEREO_RATES, midRate);
  store<i32>(STEREO_RATES, sideRate, 4);
  store<i8>(midOnlyFlagOf(e, frame), midOnly ? 1 : 0);

  const target0 = load<i32>(STEREO_PREDICTORS);
  const target1 = load<i32>(STEREO_PREDICTORS, 4);
  let pred0 = -e.predPrev0Q13;
  let pred1 = -e.predPrev1Q13;
  let w = e.prevWidthQ14 << 10;
  const ramp = INTERPOLATION_MS * rateKhz;
  const inverse = (1 << 16) / ramp;
  const delta0 = -shiftRound(smulbb(target0 - e.predPrev0Q13, inverse), 16);
  const delta1 = -shiftRound(smulbb(target1 - e.predPrev1Q13, inverse), 16);
  const deltaW = smulwb(width - e.prevWidthQ14, inverse) << 10;
  for (let n: i32 = 0; n < length; n++) {
    if (n < ramp) {
      pred0 += delta0;
      pred1 += delta1;
      w += deltaW;
    } else {
      pred0 = -target0;
      pred1 = -target1;
      w = width << 10;
    }
    const center = sampleAt(mid, n + 1);
    const smoothMid = (sampleAt(mid, n) + sampleAt(mid, n + 2) + (center << 1)) << 9;
    let sum = smlawb(smulwb(w, sampleAt(side, n + 1)), smoothMid, pred0);
    sum = smlawb(sum, center << 11, pred1);
    store<i16>(right + (usize(n + 1) << 1), i16(sat16(shiftRound(sum, 8))));
  }
  e.predPrev0Q13 = i32(i16(target0));
  e.predPrev1Q13 = i32(i16(target1));
  e.prevWidthQ14 = i32(i16(width));
}

export function encodeStereoPredictors(re: RangeEncoder, indices: usize): void {
  encodeIcdf(re, 5 * i32(load<i8>(indices, 2)) + i32(load<i8>(indices, 5)), stereoJointIcdf, 8);
  encodeIcdf(re, i32(load<i8>(indices)), uniform3Icdf, 8);
  encodeIcdf(re, i32(load<i8>(indices, 1)), uniform5Icdf, 8);
  encodeIcdf(re, i32(load<i8>(indices, 3)), uniform3Icdf, 8);
  encodeIcdf(re, i32(load<i8>(indices, 4)), uniform5Icdf, 8);
}

export function encodeMidOnly(re: RangeEncoder, flag: i32): void {
  encodeIcdf(re, flag, midOnlyIcdf, 8);
}
