// Spectrum of the bands (RFC 6716 section 4.3.4): splits, folding, time-frequency changes and stereo.
import {
  acceptSymbol,
  decodeBit,
  decodeRawBits,
  decodeSymbol,
  decodeUint,
  RangeDecoder,
  tellEighths,
} from "../range-decoder";
import {
  bandLogWidth,
  bitDeinterleave,
  bitInterleave,
  EPSILON,
  hadamardOrder,
  pulseCacheBits,
  pulseCacheIndex,
  QTHETA_OFFSET,
  QTHETA_OFFSET_TWOPHASE,
  thetaExp2,
} from "../tables/celt";
import { Allocation } from "./allocation";
import { bitexactCos, bitexactLog2tan, fracMul16, integerSqrt, nextNoise, sumOfSquares } from "./math";
import { decodePartition, SPREAD_AGGRESSIVE } from "./pvq";
import {
  BAND_BITS_AT,
  BAND_CONTEXT_AT,
  COLLAPSE_MASKS_AT,
  FOLD_AT,
  FOLD_SAMPLES,
  LOWBAND_AT,
  REORDER_AT,
  SPECTRUM_AT,
  SPLIT_AT,
  TF_CHANGE_AT,
} from "./scratch";
import { bandEdge, BANDS } from "./state";

const SQRT_HALF: f32 = 0.70710678;

/** What all partitions of a band share. */
@unmanaged
class BandContext {
  rd: RangeDecoder;
  band: i32;
  intensity: i32;
  spread: i32;
  tfChange: i32;
  remainingBits: i32;
  seed: u32;
  phaseInversionDisabled: i32;
}

