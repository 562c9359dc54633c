// Prediction coefficients to line spectral frequencies and their two-stage quantization.
import {
  cosine,
  nbMbStage1Icdf,
  nbMbStage1Vectors,
  nbMbStage1Weights,
  wbStage1Icdf,
  wbStage1Vectors,
  wbStage1Weights,
} from "../tables/silk-nlsf";
import { absInt, divideVarQ, linearToLog, shiftRound, smlawb, smlaww, smulbb } from "./fixed-point";
import {
  NLSF_ADJUSTED_Q5,
  NLSF_COSTS,
  NLSF_ERRORS,
  NLSF_LPC_Q16,
  NLSF_ORDER,
  NLSF_PATHS,
  NLSF_WEIGHTS_FIRST_Q2,
  NLSF_WEIGHTS_Q2,
} from "./encoder-scratch";
import { ChannelEncoder, ENC_INDICES, ENC_PREV_NLSF_Q15, FrameIndices, INDICES_NLSF } from "./encoder-state";
import { roundToInt } from "./float-signal";
import { expandBandwidth32 } from "./lpc";
import { decodeNlsf, minSpacingOf, nlsfToLpc, stabilizeNlsf, unpackStage2 } from "./nlsf";
import { quantizeResidual } from "./nlsf-trellis";
import { NLSF_FIRST_HALF_Q15, NLSF_POLYNOMIAL_P, NLSF_POLYNOMIAL_Q, NLSF_RESIDUAL_Q10, PREDICTION_Q12 } from "./scratch";

const STAGE1_VECTORS: i32 = 32;
const BISECTIONS: i32 = 3;
const MAX_EXPANSIONS: i32 = 16;
const TABLE_END: i32 = 128;

function at32(base: usize, index: i32): usize {
  return base + (usize(index) << 2);
}

/** Value of the polynomial in x = 2 cos(w), Q12. */
function evaluate(p: usize, x: i32, degree: i32): i32 {
  const scaled = x << 4;
  let y = load<i32>(at32(p, degree));
  for (let n: i32 = degree - 1; n >= 0; n--) y = smlaww(load<i32>(at32(p, n)), y, scaled);
  return y;
}

/** Polynomial in cos(nw) to one in powers of 2 cos(w). */
function toPowers(p: usize, degree: i32): void {
  for (let k: i32 = 2; k <= degree; k++) {
    for (let n: i32 = degree; n > k; n--) {
      store<i32>(at32(p, n - 2), load<i32>(at32(p, n - 2)) - load<i32>(at32(p, n)));
    }
    store<i32>(at32(p, k - 2), load<i32>(at32(p, k - 2)) - (load<i32>(at32(p, k)) << 1));
  }
}

/** Even and odd part of the filter without their roots at +-1. */
function splitFilter(a: usize, half: i32): void {
  const p = NLSF_POLYNOMIAL_P;
  const q = NLSF_POLYNOMIAL_Q;
  store<i32>(at32(p, half), 1 << 16);
  store<i32>(at32(q, half), 1 << 16);
  for (let k: i32 = 0; k < half; k++) {
    const early = load<i32>(at32(a, half - k - 1));
    const late = load<i32>(at32(a, half + k));
    store<i32>(at32(p, k), -early - late);
    store<i32>(at32(q, k), -early + late);
  }
  for (let k: i32 = half; k > 0; k--) {
    store<i32>(at32(p, k - 1), load<i32>(at32(p, k - 1)) - load<i32>(at32(p, k)));
    store<i32>(at32(q, k - 1), load<i32>(at32(q, k - 1)) + load<i32>(at32(q, k)));
  }
  toPowers(p, half);
  toPowers(q, half);
}

function cosineAt(index: i32): i32 {
  return i32(load<i16>(cosine + (usize(index) << 1)));
}

