// Extra bits for bands that stand out of their surroundings, with the importance of the bands for other decisions.
import { bandLogWidth, bandMeanEnergy } from "../tables/celt";
import {
  BAND_LOG_AT,
  BAND_LOG_LONG_AT,
  BAND_WORK_2_AT,
  BAND_WORK_AT,
  FOLLOWER_AT,
  IMPORTANCE_AT,
  NOISE_FLOOR_AT,
  SPREAD_WEIGHT_AT,
  SURROUND_BOOST_AT,
} from "./encoder-scratch";
import { analysisOf, CeltEncoder, LEAK_BANDS, LEAK_BOOST, oldEnergy } from "./encoder-state";
import { exp2, floorOf } from "./math";
import { BOOSTS_AT } from "./scratch";
import { bandEdge, BANDS } from "./state";

const PI: f64 = 3.14159265358979323846;
const HALF: f32 = 0.5;

function get(array: usize, band: i32): f32 {
  return load<f32>(array + (<usize>band << 2));
}

function set(array: usize, band: i32, value: f32): void {
  store<f32>(array + (<usize>band << 2), value);
}

function medianOf3(x: usize): f32 {
  const a = min<f32>(load<f32>(x), load<f32>(x, 4));
  const b = max<f32>(load<f32>(x), load<f32>(x, 4));
  return max<f32>(a, min<f32>(b, load<f32>(x, 8)));
}

function medianOf5(x: usize): f32 {
  let t0 = load<f32>(x);
  let t1 = load<f32>(x, 4);
  const t2 = load<f32>(x, 8);
  let t3 = load<f32>(x, 12);
  let t4 = load<f32>(x, 16);
  let swap: f32;
  if (t0 > t1) {
    swap = t0;
    t0 = t1;
    t1 = swap;
  }
  if (t3 > t4) {
    swap = t3;
    t3 = t4;
    t4 = swap;
  }
  if (t0 > t3) {
    swap = t3;
    t3 = t0;
    t0 = swap;
    swap = t4;
    t4 = t1;
    t1 = swap;
  }
  if (t2 > t1) return t1 < t3 ? min<f32>(t2, t3) : min<f32>(t4, t1);
  return t2 < t3 ? min<f32>(t1, t3) : min<f32>(t2, t4);
}

/** Levels below which nothing can be heard, from the depth of the input, the band width and the pre-emphasis. */
function noiseFloor(endBand: i32, lsbDepth: i32): void {
  const depth: i32 = 9 - lsbDepth;
  for (let band = 0; band < endBand; band++) {
    const five = <f32>(band + 5);
    const width = <f32>load<i16>(bandLogWidth + (<usize>band << 1));
    const floor: f32 =
      <f32>0.0625 * width + HALF + <f32>depth - get(bandMeanEnergy, band) + <f32>0.0062 * five * five;
    set(NOISE_FLOOR_AT, band, floor);
  }
}

/** Weights of the bands for the spreading decision, small where neighbours mask them. */
function weighSpread(endBand: i32, channels: i32, maxDepth: f32): void {
  const mask = BAND_WORK_AT;
  const signal = BAND_WORK_2_AT;
  for (let band = 0; band < endBand; band++) {
    let level: f32 = get(BAND_LOG_AT, band) - get(NOISE_FLOOR_AT, band);
    if (channels == 2) level = max<f32>(level, get(BAND_LOG_AT, band + BANDS) - get(NOISE_FLOOR_AT, band));
    set(mask, band, level);
    set(signal, band, level);
  }
  for (let band = 1; band < endBand; band++) {
    set(mask, band, max<f32>(get(mask, band), get(mask, band - 1) - <f32>2.0));
  }
  for (let band = endBand - 2; band >= 0; band--) {
    set(mask, band, max<f32>(get(mask, band), get(mask, band + 1) - <f32>3.0));
  }
  for (let band = 0; band < endBand; band++) {
    const threshold = max<f32>(max<f32>(0.0, maxDepth - <f32>12.0), get(mask, band));
    const ratio: f32 = get(signal, band) - threshold;
    const shift = min<i32>(5, max<i32>(0, -floorOf(HALF + ratio)));
    store<i32>(SPREAD_WEIGHT_AT + (<usize>band << 2), 32 >> shift);
  }
}

