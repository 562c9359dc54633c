// State of one CELT encoder: everything that one frame leaves for the next. Relocatable, laid out for two channels.
import { BANDS, OVERLAP, SILENT_BAND } from "./state";
import { SPREAD_NORMAL } from "./pvq";

/** Longest lag of the pitch prefilter, and the input kept for it. */
export const MAX_PERIOD: i32 = 1024;
/** Stands for "as many bits as the packet holds". */
export const BITRATE_MAX: i32 = -1;

/** What the music and speech analysis tells about a frame. */
@unmanaged
export class SignalAnalysis {
  valid: i32;
  tonality: f32;
  tonalitySlope: f32;
  activity: f32;
  musicProbability: f32;
  musicProbabilityMin: f32;
  musicProbabilityMax: f32;
  /** Bands of the MDCT that hold signal. */
  bandwidth: i32;
  activityProbability: f32;
  maxPitchRatio: f32;
}
/** u8[19]: boost of bands into which neighbours leak, 1/64. */
export const LEAK_BANDS: i32 = 19;
export const LEAK_BOOST: usize = offsetof<SignalAnalysis>();
export const SIGNAL_ANALYSIS_BYTES: usize = (LEAK_BOOST + 19 + 15) & ~15;

@unmanaged
export class CeltEncoder {
  /** Configuration, kept by a reset. */
  channels: i32;
  streamChannels: i32;
  upsample: i32;
  startBand: i32;
  endBand: i32;
  forceIntra: i32;
  disablePrefilter: i32;
  complexity: i32;
  bitrateBps: i32;
  vbr: i32;
  constrainedVbr: i32;
  lossPercent: i32;
  lsbDepth: i32;
  phaseInversionDisabled: i32;
  /** Whether the stream carries low-frequency effects: everything is in the first bands. */
  lfe: i32;

  /** Cleared by a reset, from here on. */
  finalRange: u32;
  spread: i32;
  delayedIntra: f32;
  tonalAverage: i32;
  lastCodedBands: i32;
  highAverage: i32;
  tapset: i32;
  prefilterPeriod: i32;
  prefilterGain: f32;
  prefilterTapset: i32;
  consecutiveTransients: i32;
  /** Of the SILK layer of a hybrid frame. */
  silkSignalType: i32;
  silkOffset: i32;
  preemphasisLeft: f32;
  preemphasisRight: f32;
  vbrReservoir: i32;
  vbrDrift: i32;
  vbrOffset: i32;
  vbrCount: i32;
  overlapMax: f32;
  stereoSaving: f32;
  intensity: i32;
  spectrumAverage: f32;
  /** Whether the surround mask counts; a caller sets it for every frame. */
  hasMask: i32;
}

const RESET_FROM: usize = offsetof<CeltEncoder>("finalRange");
const ENERGIES: usize = 2 * <usize>BANDS * 4;

const ANALYSIS: usize = (offsetof<CeltEncoder>() + 15) & ~15;
const OLD_ENERGY: usize = ANALYSIS + SIGNAL_ANALYSIS_BYTES;
const OLD_LOG: usize = OLD_ENERGY + ENERGIES;
const OLD_LOG_2: usize = OLD_LOG + ENERGIES;
const ENERGY_ERROR: usize = OLD_LOG_2 + ENERGIES;
const INPUT_MEMORY: usize = (ENERGY_ERROR + ENERGIES + 15) & ~15;
const PREFILTER_MEMORY: usize = INPUT_MEMORY + 2 * <usize>OVERLAP * 4;
const MASK: usize = PREFILTER_MEMORY + 2 * <usize>MAX_PERIOD * 4;
export const CELT_ENCODER_BYTES: usize = (MASK + ENERGIES + 63) & ~63;

export function analysisOf(state: CeltEncoder): SignalAnalysis {
  return changetype<SignalAnalysis>(changetype<usize>(state) + ANALYSIS);
}

/** Quantised energies of the last frame, f32[2][21]. */
export function oldEnergy(state: CeltEncoder): usize {
  return changetype<usize>(state) + OLD_ENERGY;
}

export function oldLogEnergy(state: CeltEncoder): usize {
  return changetype<usize>(state) + OLD_LOG;
}

export function oldLogEnergy2(state: CeltEncoder): usize {
  return changetype<usize>(state) + OLD_LOG_2;
}

/** Error of the quantised energies. */
export function energyError(state: CeltEncoder): usize {
  return changetype<usize>(state) + ENERGY_ERROR;
}

/** Last 120 samples of the prefiltered input of a channel. */
export function inputMemory(state: CeltEncoder, channel: i32): usize {
  return changetype<usize>(state) + INPUT_MEMORY + (<usize>(channel * OVERLAP) << 2);
}

/** Last MAX_PERIOD samples of the input of a channel before the prefilter. */
export function prefilterMemory(state: CeltEncoder, channel: i32): usize {
  return changetype<usize>(state) + PREFILTER_MEMORY + (<usize>(channel * MAX_PERIOD) << 2);
}

/** How far each band rises above what the other channels mask, log2, f32[2][21]; outlives a reset. */
export function surroundMask(state: CeltEncoder): usize {
  return changetype<usize>(state) + MASK;
}

export function celtEncoderInit(state: CeltEncoder, channels: i32, upsample: i32): void {
  memory.fill(changetype<usize>(state), 0, CELT_ENCODER_BYTES);
  state.channels = channels;
  state.streamChannels = channels;
  state.upsample = upsample;
  state.endBand = BANDS;
  state.constrainedVbr = 1;
  state.bitrateBps = BITRATE_MAX;
  state.complexity = 5;
  state.lsbDepth = 24;
  celtEncoderReset(state);
}

export function celtEncoderReset(state: CeltEncoder): void {
  memory.fill(changetype<usize>(state) + RESET_FROM, 0, MASK - RESET_FROM);
  for (let at: usize = 0; at < ENERGIES; at += 4) {
    store<f32>(oldLogEnergy(state) + at, SILENT_BAND);
    store<f32>(oldLogEnergy2(state) + at, SILENT_BAND);
  }
  state.delayedIntra = 1.0;
  state.spread = SPREAD_NORMAL;
  state.tonalAverage = 256;
}
