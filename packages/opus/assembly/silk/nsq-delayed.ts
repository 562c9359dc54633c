// Noise shaping quantizer with delayed decision: up to four states, each with its own dither seed, carry the two best
// levels of every sample on; the decision on a sample falls 40 samples (less at short lags) later.
//
// The states are the four lanes of a vector; all arithmetic is integer, hence the same as for one state after the other.
// When a state takes over another one's past, its rings are not copied: a path says for every sample in which lane the
// past of a state was written.
import { DELAYED_DECISIONS, NSQ_LF_Q14, NSQ_LTP_Q15, NSQ_SCALED_INPUT, NSQ_SHAPING_Q13, NSQ_TILT_Q14 } from "./encoder-scratch";
import {
  ChannelEncoder,
  FrameIndices,
  MAX_SHAPING_ORDER,
  NSQ_AR_Q14,
  NSQ_LPC_Q14,
  NSQ_OUTPUT,
  NSQ_SHAPE_Q14,
  QuantizerState,
} from "./encoder-state";
import { divideVarQ, sat16, shiftRound, smulww } from "./fixed-point";
import {
  advanceMemories,
  packHarmonicTaps,
  predictLongTermSample,
  quantizerOffset,
  rewhiten,
  scaleInput,
  scaleStates,
  shapeHarmonics,
} from "./nsq-common";
import { GAINS_Q16, LTP_TAPS_Q14, PITCH_LAGS, PREDICTION_Q12 } from "./scratch";
import { LTP_ORDER, SIGNAL_VOICED } from "./state";

const DELAY: i32 = 40;

// Vectors of one i32 per state.
const LPC: usize = DELAYED_DECISIONS; // [16 + 80]: synthesis, oldest first
const AR: usize = LPC + 96 * 16; // [24]: all-pass chain of the shaping filter
const LOW: usize = AR + 24 * 16;
const DIFFERENCE: usize = LOW + 16;
const SHAPE_NOW: usize = DIFFERENCE + 16;
const SEED: usize = SHAPE_NOW + 16;
const FIRST_SEED: usize = SEED + 16;
const COST: usize = FIRST_SEED + 16;
// Rings of the last 40 samples, newest at RING_AT.
const RANDOM_RING: usize = COST + 16;
const LEVEL_RING: usize = RANDOM_RING + 640;
const OUTPUT_RING: usize = LEVEL_RING + 640;
const PREDICTED_RING: usize = OUTPUT_RING + 640;
const SHAPE_RING: usize = PREDICTED_RING + 640;
/** u8[4][48]: lane of every ring entry on the path of a state. */
const PATHS: usize = SHAPE_RING + 640;
const STATES_END: usize = PATHS + 192;
// The two candidates of a sample: the better one, 16 bytes behind it the other.
const NEW_LEVEL: usize = STATES_END;
const NEW_COST: usize = NEW_LEVEL + 32;
const NEW_OUTPUT: usize = NEW_COST + 32;
const NEW_LOW: usize = NEW_OUTPUT + 32;
const NEW_DIFFERENCE: usize = NEW_LOW + 32;
const NEW_SHAPE: usize = NEW_DIFFERENCE + 32;
const NEW_PREDICTED: usize = NEW_SHAPE + 32;
// Coefficients of the subframe, each in all lanes.
const PREDICTION_TAPS: usize = NEW_PREDICTED + 32; // [16]
const SHAPING_TAPS: usize = PREDICTION_TAPS + 256; // [24]
/** i32[40]: gain of the delayed samples. */
const DELAYED_GAINS: usize = SHAPING_TAPS + 384;
const RING_AT: usize = DELAYED_GAINS + 160;

/** Added to the cost of a state that contradicts the decision. */
const OUT: i32 = i32.MAX_VALUE >> 4;

/** Per lane (x * c) >> 16 with c in 16 bits. */
function mulWide(x: v128, c: v128): v128 {
  const low = v128.and(x, i32x4.splat(0xffff));
  return i32x4.add(i32x4.mul(i32x4.shr_s(x, 16), c), i32x4.shr_s(i32x4.mul(low, c), 16));
}

