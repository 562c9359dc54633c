// What encoder and decoder decide alike about a partition of a band (RFC 6716 section 4.3.4): how an angle splits it, how many
// pulses its bits buy, and what fills it where they buy none.
import {
  bandLogWidth,
  pulseCacheBits,
  pulseCacheIndex,
  QTHETA_OFFSET,
  QTHETA_OFFSET_TWOPHASE,
  thetaExp2,
} from "../tables/celt";
import { renormalize } from "./band-transform";
import { bitexactCos, bitexactLog2tan, fracMul16, nextNoise } from "./math";
import { BAND_CONTEXT_AT, SPLIT_AT } from "./scratch";
import { BANDS } from "./state";

/** What all partitions of a band share. */
@unmanaged
export class BandContext {
  /** Address of the range decoder or encoder. */
  coder: usize;
  band: i32;
  intensity: i32;
  spread: i32;
  tfChange: i32;
  remainingBits: i32;
  seed: u32;
  phaseInversionDisabled: i32;
  /** Encoder: whether the decoder's result is wanted. */
  resynthesize: i32;
  /** Encoder: 0 rounds the stereo angle to the nearest step, -1 down, 1 up. */
  rounding: i32;
  /** Encoder: in the first band of a transient no noise may come into a half. */
  avoidNoise: i32;
}
export const BAND_CONTEXT_BYTES: usize = offsetof<BandContext>();

export function bandContext(): BandContext {
  return changetype<BandContext>(BAND_CONTEXT_AT);
}

/** A split of a vector into two by an angle. */
@unmanaged
export class Split {
  inverted: i32;
  middle: i32;
  side: i32;
  delta: i32;
  theta: i32;
  usedBits: i32;
  /** Bits and fill mask that remain after the angle. */
  bits: i32;
  fill: u32;
}

/** Steps of the angle for `bits` eighths over `n` bins; 1 where none is coded. */
export function angleSteps(context: BandContext, n: i32, bits: i32, lm: i32, stereo: bool): i32 {
  if (stereo && context.band >= context.intensity) return 1;
  const pulseCap = <i32>load<i16>(bandLogWidth + (<usize>context.band << 1)) + lm * 8;
  const offset = (pulseCap >> 1) - (stereo && n == 2 ? QTHETA_OFFSET_TWOPHASE : QTHETA_OFFSET);
  let freedom = 2 * n - 1;
  if (stereo && n == 2) freedom--;
  let perFreedom = (bits + freedom * offset) / freedom;
  perFreedom = min<i32>(bits - pulseCap - 32, perFreedom);
  perFreedom = min<i32>(64, perFreedom);
  if (perFreedom < 4) return 1;
  const steps = <i32>load<i16>(thetaExp2 + (<usize>(perFreedom & 7) << 1)) >> (14 - (perFreedom >> 3));
  return ((steps + 1) >> 1) << 1;
}

/** The gains of both halves and how the bits divide, from the angle (in 1/16384 of a right one) that took `used` bits. */
export function splitByAngle(
  theta: i32,
  inverted: i32,
  n: i32,
  bitsAvailable: i32,
  used: i32,
  blocks: i32,
  fillMask: u32,
): Split {
  const split = changetype<Split>(SPLIT_AT);
  let fill = fillMask;
  if (theta == 0) {
    split.middle = 32767;
    split.side = 0;
    split.delta = -16384;
    fill &= (<u32>1 << blocks) - 1;
  } else if (theta == 16384) {
    split.middle = 0;
    split.side = 32767;
    split.delta = 16384;
    fill &= ((<u32>1 << blocks) - 1) << blocks;
  } else {
    const middle = bitexactCos(theta);
    const side = bitexactCos(16384 - theta);
    split.middle = middle;
    split.side = side;
    split.delta = fracMul16((n - 1) << 7, bitexactLog2tan(side, middle));
  }
  split.inverted = inverted;
  split.theta = theta;
  split.usedBits = used;
  split.bits = bitsAvailable - used;
  split.fill = fill;
  return split;
}

/** Address of the costs of a partition: their number, then the cost of each in 1/8 bit less one. */
export function pulseCosts(context: BandContext, lm: i32): usize {
  return (
    pulseCacheBits + <usize>load<i16>(pulseCacheIndex + (<usize>((lm + 1) * BANDS + context.band) << 1))
  );
}

/** The pulses whose code word is closest to the bits available, which are taken off the band's; 0 for none. */
export function buyPulses(context: BandContext, costs: usize, bitsAvailable: i32): i32 {
  let low = 0;
  let high: i32 = load<u8>(costs);
  const wanted = bitsAvailable - 1;
  for (let i = 0; i < 6; i++) {
    const middle = (low + high + 1) >> 1;
    if (<i32>load<u8>(costs + <usize>middle) >= wanted) high = middle;
    else low = middle;
  }
  const lowCost: i32 = low == 0 ? -1 : load<u8>(costs + <usize>low);
  let entry = wanted - lowCost <= <i32>load<u8>(costs + <usize>high) - wanted ? low : high;
  let cost: i32 = entry == 0 ? 0 : <i32>load<u8>(costs + <usize>entry) + 1;
  context.remainingBits -= cost;
  while (context.remainingBits < 0 && entry > 0) {
    context.remainingBits += cost;
    entry--;
    cost = entry == 0 ? 0 : <i32>load<u8>(costs + <usize>entry) + 1;
    context.remainingBits -= cost;
  }
  // Entries of the cost tables stand for more and more pulses.
  return entry < 8 ? entry : (8 + (entry & 7)) << ((entry >> 3) - 1);
}

/** What a partition without pulses becomes: a folded copy of lower bands, noise, or nothing. Returns the collapse mask. */
export function fillPartition(
  context: BandContext,
  x: usize,
  count: i32,
  blockCount: i32,
  lowband: usize,
  gain: f32,
  fillMask: u32,
): u32 {
  const mask: u32 = (<u32>1 << blockCount) - 1;
  const fill = fillMask & mask;
  const bytes = <usize>count << 2;
  if (!fill) {
    memory.fill(x, 0, bytes);
    return 0;
  }
  let seed = context.seed;
  if (!lowband) {
    for (let at: usize = 0; at < bytes; at += 4) {
      seed = nextNoise(seed);
      store<f32>(x + at, <f32>(<i32>seed >> 20));
    }
  } else {
    // About 48 dB below the folded spectrum.
    for (let at: usize = 0; at < bytes; at += 4) {
      seed = nextNoise(seed);
      const noise: f32 = seed & 0x8000 ? 1.0 / 256.0 : -1.0 / 256.0;
      store<f32>(x + at, load<f32>(lowband + at) + noise);
    }
  }
  context.seed = seed;
  renormalize(x, count, gain);
  return lowband ? fill : mask;
}

/** How the first half of a partition shares the bits with the second: for short blocks the earlier one masks the later. */
export function firstHalfBits(split: Split, half: i32, blocksBefore: i32, lm: i32): i32 {
  let delta = split.delta;
  if (blocksBefore > 1 && split.theta & 0x3fff) {
    if (split.theta > 8192) delta -= delta >> (4 - lm);
    else delta = min<i32>(0, delta + ((half << 3) >> (5 - lm)));
  }
  return max<i32>(0, min<i32>(split.bits, (split.bits - delta) / 2));
}
