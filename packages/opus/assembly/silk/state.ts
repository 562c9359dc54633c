// State of the SILK decoder: one relocatable block without pointers. Scalars are the fields of two unmanaged classes,
// arrays lie behind them at constant offsets. `field-table.ts` enumerates everything for the canonical snapshot.
import { ResamplerState, RESAMPLER_BYTES } from "./resampler-state";

export const MAX_LPC_ORDER: i32 = 16;
export const MAX_FRAME: i32 = 320;
export const MAX_SUBFRAME: i32 = 80;
export const LTP_ORDER: i32 = 5;
export const MAX_SUBFRAMES: i32 = 4;

export const SIGNAL_INACTIVE: i32 = 0;
export const SIGNAL_UNVOICED: i32 = 1;
export const SIGNAL_VOICED: i32 = 2;

/** How the parameters of a frame refer to the frame before (RFC 6716 sections 4.2.7.4 to 4.2.7.6). */
export const CODE_INDEPENDENTLY: i32 = 0;
export const CODE_INDEPENDENTLY_NO_LTP_SCALING: i32 = 1;
export const CODE_CONDITIONALLY: i32 = 2;

/** Scalars of one decoded channel (mid or side). */
@unmanaged
export class ChannelState {
  prevGainQ16: i32;
  lagPrev: i32;
  lastGainIndex: i32;
  rateKhz: i32;
  apiRateHz: i32;
  subframes: i32;
  frameLength: i32;
  subframeLength: i32;
  ltpMemory: i32;
  lpcOrder: i32;
  firstFrameAfterReset: i32;
  framesDecoded: i32;
  framesPerPacket: i32;
  prevSignalTypeCoded: i32;
  prevLagIndex: i32;
  lbrrFlag: i32;
  lossCount: i32;
  prevSignalType: i32;
  // Side information of the frame in hand; between packets only what concealment reads back is alive.
  signalType: i32;
  quantOffsetType: i32;
  nlsfInterpolation: i32;
  lagIndex: i32;
  contourIndex: i32;
  periodicityIndex: i32;
  ltpScaleIndex: i32;
  seed: i32;
  // Comfort noise.
  cngGainQ16: i32;
  cngSeed: i32;
  cngRateKhz: i32;
  // Concealment.
  plcPitchQ8: i32;
  plcLastFrameLost: i32;
  plcSeed: i32;
  plcNoiseScaleQ14: i32;
  plcEnergy: i32;
  plcEnergyShift: i32;
  plcLtpScaleQ14: i32;
  plcRateKhz: i32;
  plcSubframes: i32;
  plcSubframeLength: i32;
}

const SCALARS: usize = 160;
export const EXCITATION_Q14: usize = SCALARS; // i32[320]
export const LPC_STATE_Q14: usize = EXCITATION_Q14 + 1280; // i32[16], oldest first
export const OUT_BUFFER: usize = LPC_STATE_Q14 + 64; // i16[480]
export const PREV_NLSF_Q15: usize = OUT_BUFFER + 960; // i16[16]
export const VAD_FLAGS: usize = PREV_NLSF_Q15 + 32; // i32[3]
export const LBRR_FLAGS: usize = VAD_FLAGS + 12; // i32[3]
export const GAIN_INDICES: usize = LBRR_FLAGS + 12; // i8[4]
export const LTP_INDICES: usize = GAIN_INDICES + 4; // i8[4]
export const NLSF_INDICES: usize = LTP_INDICES + 4; // i8[17], padded to 20
export const CNG_EXCITATION_Q14: usize = NLSF_INDICES + 20; // i32[320]
export const CNG_SYNTHESIS_Q14: usize = CNG_EXCITATION_Q14 + 1280; // i32[16]
export const CNG_NLSF_Q15: usize = CNG_SYNTHESIS_Q14 + 64; // i16[16]
export const PLC_LTP_Q14: usize = CNG_NLSF_Q15 + 32; // i16[5], padded to 12
export const PLC_LPC_Q12: usize = PLC_LTP_Q14 + 12; // i16[16]
export const PLC_GAINS_Q16: usize = PLC_LPC_Q12 + 32; // i32[2]
export const RESAMPLER: usize = PLC_GAINS_Q16 + 8;
export const CHANNEL_BYTES: usize = RESAMPLER + RESAMPLER_BYTES;

/** Scalars common to both channels. */
@unmanaged
export class SilkDecoder {
  apiChannels: i32;
  internalChannels: i32;
  prevDecodeOnlyMiddle: i32;
  /** Lag of the last frame at 48 kHz, 0 if it was not voiced; read by the Opus layer after a decode. */
  prevPitchLag: i32;
  predPrev0Q13: i32;
  predPrev1Q13: i32;
  mid0: i16;
  mid1: i16;
  side0: i16;
  side1: i16;
}

const DECODER_SCALARS: usize = 32;
export const SILK_DECODER_BYTES: usize = DECODER_SCALARS + 2 * CHANNEL_BYTES;

export function channelOf(decoder: SilkDecoder, n: i32): ChannelState {
  return changetype<ChannelState>(changetype<usize>(decoder) + DECODER_SCALARS + usize(n) * CHANNEL_BYTES);
}

export function resamplerOf(channel: ChannelState): ResamplerState {
  return changetype<ResamplerState>(changetype<usize>(channel) + RESAMPLER);
}
