// Long-term prediction: correlations of the whitened signal, quantization of the five taps, scaling for packet loss.
import { LTP_CORR_INV_MAX } from "../tables/encoder-tuning";
import {
  ltpBits0,
  ltpBits1,
  ltpBits2,
  ltpGain0,
  ltpGain1,
  ltpGain2,
} from "../tables/silk-gains-pitch-ltp";
import {
  ANALYSIS,
  FrameAnalysis,
  LTP_CANDIDATES,
  LTP_COEFFICIENTS,
  LTP_SEARCH,
  LTP_XX,
  LTP_XX_Q17,
  LTP_XY,
  LTP_XY_Q17,
} from "./encoder-scratch";
import { ChannelEncoder, ENC_INDICES, FrameIndices, INDICES_LTP } from "./encoder-state";
import { linearToLog, logToLinear, smlawb, smulbb } from "./fixed-point";
import { energyOfFloats, innerProduct, roundToInt } from "./float-signal";
import { ltpTapsOf } from "./parameters";
import { PITCH_LAGS } from "./scratch";
import { CODE_INDEPENDENTLY, LTP_ORDER } from "./state";

/** 0.4 in Q7: keeps the product of the gains of successive frames bounded. */
const GAIN_SAFETY_Q7: i32 = 51;
/** 250 / 6 in Q7, plus 7 in Q7. */
const MAX_SUM_LOG_GAIN_Q7: i32 = 5333 + 896;

function matrixAt(matrix: usize, row: i32, column: i32): usize {
  return matrix + (usize(row * LTP_ORDER + column) << 2);
}

function sampleAt(x: usize, index: i32): f32 {
  return load<f32>(x + (usize(index) << 2));
}

/** Correlation matrix of the five delayed signals, f32[5][5]; `x` is the oldest sample of the last delay. */
function correlationMatrix(matrix: usize, x: usize, length: i32): void {
  const first = x + ((LTP_ORDER - 1) << 2);
  let energy = energyOfFloats(first, length);
  store<f32>(matrix, f32(energy));
  for (let j: i32 = 1; j < LTP_ORDER; j++) {
    const entering = sampleAt(first, -j);
    const leaving = sampleAt(first, length - j);
    energy += f64(entering * entering - leaving * leaving);
    store<f32>(matrixAt(matrix, j, j), f32(energy));
  }
  for (let lag: i32 = 1; lag < LTP_ORDER; lag++) {
    const second = first - (usize(lag) << 2);
    energy = innerProduct(first, second, length);
    store<f32>(matrixAt(matrix, lag, 0), f32(energy));
    store<f32>(matrixAt(matrix, 0, lag), f32(energy));
    for (let j: i32 = 1; j < LTP_ORDER - lag; j++) {
      const entering = sampleAt(first, -j) * sampleAt(second, -j);
      const leaving = sampleAt(first, length - j) * sampleAt(second, length - j);
      energy += f64(entering - leaving);
      store<f32>(matrixAt(matrix, lag + j, j), f32(energy));
      store<f32>(matrixAt(matrix, j, lag + j), f32(energy));
    }
  }
}

/** Normalized correlations of all subframes; `residual` is the first sample of the whitened frame. */
function correlate(residual: usize, c: ChannelEncoder): void {
  const length = c.subframeLength;
  const half: f32 = 0.5;
  const one: f32 = 1.0;
  for (let k: i32 = 0; k < c.subframes; k++) {
    const x = residual + (usize(k * length) << 2);
    const lag = load<i32>(PITCH_LAGS + (usize(k) << 2));
    const delayed = x - (usize(lag + LTP_ORDER / 2) << 2);
    const matrix = LTP_XX + usize(k * 100);
    const vector = LTP_XY + usize(k * 20);
    correlationMatrix(matrix, delayed, length);
    for (let j: i32 = 0; j < LTP_ORDER; j++) {
      const product = innerProduct(delayed + (usize(LTP_ORDER - 1 - j) << 2), x, length);
      store<f32>(vector + (usize(j) << 2), f32(product));
    }
    const energy = f32(energyOfFloats(x, length + LTP_ORDER));
    const corners = load<f32>(matrix) + load<f32>(matrix, 96);
    const floor = LTP_CORR_INV_MAX * half * corners + one;
    const scale = one / (energy > floor ? energy : floor);
    for (let i: usize = 0; i < 100; i += 4) store<f32>(matrix + i, load<f32>(matrix + i) * scale);
    for (let i: usize = 0; i < 20; i += 4) store<f32>(vector + i, load<f32>(vector + i) * scale);
  }
}