/** Roots of the even and odd part, alternating, as i16[order] in Q15; `a` (i32, Q16) may be modified. */
function findRoots(output: usize, a: usize, order: i32): void {
  const half = order >> 1;
  splitFilter(a, half);
  let p = NLSF_POLYNOMIAL_P;
  let xLow = cosineAt(0);
  let yLow = evaluate(p, xLow, half);
  let root: i32 = 0;
  if (yLow < 0) {
    store<i16>(output, 0);
    p = NLSF_POLYNOMIAL_Q;
    yLow = evaluate(p, xLow, half);
    root = 1;
  }
  let k: i32 = 1;
  let expansions: i32 = 0;
  let threshold: i32 = 0;
  while (true) {
    let xHigh = cosineAt(k);
    let yHigh = evaluate(p, xHigh, half);
    if ((yLow <= 0 && yHigh >= threshold) || (yLow >= 0 && yHigh <= -threshold)) {
      threshold = yHigh == 0 ? 1 : 0;
      let fraction: i32 = -256;
      for (let m: i32 = 0; m < BISECTIONS; m++) {
        const xMiddle = shiftRound(xLow + xHigh, 1);
        const yMiddle = evaluate(p, xMiddle, half);
        if ((yLow <= 0 && yMiddle >= 0) || (yLow >= 0 && yMiddle <= 0)) {
          xHigh = xMiddle;
          yHigh = yMiddle;
        } else {
          xLow = xMiddle;
          yLow = yMiddle;
          fraction += 128 >> m;
        }
      }
      if (absInt(yLow) < 65536) {
        const denominator = yLow - yHigh;
        const numerator = (yLow << (8 - BISECTIONS)) + (denominator >> 1);
        if (denominator != 0) fraction += numerator / denominator;
      } else {
        fraction += yLow / ((yLow - yHigh) >> (8 - BISECTIONS));
      }
      store<i16>(output + (usize(root) << 1), i16(min((k << 8) + fraction, 32767)));
      root++;
      if (root >= order) return;
      p = (root & 1) != 0 ? NLSF_POLYNOMIAL_Q : NLSF_POLYNOMIAL_P;
      xLow = cosineAt(k - 1);
      yLow = (1 - (root & 2)) << 12;
    } else {
      k++;
      xLow = xHigh;
      yLow = yHigh;
      threshold = 0;
      if (k <= TABLE_END) continue;
      // Not all roots found: expand the bandwidth and start again; a flat spectrum in the end.
      expansions++;
      if (expansions > MAX_EXPANSIONS) {
        const step = 32768 / (order + 1);
        for (let n: i32 = 0; n < order; n++) store<i16>(output + (usize(n) << 1), i16(step * (n + 1)));
        return;
      }
      expandBandwidth32(a, order, 65536 - (1 << expansions));
      splitFilter(a, half);
      p = NLSF_POLYNOMIAL_P;
      xLow = cosineAt(0);
      yLow = evaluate(p, xLow, half);
      root = 0;
      if (yLow < 0) {
        store<i16>(output, 0);
        p = NLSF_POLYNOMIAL_Q;
        yLow = evaluate(p, xLow, half);
        root = 1;
      }
      k = 1;
    }
  }
}

/** NLSFs in Q15, i16[order], of f32 prediction coefficients. */
export function lpcToNlsf(output: usize, coefficients: usize, order: i32): void {
  const q16: f32 = 65536.0;
  for (let i: i32 = 0; i < order; i++) {
    store<i32>(at32(NLSF_LPC_Q16, i), roundToInt(load<f32>(at32(coefficients, i)) * q16));
  }
  findRoots(output, NLSF_LPC_Q16, order);
}

/** NLSFs between `from` and `to` at factor quarters. */
export function interpolateNlsf(output: usize, from: usize, to: usize, factor: i32, order: i32): void {
  for (let i: i32 = 0; i < order; i++) {
    const at = usize(i) << 1;
    const start = i32(load<i16>(from + at));
    const difference = i32(load<i16>(to + at)) - start;
    store<i16>(output + at, i16(start + (smulbb(difference, factor) >> 2)));
  }
}

/** Inverse harmonic mean weights (Laroia), Q2. */
function laroiaWeights(output: usize, nlsf: usize, order: i32): void {
  let previous = (1 << 17) / max(i32(load<i16>(nlsf)), 1);
  for (let k: i32 = 0; k < order; k++) {
    const at = usize(k) << 1;
    const next = k + 1 < order ? i32(load<i16>(nlsf + at, 2)) : 32768;
    const weight = (1 << 17) / max(next - i32(load<i16>(nlsf + at)), 1);
    store<i16>(output + at, i16(min(previous + weight, 32767)));
    previous = weight;
  }
}

/** Weighted prediction error of every stage-1 vector. */
function stage1Errors(nlsf: usize, vectors: usize, weights: usize, order: i32): void {
  for (let v: i32 = 0; v < STAGE1_VECTORS; v++) {
    let sum: i32 = 0;
    let predicted: i32 = 0;
    for (let m: i32 = order - 1; m >= 0; m--) {
      const index = usize(v * order + m);
      const difference = i32(load<i16>(nlsf + (usize(m) << 1))) - (i32(load<u8>(vectors + index)) << 7);
      const weighted = smulbb(difference, i32(load<i16>(weights + (index << 1))));
      sum += absInt(weighted - (predicted >> 1));
      predicted = weighted;
    }
    store<i32>(at32(NLSF_ERRORS, v), sum);
  }
}

/** Sorts the smallest `count` of i32[length] to the front, increasing; `order` receives their former places. */
export function sortIncreasing(values: usize, order: usize, length: i32, count: i32): void {
  for (let i: i32 = 0; i < count; i++) store<i32>(at32(order, i), i);
  for (let i: i32 = 1; i < length; i++) {
    const value = load<i32>(at32(values, i));
    let j: i32 = i - 1;
    if (i >= count) {
      if (value >= load<i32>(at32(values, count - 1))) continue;
      j = count - 2;
    }
    for (; j >= 0 && value < load<i32>(at32(values, j)); j--) {
      store<i32>(at32(values, j + 1), load<i32>(at32(values, j)));
      store<i32>(at32(order, j + 1), load<i32>(at32(order, j)));
    }
    store<i32>(at32(values, j + 1), value);
    store<i32>(at32(order, j + 1), i);
  }
}

