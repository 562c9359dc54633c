// Bit rates of the Opus encoder: conversions, the equivalent rate that the decisions use, redundancy for lost packets.
import { fecThresholds } from "../tables/encoder-tuning";
import { smulwb } from "../silk/fixed-point";

export const MODE_UNKNOWN: i32 = 0;
export const MODE_SILK: i32 = 1;
export const MODE_HYBRID: i32 = 2;
export const MODE_CELT: i32 = 3;

/** Rate of `bits` in each frame, in bit/s; rates of frames are sixths, for 60 ms. */
export function bitsToRate(bits: i32, rateHz: i32, frames: i32): i32 {
  return (bits * ((6 * rateHz) / frames)) / 6;
}

/** Bits of a frame at a rate. */
export function rateToBits(bitrateBps: i32, rateHz: i32, frames: i32): i32 {
  return (bitrateBps * 6) / ((6 * rateHz) / frames);
}

/** The rate of 20 ms frames, variable rate, complexity 10 and no loss that sounds like the given one. */
export function equivalentRate(
  bitrateBps: i32,
  channels: i32,
  frameRate: i32,
  vbr: bool,
  mode: i32,
  complexity: i32,
  lossPercent: i32,
): i32 {
  let rate = bitrateBps;
  if (frameRate > 50) rate -= (40 * channels + 20) * (frameRate - 50);
  if (!vbr) rate -= rate / 12;
  rate = (rate * (90 + complexity)) / 100;
  if (mode == MODE_SILK || mode == MODE_HYBRID) {
    if (complexity < 2) rate = (rate * 4) / 5;
    rate -= (rate * lossPercent) / (6 * lossPercent + 10);
  } else if (mode == MODE_CELT) {
    if (complexity < 5) rate = (rate * 9) / 10;
  } else {
    rate -= (rate * lossPercent) / (12 * lossPercent + 20);
  }
  return rate;
}

/**
 * Bandwidth (0 narrowband .. 4 fullband) at which SILK's redundancy pays, or -1 for none; above 5 % of loss a lower
 * bandwidth than the wanted one may be the price.
 */
export function redundancyBandwidth(wanted: i32, rateBps: i32, lossPercent: i32, before: bool): i32 {
  for (let bandwidth = wanted; bandwidth >= 0; bandwidth--) {
    const entry = fecThresholds + (usize(bandwidth) << 3);
    const hysteresis = load<i32>(entry, 4);
    let threshold = load<i32>(entry) + (before ? -hysteresis : hysteresis);
    // 0.01 in Q16.
    threshold = smulwb(threshold * (125 - min(lossPercent, 25)), 655);
    if (rateBps > threshold) return bandwidth;
    if (lossPercent <= 5) return -1;
  }
  return -1;
}
