// Normalized line spectral frequencies: dequantization, stabilization and conversion to prediction coefficients
// (RFC 6716 sections 4.2.7.5.2 to 4.2.7.5.8).
import {
  cosine,
  nbMbMinSpacing,
  nbMbPredictors,
  nbMbQuantStep,
  nbMbStage1Vectors,
  nbMbStage1Weights,
  nbMbStage2Select,
  order10,
  order16,
  wbMinSpacing,
  wbPredictors,
  wbQuantStep,
  wbStage1Vectors,
  wbStage1Weights,
  wbStage2Select,
} from "../tables/silk-nlsf";
import { clampInt, sat16, shiftRound, shiftRound64, smlawb, smulbb } from "./fixed-point";
import { expandBandwidth32, fitCoefficients, inversePredictionGain } from "./lpc";
import {
  NLSF_COSINES,
  NLSF_DIRECT_FORM,
  NLSF_POLYNOMIAL_P,
  NLSF_POLYNOMIAL_Q,
  NLSF_RESIDUAL_Q10,
  STAGE2_MODELS,
  STAGE2_PREDICTORS,
} from "./scratch";

const STABILIZE_ROUNDS: i32 = 20;
const MAX_GAIN_ROUNDS: i32 = 16;
/** NLSF_QUANT_LEVEL_ADJ = 0.1 in Q10. */
const LEVEL_ADJUST_Q10: i32 = 102;
const QA: i32 = 16;

export function minSpacingOf(order: i32): usize {
  return order == 16 ? wbMinSpacing : nbMbMinSpacing;
}

/** Selects models and predictors of the second stage for a stage-1 index. */
export function unpackStage2(order: i32, stage1: i32): void {
  const wide = order == 16;
  const select = (wide ? wbStage2Select : nbMbStage2Select) + usize((stage1 * order) >> 1);
  const predictors = wide ? wbPredictors : nbMbPredictors;
  for (let i: i32 = 0; i < order; i += 2) {
    const entry = i32(load<u8>(select + usize(i >> 1)));
    store<i16>(STAGE2_MODELS + (usize(i) << 1), i16(((entry >> 1) & 7) * 9));
    store<u8>(STAGE2_PREDICTORS + usize(i), load<u8>(predictors + usize(i + (entry & 1) * (order - 1))));
    store<i16>(STAGE2_MODELS + (usize(i) << 1), i16(((entry >> 5) & 7) * 9), 2);
    const second = i + ((entry >> 4) & 1) * (order - 1) + 1;
    store<u8>(STAGE2_PREDICTORS + usize(i), load<u8>(predictors + usize(second)), 1);
  }
}

/** NLSFs in Q15, i16[order], from i8 indices (stage 1, then one residual per coefficient). */
export function decodeNlsf(outputQ15: usize, indices: usize, order: i32): void {
  const wide = order == 16;
  const stage1 = i32(load<i8>(indices));
  unpackStage2(order, stage1);
  const step = load<i32>(wide ? wbQuantStep : nbMbQuantStep);
  let residual: i32 = 0;
  for (let i: i32 = order - 1; i >= 0; i--) {
    const predicted = smulbb(residual, i32(load<u8>(STAGE2_PREDICTORS + usize(i)))) >> 8;
    residual = i32(load<i8>(indices + usize(i), 1)) << 10;
    if (residual > 0) residual -= LEVEL_ADJUST_Q10;
    else if (residual < 0) residual += LEVEL_ADJUST_Q10;
    residual = smlawb(predicted, residual, step);
    store<i16>(NLSF_RESIDUAL_Q10 + (usize(i) << 1), i16(residual));
  }
  const vectors = (wide ? wbStage1Vectors : nbMbStage1Vectors) + usize(stage1 * order);
  const weights = (wide ? wbStage1Weights : nbMbStage1Weights) + (usize(stage1 * order) << 1);
  for (let i: i32 = 0; i < order; i++) {
    const at = usize(i) << 1;
    const value =
      (i32(load<i16>(NLSF_RESIDUAL_Q10 + at)) << 14) / i32(load<i16>(weights + at)) +
      (i32(load<u8>(vectors + usize(i))) << 7);
    store<i16>(outputQ15 + at, i16(clampInt(value, 0, 32767)));
  }
  stabilizeNlsf(outputQ15, minSpacingOf(order), order);
}

