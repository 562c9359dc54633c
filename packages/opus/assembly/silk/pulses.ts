// Excitation: pulse counts, shell code, extra bits and signs (RFC 6716 section 4.2.7.8).
import { decodeIcdf, RangeDecoder } from "../range-decoder";
import {
  lsbIcdf,
  pulseCountIcdf,
  rateLevelIcdf,
  shellIcdf0,
  shellIcdf1,
  shellIcdf2,
  shellIcdf3,
  shellOffsets,
  signIcdf,
} from "../tables/silk-excitation";
import { PULSE_SHIFTS, PULSE_SUMS, SIGN_MODEL } from "./scratch";

const BLOCK: i32 = 16;
const MAX_BLOCK_PULSES: i32 = 16;
const MAX_EXTRA_BITS: i32 = 10;

/** Pulses in the first half of a block that has `total`. */
function decodeSplit(rd: RangeDecoder, total: i32, model: usize): i32 {
  return total > 0 ? decodeIcdf(rd, model + usize(load<u8>(shellOffsets + usize(total))), 8) : 0;
}

function decodePair(rd: RangeDecoder, output: usize, total: i32): void {
  const first = decodeSplit(rd, total, shellIcdf0);
  store<i16>(output, i16(first));
  store<i16>(output, i16(total - first), 2);
}

function decodeFour(rd: RangeDecoder, output: usize, total: i32): void {
  if (total == 0) {
    store<i64>(output, 0);
    return;
  }
  const first = decodeSplit(rd, total, shellIcdf1);
  decodePair(rd, output, first);
  decodePair(rd, output + 4, total - first);
}

function decodeEight(rd: RangeDecoder, output: usize, total: i32): void {
  if (total == 0) {
    v128.store(output, i64x2.splat(0));
    return;
  }
  const first = decodeSplit(rd, total, shellIcdf2);
  decodeFour(rd, output, first);
  decodeFour(rd, output + 8, total - first);
}

/** Number of shell blocks; a 10 ms frame at 12 kHz has half a block too much. */
export function shellBlocks(frameLength: i32): i32 {
  return (frameLength + BLOCK - 1) / BLOCK;
}

/** Signed pulses, i16[16 * shellBlocks(frameLength)]. */
export function decodePulses(
  rd: RangeDecoder,
  output: usize,
  signalType: i32,
  quantOffsetType: i32,
  frameLength: i32,
): void {
  const blocks = shellBlocks(frameLength);
  const rateLevel = decodeIcdf(rd, rateLevelIcdf + usize(signalType >> 1) * 9, 8);
  const countModel = pulseCountIcdf + usize(rateLevel) * 18;
  for (let i: i32 = 0; i < blocks; i++) {
    let shifts: i32 = 0;
    let sum = decodeIcdf(rd, countModel, 8);
    while (sum == MAX_BLOCK_PULSES + 1) {
      shifts++;
      // After ten escapes the model without a further escape applies.
      sum = decodeIcdf(rd, pulseCountIcdf + 9 * 18 + usize(shifts == MAX_EXTRA_BITS), 8);
    }
    store<i32>(PULSE_SUMS + (usize(i) << 2), sum);
    store<i32>(PULSE_SHIFTS + (usize(i) << 2), shifts);
  }
  for (let i: i32 = 0; i < blocks; i++) {
    const at = output + (usize(i) << 5);
    const total = load<i32>(PULSE_SUMS + (usize(i) << 2));
    const first = decodeSplit(rd, total, shellIcdf3);
    decodeEight(rd, at, first);
    decodeEight(rd, at + 16, total - first);
  }
  for (let i: i32 = 0; i < blocks; i++) {
    const shifts = load<i32>(PULSE_SHIFTS + (usize(i) << 2));
    if (shifts == 0) continue;
    const at = output + (usize(i) << 5);
    for (let k: usize = 0; k < 32; k += 2) {
      let size = i32(load<i16>(at + k));
      for (let j: i32 = 0; j < shifts; j++) size = (size << 1) + decodeIcdf(rd, lsbIcdf, 8);
      store<i16>(at + k, i16(size));
    }
    // Non-zero, so that the signs of the block are read; the model depends on the pulses without extra bits.
    const sumAt = PULSE_SUMS + (usize(i) << 2);
    store<i32>(sumAt, load<i32>(sumAt) | (shifts << 5));
  }
  const signModel = signIcdf + usize(7 * (quantOffsetType + (signalType << 1)));
  for (let i: i32 = 0; i < blocks; i++) {
    const sum = load<i32>(PULSE_SUMS + (usize(i) << 2));
    if (sum == 0) continue;
    const positive = u32(load<u8>(signModel + usize(min(sum & 0x1f, 6))));
    const at = output + (usize(i) << 5);
    for (let k: usize = 0; k < 32; k += 2) {
      const size = load<i16>(at + k);
      if (size > 0 && decodeSign(rd, positive)) store<i16>(at + k, -size);
    }
  }
}

/** True for a negative sign; `threshold` is the single entry of the two-symbol model. */
function decodeSign(rd: RangeDecoder, threshold: u32): bool {
  store<u8>(SIGN_MODEL, u8(threshold));
  store<u8>(SIGN_MODEL, 0, 1);
  return decodeIcdf(rd, SIGN_MODEL, 8) == 0;
}