/** Quantizes `nlsf` in place and writes the indices, i8[1 + order]. */
function quantizeNlsf(indices: usize, nlsf: usize, muQ20: i32, survivors: i32, signalType: i32, order: i32): void {
  const wide = order == 16;
  const vectors = wide ? wbStage1Vectors : nbMbStage1Vectors;
  const weights = wide ? wbStage1Weights : nbMbStage1Weights;
  const models = (wide ? wbStage1Icdf : nbMbStage1Icdf) + (usize(signalType >> 1) << 5);
  stabilizeNlsf(nlsf, minSpacingOf(order), order);
  stage1Errors(nlsf, vectors, weights, order);
  sortIncreasing(NLSF_ERRORS, NLSF_ORDER, STAGE1_VECTORS, survivors);
  for (let s: i32 = 0; s < survivors; s++) {
    const vector = load<i32>(at32(NLSF_ORDER, s));
    for (let i: i32 = 0; i < order; i++) {
      const at = usize(i) << 1;
      const index = usize(vector * order + i);
      const weight = i32(load<i16>(weights + (index << 1)));
      const difference = i32(load<i16>(nlsf + at)) - (i32(load<u8>(vectors + index)) << 7);
      store<i16>(NLSF_RESIDUAL_Q10 + at, i16(smulbb(difference, weight) >> 14));
      const adjusted = divideVarQ(i32(load<i16>(NLSF_WEIGHTS_Q2 + at)), smulbb(weight, weight), 21);
      store<i16>(NLSF_ADJUSTED_Q5 + at, i16(adjusted));
    }
    unpackStage2(order, vector);
    let cost = quantizeResidual(NLSF_PATHS + (usize(s) << 4), NLSF_RESIDUAL_Q10, NLSF_ADJUSTED_Q5, muQ20, order);
    const below = vector == 0 ? 256 : i32(load<u8>(models + usize(vector - 1)));
    const probability = below - i32(load<u8>(models + usize(vector)));
    const bitsQ7 = (8 << 7) - linearToLog(probability);
    cost += smulbb(bitsQ7, muQ20 >> 2);
    store<i32>(at32(NLSF_COSTS, s), cost);
  }
  // The place of the smallest cost; of equals the first.
  let best: i32 = 0;
  for (let s: i32 = 1; s < survivors; s++) {
    if (load<i32>(at32(NLSF_COSTS, s)) < load<i32>(at32(NLSF_COSTS, best))) best = s;
  }
  store<i8>(indices, i8(load<i32>(at32(NLSF_ORDER, best))));
  memory.copy(indices + 1, NLSF_PATHS + (usize(best) << 4), usize(order));
  decodeNlsf(nlsf, indices, order);
}

/** Quantizes the frame's NLSFs (in place) and leaves both halves' coefficients, Q12, in PREDICTION_Q12. */
export function processNlsf(c: ChannelEncoder, nlsf: usize): void {
  const base = changetype<usize>(c);
  const indices = changetype<FrameIndices>(base + ENC_INDICES);
  const order = c.predictOrder;
  // 0.003 in Q20 and -0.001 in Q28.
  let muQ20 = smlawb(3146, -268434, c.speechActivityQ8);
  if (c.subframes == 2) muQ20 += muQ20 >> 1;
  laroiaWeights(NLSF_WEIGHTS_Q2, nlsf, order);
  const factor = indices.nlsfInterpolation;
  const interpolate = c.interpolateNlsf == 1 && factor < 4;
  const previous = base + ENC_PREV_NLSF_Q15;
  if (interpolate) {
    interpolateNlsf(NLSF_FIRST_HALF_Q15, previous, nlsf, factor, order);
    laroiaWeights(NLSF_WEIGHTS_FIRST_Q2, NLSF_FIRST_HALF_Q15, order);
    const squared = (factor * factor) << 11;
    for (let i: usize = 0; i < usize(order) << 1; i += 2) {
      const own = i32(load<i16>(NLSF_WEIGHTS_Q2 + i)) >> 1;
      const first = smulbb(i32(load<i16>(NLSF_WEIGHTS_FIRST_Q2 + i)), squared) >> 16;
      store<i16>(NLSF_WEIGHTS_Q2 + i, i16(own + first));
    }
  }
  const coded = changetype<usize>(indices) + INDICES_NLSF;
  quantizeNlsf(coded, nlsf, muQ20, c.nlsfSurvivors, indices.signalType, order);
  nlsfToLpc(PREDICTION_Q12 + 32, nlsf, order);
  if (interpolate) {
    interpolateNlsf(NLSF_FIRST_HALF_Q15, previous, nlsf, factor, order);
    nlsfToLpc(PREDICTION_Q12, NLSF_FIRST_HALF_Q15, order);
  } else {
    memory.copy(PREDICTION_Q12, PREDICTION_Q12 + 32, usize(order) << 1);
  }
}
