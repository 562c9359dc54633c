// One row of the time-frequency plane of wang-v1 and panako-v2.

import { padded, rowAddress, rowMaximumAddress } from "./layout";
import { decibels } from "./logarithm";
import { powerSpectrum } from "./spectrum";

const bins: usize = 513;
const reach: usize = 15;
const lowest: f32 = -3.0e38;

/** Levels in dB of the 513 bins at `rowAddress`, and their maxima over +-15 bins at `rowMaximumAddress`. */
export function landmarkRow(): void {
  powerSpectrum(1024);
  const row = rowAddress();
  decibels(row, row, i32(bins), 0, 1.0e-12);
  rowMaximum(row);
}

/** Maxima of 2, 4, 8 and 16 neighbours by doubling, in place; two of 16 that overlap by one make 31. */
function rowMaximum(row: usize): void {
  const work = padded();
  const edge = f32x4.splat(lowest);
  for (let at: usize = 0; at < 16 * 4; at += 16) {
    v128.store(work + at, edge);
    v128.store(work + ((reach + bins) << 2) + at, edge);
  }
  memory.copy(work + (reach << 2), row, bins << 2);
  for (let span: usize = 1; span <= 8; span <<= 1) {
    for (let at: usize = 0; at < (bins + reach) << 2; at += 16) {
      v128.store(work + at, f32x4.pmax(v128.load(work + at), v128.load(work + at + (span << 2))));
    }
  }
  const out = rowMaximumAddress();
  for (let at: usize = 0; at < bins << 2; at += 16) {
    v128.store(out + at, f32x4.pmax(v128.load(work + at), v128.load(work + at + (reach << 2))));
  }
}
