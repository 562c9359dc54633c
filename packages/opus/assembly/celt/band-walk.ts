// The walk over the bands of a frame, which encoder and decoder share (RFC 6716 section 4.3.4): bits of each band, and where it
// folds from.
import { Allocation } from "./allocation";
import { SPREAD_AGGRESSIVE } from "./pvq";
import { BAND_BITS_AT, COLLAPSE_MASKS_AT, FOLD_AT, FOLD_SAMPLES, SPECTRUM_AT, TF_CHANGE_AT, WALK_AT } from "./scratch";
import { bandEdge } from "./state";

/** Folding source of the second channel. */
const FOLD_2_AT: usize = FOLD_AT + (<usize>FOLD_SAMPLES << 2);

@unmanaged
export class BandWalk {
  startBand: i32;
  endBand: i32;
  channels: i32;
  /** Bytes between the channels of SPECTRUM. */
  stride: usize;
  lm: i32;
  blocks: i32;
  spread: i32;
  totalBits: i32;
  codedBands: i32;
  intensity: i32;
  /** Whether the folding source is kept; an encoder that does not try out does without. */
  folds: i32;
  dualStereo: i32;
  balance: i32;
  /** Band after the last one that may be folded from; 0 for none. */
  lowbandBand: i32;
  updateLowband: i32;

  /** The band in hand: first bins, number of bins, bits, bits that are left in the frame, time-frequency change. */
  x: usize;
  y: usize;
  count: i32;
  bits: i32;
  remainingBits: i32;
  tfChange: i32;
  bandBits: i32;
  tell: i32;
  /** Where it folds from and to, by channel; 0 for nowhere. */
  lowband: usize;
  lowbandY: usize;
  foldOut: usize;
  foldOutY: usize;
  maskX: u32;
  maskY: u32;
}

export function startWalk(
  allocation: Allocation,
  startBand: i32,
  endBand: i32,
  channels: i32,
  stride: usize,
  shortBlocks: bool,
  spread: i32,
  totalBits: i32,
  lm: i32,
  folds: bool,
): BandWalk {
  const walk = changetype<BandWalk>(WALK_AT);
  walk.startBand = startBand;
  walk.endBand = endBand;
  walk.channels = channels;
  walk.stride = stride;
  walk.lm = lm;
  walk.blocks = shortBlocks ? 1 << lm : 1;
  walk.spread = spread;
  walk.totalBits = totalBits;
  walk.codedBands = allocation.codedBands;
  walk.intensity = allocation.intensity;
  walk.folds = i32(folds);
  walk.dualStereo = allocation.dualStereo;
  walk.balance = allocation.balance;
  walk.lowbandBand = 0;
  walk.updateLowband = 1;
  return walk;
}

/** Sets the walk to `band`; `tell` is the position of the coder in 1/8 bit. */
export function enterBand(walk: BandWalk, band: i32, tell: i32): void {
  const m = 1 << walk.lm;
  const channels = walk.channels;
  const startBand = walk.startBand;
  const firstBin = m * bandEdge(band);
  const count = m * bandEdge(band + 1) - firstBin;
  const foldOffset = m * bandEdge(startBand);
  const foldTo = <usize>(firstBin - foldOffset) << 2;
  walk.x = SPECTRUM_AT + (<usize>firstBin << 2);
  walk.y = channels == 2 ? walk.x + walk.stride : 0;
  walk.count = count;
  walk.tell = tell;
  if (band != startBand) walk.balance -= tell;
  const remaining = walk.totalBits - tell - 1;
  walk.remainingBits = remaining;
  walk.bandBits = load<i32>(BAND_BITS_AT + (<usize>band << 2));
  walk.bits = 0;
  if (band < walk.codedBands) {
    const share = walk.balance / min<i32>(3, walk.codedBands - band);
    walk.bits = max<i32>(0, min<i32>(16383, min<i32>(remaining + 1, walk.bandBits + share)));
  }
  if (
    walk.folds &&
    (firstBin - count >= foldOffset || band == startBand + 1) &&
    (walk.updateLowband || walk.lowbandBand == 0)
  ) {
    walk.lowbandBand = band;
  }
  if (band == startBand + 1) extendFirstBand(walk);
  walk.tfChange = load<i32>(TF_CHANGE_AT + (<usize>band << 2));
  walk.lowband = 0;
  walk.lowbandY = 0;
  walk.maskX = (<u32>1 << walk.blocks) - 1;
  walk.maskY = walk.maskX;
  if (walk.lowbandBand != 0 && (walk.spread != SPREAD_AGGRESSIVE || walk.blocks > 1 || walk.tfChange < 0)) {
    foldFromBelow(walk, band, foldOffset);
  }
  if (walk.dualStereo && band == walk.intensity) {
    walk.dualStereo = 0;
    if (walk.folds) averageFolds(foldTo);
  }
  const last = band == walk.endBand - 1;
  walk.foldOut = last ? 0 : FOLD_AT + foldTo;
  walk.foldOutY = last ? 0 : FOLD_2_AT + foldTo;
}