/**
 * Smoothed lower envelope of one channel's energies, at least the noise floor.
 * @param lastBefore the last band that rises over its neighbour, in the channels before
 * @returns the same with this channel
 */
function follow(state: CeltEncoder, channel: i32, endBand: i32, lm: i32, lastBefore: i32): i32 {
  const energies = BAND_WORK_AT;
  const follower = FOLLOWER_AT + <usize>(channel * BANDS * 4);
  const one: f32 = 1.0;
  for (let band = 0; band < endBand; band++) {
    let energy = get(BAND_LOG_LONG_AT, channel * BANDS + band);
    // Bands of one bin vary too much by themselves.
    if (lm == 0 && band < 8) energy = max<f32>(energy, get(oldEnergy(state), channel * BANDS + band));
    set(energies, band, energy);
  }
  let last = lastBefore;
  set(follower, 0, get(energies, 0));
  for (let band = 1; band < endBand; band++) {
    if (get(energies, band) > get(energies, band - 1) + HALF) last = band;
    set(follower, band, min<f32>(get(follower, band - 1) + <f32>1.5, get(energies, band)));
  }
  for (let band = last - 1; band >= 0; band--) {
    const limit = min<f32>(get(follower, band + 1) + <f32>2.0, get(energies, band));
    set(follower, band, min<f32>(get(follower, band), limit));
  }
  for (let band = 2; band < endBand - 2; band++) {
    const median: f32 = medianOf5(energies + (<usize>(band - 2) << 2)) - one;
    set(follower, band, max<f32>(get(follower, band), median));
  }
  const low: f32 = medianOf3(energies) - one;
  set(follower, 0, max<f32>(get(follower, 0), low));
  set(follower, 1, max<f32>(get(follower, 1), low));
  const high: f32 = medianOf3(energies + (<usize>(endBand - 3) << 2)) - one;
  set(follower, endBand - 2, max<f32>(get(follower, endBand - 2), high));
  set(follower, endBand - 1, max<f32>(get(follower, endBand - 1), high));
  for (let band = 0; band < endBand; band++) {
    set(follower, band, max<f32>(get(follower, band), get(NOISE_FLOOR_AT, band)));
  }
  return last;
}

/** How far the energies rise above the followers, both channels together, into the first follower. */
function exceed(startBand: i32, endBand: i32, channels: i32): void {
  const four: f32 = 4.0;
  for (let band = startBand; band < endBand; band++) {
    if (channels == 2) {
      // 24 dB of cross-talk.
      const right = max<f32>(get(FOLLOWER_AT, BANDS + band), get(FOLLOWER_AT, band) - four);
      const left = max<f32>(get(FOLLOWER_AT, band), right - four);
      const above: f32 =
        max<f32>(0.0, get(BAND_LOG_AT, band) - left) + max<f32>(0.0, get(BAND_LOG_AT, BANDS + band) - right);
      set(FOLLOWER_AT, band, HALF * above);
    } else {
      set(FOLLOWER_AT, band, max<f32>(0.0, get(BAND_LOG_AT, band) - get(FOLLOWER_AT, band)));
    }
  }
}

/** A tone needs more bits than its band gets otherwise. */
function boostTone(startBand: i32, endBand: i32, frequency: f32): void {
  const half: f64 = 0.5;
  const bin = <i32>floor<f64>(half + <f64>(frequency * <f32>120.0) / PI);
  const two: f32 = 2.0;
  const one: f32 = 1.0;
  for (let band = startBand; band < endBand; band++) {
    const low = bandEdge(band);
    const high = bandEdge(band + 1);
    let value = get(FOLLOWER_AT, band);
    if (bin >= low && bin <= high) value += two;
    if (bin >= low - 1 && bin <= high + 1) value += one;
    if (bin >= low - 2 && bin <= high + 2) value += one;
    if (bin >= low - 3 && bin <= high + 3) value += HALF;
    set(FOLLOWER_AT, band, value);
  }
  if (bin >= bandEdge(endBand)) {
    set(FOLLOWER_AT, endBand - 1, get(FOLLOWER_AT, endBand - 1) + two);
    set(FOLLOWER_AT, endBand - 2, get(FOLLOWER_AT, endBand - 2) + one);
  }
}

