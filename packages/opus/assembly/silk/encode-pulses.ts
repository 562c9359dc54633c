// Writes the excitation: the counterpart of pulses.ts.
import { encodeIcdf, RangeEncoder } from "../range-encoder";
import {
  lsbIcdf,
  maxPulses,
  pulseCountBits,
  pulseCountIcdf,
  rateLevelBits,
  rateLevelIcdf,
  shellIcdf0,
  shellIcdf1,
  shellIcdf2,
  shellIcdf3,
  shellOffsets,
  signIcdf,
} from "../tables/silk-excitation";
import { ABSOLUTE_PULSES, PULSE_COMBINATIONS } from "./encoder-scratch";
import { shellBlocks } from "./pulses";
import { PULSE_SHIFTS, PULSE_SUMS, SIGN_MODEL } from "./scratch";

const RATE_LEVELS: i32 = 9;
const ESCAPE: i32 = 17;

function value(at: usize, index: i32): i32 {
  return load<i32>(at + (usize(index) << 2));
}

/** Adds pairs; false when a sum exceeds the limit. */
function combine(output: usize, input: usize, limit: i32, count: i32): bool {
  for (let k: i32 = 0; k < count; k++) {
    const sum = value(input, 2 * k) + value(input, 2 * k + 1);
    if (sum > limit) return false;
    store<i32>(output + (usize(k) << 2), sum);
  }
  return true;
}

/** Halves the amplitudes of a block until the shell code can carry them; returns the number of halvings. */
function fitBlock(block: usize, sumAt: usize): i32 {
  const combined = PULSE_COMBINATIONS;
  let shifts: i32 = 0;
  while (true) {
    // All four levels are combined even after one has failed; what they leave behind counts as little as there.
    let fits = combine(combined, block, i32(load<u8>(maxPulses)), 8);
    fits = combine(combined, combined, i32(load<u8>(maxPulses, 1)), 4) && fits;
    fits = combine(combined, combined, i32(load<u8>(maxPulses, 2)), 2) && fits;
    fits = combine(sumAt, combined, i32(load<u8>(maxPulses, 3)), 1) && fits;
    if (fits) return shifts;
    shifts++;
    for (let k: usize = 0; k < 64; k += 4) store<i32>(block + k, load<i32>(block + k) >> 1);
  }
}

function encodeSplit(re: RangeEncoder, first: i32, total: i32, model: usize): void {
  if (total > 0) encodeIcdf(re, first, model + usize(load<u8>(shellOffsets + usize(total))), 8);
}

function sumOf(block: usize, count: i32): i32 {
  let sum: i32 = 0;
  for (let k: i32 = 0; k < count; k++) sum += value(block, k);
  return sum;
}

function encodeHalves(re: RangeEncoder, block: usize, count: i32): void {
  const half = count >> 1;
  const total = sumOf(block, count);
  if (total == 0) return;
  const model = count == 16 ? shellIcdf3 : count == 8 ? shellIcdf2 : count == 4 ? shellIcdf1 : shellIcdf0;
  encodeSplit(re, sumOf(block, half), total, model);
  if (half == 1) return;
  encodeHalves(re, block, half);
  encodeHalves(re, block + (usize(half) << 2), half);
}

/** Codes i8[frameLength] pulses; a half-filled last block is completed with zeros in place. */
export function encodePulses(
  re: RangeEncoder,
  pulses: usize,
  signalType: i32,
  quantOffsetType: i32,
  frameLength: i32,
): void {
  const blocks = shellBlocks(frameLength);
  for (let i = frameLength; i < blocks << 4; i++) store<i8>(pulses + usize(i), 0);
  for (let i: i32 = 0; i < blocks << 4; i++) {
    const pulse = i32(load<i8>(pulses + usize(i)));
    store<i32>(ABSOLUTE_PULSES + (usize(i) << 2), pulse < 0 ? -pulse : pulse);
  }
  for (let i: i32 = 0; i < blocks; i++) {
    const at = usize(i) << 2;
    store<i32>(PULSE_SHIFTS + at, fitBlock(ABSOLUTE_PULSES + (usize(i) << 6), PULSE_SUMS + at));
  }

  let rateLevel: i32 = 0;
  let leastBits: i32 = i32.MAX_VALUE;
  const class_ = signalType >> 1;
  for (let level: i32 = 0; level < RATE_LEVELS; level++) {
    const bits = pulseCountBits + usize(level * 18);
    let sum = i32(load<u8>(rateLevelBits + usize(class_ * 9 + level)));
    for (let i: i32 = 0; i < blocks; i++) {
      const symbol = value(PULSE_SHIFTS, i) > 0 ? ESCAPE : value(PULSE_SUMS, i);
      sum += i32(load<u8>(bits + usize(symbol)));
    }
    if (sum < leastBits) {
      leastBits = sum;
      rateLevel = level;
    }
  }
  encodeIcdf(re, rateLevel, rateLevelIcdf + usize(class_ * 9), 8);
  const countModel = pulseCountIcdf + usize(rateLevel * 18);
  const escapeModel = pulseCountIcdf + 9 * 18;
  for (let i: i32 = 0; i < blocks; i++) {
    const shifts = value(PULSE_SHIFTS, i);
    if (shifts == 0) {
      encodeIcdf(re, value(PULSE_SUMS, i), countModel, 8);
    } else {
      encodeIcdf(re, ESCAPE, countModel, 8);
      for (let k: i32 = 0; k < shifts - 1; k++) encodeIcdf(re, ESCAPE, escapeModel, 8);
      encodeIcdf(re, value(PULSE_SUMS, i), escapeModel, 8);
    }
  }
  for (let i: i32 = 0; i < blocks; i++) {
    if (value(PULSE_SUMS, i) > 0) encodeHalves(re, ABSOLUTE_PULSES + (usize(i) << 6), 16);
  }
  for (let i: i32 = 0; i < blocks; i++) {
    const shifts = value(PULSE_SHIFTS, i);
    if (shifts == 0) continue;
    for (let k: i32 = 0; k < 16; k++) {
      const pulse = i32(load<i8>(pulses + usize((i << 4) + k)));
      const size = i32(i8(pulse < 0 ? -pulse : pulse));
      for (let bit = shifts - 1; bit >= 0; bit--) encodeIcdf(re, (size >> bit) & 1, lsbIcdf, 8);
    }
  }
  const signModel = signIcdf + usize(7 * (quantOffsetType + (signalType << 1)));
  store<u8>(SIGN_MODEL, 0, 1);
  for (let i: i32 = 0; i < blocks; i++) {
    const sum = value(PULSE_SUMS, i);
    if (sum == 0) continue;
    store<u8>(SIGN_MODEL, load<u8>(signModel + usize(min(sum & 0x1f, 6))));
    for (let k: i32 = 0; k < 16; k++) {
      const pulse = i32(load<i8>(pulses + usize((i << 4) + k)));
      if (pulse != 0) encodeIcdf(re, pulse < 0 ? 0 : 1, SIGN_MODEL, 8);
    }
  }
}
