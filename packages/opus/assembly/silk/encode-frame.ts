// One frame of one channel: analysis, redundancy, quantization, and the loop that meets the bit limit.
import { encoderTellBits, RANGE_ENCODER_BYTES, RangeEncoder } from "../range-encoder";
import { MAX_CONSECUTIVE_DTX, NB_SPEECH_FRAMES_BEFORE_DTX } from "../tables/encoder-tuning";
import { encodeIndices } from "./encode-indices";
import { encodePulses } from "./encode-pulses";
import {
  ANALYSIS,
  BEST_GAIN_MULTIPLIERS,
  BEST_PULSE_SUMS,
  FRAME_BYTES_BEST,
  FrameAnalysis,
  GAIN_LOCKS,
  GAINS,
  GAINS_UNQUANTIZED_Q16,
  LOOP_GAINS_Q16,
  PITCH_RESIDUAL,
  QUANTIZER_BEST,
  QUANTIZER_COPY,
  QUANTIZER_LBRR,
  RANGE_BEST,
  RANGE_COPY,
  SAVED_GAINS,
} from "./encoder-scratch";
import {
  ACTIVITY_NONE,
  ChannelEncoder,
  ENC_HISTORY,
  ENC_INDICES,
  ENC_INPUT,
  ENC_LBRR_FLAGS,
  ENC_LBRR_INDICES,
  ENC_LBRR_PULSES,
  ENC_PULSES,
  ENC_QUANTIZER,
  ENC_VAD_FLAGS,
  FrameIndices,
  INDICES_BYTES,
  INDICES_GAINS,
  LBRR_PULSES_STRIDE,
  QUANTIZER_BYTES,
  QuantizerState,
} from "./encoder-state";
import { shiftLeftSat32, smulwb } from "./fixed-point";
import { int16ToFloats } from "./float-signal";
import { processGains, storeGains } from "./gain-processing";
import { dequantizeGains, gainsIdentity, quantizeGains } from "./gains";
import { analyzePrediction } from "./lpc-analysis";
import { analyzeNoiseShaping } from "./noise-shaping";
import { quantizeFrame } from "./nsq";
import { prepareParameters } from "./nsq-common";
import { quantizeFrameDelayed } from "./nsq-delayed";
import { analyzePitch } from "./pitch-analysis";
import { PITCH_LAGS } from "./scratch";
import { CODE_CONDITIONALLY, SIGNAL_INACTIVE, SIGNAL_UNVOICED } from "./state";
import { filterTransition } from "./transition-filter";
import { detectVoice } from "./voice-activity";

/** Speech activity below which a frame is inactive: 0.05 in Q8. */
export const INACTIVE_Q8: i32 = 13;
/** Speech activity from which a frame gets redundancy: 0.3 in Q8. */
const LBRR_ACTIVITY_Q8: i32 = 77;
const LA_SHAPE_MS: i32 = 5;
const MAX_ROUNDS: i32 = 6;

function indicesOf(c: ChannelEncoder): FrameIndices {
  return changetype<FrameIndices>(changetype<usize>(c) + ENC_INDICES);
}

/** Voice activity of the frame in the input buffer, and the DTX counters. */
export function detectActivity(c: ChannelEncoder, activity: i32): void {
  const base = changetype<usize>(c);
  const indices = indicesOf(c);
  detectVoice(c, base + ENC_INPUT + 2);
  if (activity == ACTIVITY_NONE && c.speechActivityQ8 >= INACTIVE_Q8) c.speechActivityQ8 = INACTIVE_Q8 - 1;
  const active = c.speechActivityQ8 >= INACTIVE_Q8;
  if (active) {
    c.noSpeechCounter = 0;
    c.inDtx = 0;
    indices.signalType = SIGNAL_UNVOICED;
  } else {
    indices.signalType = SIGNAL_INACTIVE;
    c.noSpeechCounter++;
    if (c.noSpeechCounter <= NB_SPEECH_FRAMES_BEFORE_DTX) {
      c.inDtx = 0;
    } else if (c.noSpeechCounter > MAX_CONSECUTIVE_DTX + NB_SPEECH_FRAMES_BEFORE_DTX) {
      c.noSpeechCounter = NB_SPEECH_FRAMES_BEFORE_DTX;
      c.inDtx = 0;
    }
  }
  store<i32>(base + ENC_VAD_FLAGS + (usize(c.framesEncoded) << 2), active ? 1 : 0);
}

