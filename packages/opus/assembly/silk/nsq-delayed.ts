// Noise shaping quantizer with delayed decision: up to four states, each with its own dither seed, carry the two best
// levels of every sample on; the decision on a sample falls 40 samples (less at short lags) later.
import { NSQ_LF_Q14, NSQ_LTP_Q15, NSQ_SCALED_INPUT, NSQ_SHAPING_Q13, NSQ_TILT_Q14, DELAYED_DECISIONS } from "./encoder-scratch";
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
import {
  addSat32,
  clampInt,
  divideVarQ,
  nextRandom,
  sat16,
  shiftRound,
  smlawb,
  smlawt,
  smulbb,
  smulwb,
  smulww,
  subSat32,
} from "./fixed-point";
import {
  advanceMemories,
  levelAbove,
  levelBelow,
  lowerLevel,
  packHarmonicTaps,
  predictLongTermSample,
  quantizerOffset,
  rewhiten,
  scaleInput,
  scaleStates,
  shapeHarmonics,
} from "./nsq-common";
import { predictShortTerm } from "./nsq";
import { GAINS_Q16, LTP_TAPS_Q14, PITCH_LAGS, PREDICTION_Q12 } from "./scratch";
import { LTP_ORDER, SIGNAL_VOICED } from "./state";

const DELAY: i32 = 40;

// One state: the synthesis first, so that the past of sample i and everything behind it is one range of memory.
const STATE_LPC: usize = 0; // i32[80 + 16]
const STATE_RANDOM: usize = 384; // i32[40]
const STATE_LEVEL: usize = STATE_RANDOM + 160; // i32[40]
const STATE_OUTPUT: usize = STATE_LEVEL + 160; // i32[40]
const STATE_PREDICTED: usize = STATE_OUTPUT + 160; // i32[40]
const STATE_SHAPE: usize = STATE_PREDICTED + 160; // i32[40]
const STATE_AR: usize = STATE_SHAPE + 160; // i32[24]
const STATE_LOW: usize = STATE_AR + 96; // i32
const STATE_DIFFERENCE: usize = STATE_LOW + 4; // i32
const STATE_SEED: usize = STATE_DIFFERENCE + 4; // i32
const STATE_FIRST_SEED: usize = STATE_SEED + 4; // i32
const STATE_COST: usize = STATE_FIRST_SEED + 4; // i32
const STATE_BYTES: usize = STATE_COST + 4;

/** Candidates of a sample: for each state two records of seven i32. */
const CANDIDATES: usize = DELAYED_DECISIONS + 4 * STATE_BYTES;
const LEVEL: usize = 0;
const COST: usize = 4;
const OUTPUT: usize = 8;
const LOW: usize = 12;
const DIFFERENCE: usize = 16;
const SHAPE: usize = 20;
const PREDICTED: usize = 24;
const RECORD: usize = 28;

/** i32[40]: gain of the delayed samples. */
const DELAYED_GAINS: usize = CANDIDATES + 8 * RECORD;
/** i32: place of the newest sample in the rings. */
const RING_AT: usize = DELAYED_GAINS + 160;

/** Added to the cost of a state that contradicts the decision. */
const OUT: i32 = i32.MAX_VALUE >> 4;

function stateOf(k: i32): usize {
  return DELAYED_DECISIONS + usize(k) * STATE_BYTES;
}

function recordOf(state: i32, which: i32): usize {
  return CANDIDATES + usize(2 * state + which) * RECORD;
}

function ring(state: usize, field: usize, at: i32): i32 {
  return load<i32>(state + field + (usize(at) << 2));
}

function cheapest(states: i32): i32 {
  let best: i32 = 0;
  for (let k: i32 = 1; k < states; k++) {
    if (load<i32>(stateOf(k), STATE_COST) < load<i32>(stateOf(best), STATE_COST)) best = k;
  }
  return best;
}

