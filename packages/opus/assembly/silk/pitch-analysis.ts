// Whitens the input and decides between voiced and unvoiced.
import { FIND_PITCH_BANDWIDTH_EXPANSION, FIND_PITCH_WHITE_NOISE_FRACTION } from "../tables/encoder-tuning";
import {
  ANALYSIS,
  CORRELATIONS,
  DOUBLES,
  FrameAnalysis,
  LPC_A,
  PITCH_RESIDUAL,
  REFLECTIONS,
  WINDOWED,
} from "./encoder-scratch";
import { ChannelEncoder, ENC_INDICES, FrameIndices } from "./encoder-state";
import {
  applySineWindow,
  autocorrelation,
  expandBandwidthFloat,
  reflectionsToLpc,
  schur,
  whitenFloat,
} from "./float-signal";
import { searchPitch } from "./pitch-search";
import { PITCH_LAGS } from "./scratch";
import { SIGNAL_INACTIVE, SIGNAL_UNVOICED, SIGNAL_VOICED } from "./state";

/** `frame` is the first sample of the frame inside the history buffer; fills PITCH_RESIDUAL and PITCH_LAGS. */
export function analyzePitch(c: ChannelEncoder, frame: usize): void {
  const analysis = changetype<FrameAnalysis>(ANALYSIS);
  const indices = changetype<FrameIndices>(changetype<usize>(c) + ENC_INDICES);
  const length = c.pitchLookAhead + c.frameLength + c.ltpMemory;
  const start = frame - (usize(c.ltpMemory) << 2);
  const slope = c.pitchLookAhead;
  const window = start + (usize(length - c.pitchWindow) << 2);
  const middle = c.pitchWindow - (slope << 1);
  const slopeBytes = usize(slope) << 2;
  const middleBytes = usize(middle) << 2;
  applySineWindow(WINDOWED, window, false, slope);
  memory.copy(WINDOWED + slopeBytes, window + slopeBytes, middleBytes);
  applySineWindow(WINDOWED + slopeBytes + middleBytes, window + slopeBytes + middleBytes, true, slope);

  const order = c.pitchOrder;
  autocorrelation(CORRELATIONS, WINDOWED, c.pitchWindow, order + 1);
  const one: f32 = 1.0;
  const zeroLag = load<f32>(CORRELATIONS);
  const energy = zeroLag + (zeroLag * FIND_PITCH_WHITE_NOISE_FRACTION + one);
  store<f32>(CORRELATIONS, energy);
  const residual = schur(REFLECTIONS, CORRELATIONS, order, DOUBLES);
  analysis.predictionGain = energy / (residual > one ? residual : one);
  reflectionsToLpc(LPC_A, REFLECTIONS, order);
  expandBandwidthFloat(LPC_A, order, FIND_PITCH_BANDWIDTH_EXPANSION);
  whitenFloat(PITCH_RESIDUAL, LPC_A, start, length, order);

  if (indices.signalType == SIGNAL_INACTIVE || c.firstFrameAfterReset != 0) {
    memory.fill(PITCH_LAGS, 0, 16);
    indices.lag = 0;
    indices.contour = 0;
    c.ltpCorrelation = 0;
    return;
  }
  const perOrder: f32 = 0.004;
  const perActivity: f32 = 0.1;
  const perVoicing: f32 = 0.15;
  const perTilt: f32 = 0.1;
  const q8: f32 = 1.0 / 256.0;
  const q15: f32 = 1.0 / 32768.0;
  let threshold: f32 = 0.6;
  threshold -= perOrder * f32(order);
  threshold -= perActivity * f32(c.speechActivityQ8) * q8;
  threshold -= perVoicing * f32(c.prevSignalType >> 1);
  threshold -= perTilt * f32(c.inputTiltQ15) * q15;
  const q16: f32 = 65536.0;
  const correlation = searchPitch(
    PITCH_RESIDUAL,
    PITCH_LAGS,
    indices,
    c.ltpCorrelation,
    c.prevLag,
    f32(c.pitchThresholdQ16) / q16,
    threshold,
    c.rateKhz,
    c.pitchComplexity,
    c.subframes,
  );
  const voiced = correlation >= 0;
  indices.signalType = voiced ? SIGNAL_VOICED : SIGNAL_UNVOICED;
  c.ltpCorrelation = voiced ? correlation : 0;
}
