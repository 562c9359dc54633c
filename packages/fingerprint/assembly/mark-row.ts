// One row of the time-frequency plane of mark-v1: 450 columns of levels in 1/1024 dB, and their sums over +-20 columns.

import { padded, rowAddress, rowMaximumAddress } from "./layout";
import { decibels } from "./logarithm";
import { powerSpectrum } from "./spectrum";

const columns: i32 = 450;
const firstBin: usize = 10;
const reach: i32 = 20;

/** Levels as i32 at `rowAddress`, sums of 41 neighbours (borders continued) at `rowMaximumAddress`. */
export function markRow(): void {
  powerSpectrum(1024);
  const row = rowAddress();
  const levels = padded();
  decibels(row + (firstBin << 2), levels, columns, 1.0e-7, 1.0e-12);
  const scale = f32x4.splat(1024.0);
  const high = f32x4.splat(153600.0);
  const low = f32x4.splat(-153600.0);
  for (let at: usize = 0; at < usize(columns) << 2; at += 16) {
    const fine = f32x4.nearest(f32x4.mul(v128.load(levels + at), scale));
    v128.store(row + at, i32x4.trunc_sat_f32x4_s(f32x4.pmax(low, f32x4.pmin(high, fine))));
  }
  const sums = rowMaximumAddress();
  const first = load<i32>(row);
  const last = load<i32>(row + (usize(columns - 1) << 2));
  let sum = (reach + 1) * first;
  for (let c = 1; c <= reach; c++) sum += load<i32>(row + (usize(c) << 2));
  for (let c = 0; c < columns; c++) {
    store<i32>(sums + (usize(c) << 2), sum);
    const entering = c + reach + 1;
    const leaving = c - reach;
    sum += entering < columns ? load<i32>(row + (usize(entering) << 2)) : last;
    sum -= leaving >= 0 ? load<i32>(row + (usize(leaving) << 2)) : first;
  }
}
