// Bit allocation (RFC 6716 section 4.3.3): integer arithmetic that encoder and decoder do alike, in 1/8 bit.
import { decodeBit, decodeUint, RangeDecoder } from "../range-decoder";
import { encodeBit, encodeUint, RangeEncoder } from "../range-encoder";
import { bandAllocation, bandLogWidth, FINE_OFFSET, log2FracTable, MAX_FINE_BITS, pulseCacheCaps } from "../tables/celt";
import {
  ALLOCATION_AT,
  BAND_BITS_AT,
  BITS_LOW_AT,
  BITS_STEP_AT,
  BOOSTS_AT,
  CAPS_AT,
  FINE_BITS_AT,
  FINE_PRIORITY_AT,
  THRESHOLDS_AT,
  TRIM_OFFSETS_AT,
} from "./scratch";
import { bandEdge, BANDS } from "./state";

/** Rows of the static allocation table. */
const LEVELS: i32 = 11;
/** Interpolation between two rows goes in 1/64. */
const STEP_BITS: i32 = 6;
/** 1 bit. */
const BIT: i32 = 8;

/** What the allocation tells the band coder, beside the arrays of the scratch memory. */
@unmanaged
export class Allocation {
  codedBands: i32;
  balance: i32;
  intensity: i32;
  dualStereo: i32;
}

/** Choices of the encoder, which the allocation writes. */
@unmanaged
export class AllocationChoice {
  re: RangeEncoder;
  /** Bands of the last frame: those are not skipped lightly. */
  previousBands: i32;
  /** Last band that holds signal. */
  signalBand: i32;
  intensity: i32;
  dualStereo: i32;
}

function get(array: usize, band: i32): i32 {
  return load<i32>(array + (<usize>band << 2));
}

function set(array: usize, band: i32, value: i32): void {
  store<i32>(array + (<usize>band << 2), value);
}

function bandWidth(band: i32): i32 {
  return bandEdge(band + 1) - bandEdge(band);
}

/** Most bits that a band can use, into CAPS. */
export function computeCaps(lm: i32, channels: i32): void {
  const row = pulseCacheCaps + <usize>(BANDS * (2 * lm + channels - 1));
  for (let band = 0; band < BANDS; band++) {
    const bins = bandWidth(band) << lm;
    set(CAPS_AT, band, ((<i32>load<u8>(row + <usize>band) + 64) * channels * bins) >> 2);
  }
}

/**
 * Divides `total` over the bands: PVQ bits into BAND_BITS, fine energy bits into FINE_BITS, and FINE_PRIORITY; reads the
 * skip flags, the intensity band and the dual stereo flag from `rd` on the way, or writes them where `choice` is given.
 */
export function computeAllocation(
  rd: RangeDecoder,
  choice: AllocationChoice | null,
  startBand: i32,
  endBand: i32,
  trim: i32,
  totalBits: i32,
  channels: i32,
  lm: i32,
): Allocation {
  let total = max<i32>(totalBits, 0);
  let skipStart = startBand;
  const skipReserve = total >= BIT ? BIT : 0;
  total -= skipReserve;
  let intensityReserve = 0;
  let dualReserve = 0;
  if (channels == 2) {
    intensityReserve = load<u8>(log2FracTable + <usize>(endBand - startBand));
    if (intensityReserve > total) {
      intensityReserve = 0;
    } else {
      total -= intensityReserve;
      dualReserve = total >= BIT ? BIT : 0;
      total -= dualReserve;
    }
  }
  const floor = channels << 3;
  for (let band = startBand; band < endBand; band++) {
    const width = bandWidth(band);
    // Below this no PVQ bits are given.
    set(THRESHOLDS_AT, band, max<i32>(floor, ((3 * width) << lm << 3) >> 4));
    let offset = (channels * width * (trim - 5 - lm) * (endBand - band - 1) * (1 << (lm + 3))) >> 6;
    if (width << lm == 1) offset -= floor;
    set(TRIM_OFFSETS_AT, band, offset);
  }
  let low = 1;
  let high = LEVELS - 1;
  do {
    const middle = (low + high) >> 1;
    let sum = 0;
    let reached = false;
    for (let band = endBand - 1; band >= startBand; band--) {
      let bits = levelBits(middle, band, channels, lm);
      if (bits > 0) bits = max<i32>(0, bits + get(TRIM_OFFSETS_AT, band));
      bits += get(BOOSTS_AT, band);
      if (reached || bits >= get(THRESHOLDS_AT, band)) {
        reached = true;
        sum += min<i32>(bits, get(CAPS_AT, band));
      } else if (bits >= floor) {
        sum += floor;
      }
    }
    if (sum > total) high = middle - 1;
    else low = middle + 1;
  } while (low <= high);
  high = low--;
  for (let band = startBand; band < endBand; band++) {
    const trimOffset = get(TRIM_OFFSETS_AT, band);
    const boost = get(BOOSTS_AT, band);
    let bits1 = levelBits(low, band, channels, lm);
    let bits2 = high >= LEVELS ? get(CAPS_AT, band) : levelBits(high, band, channels, lm);
    if (bits1 > 0) bits1 = max<i32>(0, bits1 + trimOffset);
    if (bits2 > 0) bits2 = max<i32>(0, bits2 + trimOffset);
    if (low > 0) bits1 += boost;
    bits2 += boost;
    if (boost > 0) skipStart = band;
    set(BITS_LOW_AT, band, bits1);
    set(BITS_STEP_AT, band, max<i32>(0, bits2 - bits1));
  }
  return interpolate(
    rd,
    choice,
    startBand,
    endBand,
    skipStart,
    total,
    skipReserve,
    intensityReserve,
    dualReserve,
    channels,
    lm,
  );
}

