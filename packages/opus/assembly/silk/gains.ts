// Gain quantization, uniform on a logarithmic scale (RFC 6716 section 4.2.7.4).
import {
  INV_SCALE_Q16,
  MAX_DELTA_GAIN_QUANT,
  MIN_DELTA_GAIN_QUANT,
  N_LEVELS_QGAIN,
  OFFSET,
  SCALE_Q16,
} from "../tables/silk-gains-pitch-ltp";
import { clampInt, linearToLog, logToLinear, smulwb } from "./fixed-point";

/** Linear gain in Q16 of a level 0..63. */
export function gainOfLevel(level: i32): i32 {
  return logToLinear(min(smulwb(INV_SCALE_Q16, level) + OFFSET, 3967));
}

/**
 * Gains in Q16, i32[subframes], of i8 indices; returns the last level. `conditional`: the first index is a difference
 * as well.
 */
export function dequantizeGains(
  gainsQ16: usize,
  indices: usize,
  previousLevel: i32,
  conditional: bool,
  subframes: i32,
): i32 {
  let level = previousLevel;
  for (let k: i32 = 0; k < subframes; k++) {
    const index = i32(load<i8>(indices + usize(k)));
    if (k == 0 && !conditional) {
      // The level may not fall by more than 16 steps (21.8 dB).
      level = max(index, level - 16);
    } else {
      const delta = index + MIN_DELTA_GAIN_QUANT;
      const doubledFrom = 2 * MAX_DELTA_GAIN_QUANT - N_LEVELS_QGAIN + level;
      level += delta > doubledFrom ? (delta << 1) - doubledFrom : delta;
    }
    level = clampInt(level, 0, N_LEVELS_QGAIN - 1);
    store<i32>(gainsQ16 + (usize(k) << 2), gainOfLevel(level));
  }
  return level;
}

/**
 * Quantizes gains in Q16 in place with hysteresis and writes i8 indices; returns the last level. `conditional`: the
 * first index is a difference as well.
 */
export function quantizeGains(
  indices: usize,
  gainsQ16: usize,
  previousLevel: i32,
  conditional: bool,
  subframes: i32,
): i32 {
  let previous = previousLevel;
  for (let k: i32 = 0; k < subframes; k++) {
    const at = gainsQ16 + (usize(k) << 2);
    let index = i32(i8(smulwb(SCALE_Q16, linearToLog(load<i32>(at)) - OFFSET)));
    // Round towards the previous level.
    if (index < previous) index++;
    index = clampInt(index, 0, N_LEVELS_QGAIN - 1);
    if (k == 0 && !conditional) {
      index = clampInt(index, previous + MIN_DELTA_GAIN_QUANT, N_LEVELS_QGAIN - 1);
      previous = index;
    } else {
      index -= previous;
      // Large increases have twice the step, so that the highest level can be reached.
      const doubledFrom = 2 * MAX_DELTA_GAIN_QUANT - N_LEVELS_QGAIN + previous;
      if (index > doubledFrom) index = doubledFrom + ((index - doubledFrom + 1) >> 1);
      index = clampInt(index, MIN_DELTA_GAIN_QUANT, MAX_DELTA_GAIN_QUANT);
      if (index > doubledFrom) previous = min(previous + (index << 1) - doubledFrom, N_LEVELS_QGAIN - 1);
      else previous += index;
      index -= MIN_DELTA_GAIN_QUANT;
    }
    store<i8>(indices + usize(k), i8(index));
    store<i32>(at, gainOfLevel(previous));
  }
  return previous;
}

/** All gain indices of a frame as one number. */
export function gainsIdentity(indices: usize, subframes: i32): i32 {
  let identity: i32 = 0;
  for (let k: i32 = 0; k < subframes; k++) identity = i32(load<i8>(indices + usize(k))) + (identity << 8);
  return identity;
}
