// Spectrum of the bands, encoder side: splits, time-frequency changes, stereo angles and their trial. The counterpart of
// bands.ts, whose transformations it shares. Where a trial needs it, the decoder's result is computed on the way.
import {
  encodeBit,
  encodeRawBits,
  encoderTellEighths,
  encodeSymbol,
  encodeUint,
  RANGE_ENCODER_BYTES,
  RangeEncoder,
} from "../range-encoder";
import {
  bandLogWidth,
  bitDeinterleave,
  bitInterleave,
  EPSILON,
  MIN_STEREO_ENERGY,
  pulseCacheBits,
  pulseCacheIndex,
  QTHETA_OFFSET,
  QTHETA_OFFSET_TWOPHASE,
} from "../tables/celt";
import { Allocation } from "./allocation";
import {
  averageFolds,
  deinterleave,
  extendFirstBand,
  haar,
  interleave,
  mergeStereo,
  pulsesOf,
  renormalize,
  scaleTo,
  thetaSteps,
} from "./bands";
import {
  BAND_AMPLITUDE_AT,
  BYTES_TRIED_AT,
  CODER_SAVED_AT,
  CODER_TRIED_AT,
  CONTEXT_SAVED_AT,
  CONTEXT_TRIED_AT,
  ENCODE_CONTEXT_AT,
  ENCODE_SPLIT_AT,
  TRIAL_FOLD_AT,
  TRIAL_X2_AT,
  TRIAL_X_AT,
  TRIAL_Y2_AT,
  TRIAL_Y_AT,
} from "./encoder-scratch";
import {
  atan2Normal,
  bitexactCos,
  bitexactLog2tan,
  floorOf,
  fracMul16,
  innerProduct,
  nextNoise,
  sumOfSquares,
} from "./math";
import { SPREAD_AGGRESSIVE } from "./pvq";
import { encodePartition } from "./pvq-encode";
import {
  BAND_BITS_AT,
  COLLAPSE_MASKS_AT,
  FOLD_AT,
  FOLD_SAMPLES,
  LOWBAND_AT,
  SPECTRUM_AT,
  TF_CHANGE_AT,
} from "./scratch";
import { bandEdge, BANDS } from "./state";

const SQRT_HALF: f32 = 0.70710678;
const HALF: f32 = 0.5;

/** What all partitions of a band share. */
@unmanaged
class EncodeContext {
  re: RangeEncoder;
  band: i32;
  intensity: i32;
  spread: i32;
  tfChange: i32;
  remainingBits: i32;
  seed: u32;
  phaseInversionDisabled: i32;
  /** Whether the decoder's result is wanted. */
  resynthesize: i32;
  /** 0 rounds the stereo angle to the nearest step, -1 down, 1 up. */
  rounding: i32;
  /** In the first band of a transient no noise may come into a half. */
  avoidNoise: i32;
}
const CONTEXT_BYTES: usize = offsetof<EncodeContext>();

/** A split of a vector into two by an angle. */
@unmanaged
class EncodeSplit {
  inverted: i32;
  middle: i32;
  side: i32;
  delta: i32;
  theta: i32;
  usedBits: i32;
  bits: i32;
  fill: u32;
}

function context(): EncodeContext {
  return changetype<EncodeContext>(ENCODE_CONTEXT_AT);
}

function amplitude(band: i32, channel: i32): f32 {
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
    first = first + sumOfSquares(x, count);
    second = second + sumOfSquares(y, count);
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
  for (let at: usize = 0; at < <usize>count << 2; at += 4) {
    store<f32>(x + at, a * load<f32>(x + at) + b * load<f32>(y + at));
  }
}