/** Writes the decided samples that are still in the ring of `state`, oldest first, before `pulses` and `output`. */
function flush(q: QuantizerState, state: usize, pulses: usize, output: usize, delay: i32, gain: i32, shift: i32): void {
  let at = load<i32>(RING_AT) + delay;
  for (let i: i32 = 0; i < delay; i++) {
    at = (at - 1) % DELAY;
    if (at < 0) at += DELAY;
    const back = usize(delay - i);
    store<i8>(pulses - back, i8(shiftRound(ring(state, STATE_LEVEL, at), 10)));
    const sample = shiftRound(smulww(ring(state, STATE_OUTPUT, at), gain), shift);
    store<i16>(output - (back << 1), i16(sat16(sample)));
    const shape = changetype<usize>(q) + NSQ_SHAPE_Q14 + (usize(q.shapeAt - delay + i) << 2);
    store<i32>(shape, ring(state, STATE_SHAPE, at));
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
  for (let s: i32 = 0; s < c.delayedStates; s++) {
    const state = stateOf(s);
    scaleStates(state + STATE_LOW, 2, factor);
    scaleStates(state + STATE_LPC, 16, factor);
    scaleStates(state + STATE_AR, MAX_SHAPING_ORDER, factor);
    scaleStates(state + STATE_PREDICTED, DELAY, factor);
    scaleStates(state + STATE_SHAPE, DELAY, factor);
  }
  q.prevGainQ16 = gain;
}

/** Warped noise feedback of one state, Q12; steps its all-pass chain. */
function shapeNoise(state: usize, filter: usize, order: i32, warping: i32): i32 {
  const line = state + STATE_AR;
  let b = smlawb(load<i32>(state, STATE_DIFFERENCE), load<i32>(line), warping);
  let a = smlawb(load<i32>(line), load<i32>(line, 4) - b, warping);
  store<i32>(line, b);
  let sum = smlawb(order >> 1, b, i32(load<i16>(filter)));
  for (let j: i32 = 2; j < order; j += 2) {
    const at = line + (usize(j) << 2);
    const tap = filter + (usize(j) << 1);
    b = smlawb(load<i32>(at - 4), load<i32>(at) - a, warping);
    store<i32>(at - 4, a);
    sum = smlawb(sum, a, i32(load<i16>(tap - 2)));
    a = smlawb(load<i32>(at), load<i32>(at, 4) - b, warping);
    store<i32>(at, b);
    sum = smlawb(sum, b, i32(load<i16>(tap)));
  }
  store<i32>(line + (usize(order - 1) << 2), a);
  return smlawb(sum, a, i32(load<i16>(filter + (usize(order - 1) << 1))));
}

/** Completes a candidate from its level. */
function complete(
  record: usize,
  negative: bool,
  longTerm: i32,
  shortTerm: i32,
  input: i32,
  feedback: i32,
  low: i32,
): void {
  const level = load<i32>(record, LEVEL) << 4;
  const predicted = (negative ? -level : level) + longTerm;
  const output = predicted + shortTerm;
  const difference = output - (input << 4);
  const lowFrequency = difference - feedback;
  store<i32>(record, difference, DIFFERENCE);
  store<i32>(record, subSat32(lowFrequency, low), SHAPE);
  store<i32>(record, lowFrequency, LOW);
  store<i32>(record, predicted, PREDICTED);
  store<i32>(record, output, OUTPUT);
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
  memory.fill(DELAYED_DECISIONS, 0, usize(states) * STATE_BYTES);
  for (let s: i32 = 0; s < states; s++) {
    const state = stateOf(s);
    const seed = (s + indices.seed) & 3;
    store<i32>(state, seed, STATE_SEED);
    store<i32>(state, seed, STATE_FIRST_SEED);
    store<i32>(state, q.lowFrequencyQ14, STATE_LOW);
    store<i32>(state, q.differenceQ14, STATE_DIFFERENCE);
    store<i32>(state, load<i32>(base + NSQ_SHAPE_Q14 + (usize(c.ltpMemory - 1) << 2)), STATE_SHAPE);
    memory.copy(state + STATE_LPC, base + NSQ_LPC_Q14, 64);
    memory.copy(state + STATE_AR, base + NSQ_AR_Q14, 96);
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
            if (s != winner) store<i32>(stateOf(s), load<i32>(stateOf(s), STATE_COST) + OUT, STATE_COST);
          }
          flush(q, stateOf(winner), target, output, delay, load<i32>(GAINS_Q16, 4), 14);
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
  const winner = stateOf(cheapest(states));
  indices.seed = load<i32>(winner, STATE_FIRST_SEED);
  const end = c.subframes * length;
  const output = base + NSQ_OUTPUT + (usize(c.ltpMemory + end) << 1);
  const gainQ10 = load<i32>(GAINS_Q16 + (usize(c.subframes - 1) << 2)) >> 6;
  flush(q, winner, pulses + usize(end), output, delay, gainQ10, 8);
  memory.copy(base + NSQ_LPC_Q14, winner + STATE_LPC + (usize(length) << 2), 64);
  memory.copy(base + NSQ_AR_Q14, winner + STATE_AR, 96);
  q.lowFrequencyQ14 = load<i32>(winner, STATE_LOW);
  q.differenceQ14 = load<i32>(winner, STATE_DIFFERENCE);
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
  const states = c.delayedStates;
  const length = c.subframeLength;
  const order = c.predictOrder;
  const shaping = c.shapingOrder;
  const warping = c.warpingQ16;
  const taps = LTP_TAPS_Q14 + usize(k * LTP_ORDER * 2);
  const filter = NSQ_SHAPING_Q13 + usize(k * 48);
  const harmonic = packHarmonicTaps(k);
  const tilt = load<i32>(NSQ_TILT_Q14 + (usize(k) << 2));
  const lowFrequency = load<i32>(NSQ_LF_Q14 + (usize(k) << 2));
  const gainQ10 = load<i32>(GAINS_Q16 + (usize(k) << 2)) >> 6;
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
    const input = load<i32>(NSQ_SCALED_INPUT + (usize(i) << 2));
    for (let s: i32 = 0; s < states; s++) {
      const state = stateOf(s);
      const seed = nextRandom(load<i32>(state, STATE_SEED));
      store<i32>(state, seed, STATE_SEED);
      const shortTerm = predictShortTerm(state + STATE_LPC + (usize(15 + i) << 2), prediction, order) << 4;
      let feedback = shapeNoise(state, filter, shaping, warping) << 1;
      const low0 = load<i32>(state, STATE_LOW);
      feedback = smlawb(feedback, low0, tilt) << 2;
      let low = smulwb(ring(state, STATE_SHAPE, ringAt), lowFrequency);
      low = smlawt(low, low0, lowFrequency) << 2;
      const wanted = shiftRound(subSat32(harmonics + shortTerm, addSat32(feedback, low)), 4);
      let residual = input - wanted;
      if (seed < 0) residual = -residual;
      residual = clampInt(residual, -(31 << 10), 30 << 10);
      const index = lowerLevel(residual - offset, lambdaQ10);
      const below = levelBelow(index, offset);
      const above = levelAbove(index, below, offset);
      const errorBelow = residual - below;
      const errorAbove = residual - above;
      const costBelow = (smulbb(index < 0 ? -below : below, lambdaQ10) + smulbb(errorBelow, errorBelow)) >> 10;
      const costAbove = (smulbb(index < -1 ? -above : above, lambdaQ10) + smulbb(errorAbove, errorAbove)) >> 10;
      const cost = load<i32>(state, STATE_COST);
      const better = recordOf(s, 0);
      const worse = recordOf(s, 1);
      const belowFirst = costBelow < costAbove;
      store<i32>(better, cost + (belowFirst ? costBelow : costAbove), COST);
      store<i32>(worse, cost + (belowFirst ? costAbove : costBelow), COST);
      store<i32>(better, belowFirst ? below : above, LEVEL);
      store<i32>(worse, belowFirst ? above : below, LEVEL);
      complete(better, seed < 0, longTerm, shortTerm, input, feedback, low);
      complete(worse, seed < 0, longTerm, shortTerm, input, feedback, low);
    }

    ringAt = ringAt == 0 ? DELAY - 1 : ringAt - 1;
    let oldest = ringAt + delay;
    if (oldest >= DELAY) oldest -= DELAY;

    let winner: i32 = 0;
    for (let s: i32 = 1; s < states; s++) {
      if (load<i32>(recordOf(s, 0), COST) < load<i32>(recordOf(winner, 0), COST)) winner = s;
    }
    // States with another past than the winner's are out.
    const past = ring(stateOf(winner), STATE_RANDOM, oldest);
    for (let s: i32 = 0; s < states; s++) {
      if (ring(stateOf(s), STATE_RANDOM, oldest) == past) continue;
      store<i32>(recordOf(s, 0), load<i32>(recordOf(s, 0), COST) + OUT, COST);
      store<i32>(recordOf(s, 1), load<i32>(recordOf(s, 1), COST) + OUT, COST);
    }
    // The best of the second choices replaces the worst of the first ones.
    let worst: i32 = 0;
    let best: i32 = 0;
    for (let s: i32 = 1; s < states; s++) {
      if (load<i32>(recordOf(s, 0), COST) > load<i32>(recordOf(worst, 0), COST)) worst = s;
      if (load<i32>(recordOf(s, 1), COST) < load<i32>(recordOf(best, 1), COST)) best = s;
    }
    if (load<i32>(recordOf(best, 1), COST) < load<i32>(recordOf(worst, 0), COST)) {
      const from = usize(i) << 2;
      memory.copy(stateOf(worst) + from, stateOf(best) + from, STATE_BYTES - from);
      memory.copy(recordOf(worst, 0), recordOf(best, 1), RECORD);
    }

    if (decided || i >= delay) {
      const state = stateOf(winner);
      const back = usize(delay);
      store<i8>(pulses + usize(i) - back, i8(shiftRound(ring(state, STATE_LEVEL, oldest), 10)));
      const gain = load<i32>(DELAYED_GAINS + (usize(oldest) << 2));
      const sample = sat16(shiftRound(smulww(ring(state, STATE_OUTPUT, oldest), gain), 8));
      store<i16>(output + ((usize(i) - back) << 1), i16(sample));
      store<i32>(base + NSQ_SHAPE_Q14 + (usize(q.shapeAt - delay) << 2), ring(state, STATE_SHAPE, oldest));
      store<i32>(NSQ_LTP_Q15 + (usize(q.ltpAt - delay) << 2), ring(state, STATE_PREDICTED, oldest));
    }
    q.shapeAt++;
    q.ltpAt++;

    const ringOffset = usize(ringAt) << 2;
    for (let s: i32 = 0; s < states; s++) {
      const state = stateOf(s);
      const record = recordOf(s, 0);
      const level = load<i32>(record, LEVEL);
      const decoded = load<i32>(record, OUTPUT);
      store<i32>(state, load<i32>(record, LOW), STATE_LOW);
      store<i32>(state, load<i32>(record, DIFFERENCE), STATE_DIFFERENCE);
      store<i32>(state + STATE_LPC + (usize(16 + i) << 2), decoded);
      store<i32>(state + ringOffset, decoded, STATE_OUTPUT);
      store<i32>(state + ringOffset, level, STATE_LEVEL);
      store<i32>(state + ringOffset, load<i32>(record, PREDICTED) << 1, STATE_PREDICTED);
      store<i32>(state + ringOffset, load<i32>(record, SHAPE), STATE_SHAPE);
      const seed = load<i32>(state, STATE_SEED) + shiftRound(level, 10);
      store<i32>(state, seed, STATE_SEED);
      store<i32>(state + ringOffset, seed, STATE_RANDOM);
      store<i32>(state, load<i32>(record, COST), STATE_COST);
    }
    store<i32>(DELAYED_GAINS + ringOffset, gainQ10);
  }
  store<i32>(RING_AT, ringAt);
  for (let s: i32 = 0; s < states; s++) {
    const state = stateOf(s);
    memory.copy(state + STATE_LPC, state + STATE_LPC + (usize(length) << 2), 64);
  }
}