function quantizeNoise(c: ChannelEncoder, indices: FrameIndices, q: QuantizerState, pulses: usize, x: usize): void {
  const lambda = prepareParameters(c, indices, x);
  if (c.delayedStates > 1 || c.warpingQ16 > 0) quantizeFrameDelayed(c, q, indices, pulses, lambda);
  else quantizeFrame(c, q, indices, pulses, lambda);
}

/** Quantizes the frame a second time, coarser, to be sent with the next packet. */
function encodeRedundancy(c: ChannelEncoder, x: usize, coding: i32): void {
  const base = changetype<usize>(c);
  const frame = c.framesEncoded;
  if (c.lbrrEnabled == 0 || c.speechActivityQ8 <= LBRR_ACTIVITY_Q8) return;
  const flags = base + ENC_LBRR_FLAGS;
  store<i32>(flags + (usize(frame) << 2), 1);
  const indicesAt = base + ENC_LBRR_INDICES + usize(frame) * INDICES_BYTES;
  memory.copy(QUANTIZER_LBRR, base + ENC_QUANTIZER, QUANTIZER_BYTES);
  memory.copy(indicesAt, base + ENC_INDICES, INDICES_BYTES);
  memory.copy(SAVED_GAINS, GAINS, 16);
  if (frame == 0 || load<i32>(flags + (usize(frame - 1) << 2)) == 0) {
    // First frame of a run: coarser by a higher gain.
    c.lbrrPrevLastGainIndex = c.lastGainIndex;
    const gain = i32(load<i8>(indicesAt + INDICES_GAINS)) + c.lbrrGainIncrease;
    store<i8>(indicesAt + INDICES_GAINS, i8(min(gain, 63)));
  }
  c.lbrrPrevLastGainIndex = dequantizeGains(
    LOOP_GAINS_Q16,
    indicesAt + INDICES_GAINS,
    c.lbrrPrevLastGainIndex,
    coding == CODE_CONDITIONALLY,
    c.subframes,
  );
  storeGains(LOOP_GAINS_Q16, c.subframes);
  quantizeNoise(
    c,
    changetype<FrameIndices>(indicesAt),
    changetype<QuantizerState>(QUANTIZER_LBRR),
    base + ENC_LBRR_PULSES + usize(frame) * LBRR_PULSES_STRIDE,
    x,
  );
  memory.copy(GAINS, SAVED_GAINS, 16);
}

function codeFrame(re: RangeEncoder, c: ChannelEncoder, coding: i32): i32 {
  const indices = indicesOf(c);
  encodeIndices(re, c, indices, false, coding);
  const pulses = changetype<usize>(c) + ENC_PULSES;
  encodePulses(re, pulses, indices.signalType, indices.quantOffsetType, c.frameLength);
  return encoderTellBits(re);
}

/** Remembers per subframe the gain multiplier with the fewest pulses; locks subframes that got worse. */
function trackPulses(c: ChannelEncoder, round: i32, multiplier: i32): void {
  const pulses = changetype<usize>(c) + ENC_PULSES;
  for (let k: i32 = 0; k < c.subframes; k++) {
    let sum: i32 = 0;
    for (let j: i32 = k * c.subframeLength; j < (k + 1) * c.subframeLength; j++) {
      const pulse = i32(load<i8>(pulses + usize(j)));
      sum += pulse < 0 ? -pulse : pulse;
    }
    const at = usize(k) << 2;
    if (round == 0 || (sum < load<i32>(BEST_PULSE_SUMS + at) && load<i32>(GAIN_LOCKS + at) == 0)) {
      store<i32>(BEST_PULSE_SUMS + at, sum);
      store<i32>(BEST_GAIN_MULTIPLIERS + at, multiplier);
    } else {
      store<i32>(GAIN_LOCKS + at, 1);
    }
  }
}

