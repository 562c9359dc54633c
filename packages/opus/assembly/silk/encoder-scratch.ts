// Work memory of the SILK encoder, behind the part that it shares with the decoder.
import { DECODER_SCRATCH_END } from "./scratch";
import { QUANTIZER_BYTES } from "./encoder-state";

/** Results of the analysis of one frame that the quantizer and the coder use. */
@unmanaged
export class FrameAnalysis {
  lambda: f32;
  inputQuality: f32;
  codingQuality: f32;
  /** Gain of the whitening filter of the pitch search. */
  predictionGain: f32;
  /** Gain of the long-term predictor in dB. */
  ltpGainDb: f32;
  /** Level of the frame before, for quantizing the gains again. */
  lastGainIndexPrev: i32;
}

export const ANALYSIS: usize = (DECODER_SCRATCH_END + 15) & ~15;
export const GAINS: usize = ANALYSIS + 32; // f32[4]
export const GAINS_UNQUANTIZED_Q16: usize = GAINS + 16; // i32[4]
export const RESIDUAL_ENERGIES: usize = GAINS_UNQUANTIZED_Q16 + 16; // f32[4]
export const LF_MA: usize = RESIDUAL_ENERGIES + 16; // f32[4]
export const LF_AR: usize = LF_MA + 16; // f32[4]
export const TILT: usize = LF_AR + 16; // f32[4]
export const HARMONIC_GAIN: usize = TILT + 16; // f32[4]
export const SHAPING_AR: usize = HARMONIC_GAIN + 16; // f32[4][24]
export const PREDICTION: usize = SHAPING_AR + 384; // f32[2][16]
export const LTP_COEFFICIENTS: usize = PREDICTION + 128; // f32[4][5]

// Integer form of the parameters for the quantizer.
export const NSQ_INPUT: usize = LTP_COEFFICIENTS + 80; // i16[320]
export const NSQ_SHAPING_Q13: usize = NSQ_INPUT + 640; // i16[4][24]
export const NSQ_LF_Q14: usize = NSQ_SHAPING_Q13 + 192; // i32[4]
export const NSQ_TILT_Q14: usize = NSQ_LF_Q14 + 16; // i32[4]
export const NSQ_HARMONIC_Q14: usize = NSQ_TILT_Q14 + 16; // i32[4]
export const NSQ_SCALED_INPUT: usize = NSQ_HARMONIC_Q14 + 16; // i32[80]

// Short-lived buffers of the analysis.
/** f32[720]: residual of the pitch whitening filter. */
export const PITCH_RESIDUAL: usize = NSQ_SCALED_INPUT + 320;
/** f32[384]: windowed signal. */
export const WINDOWED: usize = PITCH_RESIDUAL + 2880;
/** f32[25]. */
export const CORRELATIONS: usize = WINDOWED + 1536;
export const REFLECTIONS: usize = CORRELATIONS + 112;
/** f32[16] each. */
export const LPC_A: usize = REFLECTIONS + 112;
export const LPC_B: usize = LPC_A + 64;
/** f64[26][2] and the like. */
export const DOUBLES: usize = LPC_B + 64;
/** f32[384]: input of the predictor analysis, each subframe behind its own history. */
export const LPC_INPUT: usize = DOUBLES + 1024;
/** f32[384]: its residual. */
export const LPC_RESIDUAL: usize = LPC_INPUT + 1536;
/** f32[4][25] and f32[4][5]. */
export const LTP_XX: usize = LPC_RESIDUAL + 1536;
export const LTP_XY: usize = LTP_XX + 400;
export const LTP_XX_Q17: usize = LTP_XY + 80;
export const LTP_XY_Q17: usize = LTP_XX_Q17 + 400;
/** i8[4]: candidate filter indices. */
export const LTP_CANDIDATES: usize = LTP_XY_Q17 + 80;

/** i32[3]: answers of the codebook search. */
export const LTP_SEARCH: usize = LTP_CANDIDATES + 16;
/** f32[4]. */
export const INVERSE_GAINS: usize = LTP_SEARCH + 16;

// NLSF quantization.
export const NLSF_WEIGHTS_Q2: usize = INVERSE_GAINS + 16; // i16[16]
export const NLSF_WEIGHTS_FIRST_Q2: usize = NLSF_WEIGHTS_Q2 + 32; // i16[16]
export const NLSF_ERRORS: usize = NLSF_WEIGHTS_FIRST_Q2 + 32; // i32[32]
export const NLSF_ORDER: usize = NLSF_ERRORS + 128; // i32[32]
export const NLSF_COSTS: usize = NLSF_ORDER + 128; // i32[32]
export const NLSF_PATHS: usize = NLSF_COSTS + 128; // i8[32][16]
export const NLSF_ADJUSTED_Q5: usize = NLSF_PATHS + 512; // i16[16]
export const NLSF_LPC_Q16: usize = NLSF_ADJUSTED_Q5 + 32; // i32[16]
export const NLSF_TRELLIS: usize = NLSF_LPC_Q16 + 64; // see nlsf-trellis.ts