function addSat(a: v128, b: v128): v128 {
  const sum = i32x4.add(a, b);
  const overflow = i32x4.shr_s(v128.and(v128.xor(a, sum), v128.xor(b, sum)), 31);
  const limit = v128.xor(i32x4.shr_s(sum, 31), i32x4.splat(i32.MIN_VALUE));
  return v128.bitselect(limit, sum, overflow);
}

function subSat(a: v128, b: v128): v128 {
  const difference = i32x4.sub(a, b);
  const overflow = i32x4.shr_s(v128.and(v128.xor(a, b), v128.xor(a, difference)), 31);
  const limit = v128.xor(i32x4.shr_s(difference, 31), i32x4.splat(i32.MIN_VALUE));
  return v128.bitselect(limit, difference, overflow);
}

/** Negates the lanes whose mask is -1. */
function negateWhere(x: v128, mask: v128): v128 {
  return i32x4.sub(v128.xor(x, mask), mask);
}

function lane(vector: usize, state: i32): i32 {
  return load<i32>(vector + (usize(state) << 2));
}

function setLane(vector: usize, state: i32, value: i32): void {
  store<i32>(vector + (usize(state) << 2), value);
}

/** Entry of a ring on the path of a state. */
function ring(base: usize, state: i32, at: i32): i32 {
  const source = i32(load<u8>(PATHS + usize(state * 48 + at)));
  return lane(base + (usize(at) << 4), source);
}

function cheapest(states: i32): i32 {
  let best: i32 = 0;
  for (let k: i32 = 1; k < states; k++) if (lane(COST, k) < lane(COST, best)) best = k;
  return best;
}

/** Writes the decided samples that are still in the rings of `state`, oldest first, before `pulses` and `output`. */
function flush(q: QuantizerState, state: i32, pulses: usize, output: usize, delay: i32, gain: i32, shift: i32): void {
  let at = load<i32>(RING_AT) + delay;
  for (let i: i32 = 0; i < delay; i++) {
    at = (at - 1) % DELAY;
    if (at < 0) at += DELAY;
    const back = usize(delay - i);
    store<i8>(pulses - back, i8(shiftRound(ring(LEVEL_RING, state, at), 10)));
    const sample = shiftRound(smulww(ring(OUTPUT_RING, state, at), gain), shift);
    store<i16>(output - (back << 1), i16(sat16(sample)));
    const shape = changetype<usize>(q) + NSQ_SHAPE_Q14 + (usize(q.shapeAt - delay + i) << 2);
    store<i32>(shape, ring(SHAPE_RING, state, at));
  }
}

/** Multiplies `count` vectors by a Q16 factor, through 64 bits. */
function scaleVectors(at: usize, count: i32, factorQ16: i32): void {
  const factor = i32x4.splat(factorQ16);
  for (let i: usize = 0; i < usize(count) << 4; i += 16) {
    const x = v128.load(at + i);
    const low = i64x2.shr_u(i64x2.extmul_low_i32x4_s(x, factor), 16);
    const high = i64x2.shr_u(i64x2.extmul_high_i32x4_s(x, factor), 16);
    v128.store(at + i, v128.shuffle<i32>(low, high, 0, 2, 4, 6));
  }
}

function rescale(c: ChannelEncoder, q: QuantizerState, k: i32, voiced: bool, delay: i32): void {
  const gain = load<i32>(GAINS_Q16 + (usize(k) << 2));
  if (gain == q.prevGainQ16) return;
  const factor = divideVarQ(q.prevGainQ16, gain, 16);
  const shape = changetype<usize>(q) + NSQ_SHAPE_Q14;
  scaleStates(shape + (usize(q.shapeAt - c.ltpMemory) << 2), c.ltpMemory, factor);
  if (voiced && q.rewhitened == 0) {
    const span = load<i32>(PITCH_LAGS + (usize(k) << 2)) + LTP_ORDER / 2;
    scaleStates(NSQ_LTP_Q15 + (usize(q.ltpAt - span) << 2), span - delay, factor);
  }
  scaleVectors(LPC, 16, factor);
  scaleVectors(AR, MAX_SHAPING_ORDER, factor);
  // LOW, DIFFERENCE and SHAPE_NOW.
  scaleVectors(LOW, 3, factor);
  scaleVectors(PREDICTED_RING, DELAY, factor);
  scaleVectors(SHAPE_RING, DELAY, factor);
  q.prevGainQ16 = gain;
}

