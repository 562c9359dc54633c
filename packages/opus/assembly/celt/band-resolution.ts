// Time-frequency change of a band (RFC 6716 section 4.3.4.5): Haar steps that join or divide its short blocks around the coding.
import { bitDeinterleave, bitInterleave } from "../tables/celt";
import { copySamples, deinterleave, haar, interleave, scaleTo } from "./band-transform";
import { LOWBAND_AT, RESOLUTION_AT } from "./scratch";

@unmanaged
export class Resolution {
  /** Blocks in which the band is coded, of `perBlock` bins. */
  blocks: i32;
  perBlock: i32;
  recombine: i32;
  timeDivide: i32;
  longBlocks: i32;
  /** Folding source in the same resolution, 0 for none, and the blocks of it that hold anything. */
  lowband: usize;
  fill: u32;
}

/**
 * Brings the folding source (a copy of it), and the band itself where `x` is given, to the resolution that is coded:
 * `tfChange` above 0 joins blocks, below 0 divides them.
 */
export function changeResolution(
  x: usize,
  count: i32,
  blocksOfFrame: i32,
  tfChange: i32,
  foldFrom: usize,
  fillMask: u32,
): Resolution {
  const r = changetype<Resolution>(RESOLUTION_AT);
  const recombine = tfChange > 0 ? tfChange : 0;
  const longBlocks = blocksOfFrame == 1;
  let blocks = blocksOfFrame;
  let perBlock = <i32>(<u32>count / <u32>blocks);
  let lowband = foldFrom;
  let fill = fillMask;
  if (lowband && (recombine || ((perBlock & 1) == 0 && tfChange < 0) || blocks > 1)) {
    copySamples(LOWBAND_AT, lowband, <usize>count << 2);
    lowband = LOWBAND_AT;
  }
  for (let k = 0; k < recombine; k++) {
    if (x) haar(x, count >> k, 1 << k);
    if (lowband) haar(lowband, count >> k, 1 << k);
    fill =
      <u32>load<u8>(bitInterleave + <usize>(fill & 15)) |
      (<u32>load<u8>(bitInterleave + <usize>(fill >> 4)) << 2);
  }
  blocks >>= recombine;
  perBlock <<= recombine;
  let timeDivide = 0;
  for (let left = tfChange; (perBlock & 1) == 0 && left < 0; left++) {
    if (x) haar(x, perBlock, blocks);
    if (lowband) haar(lowband, perBlock, blocks);
    fill |= fill << blocks;
    blocks <<= 1;
    perBlock >>= 1;
    timeDivide++;
  }
  if (blocks > 1) {
    if (x) deinterleave(x, perBlock >> recombine, blocks << recombine, longBlocks);
    if (lowband) deinterleave(lowband, perBlock >> recombine, blocks << recombine, longBlocks);
  }
  r.blocks = blocks;
  r.perBlock = perBlock;
  r.recombine = recombine;
  r.timeDivide = timeDivide;
  r.longBlocks = i32(longBlocks);
  r.lowband = lowband;
  r.fill = fill;
  return r;
}

/** Brings the coded band back, and its collapse mask; a copy for folding, with unit energy per bin, goes to `foldOut`. */
export function restoreResolution(r: Resolution, x: usize, count: i32, codedMask: u32, foldOut: usize): u32 {
  const recombine = r.recombine;
  let blocks = r.blocks;
  let perBlock = r.perBlock;
  let mask = codedMask;
  if (blocks > 1) interleave(x, perBlock >> recombine, blocks << recombine, r.longBlocks != 0);
  for (let k = 0; k < r.timeDivide; k++) {
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
