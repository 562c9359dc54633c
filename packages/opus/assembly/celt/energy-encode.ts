// Band energies of the encoder: measured, normalised away, and coded in coarse and fine steps. The counterpart of
// energy.ts.
import {
  encodeBit,
  encodeIcdf,
  encodeRawBits,
  encoderTellBits,
  encoderTellEighths,
  encodeSymbolBits,
  RANGE_ENCODER_BYTES,
  RangeEncoder,
} from "../range-encoder";
import {
  bandMeanEnergy,
  energyPredAlpha,
  energyPredBeta,
  energyPredBetaIntra,
  energyProbModel,
  EPSILON,
  energySmallIcdf,
  MAX_FINE_BITS,
} from "../tables/celt";
import {
  BAND_AMPLITUDE_AT,
  BAND_LOG_AT,
  BYTES_TRIED_AT,
  CODER_SAVED_AT,
  CODER_TRIED_AT,
  ERROR_AT,
  INTRA_ENERGY_AT,
  INTRA_ERROR_AT,
} from "./encoder-scratch";
import { CeltEncoder, oldEnergy } from "./encoder-state";
import { floorOf, log2, sumOfSquares } from "./math";
import { FINE_BITS_AT, FINE_PRIORITY_AT, FREQUENCIES_AT, SPECTRUM_AT } from "./scratch";
import { bandEdge, BANDS } from "./state";

const HALF: f32 = 0.5;
/** Values of which the Laplace model guarantees a code. */
const GUARANTEED: i32 = 16;
const ENERGY_BYTES: usize = 2 * <usize>BANDS * 4;

/** Norms of the bands of FREQUENCIES into BAND_AMPLITUDE, and their logarithms above the mean into `logs`. */
export function measureBands(logs: usize, endBand: i32, channels: i32, lm: i32, stride: usize): void {
  for (let channel = 0; channel < channels; channel++) {
    for (let band = 0; band < endBand; band++) {
      const edge = bandEdge(band);
      const x = FREQUENCIES_AT + <usize>channel * stride + (<usize>(edge << lm) << 2);
      const energy: f32 = <f32>1e-27 + sumOfSquares(x, (bandEdge(band + 1) - edge) << lm);
      const amplitude = sqrt<f32>(energy);
      const at = <usize>(channel * BANDS + band) << 2;
      store<f32>(BAND_AMPLITUDE_AT + at, amplitude);
      store<f32>(logs + at, log2(amplitude) - load<f32>(bandMeanEnergy + (<usize>band << 2)));
    }
  }
}

/** Norms of all bands of one channel's spectrum, to `norms`. */
export function measureBandNorms(spectrum: usize, norms: usize, lm: i32): void {
  for (let band = 0; band < BANDS; band++) {
    const edge = bandEdge(band);
    const x = spectrum + (<usize>(edge << lm) << 2);
    const energy: f32 = <f32>1e-27 + sumOfSquares(x, (bandEdge(band + 1) - edge) << lm);
    store<f32>(norms + (<usize>band << 2), sqrt<f32>(energy));
  }
}

/** Low-frequency effects: the bands from the third on hold next to nothing. */
export function lowerUpperBands(logs: usize, endBand: i32): void {
  const limit: f32 = <f32>1e-4 * load<f32>(BAND_AMPLITUDE_AT);
  for (let band = 2; band < endBand; band++) {
    const at = <usize>band << 2;
    const amplitude = max<f32>(min<f32>(load<f32>(BAND_AMPLITUDE_AT + at), limit), EPSILON);
    store<f32>(BAND_AMPLITUDE_AT + at, amplitude);
    store<f32>(logs + at, log2(amplitude) - load<f32>(bandMeanEnergy + at));
  }
}

/** FREQUENCIES with bands of unit norm into SPECTRUM. */
export function normalizeBands(endBand: i32, channels: i32, lm: i32, stride: usize): void {
  const one: f32 = 1.0;
  for (let channel = 0; channel < channels; channel++) {
    const offset = <usize>channel * stride;
    for (let band = 0; band < endBand; band++) {
      const amplitude = load<f32>(BAND_AMPLITUDE_AT + (<usize>(channel * BANDS + band) << 2));
      const gain: f32 = one / (<f32>1e-27 + amplitude);
      const end = offset + (<usize>(bandEdge(band + 1) << lm) << 2);
      let at = offset + (<usize>(bandEdge(band) << lm) << 2);
      const gains = f32x4.splat(gain);
      for (; at + 16 <= end; at += 16) {
        v128.store(SPECTRUM_AT + at, f32x4.mul(v128.load(FREQUENCIES_AT + at), gains));
      }
      for (; at < end; at += 4) store<f32>(SPECTRUM_AT + at, load<f32>(FREQUENCIES_AT + at) * gain);
    }
  }
}