function splitStereo(x: usize, y: usize, count: i32): void {
  for (let at: usize = 0; at < <usize>count << 2; at += 4) {
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
function quantizeAngle(angle: i32, steps: i32, stereo: bool, count: i32, bits: i32): i32 {
  const c = context();
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
  x: usize,
  y: usize,
  n: i32,
  bitsAvailable: i32,
  blocks: i32,
  blocksBefore: i32,
  lm: i32,
  stereo: bool,
  fillMask: u32,
): EncodeSplit {
  const c = context();
  const split = changetype<EncodeSplit>(ENCODE_SPLIT_AT);
  const re = c.re;
  const band = c.band;
  const pulseCap = <i32>load<i16>(bandLogWidth + (<usize>band << 1)) + lm * 8;
  const offset = (pulseCap >> 1) - (stereo && n == 2 ? QTHETA_OFFSET_TWOPHASE : QTHETA_OFFSET);
  let steps = thetaSteps(n, bitsAvailable, offset, pulseCap, stereo);
  if (stereo && band >= c.intensity) steps = 1;
  let theta = measureAngle(x, y, stereo, n);
  let inverted = 0;
  const before = encoderTellEighths(re);
  if (steps != 1) {
    const step = quantizeAngle(theta, steps, stereo, n, bitsAvailable);
    encodeAngle(re, step, steps, stereo, n, blocksBefore);
    theta = <i32>(<u32>(step * 16384) / <u32>steps);
    if (stereo) {
      if (theta == 0) mixIntensity(x, y, band, n);
      else splitStereo(x, y, n);
    }
  } else if (stereo) {
    inverted = i32(theta > 8192 && !c.phaseInversionDisabled);
    if (inverted) {
      for (let at: usize = 0; at < <usize>n << 2; at += 4) store<f32>(y + at, -load<f32>(y + at));
    }
    mixIntensity(x, y, band, n);
    if (bitsAvailable > 16 && c.remainingBits > 16) encodeBit(re, inverted, 2);
    else inverted = 0;
    if (c.phaseInversionDisabled) inverted = 0;
    theta = 0;
  }
  const used = encoderTellEighths(re) - before;
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
    split.middle = bitexactCos(theta);
    split.side = bitexactCos(16384 - theta);
    split.delta = fracMul16((n - 1) << 7, bitexactLog2tan(split.side, split.middle));
  }
  split.inverted = inverted;
  split.theta = theta;
  split.usedBits = used;
  split.bits = bitsAvailable - used;
  split.fill = fill;
  return split;
}

/** A band of one bin: only signs. */
function encodeSingleBin(x: usize, y: usize, foldOut: usize): u32 {
  encodeSignOnly(x);
  if (y) encodeSignOnly(y);
  if (foldOut) store<f32>(foldOut, load<f32>(x));
  return 1;
}

function encodeSignOnly(x: usize): void {
  const c = context();
  let negative = 0;
  if (c.remainingBits >= 8) {
    negative = i32(load<f32>(x) < 0.0);
    encodeRawBits(c.re, negative, 1);
    c.remainingBits -= 8;
  }
  if (c.resynthesize) store<f32>(x, negative ? -1.0 : 1.0);
}

/** A partition of one channel; halves itself where one code word cannot hold its bits. */
function encodeOnePartition(
  x: usize,
  count: i32,
  bitsAvailable: i32,
  blockCount: i32,
  lowband: usize,
  lm: i32,
  gain: f32,
  fillMask: u32,
): u32 {
  const c = context();
  const cache =
    pulseCacheBits + <usize>load<i16>(pulseCacheIndex + (<usize>((lm + 1) * BANDS + c.band) << 1));
  const entries: i32 = load<u8>(cache);
  if (lm != -1 && bitsAvailable > <i32>load<u8>(cache + <usize>entries) + 12 && count > 2) {
    return encodeHalves(x, count >> 1, bitsAvailable, blockCount, lowband, lm - 1, gain, fillMask);
  }
  let low = 0;
  let high = entries;
  const wanted = bitsAvailable - 1;
  for (let i = 0; i < 6; i++) {
    const middle = (low + high + 1) >> 1;
    if (<i32>load<u8>(cache + <usize>middle) >= wanted) high = middle;
    else low = middle;
  }
  const lowCost: i32 = low == 0 ? -1 : load<u8>(cache + <usize>low);
  let entry = wanted - lowCost <= <i32>load<u8>(cache + <usize>high) - wanted ? low : high;
  let cost: i32 = entry == 0 ? 0 : <i32>load<u8>(cache + <usize>entry) + 1;
  c.remainingBits -= cost;
  while (c.remainingBits < 0 && entry > 0) {
    c.remainingBits += cost;
    entry--;
    cost = entry == 0 ? 0 : <i32>load<u8>(cache + <usize>entry) + 1;
    c.remainingBits -= cost;
  }
  if (entry != 0) {
    return encodePartition(c.re, x, count, pulsesOf(entry), c.spread, blockCount, gain, c.resynthesize != 0);
  }
  if (!c.resynthesize) return 0;
  return fillPartition(x, count, blockCount, lowband, gain, fillMask);
}

/** What the decoder does where a partition has no pulses. */
function fillPartition(
  x: usize,
  count: i32,
  blockCount: i32,
  lowband: usize,
  gain: f32,
  fillMask: u32,
): u32 {
  const c = context();
  const mask: u32 = (<u32>1 << blockCount) - 1;
  const fill = fillMask & mask;
  const bytes = <usize>count << 2;
  if (!fill) {
    memory.fill(x, 0, bytes);
    return 0;
  }
  let seed = c.seed;
  for (let at: usize = 0; at < bytes; at += 4) {
    seed = nextNoise(seed);
    if (lowband) {
      const noise: f32 = seed & 0x8000 ? 1.0 / 256.0 : -1.0 / 256.0;
      store<f32>(x + at, load<f32>(lowband + at) + noise);
    } else {
      store<f32>(x + at, <f32>(<i32>seed >> 20));
    }
  }
  c.seed = seed;
  renormalize(x, count, gain);
  return lowband ? fill : mask;
}

function encodeHalves(
  x: usize,
  half: i32,
  bitsAvailable: i32,
  blocksBefore: i32,
  lowband: usize,
  lm: i32,
  gain: f32,
  fillMask: u32,
): u32 {
  const c = context();
  const y = x + (<usize>half << 2);
  const blocks = (blocksBefore + 1) >> 1;
  let fill = fillMask;
  if (blocksBefore == 1) fill = (fill & 1) | (fill << 1);
  const split = encodeTheta(x, y, half, bitsAvailable, blocks, blocksBefore, lm, false, fill);
  fill = split.fill;
  const bits = split.bits;
  const theta = split.theta;
  const middleGain: f32 = gain * (<f32>(1.0 / 32768.0) * <f32>split.middle);
  const sideGain: f32 = gain * (<f32>(1.0 / 32768.0) * <f32>split.side);
  let delta = split.delta;
  if (blocksBefore > 1 && theta & 0x3fff) {
    if (theta > 8192) delta -= delta >> (4 - lm);
    else delta = min<i32>(0, delta + ((half << 3) >> (5 - lm)));
  }
  let middleBits = max<i32>(0, min<i32>(bits, (bits - delta) / 2));
  let sideBits = bits - middleBits;
  c.remainingBits -= split.usedBits;
  const lowband2: usize = lowband ? lowband + (<usize>half << 2) : 0;
  const before = c.remainingBits;
  const shift = blocksBefore >> 1;
  let mask: u32;
  if (middleBits >= sideBits) {
    mask = encodeOnePartition(x, half, middleBits, blocks, lowband, lm, middleGain, fill);
    const unused = middleBits - (before - c.remainingBits);
    if (unused > 24 && theta != 0) sideBits += unused - 24;
    mask |= encodeOnePartition(y, half, sideBits, blocks, lowband2, lm, sideGain, fill >> blocks) << shift;
  } else {
    mask = encodeOnePartition(y, half, sideBits, blocks, lowband2, lm, sideGain, fill >> blocks) << shift;
    const unused = sideBits - (before - c.remainingBits);
    if (unused > 24 && theta != 16384) middleBits += unused - 24;
    mask |= encodeOnePartition(x, half, middleBits, blocks, lowband, lm, middleGain, fill);
  }
  return mask;
}

/** A band of one channel (or of the mid or side), with its time-frequency change. */
function encodeBand(
  x: usize,
  count: i32,
  bits: i32,
  blocksOfFrame: i32,
  foldFrom: usize,
  lm: i32,
  foldOut: usize,
  gain: f32,
  fillMask: u32,
): u32 {
  if (count == 1) return encodeSingleBin(x, 0, foldOut);
  const c = context();
  let tfChange = c.tfChange;
  let blocks = blocksOfFrame;
  let perBlock = <i32>(<u32>count / <u32>blocks);
  const longBlocks = blocks == 1;
  const recombine = tfChange > 0 ? tfChange : 0;
  let lowband = foldFrom;
  let fill = fillMask;
  if (lowband && (recombine || ((perBlock & 1) == 0 && tfChange < 0) || blocks > 1)) {
    memory.copy(LOWBAND_AT, lowband, <usize>count << 2);
    lowband = LOWBAND_AT;
  }
  for (let k = 0; k < recombine; k++) {
    haar(x, count >> k, 1 << k);
    if (lowband) haar(lowband, count >> k, 1 << k);
    fill =
      <u32>load<u8>(bitInterleave + <usize>(fill & 15)) |
      (<u32>load<u8>(bitInterleave + <usize>(fill >> 4)) << 2);
  }
  blocks >>= recombine;
  perBlock <<= recombine;
  let timeDivide = 0;
  while ((perBlock & 1) == 0 && tfChange < 0) {
    haar(x, perBlock, blocks);
    if (lowband) haar(lowband, perBlock, blocks);
    fill |= fill << blocks;
    blocks <<= 1;
    perBlock >>= 1;
    timeDivide++;
    tfChange++;
  }
  const blocksCoded = blocks;
  if (blocksCoded > 1) {
    deinterleave(x, perBlock >> recombine, blocksCoded << recombine, longBlocks);
    if (lowband) deinterleave(lowband, perBlock >> recombine, blocksCoded << recombine, longBlocks);
  }
  let mask = encodeOnePartition(x, count, bits, blocks, lowband, lm, gain, fill);
  if (!c.resynthesize) return mask;
  if (blocksCoded > 1) interleave(x, perBlock >> recombine, blocksCoded << recombine, longBlocks);
  for (let k = 0; k < timeDivide; k++) {
    blocks >>= 1;
    perBlock <<= 1;
    mask |= mask >> blocks;
    haar(x, perBlock, blocks);
  }
  for (let k = 0; k < recombine; k++) {
    mask = load<u8>(bitDeinterleave + <usize>mask);
    haar(x, count >> k, 1 << k);
  }
  blocks <<= recombine;
  if (foldOut) scaleTo(foldOut, x, count, sqrt<f32>(<f32>count));
  return mask & ((<u32>1 << blocks) - 1);
}

/** A band of two channels coded as mid and side. */
function encodeStereoBand(
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
  if (count == 1) return encodeSingleBin(x, y, foldOut);
  const c = context();
  const left = amplitude(c.band, 0);
  const right = amplitude(c.band, 1);
  if (left < MIN_STEREO_ENERGY || right < MIN_STEREO_ENERGY) {
    if (left > right) memory.copy(y, x, <usize>count << 2);
    else memory.copy(x, y, <usize>count << 2);
  }
  const split = encodeTheta(x, y, count, bitsAvailable, blocks, blocks, lm, true, fillMask);
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
      encodeRawBits(c.re, negative, 1);
      if (negative) sign = -1.0;
    }
    mask = encodeBand(strong, 2, bits - sideBits, blocks, lowband, lm, foldOut, 1.0, fillMask);
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
      mask = encodeBand(x, count, middleBits, blocks, lowband, lm, foldOut, 1.0, fill);
      const unused = middleBits - (before - c.remainingBits);
      if (unused > 24 && theta != 0) sideBits += unused - 24;
      mask |= encodeBand(y, count, sideBits, blocks, 0, lm, 0, side, fill >> blocks);
    } else {
      mask = encodeBand(y, count, sideBits, blocks, 0, lm, 0, side, fill >> blocks);
      const unused = sideBits - (before - c.remainingBits);
      if (unused > 24 && theta != 16384) middleBits += unused - 24;
      mask |= encodeBand(x, count, middleBits, blocks, lowband, lm, foldOut, 1.0, fill);
    }
    if (c.resynthesize) mergeStereo(x, y, middle, count);
  }
  if (c.resynthesize && inverted) {
    const end = y + (<usize>count << 2);
    for (let at = y; at < end; at += 4) store<f32>(at, -load<f32>(at));
  }
  return mask;
}

