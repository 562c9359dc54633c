// Music and speech analysis: what it tells steers mode, bandwidth and bit rate.
import { SignalAnalysis } from "../celt/encoder-state";
import { OpusEncoderState } from "./encoder-state";

export function analysisAvailable(state: OpusEncoderState): bool {
  return false;
}

export function analyseSignal(
  state: OpusEncoderState,
  result: SignalAnalysis,
  pcm: usize,
  frames: i32,
  lsbDepth: i32,
): void {}

export function resetAnalysis(state: OpusEncoderState): void {}

export function rewindAnalysis(state: OpusEncoderState): void {}

export function readAnalysis(state: OpusEncoderState, result: SignalAnalysis, frames: i32): void {}