/** Answers of `searchCodebook`: i32 each. */
const FOUND_ENERGY_Q15: usize = LTP_SEARCH;
const FOUND_COST_Q8: usize = LTP_SEARCH + 4;
const FOUND_GAIN_Q7: usize = LTP_SEARCH + 8;

function entry(base: usize, index: i32): i32 {
  return load<i32>(base + (usize(index) << 2));
}

/** Index of the vector with the least cost: log of the residual energy, rate, and a penalty above `maxGainQ7`. */
function searchCodebook(
  xx: usize,
  xy: usize,
  taps: usize,
  gains: usize,
  bits: usize,
  length: i32,
  maxGainQ7: i32,
  vectors: i32,
): i32 {
  let best: i32 = 0;
  let bestCost: i32 = i32.MAX_VALUE;
  let bestEnergy: i32 = i32.MAX_VALUE;
  for (let v: i32 = 0; v < vectors; v++) {
    const t = taps + usize(v * LTP_ORDER);
    const gain = i32(load<u8>(gains + usize(v)));
    const penalty = max(gain - maxGainQ7, 0) << 11;
    // 1.001 in Q15, minus twice the correlation, plus the quadratic form; by rows of the symmetric matrix.
    let energy: i32 = 32801;
    for (let row: i32 = 0; row < LTP_ORDER; row++) {
      let sum = -(entry(xy, row) << 7);
      for (let column: i32 = row + 1; column < LTP_ORDER; column++) {
        sum += entry(xx, row * LTP_ORDER + column) * i32(load<i8>(t + usize(column)));
      }
      const own = i32(load<i8>(t + usize(row)));
      sum = (sum << 1) + entry(xx, row * LTP_ORDER + row) * own;
      energy = smlawb(energy, sum, own);
    }
    if (energy >= 0) {
      const residualBits = smulbb(length, linearToLog(energy + penalty) - (15 << 7));
      const cost = residualBits + (i32(load<u8>(bits + usize(v))) << 2);
      if (cost <= bestCost) {
        bestCost = cost;
        bestEnergy = energy + penalty;
        best = v;
        store<i32>(FOUND_GAIN_Q7, gain);
      }
    }
  }
  store<i32>(FOUND_ENERGY_Q15, bestEnergy);
  store<i32>(FOUND_COST_Q8, bestCost);
  return best;
}

/** a + b, saturated; both are not negative. */
function addPositiveSat(a: i32, b: i32): i32 {
  const sum = a + b;
  return sum < 0 ? i32.MAX_VALUE : sum;
}

