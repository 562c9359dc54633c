// Spectrum of the bands, decoder side (RFC 6716 section 4.3.4): splits, code words and stereo.
import {
  acceptSymbol,
  decodeBit,
  decodeRawBits,
  decodeSymbol,
  decodeUint,
  RangeDecoder,
  tellEighths,
} from "../range-decoder";
import { Allocation } from "./allocation";
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
import { mergeStereo, negate } from "./band-transform";
import { enterBand, leaveBand, startWalk } from "./band-walk";
import { integerSqrt } from "./math";
import { decodePartition } from "./pvq";

function decoderOf(context: BandContext): RangeDecoder {
  return changetype<RangeDecoder>(context.coder);
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
  const rd = decoderOf(context);
  const steps = angleSteps(context, n, bitsAvailable, lm, stereo);
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
  return splitByAngle(theta, inverted, n, bitsAvailable, used, blocks, fillMask);
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
    negative = decodeRawBits(decoderOf(context), 1);
    context.remainingBits -= 8;
  }
  store<f32>(x, negative ? -1.0 : 1.0);
}

/** A partition of one channel; halves itself where one code word cannot hold its bits. */
function decodeOnePartition(
  context: BandContext,
  x: usize,
  count: i32,
  bitsAvailable: i32,
  blockCount: i32,
  lowband: usize,
  lm: i32,
  gain: f32,
  fillMask: u32,
): u32 {
  const costs = pulseCosts(context, lm);
  if (lm != -1 && bitsAvailable > <i32>load<u8>(costs + <usize>load<u8>(costs)) + 12 && count > 2) {
    return splitPartition(
      context,
      x,
      count >> 1,
      bitsAvailable,
      blockCount,
      lowband,
      lm - 1,
      gain,
      fillMask,
    );
  }
  const pulses = buyPulses(context, costs, bitsAvailable);
  if (pulses == 0) return fillPartition(context, x, count, blockCount, lowband, gain, fillMask);
  return decodePartition(decoderOf(context), x, count, pulses, context.spread, blockCount, gain);
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
  let middleBits = firstHalfBits(split, half, blocksBefore, lm);
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

/** A band of one channel (or of the mid or side), with its time-frequency change. */
function decodeBand(
  context: BandContext,
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
  if (count == 1) return decodeSingleBin(context, x, 0, foldOut);
  const r = changeResolution(0, count, blocks, context.tfChange, foldFrom, fillMask);
  const mask = decodeOnePartition(context, x, count, bits, r.blocks, r.lowband, lm, gain, r.fill);
  return restoreResolution(r, x, count, mask, foldOut);
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
    const sign: f32 = sideBits && decodeRawBits(decoderOf(context), 1) ? -1.0 : 1.0;
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
  if (inverted) negate(y, count);
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
  const context = bandContext();
  const walk = startWalk(
    allocation,
    startBand,
    endBand,
    channels,
    spectrumStride,
    shortBlocks,
    spread,
    totalBits,
    lm,
    true,
  );
  const blocks = walk.blocks;
  context.coder = changetype<usize>(rd);
  context.intensity = allocation.intensity;
  context.spread = spread;
  context.seed = seed;
  context.phaseInversionDisabled = phaseInversionDisabled;
  for (let band = startBand; band < endBand; band++) {
    enterBand(walk, band, <i32>tellEighths(rd));
    context.band = band;
    context.remainingBits = walk.remainingBits;
    context.tfChange = walk.tfChange;
    const x = walk.x;
    const y = walk.y;
    const count = walk.count;
    const bits = walk.bits;
    const lowband = walk.lowband;
    const foldOut = walk.foldOut;
    let maskX = walk.maskX;
    let maskY = walk.maskY;
    if (walk.dualStereo) {
      maskX = decodeBand(context, x, count, bits / 2, blocks, lowband, lm, foldOut, 1.0, maskX);
      maskY = decodeBand(context, y, count, bits / 2, blocks, walk.lowbandY, lm, walk.foldOutY, 1.0, maskY);
    } else {
      const fill = maskX | maskY;
      if (y) maskX = decodeStereoBand(context, x, y, count, bits, blocks, lowband, lm, foldOut, fill);
      else maskX = decodeBand(context, x, count, bits, blocks, lowband, lm, foldOut, 1.0, fill);
      maskY = maskX;
    }
    leaveBand(walk, band, maskX, maskY);
  }
  return context.seed;
}
