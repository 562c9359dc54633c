// Spectrum of one band, encoder side: splits, code words, stereo angles. The counterpart of bands.ts. Where a trial needs it,
// the decoder's result is computed on the way.
import { encodeBit, encodeRawBits, encoderTellEighths, encodeSymbol, encodeUint, RangeEncoder } from "../range-encoder";
import { EPSILON, MIN_STEREO_ENERGY } from "../tables/celt";
import { changeResolution, restoreResolution } from "./band-resolution";
import {
  angleSteps,
  BandContext,
  bandContext,
  buyPulses,
  fillPartition,
  firstHalfBits,
  pulseCosts,
  Split,
  splitByAngle,
} from "./band-split";
import { copySamples, mergeStereo, negate } from "./band-transform";
import { BAND_AMPLITUDE_AT } from "./encoder-scratch";
import { atan2Normal, bitexactCos, bitexactLog2tan, floorOf, fracMul16 } from "./math";
import { encodePartition } from "./pvq-encode";
import { BANDS } from "./state";

const SQRT_HALF: f32 = 0.70710678;
const HALF: f32 = 0.5;

function encoderOf(context: BandContext): RangeEncoder {
  return changetype<RangeEncoder>(context.coder);
}

/** Norm of a band of a channel. */
export function amplitude(band: i32, channel: i32): f32 {
  return load<f32>(BAND_AMPLITUDE_AT + (<usize>(channel * BANDS + band) << 2));
}

/** Angle between two halves, or between mid and side, in 1/16384 of a right angle. */
function measureAngle(x: usize, y: usize, stereo: bool, count: i32): i32 {
  let first: f32 = 0.0;
  let second: f32 = 0.0;
  if (stereo) {
    for (let at: usize = 0; at < <usize>count << 2; at += 4) {
      const left = load<f32>(x + at);
      const right = load<f32>(y + at);
      const middle: f32 = left + right;
      const side: f32 = left - right;
      first = first + middle * middle;
      second = second + side * side;
    }
  } else {
    for (let at: usize = 0; at < <usize>count << 2; at += 4) {
      const a = load<f32>(x + at);
      const b = load<f32>(y + at);
      first = first + a * a;
      second = second + b * b;
    }
  }
  const scale: f32 = 1073741824.0;
  return floorOf(HALF + scale * atan2Normal(sqrt<f32>(second), sqrt<f32>(first))) >> 16;
}

/** Sums both channels by their energies; the side is lost. */
function mixIntensity(x: usize, y: usize, band: i32, count: i32): void {
  const left = amplitude(band, 0);
  const right = amplitude(band, 1);
  const norm: f32 = EPSILON + sqrt<f32>(EPSILON + left * left + right * right);
  const a: f32 = left / norm;
  const b: f32 = right / norm;
  const bytes = <usize>count << 2;
  const as = f32x4.splat(a);
  const bs = f32x4.splat(b);
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) {
    v128.store(x + at, f32x4.add(f32x4.mul(as, v128.load(x + at)), f32x4.mul(bs, v128.load(y + at))));
  }
  for (; at < bytes; at += 4) store<f32>(x + at, a * load<f32>(x + at) + b * load<f32>(y + at));
}

function splitStereo(x: usize, y: usize, count: i32): void {
  const bytes = <usize>count << 2;
  const factor = f32x4.splat(SQRT_HALF);
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) {
    const left = f32x4.mul(factor, v128.load(x + at));
    const right = f32x4.mul(factor, v128.load(y + at));
    v128.store(x + at, f32x4.add(left, right));
    v128.store(y + at, f32x4.sub(right, left));
  }
  for (; at < bytes; at += 4) {
    const left: f32 = SQRT_HALF * load<f32>(x + at);
    const right: f32 = SQRT_HALF * load<f32>(y + at);
    store<f32>(x + at, left + right);
    store<f32>(y + at, right - left);
  }
}

/** Q11-scaled preference of the side over the middle for an angle in 1..16383. */
function angleDelta(theta: i32, count: i32): i32 {
  return fracMul16((count - 1) << 7, bitexactLog2tan(bitexactCos(16384 - theta), bitexactCos(theta)));
}

/** Step of the angle. */
function quantizeAngle(
  c: BandContext,
  angle: i32,
  steps: i32,
  stereo: bool,
  count: i32,
  bits: i32,
): i32 {
  if (stereo && c.rounding != 0) {
    // Biased towards the ends, where one half vanishes.
    const bias = angle > 8192 ? 32767 / steps : -32767 / steps;
    const down = min<i32>(steps - 1, max<i32>(0, (angle * steps + bias) >> 14));
    return c.rounding < 0 ? down : down + 1;
  }
  const step = (angle * steps + 8192) >> 14;
  if (!stereo && c.avoidNoise && step > 0 && step < steps) {
    const delta = angleDelta(<i32>(<u32>(step * 16384) / <u32>steps), count);
    if (delta > bits) return steps;
    if (delta < -bits) return 0;
  }
  return step;
}

