// Open-loop pitch search in three stages: normalized correlation at 4 kHz, refinement at 8 kHz with a codebook of lag
// contours, refinement at the full rate.
import { sat16, shiftRound, smlawb, smulwb } from "./fixed-point";
import { PE_FLATCONTOUR_BIAS, PE_PREVLAG_BIAS, PE_SHORTLAG_BIAS } from "../tables/encoder-tuning";
import { down2_3Lq, down2Coef0, down2Coef1 } from "../tables/resampler";
import {
  contour,
  contour10ms,
  contour10msNb,
  contourNb,
  contourSearchCount,
  lagSearchRange,
  lagSearchRange10ms,
} from "../tables/silk-gains-pitch-ltp";
import {
  PITCH_16K,
  PITCH_4K,
  PITCH_4K_INT,
  PITCH_8K,
  PITCH_8K_INT,
  PITCH_CANDIDATES,
  PITCH_CORRELATION,
  PITCH_EXPANDED,
  PITCH_FILTER,
  PITCH_LAGS_TRIED,
  PITCH_STAGE3_CORRELATION,
  PITCH_STAGE3_ENERGY,
  PITCH_XCORR,
} from "./encoder-scratch";
import {
  energyOfFloats,
  floatsToInt16,
  innerProduct,
  int16ToFloats,
  logTwo,
  sortDecreasing,
} from "./float-signal";
import { FrameIndices } from "./encoder-state";
import { RESAMPLER_WORK } from "./scratch";
import { filterAr2 } from "./resampler";

/** Row of the correlation table at 8 kHz: lags up to 144 and 5 more. */
const ROW: i32 = 149;
const MIN_LAG_4K: i32 = 8;
const MAX_LAG_4K: i32 = 72;
const MIN_LAG_8K: i32 = 16;
const MAX_LAG_8K: i32 = 143;
const STAGE3_LAGS: i32 = 5;
const STAGE3_CONTOURS: i32 = 34;

/** Two all-pass sections; the input length is even. */
export function downsampleTwofold(state: usize, output: usize, input: usize, length: i32): void {
  let s0 = load<i32>(state);
  let s1 = load<i32>(state, 4);
  const half = length >> 1;
  for (let k: i32 = 0; k < half; k++) {
    const at = input + (usize(k) << 2);
    let x = i32(load<i16>(at)) << 10;
    let y = x - s0;
    let p = smlawb(y, y, down2Coef1);
    let sum = s0 + p;
    s0 = x + p;
    x = i32(load<i16>(at, 2)) << 10;
    y = x - s1;
    p = smulwb(y, down2Coef0);
    sum = sum + s1 + p;
    s1 = x + p;
    store<i16>(output + (usize(k) << 1), i16(sat16(shiftRound(sum, 11))));
  }
  store<i32>(state, s0);
  store<i32>(state, s1, 4);
}

/** Ratio 2/3 with a short filter; `state` holds i32[6]; the length is a multiple of 3 below one batch of 480. */
function downsampleTwoThirds(state: usize, output: usize, input: usize, length: i32): void {
  const buffer = RESAMPLER_WORK;
  const c0 = i32(load<i16>(down2_3Lq, 4));
  const c1 = i32(load<i16>(down2_3Lq, 6));
  const c2 = i32(load<i16>(down2_3Lq, 8));
  const c3 = i32(load<i16>(down2_3Lq, 10));
  memory.copy(buffer, state, 16);
  let remaining = length;
  let source = input;
  let target = output;
  let count: i32 = 0;
  while (true) {
    count = min(remaining, 480);
    filterAr2(state + 16, buffer + 16, source, down2_3Lq, count);
    let at = buffer;
    for (let left = count; left > 2; left -= 3) {
      let sum = smulwb(load<i32>(at), c0);
      sum = smlawb(sum, load<i32>(at, 4), c1);
      sum = smlawb(sum, load<i32>(at, 8), c3);
      sum = smlawb(sum, load<i32>(at, 12), c2);
      store<i16>(target, i16(sat16(shiftRound(sum, 6))));
      sum = smulwb(load<i32>(at, 4), c2);
      sum = smlawb(sum, load<i32>(at, 8), c3);
      sum = smlawb(sum, load<i32>(at, 12), c1);
      sum = smlawb(sum, load<i32>(at, 16), c0);
      store<i16>(target, i16(sat16(shiftRound(sum, 6))), 2);
      target += 4;
      at += 12;
    }
    source += usize(count) << 1;
    remaining -= count;
    if (remaining <= 0) break;
    memory.copy(buffer, buffer + (usize(count) << 2), 16);
  }
  memory.copy(state, buffer + (usize(count) << 2), 16);
}

