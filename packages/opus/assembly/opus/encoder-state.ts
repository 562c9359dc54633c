// State of one Opus encoder: a slot. Relocatable: settings, Opus layer, then SILK, CELT and the analysis at constant
// offsets.
import {
  CELT_ENCODER_BYTES,
  CeltEncoder,
  celtEncoderInit,
  celtEncoderReset,
} from "../celt/encoder-state";
import { silkEncoderInit } from "../silk/encoder";
import { SILK_CONTROL_BYTES, SILK_ENCODER_BYTES, SilkEncoder, SilkEncoderControl } from "../silk/encoder-state";
import { ANALYSIS_BYTES, analysisReset, AnalysisState } from "./analysis-state";
import { initialCutoffQ15 } from "./encoder-input";
import { BANDWIDTH_FULL, MODE_HYBRID } from "./state";

export const APPLICATION_VOIP: i32 = 2048;
export const APPLICATION_AUDIO: i32 = 2049;
export const APPLICATION_LOW_DELAY: i32 = 2051;
export const APPLICATION_SILK: i32 = 2052;
export const APPLICATION_CELT: i32 = 2053;

/** Stands for "automatic" in settings that have no other way to say it. */
export const AUTO: i32 = -1000;
export const BITRATE_HIGHEST: i32 = -1;
export const SIGNAL_VOICE: i32 = 3001;
export const SIGNAL_MUSIC: i32 = 3002;

@unmanaged
export class OpusEncoderState {
  /** Settings, kept by a reset. */
  sampleRate: i32;
  channels: i32;
  application: i32;
  complexity: i32;
  bitrateBps: i32;
  vbr: i32;
  vbrConstraint: i32;
  signal: i32;
  /** 1..5 or AUTO. */
  userBandwidth: i32;
  maxBandwidth: i32;
  forceChannels: i32;
  forceMode: i32;
  /** 0, 1, or 2 = without forcing SILK. */
  inbandFec: i32;
  packetLossPercent: i32;
  dtx: i32;
  lsbDepth: i32;
  predictionDisabled: i32;
  phaseInversionDisabled: i32;
  /** Whether the stream carries low-frequency effects. */
  lfe: i32;
  /** Probability of speech in percent, -1 unknown. */
  voiceRatio: i32;
  /** Bit rate of the packet in hand. */
  rateBps: i32;

  /** Cleared by a reset, from here on. */
  streamChannels: i32;
  stereoWidthQ14: i32;
  cutoffQ15: i32;
  previousHighGain: f32;
  filter0: f32;
  filter1: f32;
  filter2: f32;
  filter3: f32;
  mode: i32;
  previousMode: i32;
  previousChannels: i32;
  previousFrames: i32;
  bandwidth: i32;
  autoBandwidth: i32;
  silkBandwidthSwitch: i32;
  first: i32;
  widthXX: f32;
  widthXY: f32;
  widthYY: f32;
  widthSmoothed: f32;
  widthFollower: f32;
  detectedBandwidth: i32;
  /** Half milliseconds without activity. */
  inactiveHalfMs: i32;
  peakEnergy: f32;
  /** More frames of the packet follow. */
  nonfinalFrame: i32;
  finalRange: u32;
  /** What the last packet was. */
  lastMode: i32;
  lastBandwidth: i32;
  inDtx: i32;
  /** Whether CELT's surround mask is in use. */
  hasMask: i32;
}

const RESET_FROM: usize = offsetof<OpusEncoderState>("streamChannels");
const CONTROL: usize = (offsetof<OpusEncoderState>() + 63) & ~63;
const DELAY: usize = (CONTROL + SILK_CONTROL_BYTES + 63) & ~63;
/** 10 ms of stereo at 48 kHz. */
const DELAY_BYTES: usize = 480 * 2 * 4;
const CELT: usize = DELAY + DELAY_BYTES;
const SILK: usize = CELT + CELT_ENCODER_BYTES;
const ANALYSIS: usize = (SILK + SILK_ENCODER_BYTES + 63) & ~63;
export const ENCODER_SLOT_BYTES: usize = (ANALYSIS + ANALYSIS_BYTES + 63) & ~63;