// Pitch search.
export const PITCH_16K: usize = NLSF_TRELLIS + 512; // i16[640]
export const PITCH_8K_INT: usize = PITCH_16K + 1280; // i16[320]
export const PITCH_4K_INT: usize = PITCH_8K_INT + 640; // i16[160]
export const PITCH_8K: usize = PITCH_4K_INT + 320; // f32[320]
export const PITCH_4K: usize = PITCH_8K + 1280; // f32[160]
export const PITCH_CORRELATION: usize = PITCH_4K + 640; // f32[4][149]
export const PITCH_XCORR: usize = PITCH_CORRELATION + 2400; // f32[72]
export const PITCH_CANDIDATES: usize = PITCH_XCORR + 288; // i32[80]
export const PITCH_EXPANDED: usize = PITCH_CANDIDATES + 320; // i16[160]
export const PITCH_FILTER: usize = PITCH_EXPANDED + 320; // i32[6]
export const PITCH_STAGE3_CORRELATION: usize = PITCH_FILTER + 32; // f32[4][34][5]
export const PITCH_STAGE3_ENERGY: usize = PITCH_STAGE3_CORRELATION + 2720; // f32[4][34][5]
export const PITCH_LAGS_TRIED: usize = PITCH_STAGE3_ENERGY + 2720; // f32[24]

// Quantizer with delayed decision.
export const DELAYED_DECISIONS: usize = PITCH_LAGS_TRIED + 96; // see nsq-delayed.ts, up to 16 KB
export const DELAYED_DECISIONS_BYTES: usize = 16384;
/** i16[640]: whitened past. */
export const NSQ_WHITENED: usize = DELAYED_DECISIONS + DELAYED_DECISIONS_BYTES + 64;
/** i32[640]: long-term prediction memory. */
export const NSQ_LTP_Q15: usize = NSQ_WHITENED + 1280;

// Rate loop.
export const QUANTIZER_COPY: usize = NSQ_LTP_Q15 + 2560;
export const QUANTIZER_BEST: usize = QUANTIZER_COPY + QUANTIZER_BYTES;
export const QUANTIZER_LBRR: usize = QUANTIZER_BEST + QUANTIZER_BYTES;
export const RANGE_COPY: usize = QUANTIZER_LBRR + QUANTIZER_BYTES; // RangeEncoder
export const RANGE_BEST: usize = RANGE_COPY + 64; // RangeEncoder
export const FRAME_BYTES_BEST: usize = RANGE_BEST + 64; // u8[1276]
export const LOOP_GAINS_Q16: usize = FRAME_BYTES_BEST + 1280; // i32[4]
export const GAIN_LOCKS: usize = LOOP_GAINS_Q16 + 16; // i32[4]
export const BEST_GAIN_MULTIPLIERS: usize = GAIN_LOCKS + 16; // i32[4]
export const BEST_PULSE_SUMS: usize = BEST_GAIN_MULTIPLIERS + 16; // i32[4]
export const SAVED_GAINS: usize = BEST_PULSE_SUMS + 16; // f32[4]

// Coding and input.
export const ABSOLUTE_PULSES: usize = SAVED_GAINS + 16; // i32[336]
export const PULSE_COMBINATIONS: usize = ABSOLUTE_PULSES + 1344; // i32[16]
export const FLAG_MODEL: usize = PULSE_COMBINATIONS + 64; // u8[2]
export const VAD_SIGNAL: usize = FLAG_MODEL + 16; // i16[512]
export const VAD_ENERGY: usize = VAD_SIGNAL + 1024; // i32[4] and i32[4]
export const TRANSITION_B_Q28: usize = VAD_ENERGY + 32; // i32[3]
export const TRANSITION_A_Q28: usize = TRANSITION_B_Q28 + 16; // i32[2]
/** i16[2880]: input of one channel at the rate of the API, up to 60 ms at 48 kHz. */
export const INPUT_BLOCK: usize = TRANSITION_A_Q28 + 16;
/** i16[5][322]: side signal and the bands of mid and side. */
export const STEREO_SIDE: usize = INPUT_BLOCK + 5760;
export const STEREO_LOW_MID: usize = STEREO_SIDE + 656;
export const STEREO_HIGH_MID: usize = STEREO_LOW_MID + 656;
export const STEREO_LOW_SIDE: usize = STEREO_HIGH_MID + 656;
export const STEREO_HIGH_SIDE: usize = STEREO_LOW_SIDE + 656;
export const STEREO_RATES: usize = STEREO_HIGH_SIDE + 656; // i32[2]
export const STEREO_RATIO: usize = STEREO_RATES + 16; // i32[2]
/** i16[720 and 2160]: history at the old rate and at the rate of the API, when the rate changes. */
export const HISTORY_INT: usize = STEREO_RATIO + 16;
export const HISTORY_API: usize = HISTORY_INT + 1440;
export const RESAMPLER_TEMPORARY: usize = HISTORY_API + 4352;
export const SAVED_TRANSITION: usize = RESAMPLER_TEMPORARY + 320; // i32[5]
export const ENCODER_SCRATCH_END: usize = SAVED_TRANSITION + 32;