/** Quantizes and codes until the bits fit: up to seven rounds over a common gain multiplier. */
function meetBudget(re: RangeEncoder, c: ChannelEncoder, x: usize, coding: i32, maxBits: i32, useCbr: bool): void {
  const base = changetype<usize>(c);
  const analysis = changetype<FrameAnalysis>(ANALYSIS);
  const indices = indicesOf(c);
  const gainIndices = base + ENC_INDICES + INDICES_GAINS;
  const quantizer = base + ENC_QUANTIZER;
  const reBase = changetype<usize>(re);
  const conditional = coding == CODE_CONDITIONALLY;
  const margin = useCbr ? 5 : maxBits / 4;

  memory.fill(GAIN_LOCKS, 0, 16);
  memory.copy(RANGE_COPY, reBase, RANGE_ENCODER_BYTES);
  memory.copy(QUANTIZER_COPY, quantizer, QUANTIZER_BYTES);
  const seed = indices.seed;
  const prevLagIndex = c.prevLagIndex;
  const prevSignalTypeCoded = c.prevSignalTypeCoded;

  let multiplier: i32 = 256;
  let foundLower = false;
  let foundUpper = false;
  let identity = gainsIdentity(gainIndices, c.subframes);
  let identityLower: i32 = -1;
  let identityUpper: i32 = -1;
  let bits: i32 = 0;
  let bitsLower: i32 = 0;
  let bitsUpper: i32 = 0;
  let multiplierLower: i32 = 0;
  let multiplierUpper: i32 = 0;
  let lastGainIndexLower: i32 = 0;

  for (let round: i32 = 0; ; round++) {
    if (identity == identityLower) {
      bits = bitsLower;
    } else if (identity == identityUpper) {
      bits = bitsUpper;
    } else {
      if (round > 0) {
        memory.copy(reBase, RANGE_COPY, RANGE_ENCODER_BYTES);
        memory.copy(quantizer, QUANTIZER_COPY, QUANTIZER_BYTES);
        indices.seed = seed;
        c.prevLagIndex = prevLagIndex;
        c.prevSignalTypeCoded = prevSignalTypeCoded;
      }
      quantizeNoise(c, indices, changetype<QuantizerState>(quantizer), base + ENC_PULSES, x);
      if (round == MAX_ROUNDS && !foundLower) memory.copy(RANGE_BEST, reBase, RANGE_ENCODER_BYTES);
      bits = codeFrame(re, c, coding);
      if (round == MAX_ROUNDS && !foundLower && bits > maxBits) {
        // Nothing fits: code the frame without pulses and keep the gains where they were.
        memory.copy(reBase, RANGE_BEST, RANGE_ENCODER_BYTES);
        c.lastGainIndex = analysis.lastGainIndexPrev;
        for (let k: usize = 0; k < usize(c.subframes); k++) store<i8>(gainIndices + k, 4);
        if (!conditional) store<i8>(gainIndices, i8(analysis.lastGainIndexPrev));
        c.prevLagIndex = prevLagIndex;
        c.prevSignalTypeCoded = prevSignalTypeCoded;
        memory.fill(base + ENC_PULSES, 0, usize(c.frameLength));
        bits = codeFrame(re, c, coding);
      }
      if (!useCbr && round == 0 && bits <= maxBits) return;
    }

    if (round == MAX_ROUNDS) {
      if (foundLower && (identity == identityLower || bits > maxBits)) {
        // Back to the last attempt that fitted.
        memory.copy(reBase, RANGE_BEST, RANGE_ENCODER_BYTES);
        memory.copy(re.data, FRAME_BYTES_BEST, usize(re.offset));
        memory.copy(quantizer, QUANTIZER_BEST, QUANTIZER_BYTES);
        c.lastGainIndex = lastGainIndexLower;
      }
      return;
    }

    if (bits > maxBits) {
      if (!foundLower && round >= 2) {
        // Far too many: weigh the rate more and lose the finer quantizer.
        const factor: f32 = 1.5;
        const raised = analysis.lambda * factor;
        analysis.lambda = raised > factor ? raised : factor;
        indices.quantOffsetType = 0;
        foundUpper = false;
        identityUpper = -1;
      } else {
        foundUpper = true;
        bitsUpper = bits;
        multiplierUpper = multiplier;
        identityUpper = identity;
      }
    } else if (bits < maxBits - margin) {
      foundLower = true;
      bitsLower = bits;
      multiplierLower = multiplier;
      if (identity != identityLower) {
        identityLower = identity;
        memory.copy(RANGE_BEST, reBase, RANGE_ENCODER_BYTES);
        memory.copy(FRAME_BYTES_BEST, re.data, usize(re.offset));
        memory.copy(QUANTIZER_BEST, quantizer, QUANTIZER_BYTES);
        lastGainIndexLower = c.lastGainIndex;
      }
    } else {
      return;
    }

    if (!foundLower && bits > maxBits) trackPulses(c, round, multiplier);

    if (!(foundLower && foundUpper)) {
      multiplier = bits > maxBits ? min(1024, (multiplier * 3) / 2) : max(64, (multiplier * 4) / 5);
    } else {
      const span = multiplierUpper - multiplierLower;
      multiplier = multiplierLower + (span * (maxBits - bitsLower)) / (bitsUpper - bitsLower);
      // Not closer than a quarter to either end.
      const nearLower = multiplierLower + (span >> 2);
      const nearUpper = multiplierUpper - (span >> 2);
      if (multiplier > nearLower) multiplier = nearLower;
      else if (multiplier < nearUpper) multiplier = nearUpper;
    }
    multiplier = i32(i16(multiplier));
    for (let k: usize = 0; k < usize(c.subframes) << 2; k += 4) {
      const own = load<i32>(GAIN_LOCKS + k) != 0 ? load<i32>(BEST_GAIN_MULTIPLIERS + k) : multiplier;
      store<i32>(LOOP_GAINS_Q16 + k, shiftLeftSat32(smulwb(load<i32>(GAINS_UNQUANTIZED_Q16 + k), own), 8));
    }
    c.lastGainIndex = quantizeGains(
      gainIndices,
      LOOP_GAINS_Q16,
      analysis.lastGainIndexPrev,
      conditional,
      c.subframes,
    );
    identity = gainsIdentity(gainIndices, c.subframes);
    storeGains(LOOP_GAINS_Q16, c.subframes);
  }
}