/** Encodes a stereo band with its angle rounded down and up, and keeps what comes closer to the input. */
function tryBothRoundings(
  x: usize,
  y: usize,
  count: i32,
  bits: i32,
  blocks: i32,
  lowband: usize,
  lm: i32,
  foldOut: usize,
  fill: u32,
  startBand: i32,
): u32 {
  const c = context();
  const re = c.re;
  const bytes = <usize>count << 2;
  const energy0 = amplitude(c.band, 0);
  const energy1 = amplitude(c.band, 1);
  const third: f32 = min<f32>(energy0, energy1) / <f32>3.0;
  const weight0: f32 = energy0 + third;
  const weight1: f32 = energy1 + third;
  memory.copy(CODER_SAVED_AT, changetype<usize>(re), RANGE_ENCODER_BYTES);
  memory.copy(CONTEXT_SAVED_AT, ENCODE_CONTEXT_AT, CONTEXT_BYTES);
  memory.copy(TRIAL_X_AT, x, bytes);
  memory.copy(TRIAL_Y_AT, y, bytes);
  const start = re.offset;
  const size = re.size;

  c.rounding = -1;
  const mask0 = encodeStereoBand(x, y, count, bits, blocks, lowband, lm, foldOut, fill);
  const fit0: f32 = weight0 * innerProduct(TRIAL_X_AT, x, count) + weight1 * innerProduct(TRIAL_Y_AT, y, count);
  memory.copy(CODER_TRIED_AT, changetype<usize>(re), RANGE_ENCODER_BYTES);
  memory.copy(CONTEXT_TRIED_AT, ENCODE_CONTEXT_AT, CONTEXT_BYTES);
  memory.copy(TRIAL_X2_AT, x, bytes);
  memory.copy(TRIAL_Y2_AT, y, bytes);
  if (foldOut) memory.copy(TRIAL_FOLD_AT, foldOut, bytes);
  memory.copy(BYTES_TRIED_AT, re.data + start, size - start);

  memory.copy(changetype<usize>(re), CODER_SAVED_AT, RANGE_ENCODER_BYTES);
  memory.copy(ENCODE_CONTEXT_AT, CONTEXT_SAVED_AT, CONTEXT_BYTES);
  memory.copy(x, TRIAL_X_AT, bytes);
  memory.copy(y, TRIAL_Y_AT, bytes);
  if (c.band == startBand + 1) extendFirstBand(startBand, 1 << lm, 0, 0);
  c.rounding = 1;
  const mask1 = encodeStereoBand(x, y, count, bits, blocks, lowband, lm, foldOut, fill);
  const fit1: f32 = weight0 * innerProduct(TRIAL_X_AT, x, count) + weight1 * innerProduct(TRIAL_Y_AT, y, count);
  if (!(fit0 >= fit1)) return mask1;
  memory.copy(changetype<usize>(re), CODER_TRIED_AT, RANGE_ENCODER_BYTES);
  memory.copy(ENCODE_CONTEXT_AT, CONTEXT_TRIED_AT, CONTEXT_BYTES);
  memory.copy(x, TRIAL_X2_AT, bytes);
  memory.copy(y, TRIAL_Y2_AT, bytes);
  if (foldOut) memory.copy(foldOut, TRIAL_FOLD_AT, bytes);
  memory.copy(re.data + start, BYTES_TRIED_AT, size - start);
  return mask0;
}

