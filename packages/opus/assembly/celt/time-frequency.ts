// Choice of the time-frequency resolution per band: the one with the smallest L1 norm, smoothed over the bands.
import { encodeBit, encoderTellBits, RangeEncoder } from "../range-encoder";
import { tfSelect } from "../tables/celt";
import { copySamples, haar } from "./band-transform";
import {
  IMPORTANCE_AT,
  TF_LEVELS_AT,
  TF_METRIC_AT,
  TF_PATH_0_AT,
  TF_PATH_1_AT,
  TF_SUMS_AT,
} from "./encoder-scratch";
import { TF_CHANGE_AT } from "./scratch";
import { bandEdge } from "./state";

/** Bytes of one resolution of a band, up to 22 bins of 8 blocks; place of the divided one behind up to 5 joined ones. */
const LEVEL_BYTES: usize = 192 * 4;
const DIVIDED: i32 = 5;

/** L1 norm with a preference for the finer frequency resolution in doubt. */
function biased(sum: f32, level: i32, bias: f32): f32 {
  return sum + <f32>level * bias * sum;
}

/** Sums of magnitudes of six buffers of TF_LEVELS to TF_SUMS: chains of additions side by side. */
function sumLevels(count: i32): void {
  let sum0: f32 = 0.0;
  let sum1: f32 = 0.0;
  let sum2: f32 = 0.0;
  let sum3: f32 = 0.0;
  let sum4: f32 = 0.0;
  let sum5: f32 = 0.0;
  const end = TF_LEVELS_AT + (<usize>count << 2);
  for (let at = TF_LEVELS_AT; at < end; at += 4) {
    sum0 += abs<f32>(load<f32>(at));
    sum1 += abs<f32>(load<f32>(at, LEVEL_BYTES));
    sum2 += abs<f32>(load<f32>(at, 2 * LEVEL_BYTES));
    sum3 += abs<f32>(load<f32>(at, 3 * LEVEL_BYTES));
    sum4 += abs<f32>(load<f32>(at, 4 * LEVEL_BYTES));
    sum5 += abs<f32>(load<f32>(at, 5 * LEVEL_BYTES));
  }
  store<f32>(TF_SUMS_AT, sum0);
  store<f32>(TF_SUMS_AT, sum1, 4);
  store<f32>(TF_SUMS_AT, sum2, 8);
  store<f32>(TF_SUMS_AT, sum3, 12);
  store<f32>(TF_SUMS_AT, sum4, 16);
  store<f32>(TF_SUMS_AT, sum5, 20);
}

function levelAt(index: i32): usize {
  return TF_LEVELS_AT + <usize>index * LEVEL_BYTES;
}

function get(array: usize, band: i32): i32 {
  return load<i32>(array + (<usize>band << 2));
}

function set(array: usize, band: i32, value: i32): void {
  store<i32>(array + (<usize>band << 2), value);
}

function tableEntry(row: usize, index: i32): i32 {
  return <i32>load<i8>(row + <usize>index);
}

/** Best level of one band in half steps. */
function bandMetric(x: usize, bins: i32, transient: bool, lm: i32, bias: f32): i32 {
  const count = bins << lm;
  const bytes = <usize>count << 2;
  const narrow = bins == 1;
  const steps = lm + i32(!(transient || narrow));
  // The band as it is, then joined step by step; in the last place divided once.
  copySamples(levelAt(0), x, bytes);
  for (let k = 0; k < steps; k++) {
    copySamples(levelAt(k + 1), levelAt(k), bytes);
    haar(levelAt(k + 1), count >> k, 1 << k);
  }
  const divides = transient && !narrow;
  if (divides) {
    copySamples(levelAt(DIVIDED), x, bytes);
    haar(levelAt(DIVIDED), count >> lm, 1 << lm);
  }
  sumLevels(count);
  let best = biased(load<f32>(TF_SUMS_AT), transient ? lm : 0, bias);
  let level = 0;
  if (divides) {
    const split = biased(load<f32>(TF_SUMS_AT, 4 * DIVIDED), lm + 1, bias);
    if (split < best) {
      best = split;
      level = -1;
    }
  }
  for (let k = 0; k < steps; k++) {
    const sum = load<f32>(TF_SUMS_AT + (<usize>(k + 1) << 2));
    const value = biased(sum, transient ? lm - k - 1 : k + 1, bias);
    if (value < best) {
      best = value;
      level = k + 1;
    }
  }
  let metric = transient ? 2 * level : -2 * level;
  if (narrow && (metric == 0 || metric == -2 * lm)) metric -= 1;
  return metric;
}