function encodeAngle(re: RangeEncoder, step: i32, steps: i32, stereo: bool, count: i32, blocks: i32): void {
  const half = steps >> 1;
  if (stereo && count > 2) {
    // Up to pi/4 three times as likely as above.
    const total = 3 * (half + 1) + half;
    const boundary = 3 * (half + 1);
    if (step <= half) encodeSymbol(re, 3 * step, 3 * (step + 1), total);
    else encodeSymbol(re, step - 1 - half + boundary, step - half + boundary, total);
  } else if (blocks > 1 || stereo) {
    encodeUint(re, step, steps + 1);
  } else {
    const total = (half + 1) * (half + 1);
    const size = step <= half ? step + 1 : steps + 1 - step;
    const low =
      step <= half ? (step * (step + 1)) >> 1 : total - (((steps + 1 - step) * (steps + 2 - step)) >> 1);
    encodeSymbol(re, low, low + size, total);
  }
}

/** Measures and codes the angle between two halves, or of a stereo band, and how the bits divide. */
function encodeTheta(
  c: BandContext,
  x: usize,
  y: usize,
  n: i32,
  bitsAvailable: i32,
  blocks: i32,
  blocksBefore: i32,
  lm: i32,
  stereo: bool,
  fillMask: u32,
): Split {
  const re = encoderOf(c);
  const band = c.band;
  const steps = angleSteps(c, n, bitsAvailable, lm, stereo);
  let theta = measureAngle(x, y, stereo, n);
  let inverted = 0;
  const before = encoderTellEighths(re);
  if (steps != 1) {
    const step = quantizeAngle(c, theta, steps, stereo, n, bitsAvailable);
    encodeAngle(re, step, steps, stereo, n, blocksBefore);
    theta = <i32>(<u32>(step * 16384) / <u32>steps);
    if (stereo) {
      if (theta == 0) mixIntensity(x, y, band, n);
      else splitStereo(x, y, n);
    }
  } else if (stereo) {
    inverted = i32(theta > 8192 && !c.phaseInversionDisabled);
    if (inverted) negate(y, n);
    mixIntensity(x, y, band, n);
    if (bitsAvailable > 16 && c.remainingBits > 16) encodeBit(re, inverted, 2);
    else inverted = 0;
    if (c.phaseInversionDisabled) inverted = 0;
    theta = 0;
  }
  const used = encoderTellEighths(re) - before;
  return splitByAngle(theta, inverted, n, bitsAvailable, used, blocks, fillMask);
}

/** A band of one bin: only signs. */
function encodeSingleBin(c: BandContext, x: usize, y: usize, foldOut: usize): u32 {
  encodeSignOnly(c, x);
  if (y) encodeSignOnly(c, y);
  if (foldOut) store<f32>(foldOut, load<f32>(x));
  return 1;
}

function encodeSignOnly(c: BandContext, x: usize): void {
  let negative = 0;
  if (c.remainingBits >= 8) {
    negative = i32(load<f32>(x) < 0.0);
    encodeRawBits(encoderOf(c), negative, 1);
    c.remainingBits -= 8;
  }
  if (c.resynthesize) store<f32>(x, negative ? -1.0 : 1.0);
}

/** A partition of one channel; halves itself where one code word cannot hold its bits. */
function encodeOnePartition(
  c: BandContext,
  x: usize,
  count: i32,
  bitsAvailable: i32,
  blockCount: i32,
  lowband: usize,
  lm: i32,
  gain: f32,
  fillMask: u32,
): u32 {
  const costs = pulseCosts(c, lm);
  if (lm != -1 && bitsAvailable > <i32>load<u8>(costs + <usize>load<u8>(costs)) + 12 && count > 2) {
    return encodeHalves(c, x, count >> 1, bitsAvailable, blockCount, lowband, lm - 1, gain, fillMask);
  }
  const pulses = buyPulses(c, costs, bitsAvailable);
  const resynthesize = c.resynthesize != 0;
  if (pulses) return encodePartition(encoderOf(c), x, count, pulses, c.spread, blockCount, gain, resynthesize);
  return resynthesize ? fillPartition(c, x, count, blockCount, lowband, gain, fillMask) : 0;
}

function encodeHalves(
  c: BandContext,
  x: usize,
  half: i32,
  bitsAvailable: i32,
  blocksBefore: i32,
  lowband: usize,
  lm: i32,
  gain: f32,
  fillMask: u32,
): u32 {
  const y = x + (<usize>half << 2);
  const blocks = (blocksBefore + 1) >> 1;
  let fill = fillMask;
  if (blocksBefore == 1) fill = (fill & 1) | (fill << 1);
  const split = encodeTheta(c, x, y, half, bitsAvailable, blocks, blocksBefore, lm, false, fill);
  fill = split.fill;
  const bits = split.bits;
  const theta = split.theta;
  const middleGain: f32 = gain * (<f32>(1.0 / 32768.0) * <f32>split.middle);
  const sideGain: f32 = gain * (<f32>(1.0 / 32768.0) * <f32>split.side);
  let middleBits = firstHalfBits(split, half, blocksBefore, lm);
  let sideBits = bits - middleBits;
  c.remainingBits -= split.usedBits;
  const lowband2: usize = lowband ? lowband + (<usize>half << 2) : 0;
  const before = c.remainingBits;
  const shift = blocksBefore >> 1;
  let mask: u32;
  if (middleBits >= sideBits) {
    mask = encodeOnePartition(c, x, half, middleBits, blocks, lowband, lm, middleGain, fill);
    const unused = middleBits - (before - c.remainingBits);
    if (unused > 24 && theta != 0) sideBits += unused - 24;
    mask |= encodeOnePartition(c, y, half, sideBits, blocks, lowband2, lm, sideGain, fill >> blocks) << shift;
  } else {
    mask = encodeOnePartition(c, y, half, sideBits, blocks, lowband2, lm, sideGain, fill >> blocks) << shift;
    const unused = sideBits - (before - c.remainingBits);
    if (unused > 24 && theta != 16384) middleBits += unused - 24;
    mask |= encodeOnePartition(c, x, half, middleBits, blocks, lowband, lm, middleGain, fill);
  }
  return mask;
}

