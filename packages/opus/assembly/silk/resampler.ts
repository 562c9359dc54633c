// SILK's fixed-point resampler between 8, 12 and 16 kHz inside and 8 to 48 kHz outside: copy, two-fold all-pass
// interpolation, all-pass plus fractional FIR upwards, AR2 plus FIR downwards. One millisecond of input is delayed so
// that all pairs of rates have the same total delay.
import {
  delayDecoder,
  delayEncoder,
  down1_2,
  down1_3,
  down1_4,
  down1_6,
  down2_3,
  down3_4,
  fracFir12,
  up2HqCoefs0,
  up2HqCoefs1,
} from "../tables/resampler";
import { sat16, shiftRound, smlawb, smulwb, smulww } from "./fixed-point";
import {
  RESAMPLE_COPY,
  RESAMPLE_DOWN_FIR,
  RESAMPLE_UP2,
  RESAMPLE_UP_FIR,
  RESAMPLER_BYTES,
  RESAMPLER_DELAY,
  RESAMPLER_FIR,
  RESAMPLER_IIR,
  ResamplerState,
} from "./resampler-state";
import { RESAMPLER_WORK } from "./scratch";

/** u8: nobody reads the output: filters go on, but no interpolated sample is made. */
const quiet: usize = memory.data(8, 16);

export function setQuiet(on: bool): void {
  store<u8>(quiet, u8(on));
}

export function isQuiet(): bool {
  return load<u8>(quiet) != 0;
}

const BATCH_MS: i32 = 10;
const UP_FIR_ORDER: i32 = 8;

/** 8, 12, 16, 24, 48 kHz to 0..4. */
function rateIndex(rateHz: i32): i32 {
  return (((rateHz >> 12) - i32(rateHz > 16000)) >> i32(rateHz > 24000)) - 1;
}

function setDownFilter(s: ResamplerState, phases: i32, order: i32): void {
  s.firPhases = phases;
  s.firOrder = order;
}

/** Clears the state and sets it up for a pair of rates; `forEncoder` selects the delay table. */
export function resamplerInit(s: ResamplerState, inputHz: i32, outputHz: i32, forEncoder: bool): void {
  memory.fill(changetype<usize>(s), 0, RESAMPLER_BYTES);
  s.inputDelay = forEncoder
    ? i32(load<i8>(delayEncoder + rateIndex(inputHz) * 3 + rateIndex(outputHz)))
    : i32(load<i8>(delayDecoder + rateIndex(inputHz) * 6 + rateIndex(outputHz)));
  s.inputKhz = inputHz / 1000;
  s.outputKhz = outputHz / 1000;
  s.batchSize = s.inputKhz * BATCH_MS;
  let doubled: i32 = 0;
  if (outputHz > inputHz) {
    if (outputHz == 2 * inputHz) {
      s.method = RESAMPLE_UP2;
    } else {
      s.method = RESAMPLE_UP_FIR;
      doubled = 1;
    }
  } else if (outputHz < inputHz) {
    s.method = RESAMPLE_DOWN_FIR;
    if (4 * outputHz == 3 * inputHz) setDownFilter(s, 3, 18);
    else if (3 * outputHz == 2 * inputHz) setDownFilter(s, 2, 18);
    else if (2 * outputHz == inputHz) setDownFilter(s, 1, 24);
    else setDownFilter(s, 1, 36);
  } else {
    s.method = RESAMPLE_COPY;
  }
  s.inverseRatioQ16 = ((inputHz << (14 + doubled)) / outputHz) << 2;
  while (smulww(s.inverseRatioQ16, outputHz) < inputHz << doubled) s.inverseRatioQ16++;
}

/** AR coefficients (2) followed by the FIR coefficients of the downward ratio. */
function downCoefficients(s: ResamplerState): usize {
  if (s.firOrder == 24) return down1_2;
  if (s.firOrder == 18) return s.firPhases == 3 ? down3_4 : down2_3;
  const ratio = s.inputKhz / s.outputKhz;
  return ratio == 3 ? down1_3 : ratio == 4 ? down1_4 : down1_6;
}