/** Correlation of x with y at `count` lags in f32, each sum in the order of the samples; four lags at a time. */
function crossCorrelate(output: usize, x: usize, y: usize, length: i32, count: i32): void {
  let lag: i32 = 0;
  for (; lag + 3 < count; lag += 4) {
    let sum = f32x4.splat(0);
    const shifted = y + (usize(lag) << 2);
    for (let j: usize = 0; j < usize(length) << 2; j += 4) {
      sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(x + j), v128.load(shifted + j)));
    }
    v128.store(output + (usize(lag) << 2), sum);
  }
  for (; lag < count; lag++) {
    let sum: f32 = 0;
    const shifted = y + (usize(lag) << 2);
    for (let j: usize = 0; j < usize(length) << 2; j += 4) sum += load<f32>(x + j) * load<f32>(shifted + j);
    store<f32>(output + (usize(lag) << 2), sum);
  }
}

function correlationAt(row: i32, lag: i32): usize {
  return PITCH_CORRELATION + (usize(row * ROW + lag) << 2);
}

function candidate(index: i32): i32 {
  return load<i32>(PITCH_CANDIDATES + (usize(index) << 2));
}

function expanded(lag: i32): i32 {
  return i32(load<i16>(PITCH_EXPANDED + (usize(lag) << 1)));
}

function setExpanded(lag: i32, value: i32): void {
  store<i16>(PITCH_EXPANDED + (usize(lag) << 1), i16(value));
}

/** The signal at 8 and 4 kHz. */
function decimate(x: usize, rateKhz: i32, milliseconds: i32): void {
  const length = milliseconds * rateKhz;
  const length8k = milliseconds * 8;
  memory.fill(PITCH_FILTER, 0, 24);
  if (rateKhz == 8) {
    floatsToInt16(PITCH_8K_INT, x, length8k);
  } else {
    floatsToInt16(PITCH_16K, x, length);
    if (rateKhz == 16) downsampleTwofold(PITCH_FILTER, PITCH_8K_INT, PITCH_16K, length);
    else downsampleTwoThirds(PITCH_FILTER, PITCH_8K_INT, PITCH_16K, length);
    int16ToFloats(PITCH_8K, PITCH_8K_INT, length8k);
  }
  memory.fill(PITCH_FILTER, 0, 8);
  downsampleTwofold(PITCH_FILTER, PITCH_4K_INT, PITCH_8K_INT, length8k);
  // A two-tap low-pass in integers.
  const length4k = milliseconds * 4;
  for (let i: i32 = length4k - 1; i > 0; i--) {
    const at = PITCH_4K_INT + (usize(i) << 1);
    store<i16>(at, i16(sat16(i32(load<i16>(at)) + i32(load<i16>(at - 2)))));
  }
  int16ToFloats(PITCH_4K, PITCH_4K_INT, length4k);
}