/** i16 coefficients to one vector each. */
function spreadTaps(output: usize, taps: usize, count: i32): void {
  for (let k: i32 = 0; k < count; k++) {
    v128.store(output + (usize(k) << 4), i32x4.splat(i32(load<i16>(taps + (usize(k) << 1)))));
  }
}

/** Short-term prediction in Q10; `newest` is the vector of the last sample. */
function predictShortTerm(newest: usize, order: i32): v128 {
  let sum = i32x4.splat(order >> 1);
  for (let k: usize = 0; k < usize(order) << 4; k += 16) {
    sum = i32x4.add(sum, mulWide(v128.load(newest - k), v128.load(PREDICTION_TAPS + k)));
  }
  return sum;
}

/** Warped noise feedback, Q12; steps the all-pass chains. */
function shapeNoise(order: i32, warping: v128): v128 {
  const first = v128.load(AR);
  let b = i32x4.add(v128.load(DIFFERENCE), mulWide(first, warping));
  let a = i32x4.add(first, mulWide(i32x4.sub(v128.load(AR, 16), b), warping));
  v128.store(AR, b);
  let sum = i32x4.add(i32x4.splat(order >> 1), mulWide(b, v128.load(SHAPING_TAPS)));
  for (let j: usize = 32; j < usize(order) << 4; j += 32) {
    const early = v128.load(AR + j - 16);
    const late = v128.load(AR + j);
    b = i32x4.add(early, mulWide(i32x4.sub(late, a), warping));
    v128.store(AR + j - 16, a);
    sum = i32x4.add(sum, mulWide(a, v128.load(SHAPING_TAPS + j - 16)));
    a = i32x4.add(late, mulWide(i32x4.sub(v128.load(AR + j, 16), b), warping));
    v128.store(AR + j, b);
    sum = i32x4.add(sum, mulWide(b, v128.load(SHAPING_TAPS + j)));
  }
  const last = (usize(order) - 1) << 4;
  v128.store(AR + last, a);
  return i32x4.add(sum, mulWide(a, v128.load(SHAPING_TAPS + last)));
}

/** Completes a candidate (which = 0 or 16) from its level. */
function complete(
  which: usize,
  level: v128,
  negative: v128,
  longTerm: v128,
  shortTerm: v128,
  input: v128,
  feedback: v128,
  low: v128,
): void {
  const predicted = i32x4.add(negateWhere(i32x4.shl(level, 4), negative), longTerm);
  const output = i32x4.add(predicted, shortTerm);
  const difference = i32x4.sub(output, i32x4.shl(input, 4));
  const lowFrequency = i32x4.sub(difference, feedback);
  v128.store(NEW_LEVEL + which, level);
  v128.store(NEW_DIFFERENCE + which, difference);
  v128.store(NEW_SHAPE + which, subSat(lowFrequency, low));
  v128.store(NEW_LOW + which, lowFrequency);
  v128.store(NEW_PREDICTED + which, predicted);
  v128.store(NEW_OUTPUT + which, output);
}

/** Lower level index around `distance`; a large lambda prefers zero. */
function lowerLevels(distance: v128, lambdaQ10: i32): v128 {
  const plain = i32x4.shr_s(distance, 10);
  if (lambdaQ10 <= 2048) return plain;
  const zone = i32x4.splat(lambdaQ10 / 2 - 512);
  const above = i32x4.gt_s(distance, zone);
  const below = i32x4.lt_s(distance, i32x4.neg(zone));
  let index = i32x4.shr_s(distance, 31);
  index = v128.bitselect(i32x4.shr_s(i32x4.add(distance, zone), 10), index, below);
  return v128.bitselect(i32x4.shr_s(i32x4.sub(distance, zone), 10), index, above);
}