/**
 * Encodes all bands of SPECTRUM (channels `spectrumStride` bytes apart), which it consumes.
 * @param totalBits of the frame in 1/8 bit, without the anti-collapse flag
 */
export function encodeAllBands(
  re: RangeEncoder,
  allocation: Allocation,
  startBand: i32,
  endBand: i32,
  channels: i32,
  spectrumStride: usize,
  shortBlocks: bool,
  spread: i32,
  totalBits: i32,
  lm: i32,
  seed: u32,
  phaseInversionDisabled: i32,
  complexity: i32,
): void {
  const c = context();
  const m = 1 << lm;
  const blocks = shortBlocks ? m : 1;
  const foldOffset = m * bandEdge(startBand);
  const fold2 = FOLD_AT + (<usize>FOLD_SAMPLES << 2);
  const codedBands = allocation.codedBands;
  let dualStereo = allocation.dualStereo;
  let balance = allocation.balance;
  let lowbandBand = 0;
  let updateLowband = true;
  const trial = channels == 2 && !dualStereo && complexity >= 8;
  c.re = re;
  c.intensity = allocation.intensity;
  c.spread = spread;
  c.seed = seed;
  c.phaseInversionDisabled = phaseInversionDisabled;
  c.resynthesize = i32(trial);
  c.rounding = 0;
  c.avoidNoise = i32(blocks > 1);
  for (let band = startBand; band < endBand; band++) {
    c.band = band;
    const last = band == endBand - 1;
    const firstBin = m * bandEdge(band);
    const count = m * bandEdge(band + 1) - firstBin;
    const x = SPECTRUM_AT + (<usize>firstBin << 2);
    const y: usize = channels == 2 ? x + spectrumStride : 0;
    const tell = encoderTellEighths(re);
    if (band != startBand) balance -= tell;
    const remaining = totalBits - tell - 1;
    c.remainingBits = remaining;
    const bandBits = load<i32>(BAND_BITS_AT + (<usize>band << 2));
    let bits = 0;
    if (band < codedBands) {
      const share = balance / min<i32>(3, codedBands - band);
      bits = max<i32>(0, min<i32>(16383, min<i32>(remaining + 1, bandBits + share)));
    }
    if (
      trial &&
      (firstBin - count >= m * bandEdge(startBand) || band == startBand + 1) &&
      (updateLowband || lowbandBand == 0)
    ) {
      lowbandBand = band;
    }
    if (band == startBand + 1) extendFirstBand(startBand, m, dualStereo, fold2);
    const tfChange = load<i32>(TF_CHANGE_AT + (<usize>band << 2));
    c.tfChange = tfChange;

    let foldFrom: i32 = -1;
    let maskX: u32 = (<u32>1 << blocks) - 1;
    let maskY: u32 = maskX;
    if (lowbandBand != 0 && (spread != SPREAD_AGGRESSIVE || blocks > 1 || tfChange < 0)) {
      foldFrom = max<i32>(0, m * bandEdge(lowbandBand) - foldOffset - count);
      let first = lowbandBand;
      do {
        first--;
      } while (m * bandEdge(first) > foldFrom + foldOffset);
      let end = lowbandBand - 1;
      do {
        end++;
      } while (end < band && m * bandEdge(end) < foldFrom + foldOffset + count);
      maskX = 0;
      maskY = 0;
      let source = first;
      do {
        maskX |= load<u8>(COLLAPSE_MASKS_AT + <usize>(source * channels));
        maskY |= load<u8>(COLLAPSE_MASKS_AT + <usize>(source * channels + channels - 1));
      } while (++source < end);
    }
    if (dualStereo && band == allocation.intensity) {
      dualStereo = 0;
      if (trial) averageFolds(fold2, firstBin - foldOffset);
    }
    const lowband: usize = foldFrom != -1 ? FOLD_AT + (<usize>foldFrom << 2) : 0;
    const foldOut: usize = last ? 0 : FOLD_AT + (<usize>(firstBin - foldOffset) << 2);
    if (dualStereo) {
      const lowbandY: usize = foldFrom != -1 ? fold2 + (<usize>foldFrom << 2) : 0;
      const foldOutY: usize = last ? 0 : fold2 + (<usize>(firstBin - foldOffset) << 2);
      maskX = encodeBand(x, count, bits / 2, blocks, lowband, lm, foldOut, 1.0, maskX);
      maskY = encodeBand(y, count, bits / 2, blocks, lowbandY, lm, foldOutY, 1.0, maskY);
    } else {
      const fill = maskX | maskY;
      if (!y) {
        maskX = encodeBand(x, count, bits, blocks, lowband, lm, foldOut, 1.0, fill);
      } else if (trial && band < allocation.intensity) {
        maskX = tryBothRoundings(x, y, count, bits, blocks, lowband, lm, foldOut, fill, startBand);
      } else {
        c.rounding = 0;
        maskX = encodeStereoBand(x, y, count, bits, blocks, lowband, lm, foldOut, fill);
      }
      maskY = maskX;
    }
    store<u8>(COLLAPSE_MASKS_AT + <usize>(band * channels), maskX);
    store<u8>(COLLAPSE_MASKS_AT + <usize>(band * channels + channels - 1), maskY);
    balance += bandBits + tell;
    updateLowband = bits > count << 3;
    c.avoidNoise = 0;
  }
}
