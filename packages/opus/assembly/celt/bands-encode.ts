// Spectrum of all bands, encoder side; a stereo band may be encoded twice, to keep the better rounding of its angle.
import { encoderTellEighths, RANGE_ENCODER_BYTES, RangeEncoder } from "../range-encoder";
import { Allocation } from "./allocation";
import { amplitude, encodeBand, encodeStereoBand } from "./band-encode";
import { BAND_CONTEXT_BYTES, BandContext, bandContext } from "./band-split";
import { copySamples } from "./band-transform";
import { BandWalk, enterBand, extendFirstBand, leaveBand, startWalk } from "./band-walk";
import {
  BYTES_TRIED_AT,
  CODER_SAVED_AT,
  CODER_TRIED_AT,
  CONTEXT_SAVED_AT,
  CONTEXT_TRIED_AT,
  TRIAL_FOLD_AT,
  TRIAL_X2_AT,
  TRIAL_X_AT,
  TRIAL_Y2_AT,
  TRIAL_Y_AT,
} from "./encoder-scratch";
import { BAND_CONTEXT_AT } from "./scratch";

/** How well both channels of a trial agree with the input, weighted by channel. */
function closeness(x: usize, y: usize, count: i32, weight0: f32, weight1: f32): f32 {
  let product0: f32 = 0.0;
  let product1: f32 = 0.0;
  for (let at: usize = 0; at < <usize>count << 2; at += 4) {
    product0 += load<f32>(TRIAL_X_AT + at) * load<f32>(x + at);
    product1 += load<f32>(TRIAL_Y_AT + at) * load<f32>(y + at);
  }
  return weight0 * product0 + weight1 * product1;
}

/** Encodes a stereo band with its angle rounded down and up, and keeps what comes closer to the input. */
function tryBothRoundings(
  c: BandContext,
  x: usize,
  y: usize,
  count: i32,
  bits: i32,
  blocks: i32,
  lowband: usize,
  lm: i32,
  foldOut: usize,
  fill: u32,
  walk: BandWalk,
): u32 {
  const re = changetype<RangeEncoder>(c.coder);
  const bytes = <usize>count << 2;
  const energy0 = amplitude(c.band, 0);
  const energy1 = amplitude(c.band, 1);
  const third: f32 = min<f32>(energy0, energy1) / <f32>3.0;
  const weight0: f32 = energy0 + third;
  const weight1: f32 = energy1 + third;
  copySamples(CODER_SAVED_AT, changetype<usize>(re), RANGE_ENCODER_BYTES);
  copySamples(CONTEXT_SAVED_AT, BAND_CONTEXT_AT, BAND_CONTEXT_BYTES);
  copySamples(TRIAL_X_AT, x, bytes);
  copySamples(TRIAL_Y_AT, y, bytes);
  const start = re.offset;
  const size = re.size;

  c.rounding = -1;
  const mask0 = encodeStereoBand(c, x, y, count, bits, blocks, lowband, lm, foldOut, fill);
  const fit0 = closeness(x, y, count, weight0, weight1);
  copySamples(CODER_TRIED_AT, changetype<usize>(re), RANGE_ENCODER_BYTES);
  copySamples(CONTEXT_TRIED_AT, BAND_CONTEXT_AT, BAND_CONTEXT_BYTES);
  copySamples(TRIAL_X2_AT, x, bytes);
  copySamples(TRIAL_Y2_AT, y, bytes);
  if (foldOut) copySamples(TRIAL_FOLD_AT, foldOut, bytes);
  memory.copy(BYTES_TRIED_AT, re.data + start, size - start);

  copySamples(changetype<usize>(re), CODER_SAVED_AT, RANGE_ENCODER_BYTES);
  copySamples(BAND_CONTEXT_AT, CONTEXT_SAVED_AT, BAND_CONTEXT_BYTES);
  copySamples(x, TRIAL_X_AT, bytes);
  copySamples(y, TRIAL_Y_AT, bytes);
  if (c.band == walk.startBand + 1) extendFirstBand(walk);
  c.rounding = 1;
  const mask1 = encodeStereoBand(c, x, y, count, bits, blocks, lowband, lm, foldOut, fill);
  const fit1 = closeness(x, y, count, weight0, weight1);
  if (!(fit0 >= fit1)) return mask1;
  copySamples(changetype<usize>(re), CODER_TRIED_AT, RANGE_ENCODER_BYTES);
  copySamples(BAND_CONTEXT_AT, CONTEXT_TRIED_AT, BAND_CONTEXT_BYTES);
  copySamples(x, TRIAL_X2_AT, bytes);
  copySamples(y, TRIAL_Y2_AT, bytes);
  if (foldOut) copySamples(foldOut, TRIAL_FOLD_AT, bytes);
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
  const trial = channels == 2 && !allocation.dualStereo && complexity >= 8;
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
    trial,
  );
  const blocks = walk.blocks;
  const c = bandContext();
  c.coder = changetype<usize>(re);
  c.intensity = allocation.intensity;
  c.spread = spread;
  c.seed = seed;
  c.phaseInversionDisabled = phaseInversionDisabled;
  c.resynthesize = i32(trial);
  c.rounding = 0;
  c.avoidNoise = i32(blocks > 1);
  for (let band = startBand; band < endBand; band++) {
    enterBand(walk, band, encoderTellEighths(re));
    c.band = band;
    c.remainingBits = walk.remainingBits;
    c.tfChange = walk.tfChange;
    const x = walk.x;
    const y = walk.y;
    const count = walk.count;
    const bits = walk.bits;
    const lowband = walk.lowband;
    const foldOut = walk.foldOut;
    let maskX = walk.maskX;
    let maskY = walk.maskY;
    if (walk.dualStereo) {
      maskX = encodeBand(c, x, count, bits / 2, blocks, lowband, lm, foldOut, 1.0, maskX);
      maskY = encodeBand(c, y, count, bits / 2, blocks, walk.lowbandY, lm, walk.foldOutY, 1.0, maskY);
    } else {
      const fill = maskX | maskY;
      if (!y) {
        maskX = encodeBand(c, x, count, bits, blocks, lowband, lm, foldOut, 1.0, fill);
      } else if (trial && band < allocation.intensity) {
        maskX = tryBothRoundings(c, x, y, count, bits, blocks, lowband, lm, foldOut, fill, walk);
      } else {
        c.rounding = 0;
        maskX = encodeStereoBand(c, x, y, count, bits, blocks, lowband, lm, foldOut, fill);
      }
      maskY = maskX;
    }
    leaveBand(walk, band, maskX, maskY);
    c.avoidNoise = 0;
  }
}