/** Both candidates of every state for one sample. */
function proposeLevels(
  residual: v128,
  offset: v128,
  lambda: v128,
  lambdaQ10: i32,
  negative: v128,
  longTerm: v128,
  shortTerm: v128,
  input: v128,
  feedback: v128,
  low: v128,
): void {
  const zero = i32x4.splat(0);
  const index = lowerLevels(i32x4.sub(residual, offset), lambdaQ10);
  const below0 = i32x4.lt_s(index, zero);
  // Levels other than zero move 80 (Q10) towards it.
  const adjust = v128.bitselect(i32x4.splat(80), v128.and(i32x4.gt_s(index, zero), i32x4.splat(-80)), below0);
  const below = i32x4.add(i32x4.add(i32x4.shl(index, 10), offset), adjust);
  const nearZero = v128.or(i32x4.eq(index, zero), i32x4.eq(index, i32x4.splat(-1)));
  const above = i32x4.add(below, i32x4.sub(i32x4.splat(1024), v128.and(nearZero, i32x4.splat(80))));
  const belowMinus1 = i32x4.lt_s(index, i32x4.splat(-1));
  const errorBelow = i32x4.sub(residual, below);
  const errorAbove = i32x4.sub(residual, above);
  const rateBelow = i32x4.mul(negateWhere(below, below0), lambda);
  const rateAbove = i32x4.mul(negateWhere(above, belowMinus1), lambda);
  const costBelow = i32x4.shr_s(i32x4.add(rateBelow, i32x4.mul(errorBelow, errorBelow)), 10);
  const costAbove = i32x4.shr_s(i32x4.add(rateAbove, i32x4.mul(errorAbove, errorAbove)), 10);
  const first = i32x4.lt_s(costBelow, costAbove);
  const cost = v128.load(COST);
  v128.store(NEW_COST, i32x4.add(cost, v128.bitselect(costBelow, costAbove, first)));
  v128.store(NEW_COST, i32x4.add(cost, v128.bitselect(costAbove, costBelow, first)), 16);
  const better = v128.bitselect(below, above, first);
  const worse = v128.bitselect(above, below, first);
  complete(0, better, negative, longTerm, shortTerm, input, feedback, low);
  complete(16, worse, negative, longTerm, shortTerm, input, feedback, low);
}

/** Copies lane `from` over the lanes of the mask. */
function takeOver(vector: usize, from: i32, mask: v128): void {
  const source = v128.load32_splat(vector + (usize(from) << 2));
  v128.store(vector, v128.bitselect(source, v128.load(vector), mask));
}

/** State `to` becomes state `from` with its second candidate for sample `i`. */
function replaceState(to: i32, from: i32, i: i32): void {
  const mask = i32x4.eq(i32x4(0, 1, 2, 3), i32x4.splat(to));
  const start = LPC + (usize(i) << 4);
  for (let k: usize = 0; k < 256; k += 16) takeOver(start + k, from, mask);
  for (let k: usize = 0; k < usize(MAX_SHAPING_ORDER) << 4; k += 16) takeOver(AR + k, from, mask);
  takeOver(SEED, from, mask);
  takeOver(FIRST_SEED, from, mask);
  const source = PATHS + usize(from * 48);
  const target = PATHS + usize(to * 48);
  v128.store(target, v128.load(source));
  v128.store(target, v128.load(source, 16), 16);
  v128.store(target, v128.load(source, 32), 32);
  for (let field: usize = NEW_LEVEL; field <= NEW_PREDICTED; field += 32) {
    const second = v128.load32_splat(field + 16 + (usize(from) << 2));
    v128.store(field, v128.bitselect(second, v128.load(field), mask));
  }
}

