// Gains that make the noise follow the shaping analysis without wasting bits, and the rate-distortion weight.
import { quantizationOffsets } from "../tables/silk-excitation";
import {
  LAMBDA_CODING_QUALITY,
  LAMBDA_DELAYED_DECISIONS,
  LAMBDA_INPUT_QUALITY,
  LAMBDA_OFFSET,
  LAMBDA_QUANT_OFFSET,
  LAMBDA_SPEECH_ACT,
} from "../tables/encoder-tuning";
import {
  ANALYSIS,
  FrameAnalysis,
  GAINS,
  GAINS_UNQUANTIZED_Q16,
  LOOP_GAINS_Q16,
  RESIDUAL_ENERGIES,
} from "./encoder-scratch";
import { ChannelEncoder, ENC_INDICES, FrameIndices, INDICES_GAINS } from "./encoder-state";
import { powerOfTwo, sigmoid } from "./float-signal";
import { quantizeGains } from "./gains";
import { CODE_CONDITIONALLY, SIGNAL_VOICED } from "./state";

const ONE: f32 = 1.0;
const Q16: f32 = 65536.0;

/** i32[subframes] gains in Q16 to f32. */
export function storeGains(gainsQ16: usize, subframes: i32): void {
  for (let k: usize = 0; k < usize(subframes) << 2; k += 4) {
    store<f32>(GAINS + k, f32(load<i32>(gainsQ16 + k)) / Q16);
  }
}

export function processGains(c: ChannelEncoder, coding: i32): void {
  const analysis = changetype<FrameAnalysis>(ANALYSIS);
  const indices = changetype<FrameIndices>(changetype<usize>(c) + ENC_INDICES);
  const voiced = indices.signalType == SIGNAL_VOICED;
  const end = usize(c.subframes) << 2;
  if (voiced) {
    const half: f32 = 0.5;
    const quarter: f32 = 0.25;
    const twelve: f32 = 12.0;
    const factor = ONE - half * sigmoid(quarter * (analysis.ltpGainDb - twelve));
    for (let k: usize = 0; k < end; k += 4) store<f32>(GAINS + k, load<f32>(GAINS + k) * factor);
  }
  const third: f32 = 0.33;
  const base: f32 = 21.0;
  const q7: f32 = 1.0 / 128.0;
  const exponent = third * (base - f32(c.snrDbQ7) * q7);
  const inverseMaxSquare = f32(powerOfTwo(exponent) / f64(c.subframeLength));
  const most: f32 = 32767.0;
  for (let k: usize = 0; k < end; k += 4) {
    const shaped = load<f32>(GAINS + k);
    const gain = sqrt<f32>(shaped * shaped + load<f32>(RESIDUAL_ENERGIES + k) * inverseMaxSquare);
    const limited = gain < most ? gain : most;
    store<f32>(GAINS + k, limited);
    store<i32>(LOOP_GAINS_Q16 + k, i32(limited * Q16));
  }
  memory.copy(GAINS_UNQUANTIZED_Q16, LOOP_GAINS_Q16, end);
  analysis.lastGainIndexPrev = c.lastGainIndex;
  c.lastGainIndex = quantizeGains(
    changetype<usize>(indices) + INDICES_GAINS,
    LOOP_GAINS_Q16,
    c.lastGainIndex,
    coding == CODE_CONDITIONALLY,
    c.subframes,
  );
  storeGains(LOOP_GAINS_Q16, c.subframes);
  if (voiced) {
    const q15: f32 = 1.0 / 32768.0;
    indices.quantOffsetType = analysis.ltpGainDb + f32(c.inputTiltQ15) * q15 > ONE ? 0 : 1;
  }
  const offsetAt = usize(((indices.signalType >> 1) << 1) + indices.quantOffsetType) << 1;
  const q10: f32 = 1024.0;
  const q8: f32 = 1.0 / 256.0;
  const offset = f32(i32(load<i16>(quantizationOffsets + offsetAt))) / q10;
  analysis.lambda =
    LAMBDA_OFFSET +
    LAMBDA_DELAYED_DECISIONS * f32(c.delayedStates) +
    LAMBDA_SPEECH_ACT * f32(c.speechActivityQ8) * q8 +
    LAMBDA_INPUT_QUALITY * analysis.inputQuality +
    LAMBDA_CODING_QUALITY * analysis.codingQuality +
    LAMBDA_QUANT_OFFSET * offset;
}