/** Moves NLSFs apart until neighbours keep the minimum distance (i16[order + 1], borders included). */
export function stabilizeNlsf(nlsf: usize, spacing: usize, order: i32): void {
  const lastAt = nlsf + (usize(order - 1) << 1);
  const lastSpacing = i32(load<i16>(spacing + (usize(order) << 1)));
  for (let round: i32 = 0; round < STABILIZE_ROUNDS; round++) {
    let smallest = i32(load<i16>(nlsf)) - i32(load<i16>(spacing));
    let index: i32 = 0;
    for (let i: i32 = 1; i < order; i++) {
      const at = nlsf + (usize(i) << 1);
      const gap = i32(load<i16>(at)) - (i32(load<i16>(at - 2)) + i32(load<i16>(spacing + (usize(i) << 1))));
      if (gap < smallest) {
        smallest = gap;
        index = i;
      }
    }
    const top = 32768 - (i32(load<i16>(lastAt)) + lastSpacing);
    if (top < smallest) {
      smallest = top;
      index = order;
    }
    if (smallest >= 0) return;
    if (index == 0) {
      store<i16>(nlsf, load<i16>(spacing));
    } else if (index == order) {
      store<i16>(lastAt, i16(32768 - lastSpacing));
    } else {
      const own = i32(load<i16>(spacing + (usize(index) << 1)));
      let low: i32 = own >> 1;
      for (let k: i32 = 0; k < index; k++) low += i32(load<i16>(spacing + (usize(k) << 1)));
      let high: i32 = 32768 - (own >> 1);
      for (let k: i32 = order; k > index; k--) high -= i32(load<i16>(spacing + (usize(k) << 1)));
      const at = nlsf + (usize(index) << 1);
      const middle = shiftRound(i32(load<i16>(at - 2)) + i32(load<i16>(at)), 1);
      const center = i32(i16(low > high ? clampInt(middle, high, low) : clampInt(middle, low, high)));
      const lower = i16(center - (own >> 1));
      store<i16>(at - 2, lower);
      store<i16>(at, i16(i32(lower) + own));
    }
  }
  // No convergence: sort, then enforce the distances from both ends.
  for (let i: i32 = 1; i < order; i++) {
    const value = load<i16>(nlsf + (usize(i) << 1));
    let j: i32 = i - 1;
    for (; j >= 0 && value < load<i16>(nlsf + (usize(j) << 1)); j--) {
      store<i16>(nlsf + (usize(j) << 1), load<i16>(nlsf + (usize(j) << 1)), 2);
    }
    store<i16>(nlsf + (usize(j + 1) << 1), value);
  }
  store<i16>(nlsf, max(load<i16>(nlsf), load<i16>(spacing)));
  for (let i: i32 = 1; i < order; i++) {
    const at = nlsf + (usize(i) << 1);
    const least = sat16(i32(load<i16>(at - 2)) + i32(load<i16>(spacing + (usize(i) << 1))));
    store<i16>(at, i16(max(i32(load<i16>(at)), least)));
  }
  store<i16>(lastAt, i16(min(i32(load<i16>(lastAt)), 32768 - lastSpacing)));
  for (let i: i32 = order - 2; i >= 0; i--) {
    const at = nlsf + (usize(i) << 1);
    const most = i32(load<i16>(at, 2)) - i32(load<i16>(spacing + (usize(i) << 1), 2));
    store<i16>(at, i16(min(i32(load<i16>(at)), most)));
  }
}

/** Product of the second-order sections 1 - 2 cos(w) z + z^2 of every second cosine. */
function expandPolynomial(output: usize, cosineAt: usize, half: i32): void {
  store<i32>(output, 1 << QA);
  store<i32>(output, -load<i32>(cosineAt), 4);
  for (let k: i32 = 1; k < half; k++) {
    const c = i64(load<i32>(cosineAt + (usize(k) << 3)));
    const top = output + (usize(k) << 2);
    const product = i32(shiftRound64(c * i64(load<i32>(top)), i64(QA)));
    store<i32>(top, (load<i32>(top - 4) << 1) - product, 4);
    for (let n: i32 = k; n > 1; n--) {
      const at = output + (usize(n) << 2);
      const inner = i32(shiftRound64(c * i64(load<i32>(at - 4)), i64(QA)));
      store<i32>(at, load<i32>(at) + load<i32>(at - 8) - inner);
    }
    store<i32>(output, load<i32>(output, 4) - i32(c), 4);
  }
}

/** Stable prediction coefficients in Q12, i16[order], of NLSFs in Q15. */
export function nlsfToLpc(outputQ12: usize, nlsf: usize, order: i32): void {
  const ordering = order == 16 ? order16 : order10;
  for (let k: i32 = 0; k < order; k++) {
    const frequency = i32(load<i16>(nlsf + (usize(k) << 1)));
    const index = frequency >> 8;
    const fraction = frequency - (index << 8);
    const value = i32(load<i16>(cosine + (usize(index) << 1)));
    const delta = i32(load<i16>(cosine + (usize(index) << 1), 2)) - value;
    const slot = usize(load<u8>(ordering + usize(k)));
    store<i32>(NLSF_COSINES + (slot << 2), shiftRound((value << 8) + delta * fraction, 20 - QA));
  }
  const half = order >> 1;
  expandPolynomial(NLSF_POLYNOMIAL_P, NLSF_COSINES, half);
  expandPolynomial(NLSF_POLYNOMIAL_Q, NLSF_COSINES + 4, half);
  for (let k: i32 = 0; k < half; k++) {
    const at = usize(k) << 2;
    const p = load<i32>(NLSF_POLYNOMIAL_P + at, 4) + load<i32>(NLSF_POLYNOMIAL_P + at);
    const q = load<i32>(NLSF_POLYNOMIAL_Q + at, 4) - load<i32>(NLSF_POLYNOMIAL_Q + at);
    store<i32>(NLSF_DIRECT_FORM + at, -q - p);
    store<i32>(NLSF_DIRECT_FORM + (usize(order - k - 1) << 2), q - p);
  }
  fitCoefficients(outputQ12, NLSF_DIRECT_FORM, 12, QA + 1, order);
  for (let round: i32 = 0; round < MAX_GAIN_ROUNDS; round++) {
    if (inversePredictionGain(outputQ12, order) != 0) return;
    expandBandwidth32(NLSF_DIRECT_FORM, order, 65536 - (2 << round));
    for (let k: i32 = 0; k < order; k++) {
      const rounded = shiftRound(load<i32>(NLSF_DIRECT_FORM + (usize(k) << 2)), QA + 1 - 12);
      store<i16>(outputQ12 + (usize(k) << 1), i16(rounded));
    }
  }
}