/** First stage: fills the correlation of lags 8..72 at 4 kHz, biased to short lags. */
function correlateCoarse(subframes: i32): void {
  memory.fill(PITCH_CORRELATION, 0, usize(subframes * ROW) << 2);
  const span: i32 = 40;
  const floor: f32 = 4000.0;
  const two: f64 = 2.0;
  for (let k: i32 = 0; k < subframes >> 1; k++) {
    const target = PITCH_4K + (usize(80 + k * span) << 2);
    crossCorrelate(PITCH_XCORR, target, target - (MAX_LAG_4K << 2), span, MAX_LAG_4K - MIN_LAG_4K + 1);
    let basis = target - (MIN_LAG_4K << 2);
    let normalizer = energyOfFloats(target, span) + energyOfFloats(basis, span) + f64(f32(span) * floor);
    for (let lag: i32 = MIN_LAG_4K; lag <= MAX_LAG_4K; lag++) {
      if (lag > MIN_LAG_4K) {
        basis -= 4;
        const entering = f64(load<f32>(basis));
        const leaving = f64(load<f32>(basis + (usize(span) << 2)));
        normalizer += entering * entering - leaving * leaving;
      }
      const product = f64(load<f32>(PITCH_XCORR + (usize(MAX_LAG_4K - lag) << 2)));
      const at = correlationAt(0, lag);
      store<f32>(at, load<f32>(at) + f32((two * product) / normalizer));
    }
  }
  const scale: f32 = 4096.0;
  for (let lag: i32 = MAX_LAG_4K; lag >= MIN_LAG_4K; lag--) {
    const at = correlationAt(0, lag);
    const value = load<f32>(at);
    store<f32>(at, value - (value * f32(lag)) / scale);
  }
}

/** Lags at 8 kHz around the candidates: `PITCH_CANDIDATES` for the search, `PITCH_EXPANDED` for the correlations. */
function expandCandidates(count: i32): i32 {
  for (let i: i32 = MIN_LAG_8K - 5; i < MAX_LAG_8K + 5; i++) setExpanded(i, 0);
  for (let i: i32 = 0; i < count; i++) setExpanded(candidate(i), 1);
  for (let i: i32 = MAX_LAG_8K + 3; i >= MIN_LAG_8K; i--) {
    setExpanded(i, expanded(i) + expanded(i - 1) + expanded(i - 2));
  }
  let found: i32 = 0;
  for (let i: i32 = MIN_LAG_8K; i < MAX_LAG_8K + 1; i++) {
    if (expanded(i + 1) > 0) {
      store<i32>(PITCH_CANDIDATES + (usize(found) << 2), i);
      found++;
    }
  }
  for (let i: i32 = MAX_LAG_8K + 3; i >= MIN_LAG_8K; i--) {
    setExpanded(i, expanded(i) + expanded(i - 1) + expanded(i - 2) + expanded(i - 3));
  }
  return found;
}

/** Packs the marked lags to the front of `PITCH_EXPANDED`; returns their number. */
function packExpanded(): i32 {
  let count: i32 = 0;
  for (let i: i32 = MIN_LAG_8K; i < MAX_LAG_8K + 4; i++) {
    if (expanded(i) > 0) {
      setExpanded(count, i - 2);
      count++;
    }
  }
  return count;
}

/** Second stage: normalized correlation of each subframe at the marked lags. */
function correlateFine(signal: usize, subframes: i32, lags: i32): void {
  memory.fill(PITCH_CORRELATION, 0, usize(4 * ROW) << 2);
  const span: i32 = 40;
  const one: f64 = 1.0;
  const two: f64 = 2.0;
  for (let k: i32 = 0; k < subframes; k++) {
    const target = signal + (usize(160 + k * span) << 2);
    const energy = energyOfFloats(target, span) + one;
    for (let j: i32 = 0; j < lags; j++) {
      const lag = expanded(j);
      const basis = target - (usize(lag) << 2);
      const product = innerProduct(basis, target, span);
      if (product > 0) {
        const value = f32((two * product) / (energyOfFloats(basis, span) + energy));
        store<f32>(correlationAt(k, lag), value);
      } else {
        store<f32>(correlationAt(k, lag), 0);
      }
    }
  }
}

function contourOffset(table: usize, columns: i32, subframe: i32, index: i32): i32 {
  return i32(load<i8>(table + usize(subframe * columns + index)));
}