/** A band of one channel (or of the mid or side), with its time-frequency change. */
export function encodeBand(
  c: BandContext,
  x: usize,
  count: i32,
  bits: i32,
  blocks: i32,
  foldFrom: usize,
  lm: i32,
  foldOut: usize,
  gain: f32,
  fillMask: u32,
): u32 {
  if (count == 1) return encodeSingleBin(c, x, 0, foldOut);
  const r = changeResolution(x, count, blocks, c.tfChange, foldFrom, fillMask);
  const mask = encodeOnePartition(c, x, count, bits, r.blocks, r.lowband, lm, gain, r.fill);
  return c.resynthesize ? restoreResolution(r, x, count, mask, foldOut) : mask;
}

/** A band of two channels coded as mid and side. */
export function encodeStereoBand(
  c: BandContext,
  x: usize,
  y: usize,
  count: i32,
  bitsAvailable: i32,
  blocks: i32,
  lowband: usize,
  lm: i32,
  foldOut: usize,
  fillMask: u32,
): u32 {
  if (count == 1) return encodeSingleBin(c, x, y, foldOut);
  const left = amplitude(c.band, 0);
  const right = amplitude(c.band, 1);
  if (left < MIN_STEREO_ENERGY || right < MIN_STEREO_ENERGY) {
    if (left > right) copySamples(y, x, <usize>count << 2);
    else copySamples(x, y, <usize>count << 2);
  }
  const split = encodeTheta(c, x, y, count, bitsAvailable, blocks, blocks, lm, true, fillMask);
  const fill = split.fill;
  const bits = split.bits;
  const theta = split.theta;
  const inverted = split.inverted;
  const middle: f32 = <f32>(1.0 / 32768.0) * <f32>split.middle;
  const side: f32 = <f32>(1.0 / 32768.0) * <f32>split.side;
  let mask: u32;
  if (count == 2) {
    // Mid and side are orthogonal: the side is one sign.
    const sideBits = theta != 0 && theta != 16384 ? 8 : 0;
    c.remainingBits -= split.usedBits + sideBits;
    const strong = theta > 8192 ? y : x;
    const weak = theta > 8192 ? x : y;
    let sign: f32 = 1.0;
    if (sideBits) {
      const cross: f32 = load<f32>(strong) * load<f32>(weak, 4) - load<f32>(strong, 4) * load<f32>(weak);
      const negative = i32(cross < 0.0);
      encodeRawBits(encoderOf(c), negative, 1);
      if (negative) sign = -1.0;
    }
    mask = encodeBand(c, strong, 2, bits - sideBits, blocks, lowband, lm, foldOut, 1.0, fillMask);
    store<f32>(weak, -sign * load<f32>(strong, 4));
    store<f32>(weak + 4, sign * load<f32>(strong));
    if (c.resynthesize) {
      for (let at: usize = 0; at < 8; at += 4) {
        const l: f32 = middle * load<f32>(x + at);
        const r: f32 = side * load<f32>(y + at);
        store<f32>(x + at, l - r);
        store<f32>(y + at, l + r);
      }
    }
  } else {
    let middleBits = max<i32>(0, min<i32>(bits, (bits - split.delta) / 2));
    let sideBits = bits - middleBits;
    c.remainingBits -= split.usedBits;
    const before = c.remainingBits;
    if (middleBits >= sideBits) {
      mask = encodeBand(c, x, count, middleBits, blocks, lowband, lm, foldOut, 1.0, fill);
      const unused = middleBits - (before - c.remainingBits);
      if (unused > 24 && theta != 0) sideBits += unused - 24;
      mask |= encodeBand(c, y, count, sideBits, blocks, 0, lm, 0, side, fill >> blocks);
    } else {
      mask = encodeBand(c, y, count, sideBits, blocks, 0, lm, 0, side, fill >> blocks);
      const unused = sideBits - (before - c.remainingBits);
      if (unused > 24 && theta != 16384) middleBits += unused - 24;
      mask |= encodeBand(c, x, count, middleBits, blocks, lowband, lm, foldOut, 1.0, fill);
    }
    if (c.resynthesize) mergeStereo(x, y, middle, count);
  }
  if (c.resynthesize && inverted) negate(y, count);
  return mask;
}
