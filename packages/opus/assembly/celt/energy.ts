// Band energies (RFC 6716 section 4.3.2): coarse steps with prediction in time and frequency, then fine bits.
import {
  acceptSymbol,
  decodeBit,
  decodeIcdf,
  decodeRawBits,
  decodeSymbolBits,
  RangeDecoder,
  tellBits,
} from "../range-decoder";
import {
  energyPredAlpha,
  energyPredBeta,
  energyPredBetaIntra,
  energyProbModel,
  energySmallIcdf,
  MAX_FINE_BITS,
} from "../tables/celt";
import { FINE_BITS_AT, FINE_PRIORITY_AT } from "./scratch";
import { BANDS } from "./state";

/** Values of which the two-sided Laplace model guarantees a code on each side. */
const GUARANTEED: u32 = 16;

/** An integer of a Laplace-like distribution: `zero` is P(0) in Q15, `decay` the ratio of neighbours in Q14. */
function decodeLaplace(rd: RangeDecoder, zero: u32, decay: u32): i32 {
  const position = decodeSymbolBits(rd, 15);
  let value: i32 = 0;
  let low: u32 = 0;
  let size = zero;
  if (position >= size) {
    value = 1;
    low = size;
    size = (((32768 - 2 * GUARANTEED - zero) * (16384 - decay)) >> 15) + 1;
    while (size > 1 && position >= low + 2 * size) {
      size *= 2;
      low += size;
      size = (((size - 2) * decay) >> 15) + 1;
      value++;
    }
    if (size <= 1) {
      const steps = (position - low) >> 1;
      value += <i32>steps;
      low += 2 * steps;
    }
    if (position < low + size) value = -value;
    else low += size;
  }
  acceptSymbol(rd, low, min<u32>(low + size, 32768), 32768);
  return value;
}

/** Coarse energies of the bands into `energies` (f32 log2 units, [channel][21]), which hold the previous frame's. */
export function decodeCoarseEnergy(
  rd: RangeDecoder,
  energies: usize,
  startBand: i32,
  endBand: i32,
  intra: i32,
  channels: i32,
  lm: i32,
): void {
  const model = energyProbModel + <usize>((lm * 2 + intra) * BANDS * 2);
  let alpha: f32 = 0.0;
  let beta: f32 = energyPredBetaIntra;
  if (!intra) {
    alpha = load<f32>(energyPredAlpha + (<usize>lm << 2));
    beta = load<f32>(energyPredBeta + (<usize>lm << 2));
  }
  const budget: i32 = <i32>rd.size * 8;
  let previous0: f32 = 0.0;
  let previous1: f32 = 0.0;
  for (let band = startBand; band < endBand; band++) {
    for (let channel = 0; channel < channels; channel++) {
      const left = budget - tellBits(rd);
      let step: i32 = -1;
      if (left >= 15) {
        const entry = model + <usize>(2 * min<i32>(band, 20));
        step = decodeLaplace(rd, <u32>load<u8>(entry) << 7, <u32>load<u8>(entry + 1) << 6);
      } else if (left >= 2) {
        step = decodeIcdf(rd, energySmallIcdf, 2);
        step = (step >> 1) ^ -(step & 1);
      } else if (left >= 1) {
        step = -decodeBit(rd, 1);
      }
      const q = <f32>step;
      const at = energies + (<usize>(band + channel * BANDS) << 2);
      const old = max<f32>(-9.0, load<f32>(at));
      const previous = channel ? previous1 : previous0;
      store<f32>(at, alpha * old + previous + q);
      const next = previous + q - beta * q;
      if (channel) previous1 = next;
      else previous0 = next;
    }
  }
}

/** Adds the fine bits of the allocation. */
export function decodeFineEnergy(
  rd: RangeDecoder,
  energies: usize,
  startBand: i32,
  endBand: i32,
  channels: i32,
): void {
  for (let band = startBand; band < endBand; band++) {
    const bits = load<i32>(FINE_BITS_AT + (<usize>band << 2));
    if (bits <= 0) continue;
    if (tellBits(rd) + channels * bits > <i32>rd.size * 8) continue;
    for (let channel = 0; channel < channels; channel++) {
      const value = <f32>decodeRawBits(rd, bits);
      const offset: f32 = (value + 0.5) * <f32>(1 << (14 - bits)) * <f32>(1.0 / 16384.0) - 0.5;
      const at = energies + (<usize>(band + channel * BANDS) << 2);
      store<f32>(at, load<f32>(at) + offset);
    }
  }
}

/** Spends what is left at the end of the frame on one more bit per band, in two rounds of priority. */
export function finishEnergy(
  rd: RangeDecoder,
  energies: usize,
  startBand: i32,
  endBand: i32,
  bitsLeft: i32,
  channels: i32,
): void {
  let left = bitsLeft;
  for (let priority = 0; priority < 2; priority++) {
    for (let band = startBand; band < endBand && left >= channels; band++) {
      const bits = load<i32>(FINE_BITS_AT + (<usize>band << 2));
      if (bits >= MAX_FINE_BITS || load<i32>(FINE_PRIORITY_AT + (<usize>band << 2)) != priority) continue;
      for (let channel = 0; channel < channels; channel++) {
        const value = <f32>decodeRawBits(rd, 1);
        const offset: f32 = (value - 0.5) * <f32>(1 << (14 - bits - 1)) * <f32>(1.0 / 16384.0);
        const at = energies + (<usize>(band + channel * BANDS) << 2);
        store<f32>(at, load<f32>(at) + offset);
        left--;
      }
    }
  }
}