export function celtEncoderOf(state: OpusEncoderState): CeltEncoder {
  return changetype<CeltEncoder>(changetype<usize>(state) + CELT);
}

export function silkEncoderOf(state: OpusEncoderState): SilkEncoder {
  return changetype<SilkEncoder>(changetype<usize>(state) + SILK);
}

export function controlOf(state: OpusEncoderState): SilkEncoderControl {
  return changetype<SilkEncoderControl>(changetype<usize>(state) + CONTROL);
}

export function analysisStateOf(state: OpusEncoderState): AnalysisState {
  return changetype<AnalysisState>(changetype<usize>(state) + ANALYSIS);
}

/** The last 10 ms of filtered input, interleaved. */
export function delayBuffer(state: OpusEncoderState): usize {
  return changetype<usize>(state) + DELAY;
}

/** Start of the four filter memories of the input. */
export function filterMemory(state: OpusEncoderState): usize {
  return changetype<usize>(state) + offsetof<OpusEncoderState>("filter0");
}

/** Frames of the delay buffer: none where only one of the two codecs is used. */
export function bufferFrames(state: OpusEncoderState): i32 {
  const restricted = state.application == APPLICATION_SILK || state.application == APPLICATION_CELT;
  return restricted ? 0 : state.sampleRate / 100;
}

/** Delay that brings CELT in step with SILK: 4 ms, or none where there is no SILK. */
export function compensationFrames(state: OpusEncoderState): i32 {
  const application = state.application;
  return application == APPLICATION_VOIP || application == APPLICATION_AUDIO ? state.sampleRate / 250 : 0;
}

export function encoderInit(
  state: OpusEncoderState,
  sampleRate: i32,
  channels: i32,
  application: i32,
): void {
  memory.fill(changetype<usize>(state), 0, ENCODER_SLOT_BYTES);
  state.sampleRate = sampleRate;
  state.channels = channels;
  state.application = application;
  state.complexity = 9;
  state.bitrateBps = AUTO;
  state.vbr = 1;
  state.vbrConstraint = 1;
  state.signal = AUTO;
  state.userBandwidth = AUTO;
  state.maxBandwidth = BANDWIDTH_FULL;
  state.forceChannels = AUTO;
  state.forceMode = AUTO;
  state.lsbDepth = 24;
  state.voiceRatio = -1;
  state.rateBps = 3000 + sampleRate * channels;
  const control = controlOf(state);
  control.apiChannels = channels;
  control.internalChannels = channels;
  control.apiRateHz = sampleRate;
  control.maxInternalHz = 16000;
  control.minInternalHz = 8000;
  control.desiredInternalHz = 16000;
  control.payloadMs = 20;
  control.bitrateBps = 25000;
  control.complexity = 9;
  celtEncoderInit(celtEncoderOf(state), channels, 48000 / sampleRate);
  encoderReset(state);
}

/** Forgets the stream; the settings stay. */
export function encoderReset(state: OpusEncoderState): void {
  memory.fill(changetype<usize>(state) + RESET_FROM, 0, offsetof<OpusEncoderState>() - RESET_FROM);
  memory.fill(delayBuffer(state), 0, DELAY_BYTES);
  celtEncoderReset(celtEncoderOf(state));
  silkEncoderInit(silkEncoderOf(state), state.channels);
  analysisReset(analysisStateOf(state));
  state.streamChannels = state.channels;
  state.stereoWidthQ14 = 1 << 14;
  state.previousHighGain = 1.0;
  state.first = 1;
  state.mode = MODE_HYBRID;
  state.bandwidth = BANDWIDTH_FULL;
  state.cutoffQ15 = initialCutoffQ15();
}