/** Turns the followers into steps per band (BOOSTS); returns their cost in 1/8 bit. */
function allocate(
  startBand: i32,
  endBand: i32,
  channels: i32,
  lm: i32,
  limited: bool,
  effectiveBytes: i32,
): i32 {
  let total = 0;
  for (let band = startBand; band < endBand; band++) {
    const value = min<f32>(get(FOLLOWER_AT, band), 4.0);
    const width = (channels * (bandEdge(band + 1) - bandEdge(band))) << lm;
    let boost: i32;
    let bits: i32;
    if (width < 6) {
      boost = <i32>value;
      bits = (boost * width) << 3;
    } else if (width > 48) {
      boost = <i32>(value * <f32>8.0);
      bits = ((boost * width) << 3) / 8;
    } else {
      boost = <i32>((value * <f32>width) / <f32>6.0);
      bits = (boost * 6) << 3;
    }
    // At constant rate no more than two thirds of the frame.
    if (limited && (total + bits) >> 6 > (2 * effectiveBytes) / 3) {
      const cap = ((2 * effectiveBytes) / 3) << 6;
      store<i32>(BOOSTS_AT + (<usize>band << 2), cap - total);
      return cap;
    }
    store<i32>(BOOSTS_AT + (<usize>band << 2), boost);
    total += bits;
  }
  return total;
}

/** What the dynamic allocation tells the rest of the encoder. */
@unmanaged
export class DynamicAllocation {
  /** Largest distance of a band to the noise floor, log2. */
  maxDepth: f32;
  /** Cost of all boosts in 1/8 bit. */
  totalBoost: i32;
}

/** Fills BOOSTS (steps), IMPORTANCE and SPREAD_WEIGHT from the energies of the frame. */
export function analyseDynamics(
  state: CeltEncoder,
  result: DynamicAllocation,
  channels: i32,
  transient: bool,
  lm: i32,
  effectiveBytes: i32,
  toneFrequency: f32,
  toneishness: f32,
): void {
  const startBand = state.startBand;
  const endBand = state.endBand;
  memory.fill(BOOSTS_AT, 0, BANDS * 4);
  noiseFloor(endBand, state.lsbDepth);
  let maxDepth: f32 = -31.9;
  for (let channel = 0; channel < channels; channel++) {
    for (let band = 0; band < endBand; band++) {
      maxDepth = max<f32>(maxDepth, get(BAND_LOG_AT, channel * BANDS + band) - get(NOISE_FLOOR_AT, band));
    }
  }
  result.maxDepth = maxDepth;
  result.totalBoost = 0;
  weighSpread(endBand, channels, maxDepth);
  if (effectiveBytes < 30 + 5 * lm || state.lfe) {
    for (let band = startBand; band < endBand; band++) store<i32>(IMPORTANCE_AT + (<usize>band << 2), 13);
    return;
  }
  let last = 0;
  for (let channel = 0; channel < channels; channel++) last = follow(state, channel, endBand, lm, last);
  exceed(startBand, endBand, channels);
  const constant = !state.vbr || state.constrainedVbr != 0;
  for (let band = startBand; band < endBand; band++) {
    const value = max<f32>(get(FOLLOWER_AT, band), get(SURROUND_BOOST_AT, band));
    const weight: f32 = HALF + <f32>13.0 * exp2(min<f32>(value, 4.0));
    store<i32>(IMPORTANCE_AT + (<usize>band << 2), floorOf(weight));
    let scaled = value;
    if (constant && !transient) scaled = HALF * scaled;
    if (band < 8) scaled *= <f32>2.0;
    if (band >= 12) scaled = HALF * scaled;
    set(FOLLOWER_AT, band, scaled);
  }
  if (toneishness > <f32>0.98) boostTone(startBand, endBand, toneFrequency);
  const analysis = analysisOf(state);
  if (analysis.valid) {
    const leaks = changetype<usize>(analysis) + LEAK_BOOST;
    for (let band = startBand; band < min<i32>(LEAK_BANDS, endBand); band++) {
      const leak = <f32>load<u8>(leaks + <usize>band);
      set(FOLLOWER_AT, band, get(FOLLOWER_AT, band) + <f32>0.015625 * leak);
    }
  }
  const limited = !state.vbr || (state.constrainedVbr != 0 && !transient);
  result.totalBoost = allocate(startBand, endBand, channels, lm, limited, effectiveBytes);
}
