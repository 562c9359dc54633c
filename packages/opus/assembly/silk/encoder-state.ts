// State of the SILK encoder: one relocatable block without pointers, as the decoder's.
import { RESAMPLER_BYTES } from "./resampler-state";

export const MAX_SHAPING_ORDER: i32 = 24;
export const VAD_BANDS: i32 = 4;

/** Side information of a frame as it is coded; the i8 arrays follow at the INDICES_ offsets. */
@unmanaged
export class FrameIndices {
  lag: i32;
  contour: i32;
  signalType: i32;
  quantOffsetType: i32;
  nlsfInterpolation: i32;
  periodicity: i32;
  ltpScale: i32;
  seed: i32;
}
export const INDICES_GAINS: usize = 32; // i8[4]
export const INDICES_LTP: usize = 36; // i8[4]
export const INDICES_NLSF: usize = 40; // i8[17], padded to 24
export const INDICES_BYTES: usize = 64;

/** Noise shaping quantizer: scalars, then the signal memories. */
@unmanaged
export class QuantizerState {
  lowFrequencyQ14: i32;
  differenceQ14: i32;
  lagPrev: i32;
  ltpAt: i32;
  shapeAt: i32;
  seed: i32;
  prevGainQ16: i32;
  rewhitened: i32;
}
export const NSQ_OUTPUT: usize = 32; // i16[640]
export const NSQ_SHAPE_Q14: usize = NSQ_OUTPUT + 1280; // i32[640]
export const NSQ_LPC_Q14: usize = NSQ_SHAPE_Q14 + 2560; // i32[80 + 16]
export const NSQ_AR_Q14: usize = NSQ_LPC_Q14 + 384; // i32[24]
export const QUANTIZER_BYTES: usize = NSQ_AR_Q14 + 96;

/** Scalars of one encoded channel. */
@unmanaged
export class ChannelEncoder {
  // Variable high-pass cut-off (only channel 0 follows the pitch).
  highPassSmooth1Q15: i32;
  highPassSmooth2Q15: i32;
  // Low-pass of a bandwidth transition.
  transitionState0: i32;
  transitionState1: i32;
  transitionFrame: i32;
  transitionMode: i32;
  transitionSavedKhz: i32;
  // Voice activity.
  vadHighPass: i32;
  vadCounter: i32;
  speechActivityQ8: i32;
  inputTiltQ15: i32;
  // Control.
  allowBandwidthSwitch: i32;
  lbrrPrevLastGainIndex: i32;
  prevSignalType: i32;
  prevLag: i32;
  pitchWindow: i32;
  apiRateHz: i32;
  prevApiRateHz: i32;
  maxInternalHz: i32;
  minInternalHz: i32;
  desiredInternalHz: i32;
  rateKhz: i32;
  subframes: i32;
  frameLength: i32;
  subframeLength: i32;
  ltpMemory: i32;
  pitchLookAhead: i32;
  shapeLookAhead: i32;
  shapeWindow: i32;
  targetRateBps: i32;
  packetMs: i32;
  packetLossPercent: i32;
  frameCounter: i32;
  complexity: i32;
  delayedStates: i32;
  interpolateNlsf: i32;
  shapingOrder: i32;
  predictOrder: i32;
  pitchComplexity: i32;
  pitchOrder: i32;
  pitchThresholdQ16: i32;
  sumLogGainQ7: i32;
  nlsfSurvivors: i32;
  firstFrameAfterReset: i32;
  controlledSinceLastPayload: i32;
  warpingQ16: i32;
  useCbr: i32;
  prefill: i32;
  snrDbQ7: i32;
  lbrrFlag: i32;
  inputAt: i32;
  framesPerPacket: i32;
  framesEncoded: i32;
  apiChannels: i32;
  internalChannels: i32;
  channel: i32;
  prevSignalTypeCoded: i32;
  prevLagIndex: i32;
  useDtx: i32;
  inDtx: i32;
  noSpeechCounter: i32;
  useInbandFec: i32;
  lbrrEnabled: i32;
  lbrrGainIncrease: i32;
  // Noise shaping memory.
  lastGainIndex: i32;
  harmonicGainSmooth: f32;
  tiltSmooth: f32;
  /** Normalized correlation of the pitch search. */
  ltpCorrelation: f32;
}