/** Encodes the frame in the input buffer; returns the bytes of the packet so far (0 while prefilling). */
export function encodeFrame(re: RangeEncoder, c: ChannelEncoder, coding: i32, maxBits: i32, useCbr: bool): i32 {
  const base = changetype<usize>(c);
  const indices = indicesOf(c);
  indices.seed = c.frameCounter & 3;
  c.frameCounter++;
  const history = base + ENC_HISTORY;
  const frame = history + (usize(c.ltpMemory) << 2);
  const input = base + ENC_INPUT + 2;
  filterTransition(c, input, c.frameLength);
  const newest = frame + (usize(LA_SHAPE_MS * c.rateKhz) << 2);
  int16ToFloats(newest, input, c.frameLength);
  // A little signal against the denormal numbers and singular matrices of digital silence.
  const tiny: f32 = 1e-6;
  for (let i: i32 = 0; i < 8; i++) {
    const at = newest + (usize(i * (c.frameLength >> 3)) << 2);
    store<f32>(at, load<f32>(at) + ((i & 2) != 0 ? -tiny : tiny));
  }
  if (c.prefill == 0) {
    const residual = PITCH_RESIDUAL + (usize(c.ltpMemory) << 2);
    analyzePitch(c, frame);
    analyzeNoiseShaping(c, residual, frame);
    analyzePrediction(c, residual, frame, coding);
    processGains(c, coding);
    encodeRedundancy(c, frame, coding);
    meetBudget(re, c, frame, coding, maxBits, useCbr);
  }
  const kept = c.ltpMemory + LA_SHAPE_MS * c.rateKhz;
  memory.copy(history, history + (usize(c.frameLength) << 2), usize(kept) << 2);
  if (c.prefill != 0) return 0;
  c.prevLag = load<i32>(PITCH_LAGS + (usize(c.subframes - 1) << 2));
  c.prevSignalType = indices.signalType;
  c.firstFrameAfterReset = 0;
  return (encoderTellBits(re) + 7) >> 3;
}
