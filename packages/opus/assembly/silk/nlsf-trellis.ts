// Delayed-decision quantization of the second NLSF stage: four paths run backwards through the coefficients, each
// coefficient rounded down or up, cost = weighted error + rate.
import { nbMbInvQuantStep, nbMbQuantStep, nbMbStage2Bits, wbInvQuantStep, wbQuantStep, wbStage2Bits } from "../tables/silk-nlsf";
import { clampInt, smulbb } from "./fixed-point";
import { NLSF_TRELLIS } from "./encoder-scratch";
import { STAGE2_MODELS, STAGE2_PREDICTORS } from "./scratch";

const PATHS: i32 = 4;
const MAX_LEVEL: i32 = 10;
/** Largest level with an own symbol; the ones above cost 43/32 bit a step from 280/32 bit on. */
const MODEL_LEVEL: i32 = 4;
const ESCAPE_RATE_Q5: i32 = 280;
const STEP_RATE_Q5: i32 = 43;
const LEVEL_ADJUST_Q10: i32 = 102;

const INDICES: usize = NLSF_TRELLIS; // i8[4][16]
const OUTPUT_Q10: usize = INDICES + 64; // i16[8]
const COST: usize = OUTPUT_Q10 + 16; // i32[8]
const COST_LOW: usize = COST + 32; // i32[4]
const COST_HIGH: usize = COST_LOW + 16; // i32[4]
const CHOICE: usize = COST_HIGH + 16; // i32[4]
const LEVEL_LOW: usize = CHOICE + 16; // i32[20]
const LEVEL_HIGH: usize = LEVEL_LOW + 80; // i32[20]

function i32At(base: usize, index: i32): i32 {
  return load<i32>(base + (usize(index) << 2));
}

function setI32(base: usize, index: i32, value: i32): void {
  store<i32>(base + (usize(index) << 2), value);
}

function output(index: i32): i32 {
  return i32(load<i16>(OUTPUT_Q10 + (usize(index) << 1)));
}

function setOutput(index: i32, value: i32): void {
  store<i16>(OUTPUT_Q10 + (usize(index) << 1), i16(value));
}

function pathIndex(path: i32, coefficient: i32): usize {
  return INDICES + usize((path << 4) + coefficient);
}

/** Both neighbouring output levels of every index. */
function fillLevels(step: i32): void {
  for (let i: i32 = -MAX_LEVEL; i < MAX_LEVEL; i++) {
    let low = i << 10;
    let high = low + 1024;
    if (i > 0) {
      low -= LEVEL_ADJUST_Q10;
      high -= LEVEL_ADJUST_Q10;
    } else if (i == 0) {
      high -= LEVEL_ADJUST_Q10;
    } else if (i == -1) {
      low += LEVEL_ADJUST_Q10;
    } else {
      low += LEVEL_ADJUST_Q10;
      high += LEVEL_ADJUST_Q10;
    }
    setI32(LEVEL_LOW, i + MAX_LEVEL, smulbb(low, step) >> 16);
    setI32(LEVEL_HIGH, i + MAX_LEVEL, smulbb(high, step) >> 16);
  }
}

/** Keeps the four best of eight, at least one child of the better half of the paths. */
function keepBest(coefficient: i32): void {
  for (let j: i32 = 0; j < PATHS; j++) {
    const a = i32At(COST, j);
    const b = i32At(COST, j + PATHS);
    if (a > b) {
      setI32(COST_HIGH, j, a);
      setI32(COST_LOW, j, b);
      setI32(COST, j, b);
      setI32(COST, j + PATHS, a);
      const kept = output(j);
      setOutput(j, output(j + PATHS));
      setOutput(j + PATHS, kept);
      setI32(CHOICE, j, j + PATHS);
    } else {
      setI32(COST_LOW, j, a);
      setI32(COST_HIGH, j, b);
      setI32(CHOICE, j, j);
    }
  }
  while (true) {
    let smallestHigh: i32 = i32.MAX_VALUE;
    let largestLow: i32 = 0;
    let from: i32 = 0;
    let to: i32 = 0;
    for (let j: i32 = 0; j < PATHS; j++) {
      if (smallestHigh > i32At(COST_HIGH, j)) {
        smallestHigh = i32At(COST_HIGH, j);
        from = j;
      }
      if (largestLow < i32At(COST_LOW, j)) {
        largestLow = i32At(COST_LOW, j);
        to = j;
      }
    }
    if (smallestHigh >= largestLow) break;
    setI32(CHOICE, to, i32At(CHOICE, from) ^ PATHS);
    setI32(COST, to, i32At(COST, from + PATHS));
    setOutput(to, output(from + PATHS));
    setI32(COST_LOW, to, 0);
    setI32(COST_HIGH, from, i32.MAX_VALUE);
    memory.copy(pathIndex(to, 0), pathIndex(from, 0), 16);
  }
  for (let j: i32 = 0; j < PATHS; j++) {
    const at = pathIndex(j, coefficient);
    store<i8>(at, i8(i32(load<i8>(at)) + (i32At(CHOICE, j) >> 2)));
  }
}