function levelBits(level: i32, band: i32, channels: i32, lm: i32): i32 {
  return (channels * bandWidth(band) * <i32>load<u8>(bandAllocation + <usize>(level * BANDS + band)) << lm) >> 2;
}

/** Whether the encoder codes the last band so far rather than skip it: enough depth, with hysteresis. */
function keepsBand(
  choice: AllocationChoice,
  codedBands: i32,
  band: i32,
  startBand: i32,
  bits: i32,
  lm: i32,
): bool {
  if (codedBands <= startBand + 2) return true;
  const depth = codedBands > 17 ? (band < choice.previousBands ? 7 : 9) : 0;
  return bits > ((depth * bandWidth(band)) << lm << 3) >> 4 && band <= choice.signalBand;
}

/** Finds the 1/64 step between the two levels that fits, skips bands from the top, and splits off the fine bits. */
function interpolate(
  rd: RangeDecoder,
  choice: AllocationChoice | null,
  startBand: i32,
  endBand: i32,
  skipStart: i32,
  totalBits: i32,
  skipReserve: i32,
  intensityReserved: i32,
  dualReserved: i32,
  channels: i32,
  lm: i32,
): Allocation {
  const result = changetype<Allocation>(ALLOCATION_AT);
  let total = totalBits;
  let intensityReserve = intensityReserved;
  let dualReserve = dualReserved;
  const floor = channels << 3;
  const stereo = channels - 1;
  const logM = lm << 3;

  let low = 0;
  let high = 1 << STEP_BITS;
  for (let i = 0; i < STEP_BITS; i++) {
    const middle = (low + high) >> 1;
    let sum = 0;
    let reached = false;
    for (let band = endBand - 1; band >= startBand; band--) {
      const bits = get(BITS_LOW_AT, band) + ((middle * get(BITS_STEP_AT, band)) >> STEP_BITS);
      if (reached || bits >= get(THRESHOLDS_AT, band)) {
        reached = true;
        sum += min<i32>(bits, get(CAPS_AT, band));
      } else if (bits >= floor) {
        sum += floor;
      }
    }
    if (sum > total) high = middle;
    else low = middle;
  }
  let sum = 0;
  let reached = false;
  for (let band = endBand - 1; band >= startBand; band--) {
    let bits = get(BITS_LOW_AT, band) + ((low * get(BITS_STEP_AT, band)) >> STEP_BITS);
    if (!reached && bits < get(THRESHOLDS_AT, band)) bits = bits >= floor ? floor : 0;
    else reached = true;
    bits = min<i32>(bits, get(CAPS_AT, band));
    set(BAND_BITS_AT, band, bits);
    sum += bits;
  }

  const firstEdge = bandEdge(startBand);
  let codedBands = endBand;
  for (; ; codedBands--) {
    const band = codedBands - 1;
    // The first band and bands that were boosted are never skipped.
    if (band <= skipStart) {
      total += skipReserve;
      break;
    }
    const codedBins = bandEdge(codedBands) - firstEdge;
    let left = total - sum;
    const perBin = <i32>(<u32>left / <u32>codedBins);
    left -= codedBins * perBin;
    const rest = max<i32>(left - (bandEdge(band) - firstEdge), 0);
    let bandBits = get(BAND_BITS_AT, band) + perBin * bandWidth(band) + rest;
    if (bandBits >= max<i32>(get(THRESHOLDS_AT, band), floor + BIT)) {
      if (choice) {
        const keeps = keepsBand(choice, codedBands, band, startBand, bandBits, lm);
        encodeBit(choice.re, i32(keeps), 1);
        if (keeps) break;
      } else if (decodeBit(rd, 1)) {
        break;
      }
      sum += BIT;
      bandBits -= BIT;
    }
    sum -= get(BAND_BITS_AT, band) + intensityReserve;
    if (intensityReserve > 0) intensityReserve = load<u8>(log2FracTable + <usize>(band - startBand));
    sum += intensityReserve;
    if (bandBits >= floor) {
      sum += floor;
      set(BAND_BITS_AT, band, floor);
    } else {
      set(BAND_BITS_AT, band, 0);
    }
  }

  let intensity = 0;
  if (intensityReserve > 0) {
    if (choice) {
      intensity = min<i32>(choice.intensity, codedBands);
      encodeUint(choice.re, intensity - startBand, codedBands + 1 - startBand);
    } else {
      intensity = startBand + <i32>decodeUint(rd, codedBands + 1 - startBand);
    }
  }
  if (intensity <= startBand) {
    total += dualReserve;
    dualReserve = 0;
  }
  let dualStereo = 0;
  if (dualReserve > 0) {
    if (choice) {
      dualStereo = choice.dualStereo;
      encodeBit(choice.re, dualStereo, 1);
    } else {
      dualStereo = decodeBit(rd, 1);
    }
  }

  const codedBins = bandEdge(codedBands) - firstEdge;
  let left = total - sum;
  const perBin = <i32>(<u32>left / <u32>codedBins);
  left -= codedBins * perBin;
  for (let band = startBand; band < codedBands; band++) {
    const width = bandWidth(band);
    const extra = min<i32>(left, width);
    set(BAND_BITS_AT, band, get(BAND_BITS_AT, band) + perBin * width + extra);
    left -= extra;
  }

  let balance = 0;
  for (let band = startBand; band < codedBands; band++) {
    const bins = bandWidth(band) << lm;
    const available = get(BAND_BITS_AT, band) + balance;
    let bits: i32;
    let fine = 0;
    let priority = 1;
    let excess: i32;
    if (bins > 1) {
      excess = max<i32>(available - get(CAPS_AT, band), 0);
      bits = available - excess;
      // Degrees of freedom: stereo has one more where both channels are coded jointly.
      const freedom = channels * bins + i32(channels == 2 && bins > 2 && !dualStereo && band < intensity);
      const logWidth = freedom * (<i32>load<i16>(bandLogWidth + (<usize>band << 1)) + logM);
      let offset = (logWidth >> 1) - freedom * FINE_OFFSET;
      if (bins == 2) offset += (freedom << 3) >> 2;
      if (bits + offset < (freedom * 2) << 3) offset += logWidth >> 2;
      else if (bits + offset < (freedom * 3) << 3) offset += logWidth >> 3;
      fine = max<i32>(0, bits + offset + (freedom << 2));
      fine = <i32>(<u32>fine / <u32>freedom) >> 3;
      if (channels * fine > bits >> 3) fine = bits >> stereo >> 3;
      fine = min<i32>(fine, MAX_FINE_BITS);
      priority = i32(fine * (freedom << 3) >= bits + offset);
      bits -= (channels * fine) << 3;
    } else {
      excess = max<i32>(0, available - floor);
      bits = available - excess;
    }
    if (excess > 0) {
      const extraFine = min<i32>(excess >> (stereo + 3), MAX_FINE_BITS - fine);
      fine += extraFine;
      const extraBits = (extraFine * channels) << 3;
      priority = i32(extraBits >= excess - balance);
      excess -= extraBits;
    }
    balance = excess;
    set(BAND_BITS_AT, band, bits);
    set(FINE_BITS_AT, band, fine);
    set(FINE_PRIORITY_AT, band, priority);
  }
  for (let band = codedBands; band < endBand; band++) {
    const fine = get(BAND_BITS_AT, band) >> stereo >> 3;
    set(FINE_BITS_AT, band, fine);
    set(BAND_BITS_AT, band, 0);
    set(FINE_PRIORITY_AT, band, i32(fine < 1));
  }
  result.codedBands = codedBands;
  result.balance = balance;
  result.intensity = intensity;
  result.dualStereo = dualStereo;
  return result;
}
