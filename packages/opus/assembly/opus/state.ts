// State of one Opus decoder: a slot. Relocatable: configuration, Opus layer, CELT and SILK at constant offsets.
import { CELT_STATE_BYTES, CeltState, celtInit, celtReset } from "../celt/state";
import { silkDecoderInit, silkDecoderReset } from "../silk/decoder";
import { SILK_DECODER_BYTES, SilkDecoder } from "../silk/state";

export const MODE_NONE: i32 = 0;
export const MODE_SILK: i32 = 1;
export const MODE_HYBRID: i32 = 2;
export const MODE_CELT: i32 = 3;

/** 1 narrowband, 2 mediumband, 3 wideband, 4 super-wideband, 5 fullband; 0 unknown. */
export const BANDWIDTH_NARROW: i32 = 1;
export const BANDWIDTH_MEDIUM: i32 = 2;
export const BANDWIDTH_WIDE: i32 = 3;
export const BANDWIDTH_SUPERWIDE: i32 = 4;
export const BANDWIDTH_FULL: i32 = 5;

@unmanaged
export class OpusState {
  /** Configuration. */
  sampleRate: i32;
  channels: i32;
  gainQ8: i32;
  ignoreExtensions: i32;
  /** What SILK was last told; kept by a reset. */
  silkRateHz: i32;
  silkChannels: i32;

  /** Cleared by a reset, from here on. */
  streamChannels: i32;
  bandwidth: i32;
  mode: i32;
  previousMode: i32;
  frameSize: i32;
  previousRedundancy: i32;
  lastPacketFrames: i32;
  softClipLeft: f32;
  softClipRight: f32;
  finalRange: u32;
}

const RESET_FROM: usize = offsetof<OpusState>("streamChannels");
const CELT_OFFSET: usize = (offsetof<OpusState>() + 63) & ~63;
const SILK_OFFSET: usize = CELT_OFFSET + CELT_STATE_BYTES;
export const SLOT_BYTES: usize = (SILK_OFFSET + SILK_DECODER_BYTES + 63) & ~63;

export function celtOf(state: OpusState): CeltState {
  return changetype<CeltState>(changetype<usize>(state) + CELT_OFFSET);
}

export function silkOf(state: OpusState): SilkDecoder {
  return changetype<SilkDecoder>(changetype<usize>(state) + SILK_OFFSET);
}

/** A fresh decoder for one of the five API rates and one or two channels. */
export function opusInit(state: OpusState, sampleRate: i32, channels: i32): void {
  memory.fill(changetype<usize>(state), 0, SLOT_BYTES);
  state.sampleRate = sampleRate;
  state.channels = channels;
  state.streamChannels = channels;
  state.frameSize = sampleRate / 400;
  silkDecoderInit(silkOf(state));
  celtInit(celtOf(state), channels, 48000 / sampleRate);
}

/** Forgets the stream; the configuration stays. */
export function opusReset(state: OpusState): void {
  const base = changetype<usize>(state);
  memory.fill(base + RESET_FROM, 0, offsetof<OpusState>() - RESET_FROM);
  state.streamChannels = state.channels;
  state.frameSize = state.sampleRate / 400;
  silkDecoderReset(silkOf(state));
  celtReset(celtOf(state));
}