/** Correlations and energies of all contours at five lags, at the full rate. */
function prepareStage3(x: usize, startLag: i32, span: i32, subframes: i32, complexity: i32): void {
  const full = subframes == 4;
  const ranges = full ? lagSearchRange + usize(complexity * 8) : lagSearchRange10ms;
  const table = full ? contour : contour10ms;
  const columns = full ? STAGE3_CONTOURS : 12;
  const contours = full ? i32(load<i8>(contourSearchCount + usize(complexity))) : 12;
  const floor: f64 = 1e-3;
  for (let k: i32 = 0; k < subframes; k++) {
    const target = x + (usize((4 + k) * span) << 2);
    const low = i32(load<i8>(ranges + usize(2 * k)));
    const high = i32(load<i8>(ranges + usize(2 * k), 1));
    const count = high - low + 1;
    crossCorrelate(PITCH_XCORR, target, target - (usize(startLag + high) << 2), span, count);
    for (let i: i32 = 0; i < contours; i++) {
      const index = contourOffset(table, columns, k, i) - low;
      for (let j: i32 = 0; j < STAGE3_LAGS; j++) {
        const value = load<f32>(PITCH_XCORR + (usize(count - 1 - (index + j)) << 2));
        const slot = usize((k * STAGE3_CONTOURS + i) * STAGE3_LAGS + j) << 2;
        store<f32>(PITCH_STAGE3_CORRELATION + slot, value);
      }
    }
    const basis = target - (usize(startLag + low) << 2);
    let energy = energyOfFloats(basis, span) + floor;
    store<f32>(PITCH_LAGS_TRIED, f32(energy));
    for (let i: i32 = 1; i < count; i++) {
      const leaving = f64(load<f32>(basis + (usize(span - i) << 2)));
      energy -= leaving * leaving;
      const entering = f64(load<f32>(basis - (usize(i) << 2)));
      energy += entering * entering;
      store<f32>(PITCH_LAGS_TRIED + (usize(i) << 2), f32(energy));
    }
    for (let i: i32 = 0; i < contours; i++) {
      const index = contourOffset(table, columns, k, i) - low;
      for (let j: i32 = 0; j < STAGE3_LAGS; j++) {
        const slot = usize((k * STAGE3_CONTOURS + i) * STAGE3_LAGS + j) << 2;
        store<f32>(PITCH_STAGE3_ENERGY + slot, load<f32>(PITCH_LAGS_TRIED + (usize(index + j) << 2)));
      }
    }
  }
}

function noPitch(lags: usize, indices: FrameIndices): void {
  memory.fill(lags, 0, 16);
  indices.lag = 0;
  indices.contour = 0;
}

/**
 * Searches the pitch of a frame behind 20 ms of history; returns the normalized correlation, or a negative number for
 * an unvoiced frame.
 * @param x f32: whitened history and frame
 * @param lags i32[4]: result
 * @param previousCorrelation result of the frame before
 * @param previousLag its last lag, 0 if unvoiced
 */