/** Drops the states that contradict the decision and lets the best second candidate replace the worst first one. */
function selectStates(states: i32, oldest: i32, i: i32): i32 {
  let winner: i32 = 0;
  for (let s: i32 = 1; s < states; s++) if (lane(NEW_COST, s) < lane(NEW_COST, winner)) winner = s;
  const past = ring(RANDOM_RING, winner, oldest);
  for (let s: i32 = 0; s < states; s++) {
    if (ring(RANDOM_RING, s, oldest) == past) continue;
    setLane(NEW_COST, s, lane(NEW_COST, s) + OUT);
    setLane(NEW_COST + 16, s, lane(NEW_COST + 16, s) + OUT);
  }
  let worst: i32 = 0;
  let best: i32 = 0;
  for (let s: i32 = 1; s < states; s++) {
    if (lane(NEW_COST, s) > lane(NEW_COST, worst)) worst = s;
    if (lane(NEW_COST + 16, s) < lane(NEW_COST + 16, best)) best = s;
  }
  if (lane(NEW_COST + 16, best) < lane(NEW_COST, worst)) replaceState(worst, best, i);
  return winner;
}

/** Quantizes the frame; the parameters lie in the scratch memory. */
export function quantizeFrameDelayed(
  c: ChannelEncoder,
  q: QuantizerState,
  indices: FrameIndices,
  pulses: usize,
  lambdaQ10: i32,
): void {
  const base = changetype<usize>(q);
  const states = c.delayedStates;
  const voiced = indices.signalType == SIGNAL_VOICED;
  const interpolated = indices.nlsfInterpolation != 4;
  const offset = quantizerOffset(indices);
  const length = c.subframeLength;
  let lag = q.lagPrev;
  memory.fill(DELAYED_DECISIONS, 0, STATES_END - DELAYED_DECISIONS);
  const seeds = v128.and(i32x4.add(i32x4.splat(indices.seed), i32x4(0, 1, 2, 3)), i32x4.splat(3));
  v128.store(SEED, seeds);
  v128.store(FIRST_SEED, seeds);
  v128.store(LOW, i32x4.splat(q.lowFrequencyQ14));
  v128.store(DIFFERENCE, i32x4.splat(q.differenceQ14));
  v128.store(SHAPE_NOW, v128.load32_splat(base + NSQ_SHAPE_Q14 + (usize(c.ltpMemory - 1) << 2)));
  for (let i: usize = 0; i < 16; i++) v128.store(LPC + (i << 4), v128.load32_splat(base + NSQ_LPC_Q14 + (i << 2)));
  for (let i: usize = 0; i < usize(MAX_SHAPING_ORDER); i++) {
    v128.store(AR + (i << 4), v128.load32_splat(base + NSQ_AR_Q14 + (i << 2)));
  }
  store<i32>(RING_AT, 0);
  let delay = min(DELAY, length);
  if (voiced) {
    for (let k: i32 = 0; k < c.subframes; k++) {
      delay = min(delay, load<i32>(PITCH_LAGS + (usize(k) << 2)) - LTP_ORDER / 2 - 1);
    }
  } else if (lag > 0) {
    delay = min(delay, lag - LTP_ORDER / 2 - 1);
  }
  q.shapeAt = c.ltpMemory;
  q.ltpAt = c.ltpMemory;
  let decided = false;
  for (let k: i32 = 0; k < c.subframes; k++) {
    const prediction = PREDICTION_Q12 + (usize((k >> 1) | (interpolated ? 0 : 1)) << 5);
    const target = pulses + usize(k * length);
    const output = base + NSQ_OUTPUT + (usize(c.ltpMemory + k * length) << 1);
    q.rewhitened = 0;
    if (voiced) {
      lag = load<i32>(PITCH_LAGS + (usize(k) << 2));
      if ((k & (interpolated ? 1 : 3)) == 0) {
        if (k == 2) {
          // The past is filtered anew: decide everything up to here.
          const winner = cheapest(states);
          for (let s: i32 = 0; s < states; s++) {
            if (s != winner) setLane(COST, s, lane(COST, s) + OUT);
          }
          flush(q, winner, target, output, delay, load<i32>(GAINS_Q16, 4), 14);
          decided = false;
        }
        rewhiten(c, q, k, lag, prediction);
      }
    }
    scaleInput(c, q, k);
    rescale(c, q, k, voiced, delay);
    quantizeSubframe(c, q, k, lag, voiced, prediction, target, output, lambdaQ10, offset, delay, decided);
    decided = true;
  }
  const winner = cheapest(states);
  indices.seed = lane(FIRST_SEED, winner);
  const end = c.subframes * length;
  const output = base + NSQ_OUTPUT + (usize(c.ltpMemory + end) << 1);
  const gainQ10 = load<i32>(GAINS_Q16 + (usize(c.subframes - 1) << 2)) >> 6;
  flush(q, winner, pulses + usize(end), output, delay, gainQ10, 8);
  for (let i: usize = 0; i < 16; i++) {
    store<i32>(base + NSQ_LPC_Q14 + (i << 2), lane(LPC + (i << 4), winner));
  }
  for (let i: usize = 0; i < usize(MAX_SHAPING_ORDER); i++) {
    store<i32>(base + NSQ_AR_Q14 + (i << 2), lane(AR + (i << 4), winner));
  }
  q.lowFrequencyQ14 = lane(LOW, winner);
  q.differenceQ14 = lane(DIFFERENCE, winner);
  q.lagPrev = load<i32>(PITCH_LAGS + (usize(c.subframes - 1) << 2));
  advanceMemories(c, q);
}