/** Codes `wanted` with P(0) in Q15 and the ratio of neighbours in Q14; returns the value that could be coded. */
function encodeLaplace(re: RangeEncoder, wanted: i32, zero: i32, decay: i32): i32 {
  let low = 0;
  let size = zero;
  let value = wanted;
  if (wanted != 0) {
    const sign = -i32(wanted < 0);
    const magnitude = (wanted + sign) ^ sign;
    low = size;
    size = ((32768 - 2 * GUARANTEED - size) * (16384 - decay)) >> 15;
    let reached = 1;
    while (size > 0 && reached < magnitude) {
      size *= 2;
      low += size + 2;
      size = (size * decay) >> 15;
      reached++;
    }
    if (size == 0) {
      let most = 32768 - low;
      most = (most - sign) >> 1;
      const extra = min<i32>(magnitude - reached, most - 1);
      low += 2 * extra + 1 + sign;
      size = min<i32>(1, 32768 - low);
      value = (reached + extra + sign) ^ sign;
    } else {
      size++;
      low += size & ~sign;
    }
  }
  encodeSymbolBits(re, <u32>low, <u32>(low + size), 15);
  return value;
}

/** One pass over the bands; updates `energies`, leaves the errors, returns how far values had to be bent. */
function encodeCoarsePass(
  re: RangeEncoder,
  energies: usize,
  errors: usize,
  startBand: i32,
  endBand: i32,
  budget: i32,
  tellBefore: i32,
  channels: i32,
  lm: i32,
  intra: i32,
  maxDecay: f32,
  lfe: bool,
): i32 {
  const model = energyProbModel + <usize>((lm * 2 + intra) * BANDS * 2);
  if (tellBefore + 3 <= budget) encodeBit(re, intra, 3);
  let alpha: f32 = 0.0;
  let beta: f32 = energyPredBetaIntra;
  if (!intra) {
    alpha = load<f32>(energyPredAlpha + (<usize>lm << 2));
    beta = load<f32>(energyPredBeta + (<usize>lm << 2));
  }
  let badness = 0;
  let previous0: f32 = 0.0;
  let previous1: f32 = 0.0;
  for (let band = startBand; band < endBand; band++) {
    for (let channel = 0; channel < channels; channel++) {
      const at = <usize>(channel * BANDS + band) << 2;
      const x = load<f32>(BAND_LOG_AT + at);
      const stored = load<f32>(energies + at);
      const old = max<f32>(-9.0, stored);
      const previous = channel ? previous1 : previous0;
      const wanted: f32 = x - alpha * old - previous;
      let step = floorOf(HALF + wanted);
      const bound: f32 = max<f32>(-28.0, stored) - maxDecay;
      if (step < 0 && x < bound) {
        step += <i32>(bound - x);
        if (step > 0) step = 0;
      }
      const unbent = step;
      const tell = encoderTellBits(re);
      const left = budget - tell - 3 * channels * (endBand - band);
      if (band != startBand && left < 30) {
        if (left < 24) step = min<i32>(1, step);
        if (left < 16) step = max<i32>(-1, step);
      }
      if (lfe && band >= 2) step = min<i32>(step, 0);
      if (budget - tell >= 15) {
        const entry = model + <usize>(2 * min<i32>(band, 20));
        step = encodeLaplace(re, step, <i32>load<u8>(entry) << 7, <i32>load<u8>(entry + 1) << 6);
      } else if (budget - tell >= 2) {
        step = max<i32>(-1, min<i32>(step, 1));
        encodeIcdf(re, (2 * step) ^ -i32(step < 0), energySmallIcdf, 2);
      } else if (budget - tell >= 1) {
        step = min<i32>(0, step);
        encodeBit(re, -step, 1);
      } else {
        step = -1;
      }
      const q = <f32>step;
      store<f32>(errors + at, wanted - q);
      badness += abs<i32>(unbent - step);
      store<f32>(energies + at, alpha * old + previous + q);
      const next: f32 = previous + q - beta * q;
      if (channel) previous1 = next;
      else previous0 = next;
    }
  }
  return lfe ? 0 : badness;
}

function distortion(energies: usize, startBand: i32, endBand: i32, channels: i32): f32 {
  let sum: f32 = 0.0;
  for (let channel = 0; channel < channels; channel++) {
    for (let band = startBand; band < endBand; band++) {
      const at = <usize>(channel * BANDS + band) << 2;
      const difference: f32 = load<f32>(BAND_LOG_AT + at) - load<f32>(energies + at);
      sum = sum + difference * difference;
    }
  }
  return min<f32>(200.0, sum);
}