export function searchPitch(
  x: usize,
  lags: usize,
  indices: FrameIndices,
  previousCorrelation: f32,
  previousLag: i32,
  threshold1: f32,
  threshold2: f32,
  rateKhz: i32,
  complexity: i32,
  subframes: i32,
): f32 {
  const unvoiced: f32 = -1;
  const milliseconds = 20 + 5 * subframes;
  decimate(x, rateKhz, milliseconds);
  correlateCoarse(subframes);
  let count = 4 + 2 * complexity;
  const first = correlationAt(0, MIN_LAG_4K);
  sortDecreasing(first, PITCH_CANDIDATES, MAX_LAG_4K - MIN_LAG_4K + 1, count);
  const best = load<f32>(first);
  const least: f32 = 0.2;
  if (best < least) {
    noPitch(lags, indices);
    return unvoiced;
  }
  const threshold = threshold1 * best;
  for (let i: i32 = 0; i < count; i++) {
    if (load<f32>(first + (usize(i) << 2)) > threshold) {
      store<i32>(PITCH_CANDIDATES + (usize(i) << 2), (candidate(i) + MIN_LAG_4K) << 1);
    } else {
      count = i;
      break;
    }
  }
  const candidates = expandCandidates(count);
  const packed = packExpanded();
  correlateFine(rateKhz == 8 ? x : PITCH_8K, subframes, packed);

  let lastLag = previousLag;
  let lastLagLog: f32 = 0;
  if (lastLag > 0) {
    if (rateKhz == 12) lastLag = (lastLag << 1) / 3;
    else if (rateKhz == 16) lastLag >>= 1;
    lastLagLog = logTwo(f64(f32(lastLag)));
  }
  const full = subframes == 4;
  const table = full ? contourNb : contour10msNb;
  const columns = full ? 11 : 3;
  const contours = full && rateKhz == 8 && complexity > 0 ? 11 : 3;
  let correlation: f32 = 0;
  let biased: f32 = -1000;
  let contourIndex: i32 = 0;
  let lag: i32 = -1;
  const half: f32 = 0.5;
  const many = f32(subframes);
  for (let k: i32 = 0; k < candidates; k++) {
    const d = candidate(k);
    let top: f32 = -1000;
    let topContour: i32 = 0;
    for (let j: i32 = 0; j < contours; j++) {
      let sum: f32 = 0;
      for (let i: i32 = 0; i < subframes; i++) {
        sum += load<f32>(correlationAt(i, d + contourOffset(table, columns, i, j)));
      }
      if (sum > top) {
        top = sum;
        topContour = j;
      }
    }
    const lagLog = logTwo(f64(f32(d)));
    let value = top - PE_SHORTLAG_BIAS * many * lagLog;
    if (lastLag > 0) {
      let distance = lagLog - lastLagLog;
      distance *= distance;
      value -= (PE_PREVLAG_BIAS * many * previousCorrelation * distance) / (distance + half);
    }
    if (value > biased && top > many * threshold2) {
      biased = value;
      correlation = top;
      lag = d;
      contourIndex = topContour;
    }
  }
  if (lag == -1) {
    noPitch(lags, indices);
    return unvoiced;
  }
  const result = correlation / many;

  if (rateKhz == 8) {
    for (let k: i32 = 0; k < subframes; k++) {
      const value = lag + contourOffset(table, columns, k, contourIndex);
      store<i32>(lags + (usize(k) << 2), min(max(value, MIN_LAG_8K), 144));
    }
    indices.lag = lag - MIN_LAG_8K;
    indices.contour = contourIndex;
    return result;
  }

  const shortest = 2 * rateKhz;
  const longest = 18 * rateKhz - 1;
  lag = rateKhz == 12 ? shiftRound(lag * 3, 1) : lag << 1;
  lag = min(max(lag, shortest), longest);
  const startLag = max(lag - 2, shortest);
  const endLag = min(lag + 2, longest);
  const span = 5 * rateKhz;
  prepareStage3(x, startLag, span, subframes, complexity);
  const bias = PE_FLATCONTOUR_BIAS / f32(lag);
  const fineTable = full ? contour : contour10ms;
  const fineColumns = full ? STAGE3_CONTOURS : 12;
  const fineContours = full ? i32(load<i8>(contourSearchCount + usize(complexity))) : 12;
  const oneF64: f64 = 1.0;
  const two: f64 = 2.0;
  const one: f32 = 1.0;
  const targetEnergy = energyOfFloats(x + (usize(20 * rateKhz) << 2), subframes * span) + oneF64;
  let finest: f32 = -1000;
  let fineLag = lag;
  contourIndex = 0;
  for (let d: i32 = startLag; d <= endLag; d++) {
    for (let j: i32 = 0; j < fineContours; j++) {
      let product: f64 = 0;
      let energy = targetEnergy;
      for (let k: i32 = 0; k < subframes; k++) {
        const slot = usize((k * STAGE3_CONTOURS + j) * STAGE3_LAGS + (d - startLag)) << 2;
        product += f64(load<f32>(PITCH_STAGE3_CORRELATION + slot));
        energy += f64(load<f32>(PITCH_STAGE3_ENERGY + slot));
      }
      let value: f32 = 0;
      if (product > 0) {
        value = f32((two * product) / energy);
        value *= one - bias * f32(j);
      }
      // The bound uses the 20 ms contours for 10 ms frames too.
      if (value > finest && d + contourOffset(contour, STAGE3_CONTOURS, 0, j) <= longest) {
        finest = value;
        fineLag = d;
        contourIndex = j;
      }
    }
  }
  for (let k: i32 = 0; k < subframes; k++) {
    const value = fineLag + contourOffset(fineTable, fineColumns, k, contourIndex);
    store<i32>(lags + (usize(k) << 2), min(max(value, shortest), 18 * rateKhz));
  }
  indices.lag = fineLag - shortest;
  indices.contour = contourIndex;
  return result;
}