/** Never repeats spectrum within one band; the masks of the source bands tell which blocks hold anything. */
function foldFromBelow(walk: BandWalk, band: i32, foldOffset: i32): void {
  const m = 1 << walk.lm;
  const channels = walk.channels;
  const foldFrom = max<i32>(0, m * bandEdge(walk.lowbandBand) - foldOffset - walk.count);
  let first = walk.lowbandBand;
  do {
    first--;
  } while (m * bandEdge(first) > foldFrom + foldOffset);
  let end = walk.lowbandBand - 1;
  do {
    end++;
  } while (end < band && m * bandEdge(end) < foldFrom + foldOffset + walk.count);
  let maskX: u32 = 0;
  let maskY: u32 = 0;
  let source = first;
  do {
    maskX |= load<u8>(COLLAPSE_MASKS_AT + <usize>(source * channels));
    maskY |= load<u8>(COLLAPSE_MASKS_AT + <usize>(source * channels + channels - 1));
  } while (++source < end);
  walk.maskX = maskX;
  walk.maskY = maskY;
  walk.lowband = FOLD_AT + (<usize>foldFrom << 2);
  walk.lowbandY = FOLD_2_AT + (<usize>foldFrom << 2);
}

/** Notes what became of the band; `maskX` and `maskY` are its collapse masks. */
export function leaveBand(walk: BandWalk, band: i32, maskX: u32, maskY: u32): void {
  const channels = walk.channels;
  store<u8>(COLLAPSE_MASKS_AT + <usize>(band * channels), maskX);
  store<u8>(COLLAPSE_MASKS_AT + <usize>(band * channels + channels - 1), maskY);
  walk.balance += walk.bandBits + walk.tell;
  // Folding goes on from the last band that had a bit per bin.
  walk.updateLowband = i32(walk.bits > walk.count << 3);
}

/** Repeats the end of the first band's folding source, so that a wider second band can fold from it (RFC 8251). */
export function extendFirstBand(walk: BandWalk): void {
  const m = 1 << walk.lm;
  const edge = bandEdge(walk.startBand + 1);
  const first = m * (edge - bandEdge(walk.startBand));
  const second = m * (bandEdge(walk.startBand + 2) - edge);
  const bytes = <usize>(second - first) << 2;
  const from = <usize>(2 * first - second) << 2;
  const to = <usize>first << 2;
  memory.copy(FOLD_AT + to, FOLD_AT + from, bytes);
  if (walk.dualStereo) memory.copy(FOLD_2_AT + to, FOLD_2_AT + from, bytes);
}

function averageFolds(bytes: usize): void {
  for (let at: usize = 0; at < bytes; at += 4) {
    store<f32>(FOLD_AT + at, <f32>0.5 * (load<f32>(FOLD_AT + at) + load<f32>(FOLD_2_AT + at)));
  }
}
