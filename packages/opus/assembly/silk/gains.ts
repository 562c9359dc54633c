// Gain quantization, uniform on a logarithmic scale (RFC 6716 section 4.2.7.4).
import {
  INV_SCALE_Q16,
  MAX_DELTA_GAIN_QUANT,
  MIN_DELTA_GAIN_QUANT,
  N_LEVELS_QGAIN,
  OFFSET,
} from "../tables/silk-gains-pitch-ltp";
import { clampInt, logToLinear, smulwb } from "./fixed-point";

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