/** Doubles the rate of `length` samples with two chains of three all-pass sections. */
function upsampleTwofold(state: usize, output: usize, input: usize, length: i32): void {
  let s0 = load<i32>(state);
  let s1 = load<i32>(state, 4);
  let s2 = load<i32>(state, 8);
  let s3 = load<i32>(state, 12);
  let s4 = load<i32>(state, 16);
  let s5 = load<i32>(state, 20);
  const a0 = i32(load<i16>(up2HqCoefs0));
  const a1 = i32(load<i16>(up2HqCoefs0, 2));
  const a2 = i32(load<i16>(up2HqCoefs0, 4));
  const b0 = i32(load<i16>(up2HqCoefs1));
  const b1 = i32(load<i16>(up2HqCoefs1, 2));
  const b2 = i32(load<i16>(up2HqCoefs1, 4));
  for (let k: i32 = 0; k < length; k++) {
    const x = i32(load<i16>(input + (usize(k) << 1))) << 10;
    let y = x - s0;
    let p = smulwb(y, a0);
    let one = s0 + p;
    s0 = x + p;
    y = one - s1;
    p = smulwb(y, a1);
    let two = s1 + p;
    s1 = one + p;
    y = two - s2;
    p = smlawb(y, y, a2);
    one = s2 + p;
    s2 = two + p;
    const even = sat16(shiftRound(one, 10));
    y = x - s3;
    p = smulwb(y, b0);
    one = s3 + p;
    s3 = x + p;
    y = one - s4;
    p = smulwb(y, b1);
    two = s4 + p;
    s4 = one + p;
    y = two - s5;
    p = smlawb(y, y, b2);
    one = s5 + p;
    s5 = two + p;
    store<i16>(output + (usize(k) << 2), i16(even));
    store<i16>(output + (usize(k) << 2), i16(sat16(shiftRound(one, 10))), 2);
  }
  store<i32>(state, s0);
  store<i32>(state, s1, 4);
  store<i32>(state, s2, 8);
  store<i32>(state, s3, 12);
  store<i32>(state, s4, 16);
  store<i32>(state, s5, 20);
}

/** One output sample of the 12-phase, 8-tap interpolator; the second half of the taps is the mirrored phase. */
function interpolate8(x: usize, phase: i32): i32 {
  const forward = fracFir12 + (usize(phase) << 3);
  const backward = fracFir12 + (usize(11 - phase) << 3);
  const sum =
    i32(load<i16>(x)) * i32(load<i16>(forward)) +
    i32(load<i16>(x, 2)) * i32(load<i16>(forward, 2)) +
    i32(load<i16>(x, 4)) * i32(load<i16>(forward, 4)) +
    i32(load<i16>(x, 6)) * i32(load<i16>(forward, 6)) +
    i32(load<i16>(x, 8)) * i32(load<i16>(backward, 6)) +
    i32(load<i16>(x, 10)) * i32(load<i16>(backward, 4)) +
    i32(load<i16>(x, 12)) * i32(load<i16>(backward, 2)) +
    i32(load<i16>(x, 14)) * i32(load<i16>(backward));
  return sat16(shiftRound(sum, 15));
}

function resampleUp(s: ResamplerState, output: usize, input: usize, length: i32): void {
  const base = changetype<usize>(s);
  memory.copy(RESAMPLER_WORK, base + RESAMPLER_FIR, UP_FIR_ORDER * 2);
  let remaining = length;
  let source = input;
  let target = output;
  let count: i32 = 0;
  while (true) {
    count = min(remaining, s.batchSize);
    upsampleTwofold(base + RESAMPLER_IIR, RESAMPLER_WORK + UP_FIR_ORDER * 2, source, count);
    const end = isQuiet() ? 0 : count << 17;
    for (let index: i32 = 0; index < end; index += s.inverseRatioQ16) {
      const phase = ((index & 0xffff) * 12) >> 16;
      store<i16>(target, i16(interpolate8(RESAMPLER_WORK + (usize(index >> 16) << 1), phase)));
      target += 2;
    }
    source += usize(count) << 1;
    remaining -= count;
    if (remaining <= 0) break;
    memory.copy(RESAMPLER_WORK, RESAMPLER_WORK + (usize(count) << 2), UP_FIR_ORDER * 2);
  }
  memory.copy(base + RESAMPLER_FIR, RESAMPLER_WORK + (usize(count) << 2), UP_FIR_ORDER * 2);
}