function cost(row: usize, index: i32, band: i32): i32 {
  return get(IMPORTANCE_AT, band) * abs<i32>(get(TF_METRIC_AT, band) - 2 * tableEntry(row, index));
}

/**
 * Chooses for the normalised spectrum of one channel; the flags of the bands go to TF_CHANGE.
 * @param lambda price of a change between neighbouring bands
 * @returns the choice between the two rows of levels
 */
export function analyseTimeFrequency(
  spectrum: usize,
  bands: i32,
  transient: i32,
  lambda: i32,
  lm: i32,
  estimate: f32,
): i32 {
  const factor: f32 = 0.04;
  const half: f32 = 0.5;
  const bias: f32 = factor * max<f32>(-0.25, half - estimate);
  for (let band = 0; band < bands; band++) {
    const edge = bandEdge(band);
    const x = spectrum + (<usize>(edge << lm) << 2);
    set(TF_METRIC_AT, band, bandMetric(x, bandEdge(band + 1) - edge, transient != 0, lm, bias));
  }
  const base = tfSelect + <usize>(lm * 8 + 4 * transient);
  const startPrice = transient ? 0 : lambda;
  let first = 0;
  let second = 0;
  for (let select = 0; select < 2; select++) {
    let cost0 = cost(base, 2 * select, 0);
    let cost1 = cost(base, 2 * select + 1, 0) + startPrice;
    for (let band = 1; band < bands; band++) {
      const next0 = min<i32>(cost0, cost1 + lambda);
      const next1 = min<i32>(cost0 + lambda, cost1);
      cost0 = next0 + cost(base, 2 * select, band);
      cost1 = next1 + cost(base, 2 * select + 1, band);
    }
    if (select) second = min<i32>(cost0, cost1);
    else first = min<i32>(cost0, cost1);
  }
  const select = i32(second < first && transient != 0);
  let cost0 = cost(base, 2 * select, 0);
  let cost1 = cost(base, 2 * select + 1, 0) + startPrice;
  for (let band = 1; band < bands; band++) {
    const stay0 = cost0;
    const change0 = cost1 + lambda;
    const stay1 = cost0 + lambda;
    const change1 = cost1;
    set(TF_PATH_0_AT, band, i32(stay0 >= change0));
    set(TF_PATH_1_AT, band, i32(stay1 >= change1));
    cost0 = min<i32>(stay0, change0) + cost(base, 2 * select, band);
    cost1 = min<i32>(stay1, change1) + cost(base, 2 * select + 1, band);
  }
  set(TF_CHANGE_AT, bands - 1, i32(cost0 >= cost1));
  for (let band = bands - 2; band >= 0; band--) {
    const path = get(TF_CHANGE_AT, band + 1) == 1 ? TF_PATH_1_AT : TF_PATH_0_AT;
    set(TF_CHANGE_AT, band, get(path, band + 1));
  }
  return select;
}

/** Writes the flags of TF_CHANGE and replaces them by the levels. */
export function encodeTfChanges(
  re: RangeEncoder,
  startBand: i32,
  endBand: i32,
  transient: i32,
  lm: i32,
  select: i32,
): void {
  let budget: u32 = re.size * 8;
  let tell = <u32>encoderTellBits(re);
  let logProbability: u32 = transient ? 2 : 4;
  const selectReserved = lm > 0 && tell + logProbability + 1 <= budget;
  budget -= u32(selectReserved);
  let current = 0;
  let changed = 0;
  for (let band = startBand; band < endBand; band++) {
    if (tell + logProbability <= budget) {
      const flag = get(TF_CHANGE_AT, band);
      encodeBit(re, flag ^ current, logProbability);
      tell = <u32>encoderTellBits(re);
      current = flag;
      changed |= current;
    } else {
      set(TF_CHANGE_AT, band, current);
    }
    logProbability = transient ? 4 : 5;
  }
  const row = tfSelect + <usize>(lm * 8 + 4 * transient);
  let used = 0;
  if (selectReserved && tableEntry(row, changed) != tableEntry(row, 2 + changed)) {
    encodeBit(re, select, 1);
    used = select;
  }
  for (let band = startBand; band < endBand; band++) {
    set(TF_CHANGE_AT, band, tableEntry(row, 2 * used + get(TF_CHANGE_AT, band)));
  }
}
