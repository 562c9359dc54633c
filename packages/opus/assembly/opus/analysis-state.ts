// State of the music and speech analysis.
import { SIGNAL_ANALYSIS_BYTES, SignalAnalysis } from "../celt/encoder-state";

/** Analysis bands, frames of history, results kept, and samples of a step (30 ms at 24 kHz). */
export const TONE_BANDS: i32 = 18;
export const HISTORY_FRAMES: i32 = 8;
export const RESULTS: i32 = 100;
export const STEP_SAMPLES: i32 = 720;

@unmanaged
export class AnalysisState {
  initialized: i32;
  filled: i32;
  previousTonality: f32;
  previousBandwidth: i32;
  loudnessTracker: f32;
  lowEnergyCount: f32;
  historyAt: i32;
  count: i32;
  /** Samples of the current input that have been analysed already. */
  offset: i32;
  writeAt: i32;
  readAt: i32;
  readSubframe: i32;
  highEnergy: f32;
  resample0: f32;
  resample1: f32;
  resample2: f32;
}

const SCALARS: usize = offsetof<AnalysisState>();
/** f32[240] each: phase, its first and its second difference per bin. */
export const ANGLE: usize = SCALARS;
export const ANGLE_D: usize = ANGLE + 960;
export const ANGLE_D2: usize = ANGLE_D + 960;
/** f32[720]. */
export const SAMPLES: usize = ANGLE_D2 + 960;
/** f32[18], padded to 20. */
export const BAND_TONALITY: usize = SAMPLES + 2880;
/** f32[8][18] each. */
export const ENERGY: usize = BAND_TONALITY + 80;
export const LOG_ENERGY: usize = ENERGY + 576;
export const LOW_ENERGY: usize = LOG_ENERGY + 576;
export const HIGH_ENERGY: usize = LOW_ENERGY + 80;
export const MEAN_ENERGY: usize = HIGH_ENERGY + 80;
/** f32[32], f32[8], f32[9]: cepstra of the last frames, their mean, and the deviation of the features. */
export const CEPSTRA: usize = MEAN_ENERGY + 80;
export const CEPSTRUM_MEAN: usize = CEPSTRA + 128;
export const DEVIATION: usize = CEPSTRUM_MEAN + 32;
/** f32[24]. */
export const NETWORK_STATE: usize = DEVIATION + 48;
export const RESULT_RING: usize = NETWORK_STATE + 96;
export const ANALYSIS_BYTES: usize = RESULT_RING + <usize>RESULTS * SIGNAL_ANALYSIS_BYTES;

export function resultAt(state: AnalysisState, index: i32): SignalAnalysis {
  return changetype<SignalAnalysis>(
    changetype<usize>(state) + RESULT_RING + <usize>index * SIGNAL_ANALYSIS_BYTES,
  );
}

export function analysisReset(state: AnalysisState): void {
  memory.fill(changetype<usize>(state), 0, ANALYSIS_BYTES);
}