const SCALARS: usize = 288;
export const ENC_VAD_BANK: usize = SCALARS; // i32[3][2]
export const ENC_VAD_SUBFRAME: usize = ENC_VAD_BANK + 24; // i32[4]
export const ENC_VAD_RATIO_Q8: usize = ENC_VAD_SUBFRAME + 16; // i32[4]
export const ENC_VAD_NOISE: usize = ENC_VAD_RATIO_Q8 + 16; // i32[4]
export const ENC_VAD_INVERSE_NOISE: usize = ENC_VAD_NOISE + 16; // i32[4]
export const ENC_VAD_BIAS: usize = ENC_VAD_INVERSE_NOISE + 16; // i32[4]
export const ENC_INPUT_QUALITY_Q15: usize = ENC_VAD_BIAS + 16; // i32[4]
export const ENC_VAD_FLAGS: usize = ENC_INPUT_QUALITY_Q15 + 16; // i32[3]
export const ENC_LBRR_FLAGS: usize = ENC_VAD_FLAGS + 12; // i32[3]
export const ENC_PREV_NLSF_Q15: usize = ENC_LBRR_FLAGS + 12; // i16[16]
export const ENC_INDICES: usize = ENC_PREV_NLSF_Q15 + 32; // FrameIndices
export const ENC_LBRR_INDICES: usize = ENC_INDICES + INDICES_BYTES; // FrameIndices[3]
export const ENC_PULSES: usize = ENC_LBRR_INDICES + 3 * INDICES_BYTES; // i8[320 + 16]
export const ENC_LBRR_PULSES: usize = ENC_PULSES + 336; // i8[3][320 + 16]
export const LBRR_PULSES_STRIDE: usize = 336;
export const ENC_INPUT: usize = ENC_LBRR_PULSES + 3 * 336; // i16[320 + 2], padded to 656
export const ENC_HISTORY: usize = ENC_INPUT + 656; // f32[720]
export const ENC_QUANTIZER: usize = ENC_HISTORY + 2880;
export const ENC_RESAMPLER: usize = ENC_QUANTIZER + QUANTIZER_BYTES;
export const CHANNEL_ENCODER_BYTES: usize = ENC_RESAMPLER + RESAMPLER_BYTES;

/** Scalars of both channels: stereo prediction and the rate control across frames. */
@unmanaged
export class SilkEncoder {
  predPrev0Q13: i32;
  predPrev1Q13: i32;
  mid0: i16;
  mid1: i16;
  side0: i16;
  side1: i16;
  /** Smoothed amplitudes: mid and residual, low and high band. */
  amplitude0: i32;
  amplitude1: i32;
  amplitude2: i32;
  amplitude3: i32;
  smoothWidthQ14: i32;
  prevWidthQ14: i32;
  silentSideLength: i32;
  bitsUsedLbrr: i32;
  bitsExceeded: i32;
  apiChannels: i32;
  internalChannels: i32;
  prevInternalChannels: i32;
  timeSinceSwitchAllowedMs: i32;
  allowBandwidthSwitch: i32;
  prevDecodeOnlyMiddle: i32;
}

export const STEREO_INDICES: usize = 96; // i8[3][2][3] and padding
export const MID_ONLY_FLAGS: usize = STEREO_INDICES + 20; // i8[3]
const ENCODER_SCALARS: usize = 128;
export const SILK_ENCODER_BYTES: usize = ENCODER_SCALARS + 2 * CHANNEL_ENCODER_BYTES;

export function channelEncoderOf(encoder: SilkEncoder, n: i32): ChannelEncoder {
  return changetype<ChannelEncoder>(
    changetype<usize>(encoder) + ENCODER_SCALARS + usize(n) * CHANNEL_ENCODER_BYTES,
  );
}

/** Requests of the Opus layer for a packet, and what it learns from the encoder. */
@unmanaged
export class SilkEncoderControl {
  apiChannels: i32;
  internalChannels: i32;
  apiRateHz: i32;
  maxInternalHz: i32;
  minInternalHz: i32;
  desiredInternalHz: i32;
  /** 10, 20, 40 or 60. */
  payloadMs: i32;
  bitrateBps: i32;
  packetLossPercent: i32;
  complexity: i32;
  useInbandFec: i32;
  /** Whether this packet carries redundancy. */
  lbrrCoded: i32;
  useDtx: i32;
  useCbr: i32;
  maxBits: i32;
  /** The stream goes to mono with this packet. */
  toMono: i32;
  opusCanSwitch: i32;
  reducedDependency: i32;
  // Answers.
  internalHz: i32;
  allowBandwidthSwitch: i32;
  inWidebandWithoutTransition: i32;
  stereoWidthQ14: i32;
  switchReady: i32;
  signalType: i32;
  offsetQ10: i32;
  reserved: i32;
}
export const SILK_CONTROL_BYTES: usize = 104;

/** Voice activity of the input as the Opus layer sees it. */
export const ACTIVITY_UNKNOWN: i32 = -1;
export const ACTIVITY_NONE: i32 = 0;
export const ACTIVITY_PRESENT: i32 = 1;