/** A split of a vector into two by an angle. */
@unmanaged
class Split {
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

/** Steps of the angle for `bits` eighths over `n` bins. */
export function thetaSteps(n: i32, bits: i32, offset: i32, pulseCap: i32, stereo: bool): i32 {
  let freedom = 2 * n - 1;
  if (stereo && n == 2) freedom--;
  let perFreedom = (bits + freedom * offset) / freedom;
  perFreedom = min<i32>(bits - pulseCap - 32, perFreedom);
  perFreedom = min<i32>(64, perFreedom);
  if (perFreedom < 4) return 1;
  const steps = <i32>load<i16>(thetaExp2 + (<usize>(perFreedom & 7) << 1)) >> (14 - (perFreedom >> 3));
  return ((steps + 1) >> 1) << 1;
}

/** Reads the angle of a split and derives the gains of both halves and how the bits divide. */
function decodeTheta(
  context: BandContext,
  n: i32,
  bitsAvailable: i32,
  blocks: i32,
  blocksBefore: i32,
  lm: i32,
  stereo: bool,
  fillMask: u32,
): Split {
  const split = changetype<Split>(SPLIT_AT);
  const rd = context.rd;
  const band = context.band;
  const pulseCap = <i32>load<i16>(bandLogWidth + (<usize>band << 1)) + lm * 8;
  const offset = (pulseCap >> 1) - (stereo && n == 2 ? QTHETA_OFFSET_TWOPHASE : QTHETA_OFFSET);
  let steps = thetaSteps(n, bitsAvailable, offset, pulseCap, stereo);
  if (stereo && band >= context.intensity) steps = 1;
  const before = <i32>tellEighths(rd);
  let theta = 0;
  let inverted = 0;
  if (steps != 1) {
    if (stereo && n > 2) {
      // Up to pi/4 three times as likely as above.
      const half = steps / 2;
      const total = 3 * (half + 1) + half;
      const position = <i32>decodeSymbol(rd, total);
      const boundary = (half + 1) * 3;
      if (position < boundary) {
        theta = position / 3;
        acceptSymbol(rd, 3 * theta, 3 * (theta + 1), total);
      } else {
        theta = half + 1 + (position - boundary);
        acceptSymbol(rd, theta - 1 - half + boundary, theta - half + boundary, total);
      }
    } else if (blocksBefore > 1 || stereo) {
      theta = <i32>decodeUint(rd, steps + 1);
    } else {
      // Triangular distribution.
      const half = steps >> 1;
      const total = (half + 1) * (half + 1);
      const position = <i32>decodeSymbol(rd, total);
      let size: i32;
      let low: i32;
      if (position < (half * (half + 1)) >> 1) {
        theta = (<i32>integerSqrt(8 * position + 1) - 1) >> 1;
        size = theta + 1;
        low = (theta * (theta + 1)) >> 1;
      } else {
        theta = (2 * (steps + 1) - <i32>integerSqrt(8 * (total - position - 1) + 1)) >> 1;
        size = steps + 1 - theta;
        low = total - (((steps + 1 - theta) * (steps + 2 - theta)) >> 1);
      }
      acceptSymbol(rd, low, low + size, total);
    }
    theta = <i32>(<u32>(theta * 16384) / <u32>steps);
  } else if (stereo) {
    if (bitsAvailable > 16 && context.remainingBits > 16) inverted = decodeBit(rd, 2);
    if (context.phaseInversionDisabled) inverted = 0;
  }
  const used = <i32>tellEighths(rd) - before;
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

/** A band of one bin: only signs. */
function decodeSingleBin(context: BandContext, x: usize, y: usize, foldOut: usize): u32 {
  decodeSignOnly(context, x);
  if (y) decodeSignOnly(context, y);
  if (foldOut) store<f32>(foldOut, load<f32>(x));
  return 1;
}

function decodeSignOnly(context: BandContext, x: usize): void {
  let negative: u32 = 0;
  if (context.remainingBits >= 8) {
    negative = decodeRawBits(context.rd, 1);
    context.remainingBits -= 8;
  }
  store<f32>(x, negative ? -1.0 : 1.0);
}

/** Scales to the norm `gain`. */
export function renormalize(x: usize, count: i32, gain: f32): void {
  const energy: f32 = EPSILON + sumOfSquares(x, count);
  scale(x, count, (<f32>1.0 / sqrt<f32>(energy)) * gain);
}

function scale(x: usize, count: i32, factor: f32): void {
  const factors = f32x4.splat(factor);
  const end = x + (<usize>count << 2);
  const vectorEnd = x + ((<usize>count << 2) & ~15);
  let at = x;
  for (; at < vectorEnd; at += 16) v128.store(at, f32x4.mul(factors, v128.load(at)));
  for (; at < end; at += 4) store<f32>(at, factor * load<f32>(at));
}

/** Pulses for a pseudo-pulse number of the cost tables. */
export function pulsesOf(entry: i32): i32 {
  return entry < 8 ? entry : (8 + (entry & 7)) << ((entry >> 3) - 1);
}

/** A partition of one channel; halves itself where one code word cannot hold its bits. */
function decodeOnePartition(
  context: BandContext,
  x: usize,
  count: i32,
  bitsAvailable: i32,
  blockCount: i32,
  lowband: usize,
  lmOfBand: i32,
  gain: f32,
  fillMask: u32,
): u32 {
  const cache =
    pulseCacheBits +
    <usize>load<i16>(pulseCacheIndex + (<usize>((lmOfBand + 1) * BANDS + context.band) << 1));
  const entries: i32 = load<u8>(cache);
  if (
    lmOfBand != -1 &&
    bitsAvailable > <i32>load<u8>(cache + <usize>entries) + 12 &&
    count > 2
  ) {
    return splitPartition(
      context,
      x,
      count >> 1,
      bitsAvailable,
      blockCount,
      lowband,
      lmOfBand - 1,
      gain,
      fillMask,
    );
  }
  // The cheapest of the code words around the bits available.
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
  context.remainingBits -= cost;
  while (context.remainingBits < 0 && entry > 0) {
    context.remainingBits += cost;
    entry--;
    cost = entry == 0 ? 0 : <i32>load<u8>(cache + <usize>entry) + 1;
    context.remainingBits -= cost;
  }
  if (entry != 0) {
    return decodePartition(context.rd, x, count, pulsesOf(entry), context.spread, blockCount, gain);
  }
  const mask: u32 = (<u32>1 << blockCount) - 1;
  const fill = fillMask & mask;
  if (!fill) {
    memory.fill(x, 0, <usize>count << 2);
    return 0;
  }
  let seed = context.seed;
  const bytes = <usize>count << 2;
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

function splitPartition(
  context: BandContext,
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
  const split = decodeTheta(context, half, bitsAvailable, blocks, blocksBefore, lm, false, fill);
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
  context.remainingBits -= split.usedBits;
  const lowband2: usize = lowband ? lowband + (<usize>half << 2) : 0;
  const before = context.remainingBits;
  let mask: u32;
  if (middleBits >= sideBits) {
    mask = decodeOnePartition(context, x, half, middleBits, blocks, lowband, lm, middleGain, fill);
    const unused = middleBits - (before - context.remainingBits);
    if (unused > 24 && theta != 0) sideBits += unused - 24;
    mask |=
      decodeOnePartition(context, y, half, sideBits, blocks, lowband2, lm, sideGain, fill >> blocks) <<
      (blocksBefore >> 1);
  } else {
    mask =
      decodeOnePartition(context, y, half, sideBits, blocks, lowband2, lm, sideGain, fill >> blocks) <<
      (blocksBefore >> 1);
    const unused = sideBits - (before - context.remainingBits);
    if (unused > 24 && theta != 16384) middleBits += unused - 24;
    mask |= decodeOnePartition(context, x, half, middleBits, blocks, lowband, lm, middleGain, fill);
  }
  return mask;
}

/** One level of the Haar transform over `stride` interleaved sequences. */
export function haar(x: usize, count: i32, stride: i32): void {
  const half = count >> 1;
  const step = <usize>stride << 2;
  if (stride == 1) {
    const pairs = half & ~1;
    const gain = f32x4.splat(SQRT_HALF);
    let at = x;
    for (let j = 0; j < pairs; j += 2) {
      const value = f32x4.mul(gain, v128.load(at));
      const even = i32x4.shuffle(value, value, 0, 0, 2, 2);
      const odd = i32x4.shuffle(value, value, 1, 1, 3, 3);
      const sum = f32x4.add(even, odd);
      const difference = f32x4.sub(even, odd);
      v128.store(at, i32x4.shuffle(sum, difference, 0, 5, 2, 7));
      at += 16;
    }
    if (half & 1) haarPair(at, 4);
    return;
  }
  if ((stride & 3) == 0) {
    const gain = f32x4.splat(SQRT_HALF);
    for (let j = 0; j < half; j++) {
      const even = x + 2 * <usize>j * step;
      for (let i: usize = 0; i < step; i += 16) {
        const first = f32x4.mul(gain, v128.load(even + i));
        const second = f32x4.mul(gain, v128.load(even + i + step));
        v128.store(even + i, f32x4.add(first, second));
        v128.store(even + i + step, f32x4.sub(first, second));
      }
    }
    return;
  }
  for (let j = 0; j < half; j++) {
    const even = x + 2 * <usize>j * step;
    for (let i: usize = 0; i < step; i += 4) haarPair(even + i, step);
  }
}

function haarPair(at: usize, step: usize): void {
  const first: f32 = SQRT_HALF * load<f32>(at);
  const second: f32 = SQRT_HALF * load<f32>(at + step);
  store<f32>(at, first + second);
  store<f32>(at + step, first - second);
}

/** From frequency order to time order: block after block, optionally in Hadamard sequency order. */
export function deinterleave(x: usize, count: i32, stride: i32, hadamard: bool): void {
  const order = hadamardOrder + (<usize>(stride - 2) << 2);
  for (let i = 0; i < stride; i++) {
    const block = hadamard ? load<i32>(order + (<usize>i << 2)) : i;
    let to = REORDER_AT + (<usize>(block * count) << 2);
    let from = x + (<usize>i << 2);
    for (let j = 0; j < count; j++) {
      store<f32>(to, load<f32>(from));
      to += 4;
      from += <usize>stride << 2;
    }
  }
  memory.copy(x, REORDER_AT, <usize>(count * stride) << 2);
}

export function interleave(x: usize, count: i32, stride: i32, hadamard: bool): void {
  const order = hadamardOrder + (<usize>(stride - 2) << 2);
  for (let i = 0; i < stride; i++) {
    const block = hadamard ? load<i32>(order + (<usize>i << 2)) : i;
    let from = x + (<usize>(block * count) << 2);
    let to = REORDER_AT + (<usize>i << 2);
    for (let j = 0; j < count; j++) {
      store<f32>(to, load<f32>(from));
      from += 4;
      to += <usize>stride << 2;
    }
  }
  memory.copy(x, REORDER_AT, <usize>(count * stride) << 2);
}

/** A band of one channel (or of the mid or side), with its time-frequency change. */
function decodeBand(
  context: BandContext,
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
  if (count == 1) return decodeSingleBin(context, x, 0, foldOut);
  let tfChange = context.tfChange;
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
    if (lowband) haar(lowband, count >> k, 1 << k);
    fill =
      <u32>load<u8>(bitInterleave + <usize>(fill & 15)) |
      (<u32>load<u8>(bitInterleave + <usize>(fill >> 4)) << 2);
  }
  blocks >>= recombine;
  perBlock <<= recombine;
  let timeDivide = 0;
  while ((perBlock & 1) == 0 && tfChange < 0) {
    if (lowband) haar(lowband, perBlock, blocks);
    fill |= fill << blocks;
    blocks <<= 1;
    perBlock >>= 1;
    timeDivide++;
    tfChange++;
  }
  const blocksCoded = blocks;
  if (blocksCoded > 1 && lowband) {
    deinterleave(lowband, perBlock >> recombine, blocksCoded << recombine, longBlocks);
  }

  let mask = decodeOnePartition(context, x, count, bits, blocks, lowband, lm, gain, fill);

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

export function scaleTo(to: usize, from: usize, count: i32, factor: f32): void {
  const factors = f32x4.splat(factor);
  const bytes = <usize>count << 2;
  const vectorBytes = bytes & ~15;
  let at: usize = 0;
  for (; at < vectorBytes; at += 16) v128.store(to + at, f32x4.mul(factors, v128.load(from + at)));
  for (; at < bytes; at += 4) store<f32>(to + at, factor * load<f32>(from + at));
}

/** Mid and side of a band back to left and right, each of unit norm. */
export function mergeStereo(x: usize, y: usize, middle: f32, count: i32): void {
  let product: f32 = 0.0;
  let side: f32 = 0.0;
  const bytes = <usize>count << 2;
  for (let at: usize = 0; at < bytes; at += 4) {
    const right = load<f32>(y + at);
    product += right * load<f32>(x + at);
    side += right * right;
  }
  product = middle * product;
  const leftEnergy: f32 = middle * middle + side - <f32>2.0 * product;
  const rightEnergy: f32 = middle * middle + side + <f32>2.0 * product;
  if (rightEnergy < 6e-4 || leftEnergy < 6e-4) {
    memory.copy(y, x, bytes);
    return;
  }
  const leftGain: f32 = <f32>1.0 / sqrt<f32>(leftEnergy);
  const rightGain: f32 = <f32>1.0 / sqrt<f32>(rightEnergy);
  const middles = f32x4.splat(middle);
  const leftGains = f32x4.splat(leftGain);
  const rightGains = f32x4.splat(rightGain);
  const vectorBytes = bytes & ~15;
  let at: usize = 0;
  for (; at < vectorBytes; at += 16) {
    const l = f32x4.mul(middles, v128.load(x + at));
    const r = v128.load(y + at);
    v128.store(x + at, f32x4.mul(leftGains, f32x4.sub(l, r)));
    v128.store(y + at, f32x4.mul(rightGains, f32x4.add(l, r)));
  }
  for (; at < bytes; at += 4) {
    const l: f32 = middle * load<f32>(x + at);
    const r = load<f32>(y + at);
    store<f32>(x + at, leftGain * (l - r));
    store<f32>(y + at, rightGain * (l + r));
  }
}

/** A band of two channels coded as mid and side. */
function decodeStereoBand(
  context: BandContext,
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
  if (count == 1) return decodeSingleBin(context, x, y, foldOut);
  const split = decodeTheta(context, count, bitsAvailable, blocks, blocks, lm, true, fillMask);
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
    context.remainingBits -= split.usedBits + sideBits;
    const strong = theta > 8192 ? y : x;
    const weak = theta > 8192 ? x : y;
    const sign: f32 = sideBits && decodeRawBits(context.rd, 1) ? -1.0 : 1.0;
    mask = decodeBand(context, strong, 2, bits - sideBits, blocks, lowband, lm, foldOut, 1.0, fillMask);
    store<f32>(weak, -sign * load<f32>(strong, 4));
    store<f32>(weak + 4, sign * load<f32>(strong));
    for (let at: usize = 0; at < 8; at += 4) {
      const l: f32 = middle * load<f32>(x + at);
      const r: f32 = side * load<f32>(y + at);
      store<f32>(x + at, l - r);
      store<f32>(y + at, l + r);
    }
  } else {
    let middleBits = max<i32>(0, min<i32>(bits, (bits - split.delta) / 2));
    let sideBits = bits - middleBits;
    context.remainingBits -= split.usedBits;
    const before = context.remainingBits;
    if (middleBits >= sideBits) {
      mask = decodeBand(context, x, count, middleBits, blocks, lowband, lm, foldOut, 1.0, fill);
      const unused = middleBits - (before - context.remainingBits);
      if (unused > 24 && theta != 0) sideBits += unused - 24;
      mask |= decodeBand(context, y, count, sideBits, blocks, 0, lm, 0, side, fill >> blocks);
    } else {
      mask = decodeBand(context, y, count, sideBits, blocks, 0, lm, 0, side, fill >> blocks);
      const unused = sideBits - (before - context.remainingBits);
      if (unused > 24 && theta != 16384) middleBits += unused - 24;
      mask |= decodeBand(context, x, count, middleBits, blocks, lowband, lm, foldOut, 1.0, fill);
    }
    mergeStereo(x, y, middle, count);
  }
  if (inverted) {
    const end = y + (<usize>count << 2);
    for (let at = y; at < end; at += 4) store<f32>(at, -load<f32>(at));
  }
  return mask;
}

/**
 * Decodes all bands into SPECTRUM (second channel 960 bins on for the longest frame: at `spectrumStride` bytes) and the
 * collapse masks.
 * @returns the noise seed after the frame
 */
export function decodeAllBands(
  rd: RangeDecoder,
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
): u32 {
  const context = changetype<BandContext>(BAND_CONTEXT_AT);
  const m = 1 << lm;
  const blocks = shortBlocks ? m : 1;
  const foldOffset = m * bandEdge(startBand);
  const fold2 = FOLD_AT + (<usize>FOLD_SAMPLES << 2);
  const codedBands = allocation.codedBands;
  const intensity = allocation.intensity;
  let dualStereo = allocation.dualStereo;
  let balance = allocation.balance;
  let lowbandBand = 0;
  let updateLowband = true;
  context.rd = rd;
  context.intensity = intensity;
  context.spread = spread;
  context.seed = seed;
  context.phaseInversionDisabled = phaseInversionDisabled;
  for (let band = startBand; band < endBand; band++) {
    context.band = band;
    const last = band == endBand - 1;
    const firstBin = m * bandEdge(band);
    const count = m * bandEdge(band + 1) - firstBin;
    const x = SPECTRUM_AT + (<usize>firstBin << 2);
    const y: usize = channels == 2 ? x + spectrumStride : 0;
    const tell = <i32>tellEighths(rd);
    if (band != startBand) balance -= tell;
    const remaining = totalBits - tell - 1;
    context.remainingBits = remaining;
    const bandBits = load<i32>(BAND_BITS_AT + (<usize>band << 2));
    let bits = 0;
    if (band < codedBands) {
      const share = balance / min<i32>(3, codedBands - band);
      bits = max<i32>(0, min<i32>(16383, min<i32>(remaining + 1, bandBits + share)));
    }
    if (
      (firstBin - count >= m * bandEdge(startBand) || band == startBand + 1) &&
      (updateLowband || lowbandBand == 0)
    ) {
      lowbandBand = band;
    }
    if (band == startBand + 1) extendFirstBand(startBand, m, dualStereo, fold2);
    const tfChange = load<i32>(TF_CHANGE_AT + (<usize>band << 2));
    context.tfChange = tfChange;

    let foldFrom: i32 = -1;
    let maskX: u32;
    let maskY: u32;
    if (lowbandBand != 0 && (spread != SPREAD_AGGRESSIVE || blocks > 1 || tfChange < 0)) {
      // Never repeats spectrum within one band; the masks of the source bands tell which blocks hold anything.
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
    } else {
      maskX = (<u32>1 << blocks) - 1;
      maskY = maskX;
    }
    if (dualStereo && band == intensity) {
      dualStereo = 0;
      averageFolds(fold2, firstBin - foldOffset);
    }
    const lowband: usize = foldFrom != -1 ? FOLD_AT + (<usize>foldFrom << 2) : 0;
    const foldOut: usize = last ? 0 : FOLD_AT + (<usize>(firstBin - foldOffset) << 2);
    if (dualStereo) {
      const lowbandY: usize = foldFrom != -1 ? fold2 + (<usize>foldFrom << 2) : 0;
      const foldOutY: usize = last ? 0 : fold2 + (<usize>(firstBin - foldOffset) << 2);
      maskX = decodeBand(context, x, count, bits / 2, blocks, lowband, lm, foldOut, 1.0, maskX);
      maskY = decodeBand(context, y, count, bits / 2, blocks, lowbandY, lm, foldOutY, 1.0, maskY);
    } else {
      const fill = maskX | maskY;
      if (y) maskX = decodeStereoBand(context, x, y, count, bits, blocks, lowband, lm, foldOut, fill);
      else maskX = decodeBand(context, x, count, bits, blocks, lowband, lm, foldOut, 1.0, fill);
      maskY = maskX;
    }
    store<u8>(COLLAPSE_MASKS_AT + <usize>(band * channels), maskX);
    store<u8>(COLLAPSE_MASKS_AT + <usize>(band * channels + channels - 1), maskY);
    balance += bandBits + tell;
    // Folding goes on from the last band that had a bit per bin.
    updateLowband = bits > count << 3;
  }
  return context.seed;
}

/** Repeats the end of the first band's folding source, so that a wider second band can fold from it (RFC 8251). */
export function extendFirstBand(startBand: i32, m: i32, dualStereo: i32, fold2: usize): void {
  const first = m * (bandEdge(startBand + 1) - bandEdge(startBand));
  const second = m * (bandEdge(startBand + 2) - bandEdge(startBand + 1));
  const bytes = <usize>(second - first) << 2;
  const from = <usize>(2 * first - second) << 2;
  const to = <usize>first << 2;
  memory.copy(FOLD_AT + to, FOLD_AT + from, bytes);
  if (dualStereo) memory.copy(fold2 + to, fold2 + from, bytes);
}

export function averageFolds(fold2: usize, count: i32): void {
  const bytes = <usize>count << 2;
  for (let at: usize = 0; at < bytes; at += 4) {
    store<f32>(FOLD_AT + at, <f32>0.5 * (load<f32>(FOLD_AT + at) + load<f32>(fold2 + at)));
  }
}