/** Codes BAND_LOG with or without prediction from the last frame, by trial where `twoPass`; errors go to ERROR. */
export function encodeCoarseEnergy(
  state: CeltEncoder,
  re: RangeEncoder,
  budget: i32,
  channels: i32,
  lm: i32,
  availableBytes: i32,
  tryBoth: bool,
): void {
  const startBand = state.startBand;
  const endBand = state.endBand;
  const energies = oldEnergy(state);
  const bands = endBand - startBand;
  let twoPass = tryBoth;
  const change: i32 = 2 * channels * bands;
  let intra =
    state.forceIntra != 0 ||
    (!twoPass && state.delayedIntra > <f32>change && availableBytes > bands * channels);
  const bias = <i32>((<f32>budget * state.delayedIntra * <f32>state.lossPercent) / <f32>(channels * 512));
  const newDistortion = distortion(energies, startBand, endBand, channels);
  const tell = encoderTellBits(re);
  if (tell + 3 > budget) {
    twoPass = false;
    intra = false;
  }
  let maxDecay: f32 = 16.0;
  if (bands > 10) maxDecay = min<f32>(maxDecay, <f32>0.125 * <f32>availableBytes);
  const lfe = state.lfe != 0;
  if (lfe) maxDecay = 3.0;
  memory.copy(CODER_SAVED_AT, changetype<usize>(re), RANGE_ENCODER_BYTES);
  memory.copy(INTRA_ENERGY_AT, energies, ENERGY_BYTES);
  let badness1 = 0;
  if (twoPass || intra) {
    badness1 = encodeCoarsePass(
      re,
      INTRA_ENERGY_AT,
      INTRA_ERROR_AT,
      startBand,
      endBand,
      budget,
      tell,
      channels,
      lm,
      1,
      maxDecay,
      lfe,
    );
  }
  if (!intra) {
    const tellIntra = encoderTellEighths(re);
    const start = changetype<RangeEncoder>(CODER_SAVED_AT).offset;
    const written = re.offset - start;
    memory.copy(CODER_TRIED_AT, changetype<usize>(re), RANGE_ENCODER_BYTES);
    memory.copy(BYTES_TRIED_AT, re.data + start, written);
    memory.copy(changetype<usize>(re), CODER_SAVED_AT, RANGE_ENCODER_BYTES);
    const badness2 = encodeCoarsePass(
      re,
      energies,
      ERROR_AT,
      startBand,
      endBand,
      budget,
      tell,
      channels,
      lm,
      0,
      maxDecay,
      lfe,
    );
    if (
      twoPass &&
      (badness1 < badness2 || (badness1 == badness2 && encoderTellEighths(re) + bias > tellIntra))
    ) {
      memory.copy(changetype<usize>(re), CODER_TRIED_AT, RANGE_ENCODER_BYTES);
      memory.copy(re.data + start, BYTES_TRIED_AT, written);
      intra = true;
    }
  }
  if (intra) {
    memory.copy(energies, INTRA_ENERGY_AT, ENERGY_BYTES);
    memory.copy(ERROR_AT, INTRA_ERROR_AT, ENERGY_BYTES);
    state.delayedIntra = newDistortion;
  } else {
    const alpha = load<f32>(energyPredAlpha + (<usize>lm << 2));
    state.delayedIntra = alpha * alpha * state.delayedIntra + newDistortion;
  }
}

/** Adds the fine bits of the allocation. */
export function encodeFineEnergy(
  re: RangeEncoder,
  energies: usize,
  startBand: i32,
  endBand: i32,
  channels: i32,
): void {
  for (let band = startBand; band < endBand; band++) {
    const bits = load<i32>(FINE_BITS_AT + (<usize>band << 2));
    if (bits <= 0) continue;
    if (encoderTellBits(re) + channels * bits > <i32>re.size * 8) continue;
    const steps = 1 << bits;
    for (let channel = 0; channel < channels; channel++) {
      const at = <usize>(channel * BANDS + band) << 2;
      const error = load<f32>(ERROR_AT + at);
      const value = max<i32>(0, min<i32>(steps - 1, floorOf((error + HALF) * <f32>steps)));
      encodeRawBits(re, value, bits);
      const offset: f32 = (<f32>value + HALF) * <f32>(1 << (14 - bits)) * <f32>(1.0 / 16384.0) - HALF;
      store<f32>(energies + at, load<f32>(energies + at) + offset);
      store<f32>(ERROR_AT + at, error - offset);
    }
  }
}

/** Spends what is left at the end of the frame on one more bit per band, in two rounds of priority. */
export function finishEnergyEncode(
  re: RangeEncoder,
  energies: usize,
  startBand: i32,
  endBand: i32,
  bitsLeft: i32,
  channels: i32,
): void {
  let left = bitsLeft;
  for (let priority = 0; priority < 2; priority++) {
    for (let band = startBand; band < endBand && left >= channels; band++) {
      const bits = load<i32>(FINE_BITS_AT + (<usize>band << 2));
      if (bits >= MAX_FINE_BITS || load<i32>(FINE_PRIORITY_AT + (<usize>band << 2)) != priority) continue;
      for (let channel = 0; channel < channels; channel++) {
        const at = <usize>(channel * BANDS + band) << 2;
        const error = load<f32>(ERROR_AT + at);
        const value = error < 0.0 ? 0 : 1;
        encodeRawBits(re, value, 1);
        const offset: f32 = (<f32>value - HALF) * <f32>(1 << (14 - bits - 1)) * <f32>(1.0 / 16384.0);
        store<f32>(energies + at, load<f32>(energies + at) + offset);
        store<f32>(ERROR_AT + at, error - offset);
        left--;
      }
    }
  }
}
