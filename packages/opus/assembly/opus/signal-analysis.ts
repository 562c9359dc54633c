// Music and speech analysis as the packet layer uses it: runs the steps that the input allows, and reads the results for
// a frame, looking ahead and back where they are uncertain.
import { SIGNAL_ANALYSIS_BYTES, SignalAnalysis } from "../celt/encoder-state";
import { OPUS_SCRATCH_AT } from "../layout";
import { analysisReset, AnalysisState, resultAt, RESULTS } from "./analysis-state";
import { analyseStep } from "./analysis-step";
import { analysisStateOf, APPLICATION_SILK, OpusEncoderState } from "./encoder-state";

/** Cost of a switch while there is sound. */
const TRANSITION_PENALTY: f32 = 10.0;
const TENTH: f32 = 0.1;
/** Read position before the packet, for packets of several frames. */
const SAVED: usize = OPUS_SCRATCH_AT + 0x7c0;

/** Complexity and rate at which the analysis runs. */
export function analysisAvailable(state: OpusEncoderState): bool {
  return state.complexity >= 7 && state.sampleRate >= 16000 && state.application != APPLICATION_SILK;
}

export function resetAnalysis(state: OpusEncoderState): void {
  const analysis = analysisStateOf(state);
  if (analysis.initialized) analysisReset(analysis);
}

/** Analyses the packet's input and reads the result for all of it. */
export function analyseSignal(
  state: OpusEncoderState,
  result: SignalAnalysis,
  pcm: usize,
  frames: i32,
  lsbDepth: i32,
): void {
  const analysis = analysisStateOf(state);
  const rate = state.sampleRate;
  store<i32>(SAVED, analysis.readAt);
  store<i32>(SAVED, analysis.readSubframe, 4);
  const whole = min<i32>(((RESULTS - 5) * rate) / 50, frames & ~1);
  let left = whole - analysis.offset;
  let offset = analysis.offset;
  while (left > 0) {
    const length = min<i32>(rate / 50, left);
    analyseStep(analysis, pcm, length, offset, state.channels, rate, lsbDepth);
    offset += rate / 50;
    left -= rate / 50;
  }
  analysis.offset = whole - frames;
  readAnalysis(state, result, frames);
}

/** Goes back to the start of the packet, to read its frames one by one. */
export function rewindAnalysis(state: OpusEncoderState): void {
  if (!analysisAvailable(state)) return;
  const analysis = analysisStateOf(state);
  analysis.readAt = load<i32>(SAVED);
  analysis.readSubframe = load<i32>(SAVED, 4);
}

function next(index: i32): i32 {
  return index + 1 == RESULTS ? 0 : index + 1;
}

function previous(index: i32): i32 {
  return index == 0 ? RESULTS - 1 : index - 1;
}

/** Result for the next `frames` of input. */
export function readAnalysis(state: OpusEncoderState, result: SignalAnalysis, frames: i32): void {
  if (!analysisAvailable(state)) return;
  const analysis = analysisStateOf(state);
  const rate = state.sampleRate;
  let at = analysis.readAt;
  let lookAhead = analysis.writeAt - analysis.readAt;
  if (lookAhead < 0) lookAhead += RESULTS;
  analysis.readSubframe += frames / (rate / 400);
  while (analysis.readSubframe >= 8) {
    analysis.readSubframe -= 8;
    analysis.readAt++;
  }
  if (analysis.readAt >= RESULTS) analysis.readAt -= RESULTS;
  // Of long frames the second window is the better one.
  if (frames > rate / 50 && at != analysis.writeAt) at = next(at);
  if (at == analysis.writeAt) at = previous(at);
  memory.copy(
    changetype<usize>(result),
    changetype<usize>(resultAt(analysis, at)),
    SIGNAL_ANALYSIS_BYTES,
  );
  if (!result.valid) return;
  widen(analysis, result, at);
  estimateMusic(analysis, result, at, lookAhead);
}

/** Largest bandwidth around the frame, and the tonality of what follows. */
function widen(analysis: AnalysisState, result: SignalAnalysis, start: i32): void {
  let largest = result.tonality;
  let sum = result.tonality;
  let count = 1;
  let span = 6;
  let at = start;
  for (let i = 0; i < 3; i++) {
    at = next(at);
    if (at == analysis.writeAt) break;
    const other = resultAt(analysis, at);
    largest = max<f32>(largest, other.tonality);
    sum += other.tonality;
    count++;
    result.bandwidth = max<i32>(result.bandwidth, other.bandwidth);
    span--;
  }
  at = start;
  for (let i = 0; i < span; i++) {
    at = previous(at);
    if (at == analysis.writeAt) break;
    result.bandwidth = max<i32>(result.bandwidth, resultAt(analysis, at).bandwidth);
  }
  result.tonality = max<f32>(sum / <f32>count, largest - <f32>0.2);
}

/**
 * Probability of music over the look-ahead, and the thresholds at which this frame is the best one to switch to music or
 * to speech: switching costs less where there is no sound.
 */
function estimateMusic(analysis: AnalysisState, result: SignalAnalysis, start: i32, lookAhead: i32): void {
  let music = start;
  let activity = start;
  // The network is late by about five frames for music, by one for activity.
  if (lookAhead > 15) {
    music = (music + 5) % RESULTS;
    activity = next(activity);
  }
  let least: f32 = 1.0;
  let most: f32 = 0.0;
  const now = resultAt(analysis, activity).activityProbability;
  let weight: f32 = max<f32>(TENTH, now);
  let sum: f32 = max<f32>(TENTH, now) * resultAt(analysis, music).musicProbability;
  while (true) {
    music = next(music);
    if (music == analysis.writeAt) break;
    activity = next(activity);
    if (activity == analysis.writeAt) break;
    const then = resultAt(analysis, activity).activityProbability;
    least = min<f32>((sum - TRANSITION_PENALTY * (now - then)) / weight, least);
    most = max<f32>((sum + TRANSITION_PENALTY * (now - then)) / weight, most);
    weight += max<f32>(TENTH, then);
    sum += max<f32>(TENTH, then) * resultAt(analysis, music).musicProbability;
  }
  const mean: f32 = sum / weight;
  result.musicProbability = mean;
  least = max<f32>(min<f32>(mean, least), 0.0);
  most = min<f32>(max<f32>(mean, most), 1.0);
  if (lookAhead < 10) {
    // Not much to look at ahead: the past has to do.
    let pastLeast = least;
    let pastMost = most;
    let at = start;
    for (let i = 0; i < min<i32>(analysis.count - 1, 15); i++) {
      at = previous(at);
      const probability = resultAt(analysis, at).musicProbability;
      pastLeast = min<f32>(pastLeast, probability);
      pastMost = max<f32>(pastMost, probability);
    }
    pastLeast = max<f32>(0.0, pastLeast - TENTH * now);
    pastMost = min<f32>(1.0, pastMost + TENTH * now);
    const share: f32 = <f32>1.0 - TENTH * <f32>lookAhead;
    least += share * (pastLeast - least);
    most += share * (pastMost - most);
  }
  result.musicProbabilityMin = least;
  result.musicProbabilityMax = most;
}
