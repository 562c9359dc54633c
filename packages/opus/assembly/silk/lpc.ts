// Short-term prediction filters: bandwidth expansion, stability, whitening (RFC 6716 section 4.2.7.5).
import { absInt, inverseVarQ, sat16, shiftRound, shiftRound64, smmul, smulww, subSat32 } from "./fixed-point";
import { REVERSED_TAPS, STEP_DOWN } from "./scratch";

/** Multiplies coefficient k by chirp^(k+1); i16 coefficients, chirp in Q16. */
export function expandBandwidth16(coefficients: usize, order: i32, chirpQ16: i32): void {
  const step = chirpQ16 - 65536;
  let chirp = chirpQ16;
  for (let k: i32 = 0; k < order; k++) {
    const at = coefficients + (usize(k) << 1);
    store<i16>(at, i16(shiftRound(chirp * i32(load<i16>(at)), 16)));
    chirp += shiftRound(chirp * step, 16);
  }
}

/** The same for i32 coefficients. */
export function expandBandwidth32(coefficients: usize, order: i32, chirpQ16: i32): void {
  const step = chirpQ16 - 65536;
  let chirp = chirpQ16;
  for (let k: i32 = 0; k < order; k++) {
    const at = coefficients + (usize(k) << 2);
    store<i32>(at, smulww(chirp, load<i32>(at)));
    chirp += shiftRound(chirp * step, 16);
  }
}

/** Rounds i32 coefficients from Q(inputQ) to i16 in Q(outputQ), expanding the bandwidth until they fit. */
export function fitCoefficients(output: usize, input: usize, outputQ: i32, inputQ: i32, order: i32): void {
  const shift = inputQ - outputQ;
  let round: i32 = 0;
  let index: i32 = 0;
  for (; round < 10; round++) {
    let largest: i32 = 0;
    for (let k: i32 = 0; k < order; k++) {
      const size = absInt(load<i32>(input + (usize(k) << 2)));
      if (size > largest) {
        largest = size;
        index = k;
      }
    }
    largest = shiftRound(largest, shift);
    if (largest <= 32767) break;
    largest = min(largest, 163838);
    // 65470 = 0.999 in Q16.
    const chirp = 65470 - ((largest - 32767) << 14) / ((largest * (index + 1)) >> 2);
    expandBandwidth32(input, order, chirp);
  }
  for (let k: i32 = 0; k < order; k++) {
    const rounded = shiftRound(load<i32>(input + (usize(k) << 2)), shift);
    if (round == 10) {
      const clipped = sat16(rounded);
      store<i16>(output + (usize(k) << 1), i16(clipped));
      store<i32>(input + (usize(k) << 2), clipped << shift);
    } else {
      store<i16>(output + (usize(k) << 1), i16(rounded));
    }
  }
}

const QA: i32 = 24;
/** 0.99975 in Q24. */
const REFLECTION_LIMIT: i32 = 16773022;
/** 1 / MAX_PREDICTION_POWER_GAIN in Q30. */
const MIN_INVERSE_GAIN: i32 = 107374;

function multiplyFractionQ31(a: i32, b: i32): i32 {
  return i32(shiftRound64(i64(a) * i64(b), 31));
}

function outside32(a: i64): bool {
  return a > i64(i32.MAX_VALUE) || a < i64(i32.MIN_VALUE);
}

/** Inverse prediction gain in the energy domain, Q30, of i16 coefficients in Q12; 0 for an unstable filter. */
export function inversePredictionGain(coefficientsQ12: usize, order: i32): i32 {
  let dcResponse: i32 = 0;
  for (let k: i32 = 0; k < order; k++) {
    const a = i32(load<i16>(coefficientsQ12 + (usize(k) << 1)));
    dcResponse += a;
    store<i32>(STEP_DOWN + (usize(k) << 2), a << (QA - 12));
  }
  if (dcResponse >= 4096) return 0;
  let inverseGain: i32 = 1 << 30;
  for (let k: i32 = order - 1; k >= 0; k--) {
    const last = load<i32>(STEP_DOWN + (usize(k) << 2));
    if (last > REFLECTION_LIMIT || last < -REFLECTION_LIMIT) return 0;
    const reflection = -(last << (31 - QA));
    const loss = (1 << 30) - smmul(reflection, reflection);
    inverseGain = smmul(inverseGain, loss) << 2;
    if (inverseGain < MIN_INVERSE_GAIN) return 0;
    if (k == 0) break;
    const shift = 32 - i32(clz<i32>(absInt(loss)));
    const scale = i64(inverseVarQ(loss, shift + 30));
    const half = (k + 1) >> 1;
    for (let n: i32 = 0; n < half; n++) {
      const front = STEP_DOWN + (usize(n) << 2);
      const back = STEP_DOWN + (usize(k - n - 1) << 2);
      const a = load<i32>(front);
      const b = load<i32>(back);
      const first = shiftRound64(i64(subSat32(a, multiplyFractionQ31(b, reflection))) * scale, i64(shift));
      if (outside32(first)) return 0;
      store<i32>(front, i32(first));
      const second = shiftRound64(i64(subSat32(b, multiplyFractionQ31(a, reflection))) * scale, i64(shift));
      if (outside32(second)) return 0;
      store<i32>(back, i32(second));
    }
  }
  return inverseGain;
}

/**
 * Prediction residual of `length` i16 samples with i16 coefficients in Q12; the first `order` outputs are 0. The 16
 * samples before `input` must be readable memory; their values do not matter.
 */
export function whiten(output: usize, input: usize, coefficientsQ12: usize, length: i32, order: i32): void {
  v128.store(REVERSED_TAPS, i64x2.splat(0));
  for (let k: i32 = 0; k < order; k++) {
    const tap = load<i16>(coefficientsQ12 + (usize(k) << 1));
    store<i16>(REVERSED_TAPS + (usize(15 - k) << 1), tap);
  }
  const early = v128.load(REVERSED_TAPS);
  const late = v128.load(REVERSED_TAPS, 16);
  for (let n: i32 = order; n < length; n++) {
    const x = input + (usize(n) << 1);
    const products = i32x4.add(
      i32x4.dot_i16x8_s(v128.load(x - 32), early),
      i32x4.dot_i16x8_s(v128.load(x - 16), late),
    );
    const pairs = i32x4.add(products, v128.shuffle<i32>(products, products, 2, 3, 0, 1));
    const sum = i32x4.extract_lane(pairs, 0) + i32x4.extract_lane(pairs, 1);
    const residual = (i32(load<i16>(x)) << 12) - sum;
    store<i16>(output + (usize(n) << 1), i16(sat16(shiftRound(residual, 12))));
  }
  memory.fill(output, 0, usize(order) << 1);
}
