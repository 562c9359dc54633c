// State of one CELT decoder (RFC 6716 section 4.3): everything that one frame leaves for the next.
//
// The block is relocatable: it holds no address. It is laid out for two channels whatever the stream has.
import { bandEdges } from "../tables/celt";

export const BANDS: i32 = 21;
export const OVERLAP: i32 = 120;
export const SHORT_BLOCK: i32 = 120;
export const MAX_LM: i32 = 3;
/** Past output kept per channel: the pitch search of the concealment needs it. */
export const HISTORY: i32 = 2048;
/** Samples of one channel's buffer: history, then the half of the last window that awaits its overlap. */
export const CHANNEL_SAMPLES: i32 = HISTORY + OVERLAP;
export const LPC_ORDER: i32 = 24;

/** What the last frame was made of. */
export const FRAME_NONE: i32 = 0;
export const FRAME_NORMAL: i32 = 1;
export const FRAME_NOISE: i32 = 2;
export const FRAME_PERIODIC: i32 = 3;

/** Energy of a band that has none, in log2 units. */
export const SILENT_BAND: f32 = -28.0;

@unmanaged
export class CeltState {
  /** Configuration, kept by a reset. */
  channels: i32;
  streamChannels: i32;
  downsample: i32;
  startBand: i32;
  endBand: i32;
  phaseInversionDisabled: i32;

  /** Cleared by a reset, from here on. */
  noiseSeed: u32;
  error: i32;
  lastPitch: i32;
  lossDuration: i32;
  concealedDuration: i32;
  lastFrameType: i32;
  skipPitchConcealment: i32;
  postfilterPeriod: i32;
  postfilterPeriodOld: i32;
  postfilterGain: f32;
  postfilterGainOld: f32;
  postfilterTapset: i32;
  postfilterTapsetOld: i32;
  prefilterAndFold: i32;
  deemphasisLeft: f32;
  deemphasisRight: f32;
}

const SCALARS: usize = offsetof<CeltState>();
const RESET_FROM: usize = offsetof<CeltState>("noiseSeed");
const ENERGIES: usize = 2 * <usize>BANDS * 4;

/** Offsets of the arrays from the start of the block. */
export const LOG_ENERGY_OFFSET: usize = (SCALARS + 15) & ~15;
export const LOG_ENERGY_1_OFFSET: usize = LOG_ENERGY_OFFSET + ENERGIES;
export const LOG_ENERGY_2_OFFSET: usize = LOG_ENERGY_1_OFFSET + ENERGIES;
export const BACKGROUND_OFFSET: usize = LOG_ENERGY_2_OFFSET + ENERGIES;
export const LPC_OFFSET: usize = BACKGROUND_OFFSET + ENERGIES;
export const BUFFER_OFFSET: usize = LPC_OFFSET + 2 * <usize>LPC_ORDER * 4;
export const CELT_STATE_BYTES: usize = (BUFFER_OFFSET + 2 * <usize>CHANNEL_SAMPLES * 4 + 63) & ~63;

/** Start of one channel's buffer. */
export function channelBuffer(state: CeltState, channel: i32): usize {
  return changetype<usize>(state) + BUFFER_OFFSET + <usize>(channel * CHANNEL_SAMPLES) * 4;
}

export function logEnergy(state: CeltState): usize {
  return changetype<usize>(state) + LOG_ENERGY_OFFSET;
}

/** Energies of the last and of the last but one non-transient frame. */
export function logEnergy1(state: CeltState): usize {
  return changetype<usize>(state) + LOG_ENERGY_1_OFFSET;
}

export function logEnergy2(state: CeltState): usize {
  return changetype<usize>(state) + LOG_ENERGY_2_OFFSET;
}

/** Slow estimate of the background noise, for concealment. */
export function backgroundEnergy(state: CeltState): usize {
  return changetype<usize>(state) + BACKGROUND_OFFSET;
}

export function channelLpc(state: CeltState, channel: i32): usize {
  return changetype<usize>(state) + LPC_OFFSET + <usize>(channel * LPC_ORDER) * 4;
}

/** First bin of a band for blocks of 2.5 ms. */
export function bandEdge(band: i32): i32 {
  return load<i16>(bandEdges + (<usize>band << 1));
}

export function celtInit(state: CeltState, channels: i32, downsample: i32): void {
  memory.fill(changetype<usize>(state), 0, CELT_STATE_BYTES);
  state.channels = channels;
  state.streamChannels = channels;
  state.downsample = downsample;
  state.startBand = 0;
  state.endBand = BANDS;
  state.phaseInversionDisabled = i32(channels == 1);
  celtReset(state);
}

export function celtReset(state: CeltState): void {
  memory.fill(changetype<usize>(state) + RESET_FROM, 0, CELT_STATE_BYTES - RESET_FROM);
  const energy1 = logEnergy1(state);
  const energy2 = logEnergy2(state);
  for (let i: usize = 0; i < 2 * <usize>BANDS; i++) {
    store<f32>(energy1 + (i << 2), SILENT_BAND);
    store<f32>(energy2 + (i << 2), SILENT_BAND);
  }
  state.skipPitchConcealment = 1;
  state.lastFrameType = FRAME_NONE;
}