/** Chooses codebook and vectors of the frame. */
function quantize(c: ChannelEncoder, indices: FrameIndices): void {
  const q17: f32 = 131072.0;
  for (let i: i32 = 0; i < c.subframes * 25; i++) {
    store<i32>(LTP_XX_Q17 + (usize(i) << 2), roundToInt(sampleAt(LTP_XX, i) * q17));
  }
  for (let i: i32 = 0; i < c.subframes * LTP_ORDER; i++) {
    store<i32>(LTP_XY_Q17 + (usize(i) << 2), roundToInt(sampleAt(LTP_XY, i) * q17));
  }
  const chosen = changetype<usize>(indices) + INDICES_LTP;
  let leastCost: i32 = i32.MAX_VALUE;
  let sumLogGain: i32 = 0;
  let energy: i32 = 0;
  for (let book: i32 = 0; book < 3; book++) {
    const taps = ltpTapsOf(book);
    const gains = book == 0 ? ltpGain0 : book == 1 ? ltpGain1 : ltpGain2;
    const bits = book == 0 ? ltpBits0 : book == 1 ? ltpBits1 : ltpBits2;
    energy = 0;
    let cost: i32 = 0;
    let sum = c.sumLogGainQ7;
    for (let j: i32 = 0; j < c.subframes; j++) {
      const maxGain = logToLinear(MAX_SUM_LOG_GAIN_Q7 - sum) - GAIN_SAFETY_Q7;
      const vector = searchCodebook(
        LTP_XX_Q17 + usize(j * 100),
        LTP_XY_Q17 + usize(j * 20),
        taps,
        gains,
        bits,
        c.subframeLength,
        maxGain,
        8 << book,
      );
      store<i8>(LTP_CANDIDATES + usize(j), i8(vector));
      energy = addPositiveSat(energy, load<i32>(FOUND_ENERGY_Q15));
      cost = addPositiveSat(cost, load<i32>(FOUND_COST_Q8));
      sum = max(0, sum + linearToLog(GAIN_SAFETY_Q7 + load<i32>(FOUND_GAIN_Q7)) - 896);
    }
    if (cost <= leastCost) {
      leastCost = cost;
      indices.periodicity = book;
      memory.copy(chosen, LTP_CANDIDATES, usize(c.subframes));
      sumLogGain = sum;
    }
  }
  const taps = ltpTapsOf(indices.periodicity);
  const q14: f32 = 1.0 / 16384.0;
  for (let j: i32 = 0; j < c.subframes; j++) {
    const vector = taps + usize(i32(load<i8>(chosen + usize(j))) * LTP_ORDER);
    for (let k: i32 = 0; k < LTP_ORDER; k++) {
      const tap = i32(load<i8>(vector + usize(k))) << 7;
      store<f32>(LTP_COEFFICIENTS + (usize(j * LTP_ORDER + k) << 2), f32(tap) * q14);
    }
  }
  // The energy is that of the last codebook tried, as in the reference.
  energy >>= c.subframes == 2 ? 1 : 2;
  c.sumLogGainQ7 = sumLogGain;
  const gainQ7 = smulbb(-3, linearToLog(energy) - (15 << 7));
  const q7: f32 = 1.0 / 128.0;
  changetype<FrameAnalysis>(ANALYSIS).ltpGainDb = f32(gainQ7) * q7;
}

/** Damping of the predictor's history: the more loss is expected, the stronger. */
function chooseScale(c: ChannelEncoder, indices: FrameIndices, coding: i32): void {
  indices.ltpScale = 0;
  if (coding != CODE_INDEPENDENTLY) return;
  let loss = c.packetLossPercent * c.framesPerPacket;
  if (c.lbrrFlag != 0) loss = 2 + smulbb(loss, loss) / 100;
  const risk = smulbb(i32(changetype<FrameAnalysis>(ANALYSIS).ltpGainDb), loss);
  indices.ltpScale =
    i32(risk > logToLinear(2900 - c.snrDbQ7)) + i32(risk > logToLinear(3900 - c.snrDbQ7));
}

/** Finds and quantizes the taps of a voiced frame. */
export function analyzeLongTerm(c: ChannelEncoder, residual: usize, coding: i32): void {
  const indices = changetype<FrameIndices>(changetype<usize>(c) + ENC_INDICES);
  correlate(residual, c);
  quantize(c, indices);
  chooseScale(c, indices, coding);
}

/**
 * Subtracts the long-term prediction and scales by the inverse gains; each subframe comes with `before` samples of its
 * own history in front.
 */
export function filterLongTerm(c: ChannelEncoder, output: usize, x: usize, inverseGains: usize, before: i32): void {
  const span = c.subframeLength + before;
  for (let k: i32 = 0; k < c.subframes; k++) {
    const source = x + (usize(k * c.subframeLength) << 2);
    const past = source - (usize(load<i32>(PITCH_LAGS + (usize(k) << 2)) - LTP_ORDER / 2) << 2);
    const taps = LTP_COEFFICIENTS + usize(k * LTP_ORDER * 4);
    const target = output + (usize(k * span) << 2);
    const scale = load<f32>(inverseGains + (usize(k) << 2));
    for (let i: i32 = 0; i < span; i++) {
      const at = usize(i) << 2;
      let value = load<f32>(source + at);
      for (let j: i32 = 0; j < LTP_ORDER; j++) {
        value -= load<f32>(taps + (usize(j) << 2)) * load<f32>(past + at - (usize(j) << 2));
      }
      store<f32>(target + at, value * scale);
    }
  }
}