/**
 * Quantizes i16[order] residuals in Q10 with weights in Q5; models and predictors come from `unpackStage2`. Writes
 * i8[order] and returns the cost in Q25.
 */
export function quantizeResidual(result: usize, residual: usize, weights: usize, muQ20: i32, order: i32): i32 {
  const wide = order == 16;
  const rates = wide ? wbStage2Bits : nbMbStage2Bits;
  const inverseStep = load<i32>(wide ? wbInvQuantStep : nbMbInvQuantStep);
  fillLevels(load<i32>(wide ? wbQuantStep : nbMbQuantStep));
  let paths: i32 = 1;
  setI32(COST, 0, 0);
  setOutput(0, 0);
  for (let i: i32 = order - 1; i >= 0; i--) {
    const model = rates + usize(load<i16>(STAGE2_MODELS + (usize(i) << 1)));
    const predictor = i32(load<u8>(STAGE2_PREDICTORS + usize(i)));
    const input = i32(load<i16>(residual + (usize(i) << 1)));
    const weight = i32(load<i16>(weights + (usize(i) << 1)));
    for (let j: i32 = 0; j < paths; j++) {
      const predicted = smulbb(predictor, output(j)) >> 8;
      const level = clampInt(smulbb(inverseStep, input - predicted) >> 16, -MAX_LEVEL, MAX_LEVEL - 1);
      store<i8>(pathIndex(j, i), i8(level));
      const low = i32(i16(i32At(LEVEL_LOW, level + MAX_LEVEL) + predicted));
      const high = i32(i16(i32At(LEVEL_HIGH, level + MAX_LEVEL) + predicted));
      setOutput(j, low);
      setOutput(j + paths, high);
      let rateLow: i32;
      let rateHigh: i32;
      if (level + 1 >= MODEL_LEVEL) {
        if (level + 1 == MODEL_LEVEL) {
          rateLow = i32(load<u8>(model + usize(level + MODEL_LEVEL)));
          rateHigh = ESCAPE_RATE_Q5;
        } else {
          rateLow = ESCAPE_RATE_Q5 - STEP_RATE_Q5 * MODEL_LEVEL + STEP_RATE_Q5 * level;
          rateHigh = rateLow + STEP_RATE_Q5;
        }
      } else if (level <= -MODEL_LEVEL) {
        if (level == -MODEL_LEVEL) {
          rateLow = ESCAPE_RATE_Q5;
          rateHigh = i32(load<u8>(model + usize(level + 1 + MODEL_LEVEL)));
        } else {
          rateLow = ESCAPE_RATE_Q5 - STEP_RATE_Q5 * MODEL_LEVEL - STEP_RATE_Q5 * level;
          rateHigh = rateLow - STEP_RATE_Q5;
        }
      } else {
        rateLow = i32(load<u8>(model + usize(level + MODEL_LEVEL)));
        rateHigh = i32(load<u8>(model + usize(level + 1 + MODEL_LEVEL)));
      }
      const cost = i32At(COST, j);
      const errorLow = input - low;
      const errorHigh = input - high;
      setI32(COST, j, cost + smulbb(errorLow, errorLow) * weight + smulbb(muQ20, rateLow));
      setI32(COST, j + paths, cost + smulbb(errorHigh, errorHigh) * weight + smulbb(muQ20, rateHigh));
    }
    if (paths <= PATHS / 2) {
      for (let j: i32 = 0; j < paths; j++) {
        store<i8>(pathIndex(j + paths, i), i8(i32(load<i8>(pathIndex(j, i))) + 1));
      }
      paths <<= 1;
      for (let j: i32 = paths; j < PATHS; j++) store<i8>(pathIndex(j, i), load<i8>(pathIndex(j - paths, i)));
    } else {
      keepBest(i);
    }
  }
  let best: i32 = 0;
  let cost: i32 = i32.MAX_VALUE;
  for (let j: i32 = 0; j < 2 * PATHS; j++) {
    if (cost > i32At(COST, j)) {
      cost = i32At(COST, j);
      best = j;
    }
  }
  memory.copy(result, pathIndex(best & (PATHS - 1), 0), usize(order));
  store<i8>(result, i8(i32(load<i8>(result)) + (best >> 2)));
  return cost;
}