/** Second-order all-pole section, output in Q8. */
export function filterAr2(state: usize, output: usize, input: usize, coefficients: usize, length: i32): void {
  const a0 = i32(load<i16>(coefficients));
  const a1 = i32(load<i16>(coefficients, 2));
  let s0 = load<i32>(state);
  let s1 = load<i32>(state, 4);
  for (let k: i32 = 0; k < length; k++) {
    const y = s0 + (i32(load<i16>(input + (usize(k) << 1))) << 8);
    store<i32>(output + (usize(k) << 2), y);
    const scaled = y << 2;
    s0 = smlawb(s1, scaled, a0);
    s1 = smulwb(scaled, a1);
  }
  store<i32>(state, s0);
  store<i32>(state, s1, 4);
}

function firSymmetric(x: usize, coefficients: usize, order: i32): i32 {
  let sum: i32 = 0;
  const half = order >> 1;
  for (let k: i32 = 0; k < half; k++) {
    const pair = load<i32>(x + (usize(k) << 2)) + load<i32>(x + (usize(order - 1 - k) << 2));
    sum = smlawb(sum, pair, load<i16>(coefficients + (usize(k) << 1)));
  }
  return sum;
}

function firPhased(x: usize, forward: usize, backward: usize): i32 {
  let sum: i32 = 0;
  for (let k: i32 = 0; k < 9; k++) {
    sum = smlawb(sum, load<i32>(x + (usize(k) << 2)), load<i16>(forward + (usize(k) << 1)));
  }
  for (let k: i32 = 0; k < 9; k++) {
    sum = smlawb(sum, load<i32>(x + (usize(17 - k) << 2)), load<i16>(backward + (usize(k) << 1)));
  }
  return sum;
}

function resampleDown(s: ResamplerState, output: usize, input: usize, length: i32): void {
  const base = changetype<usize>(s);
  const coefficients = downCoefficients(s);
  const fir = coefficients + 4;
  const order = s.firOrder;
  const phases = s.firPhases;
  const memoryBytes = usize(order) << 2;
  memory.copy(RESAMPLER_WORK, base + RESAMPLER_FIR, memoryBytes);
  let remaining = length;
  let source = input;
  let target = output;
  let count: i32 = 0;
  while (true) {
    count = min(remaining, s.batchSize);
    filterAr2(base + RESAMPLER_IIR, RESAMPLER_WORK + memoryBytes, source, coefficients, count);
    const end = count << 16;
    for (let index: i32 = 0; index < end; index += s.inverseRatioQ16) {
      const x = RESAMPLER_WORK + (usize(index >> 16) << 2);
      let sum: i32;
      if (order == 18) {
        const phase = ((index & 0xffff) * phases) >> 16;
        sum = firPhased(x, fir + usize(phase) * 18, fir + usize(phases - 1 - phase) * 18);
      } else {
        sum = firSymmetric(x, fir, order);
      }
      store<i16>(target, i16(sat16(shiftRound(sum, 6))));
      target += 2;
    }
    source += usize(count) << 1;
    remaining -= count;
    // A remainder of one sample is dropped, as in the reference; it does not occur with whole milliseconds.
    if (remaining <= 1) break;
    memory.copy(RESAMPLER_WORK, RESAMPLER_WORK + (usize(count) << 2), memoryBytes);
  }
  memory.copy(base + RESAMPLER_FIR, RESAMPLER_WORK + (usize(count) << 2), memoryBytes);
}

function process(s: ResamplerState, output: usize, input: usize, length: i32): void {
  if (s.method == RESAMPLE_UP2) upsampleTwofold(changetype<usize>(s) + RESAMPLER_IIR, output, input, length);
  else if (s.method == RESAMPLE_UP_FIR) resampleUp(s, output, input, length);
  else if (s.method == RESAMPLE_DOWN_FIR) resampleDown(s, output, input, length);
  else memory.copy(output, input, usize(length) << 1);
}

/** Resamples `length` input samples (at least one millisecond) of i16; writes length * output / input samples. */
export function resample(s: ResamplerState, output: usize, input: usize, length: i32): void {
  const delayBuffer = changetype<usize>(s) + RESAMPLER_DELAY;
  const head = s.inputKhz - s.inputDelay;
  memory.copy(delayBuffer + (usize(s.inputDelay) << 1), input, usize(head) << 1);
  process(s, output, delayBuffer, s.inputKhz);
  process(s, output + (usize(s.outputKhz) << 1), input + (usize(head) << 1), length - s.inputKhz);
  memory.copy(delayBuffer, input + (usize(length - s.inputDelay) << 1), usize(s.inputDelay) << 1);
}