function quantizeSubframe(
  c: ChannelEncoder,
  q: QuantizerState,
  k: i32,
  lag: i32,
  voiced: bool,
  prediction: usize,
  pulses: usize,
  output: usize,
  lambdaQ10: i32,
  offset: i32,
  delay: i32,
  decided: bool,
): void {
  const base = changetype<usize>(q);
  const length = c.subframeLength;
  const order = c.predictOrder;
  const shaping = c.shapingOrder;
  const taps = LTP_TAPS_Q14 + usize(k * LTP_ORDER * 2);
  const harmonic = packHarmonicTaps(k);
  const lowFrequency = load<i32>(NSQ_LF_Q14 + (usize(k) << 2));
  const gainQ10 = load<i32>(GAINS_Q16 + (usize(k) << 2)) >> 6;
  const warping = i32x4.splat(c.warpingQ16);
  const tilt = i32x4.splat(i32(i16(load<i32>(NSQ_TILT_Q14 + (usize(k) << 2)))));
  const lowMa = i32x4.splat(i32(i16(lowFrequency)));
  const lowAr = i32x4.splat(lowFrequency >> 16);
  const lambda = i32x4.splat(lambdaQ10);
  const offsets = i32x4.splat(offset);
  const multiplier = i32x4.splat(196314165);
  const increment = i32x4.splat(907633515);
  spreadTaps(PREDICTION_TAPS, prediction, order);
  spreadTaps(SHAPING_TAPS, NSQ_SHAPING_Q13 + usize(k * 48), shaping);
  let shapePast = base + NSQ_SHAPE_Q14 + (usize(q.shapeAt - lag + 1) << 2);
  let ltpPast = NSQ_LTP_Q15 + (usize(q.ltpAt - lag + LTP_ORDER / 2) << 2);
  let ringAt = load<i32>(RING_AT);
  for (let i: i32 = 0; i < length; i++) {
    let longTerm: i32 = 0;
    if (voiced) {
      longTerm = predictLongTermSample(ltpPast, taps) << 1;
      ltpPast += 4;
    }
    let harmonics: i32 = 0;
    if (lag > 0) {
      harmonics = longTerm - (shapeHarmonics(shapePast, harmonic) << 2);
      shapePast += 4;
    }
    const input = v128.load32_splat(NSQ_SCALED_INPUT + (usize(i) << 2));
    const seed = i32x4.add(i32x4.mul(v128.load(SEED), multiplier), increment);
    const negative = i32x4.shr_s(seed, 31);
    const shortTerm = i32x4.shl(predictShortTerm(LPC + (usize(15 + i) << 4), order), 4);
    const low0 = v128.load(LOW);
    let feedback = i32x4.shl(shapeNoise(shaping, warping), 1);
    feedback = i32x4.shl(i32x4.add(feedback, mulWide(low0, tilt)), 2);
    let low = i32x4.add(mulWide(v128.load(SHAPE_NOW), lowMa), mulWide(low0, lowAr));
    low = i32x4.shl(low, 2);
    const predicted = i32x4.add(i32x4.splat(harmonics), shortTerm);
    let wanted = subSat(predicted, addSat(feedback, low));
    wanted = i32x4.shr_s(i32x4.add(i32x4.shr_s(wanted, 3), i32x4.splat(1)), 1);
    let residual = negateWhere(i32x4.sub(input, wanted), negative);
    residual = i32x4.max_s(residual, i32x4.splat(-(31 << 10)));
    residual = i32x4.min_s(residual, i32x4.splat(30 << 10));
    v128.store(SEED, seed);
    const longTerms = i32x4.splat(longTerm);
    proposeLevels(residual, offsets, lambda, lambdaQ10, negative, longTerms, shortTerm, input, feedback, low);

    ringAt = ringAt == 0 ? DELAY - 1 : ringAt - 1;
    let oldest = ringAt + delay;
    if (oldest >= DELAY) oldest -= DELAY;
    const winner = selectStates(c.delayedStates, oldest, i);
    if (decided || i >= delay) {
      const back = usize(delay);
      store<i8>(pulses + usize(i) - back, i8(shiftRound(ring(LEVEL_RING, winner, oldest), 10)));
      const gain = load<i32>(DELAYED_GAINS + (usize(oldest) << 2));
      const sample = sat16(shiftRound(smulww(ring(OUTPUT_RING, winner, oldest), gain), 8));
      store<i16>(output + ((usize(i) - back) << 1), i16(sample));
      const shape = base + NSQ_SHAPE_Q14 + (usize(q.shapeAt - delay) << 2);
      store<i32>(shape, ring(SHAPE_RING, winner, oldest));
      store<i32>(NSQ_LTP_Q15 + (usize(q.ltpAt - delay) << 2), ring(PREDICTED_RING, winner, oldest));
    }
    q.shapeAt++;
    q.ltpAt++;

    const slot = usize(ringAt) << 4;
    const level = v128.load(NEW_LEVEL);
    const decoded = v128.load(NEW_OUTPUT);
    const shape = v128.load(NEW_SHAPE);
    v128.store(LOW, v128.load(NEW_LOW));
    v128.store(DIFFERENCE, v128.load(NEW_DIFFERENCE));
    v128.store(SHAPE_NOW, shape);
    v128.store(LPC + (usize(16 + i) << 4), decoded);
    v128.store(OUTPUT_RING + slot, decoded);
    v128.store(LEVEL_RING + slot, level);
    v128.store(PREDICTED_RING + slot, i32x4.shl(v128.load(NEW_PREDICTED), 1));
    v128.store(SHAPE_RING + slot, shape);
    const pulse = i32x4.shr_s(i32x4.add(i32x4.shr_s(level, 9), i32x4.splat(1)), 1);
    const nextSeed = i32x4.add(v128.load(SEED), pulse);
    v128.store(SEED, nextSeed);
    v128.store(RANDOM_RING + slot, nextSeed);
    v128.store(COST, v128.load(NEW_COST));
    const path = PATHS + usize(ringAt);
    store<u8>(path, 0);
    store<u8>(path, 1, 48);
    store<u8>(path, 2, 96);
    store<u8>(path, 3, 144);
    store<i32>(DELAYED_GAINS + (usize(ringAt) << 2), gainQ10);
  }
  store<i32>(RING_AT, ringAt);
  memory.copy(LPC, LPC + (usize(length) << 4), 256);
}
