// Work memory of SILK inside the region that the layout gives it. Nothing here outlives one call of the decoder or of
// the encoder; regions that are in use at the same time do not overlap.
import { SILK_SCRATCH_AT } from "../layout";

// Parameters of the frame in hand.
/** i32[4]: pitch lag of each subframe. */
export const PITCH_LAGS: usize = SILK_SCRATCH_AT;
/** i32[4]: gain of each subframe. */
export const GAINS_Q16: usize = PITCH_LAGS + 16;
/** i16[2][16]: prediction coefficients of the first and second half of the frame. */
export const PREDICTION_Q12: usize = GAINS_Q16 + 16;
/** i16[4][5]: long-term prediction taps of each subframe. */
export const LTP_TAPS_Q14: usize = PREDICTION_Q12 + 64;
/** i32: long-term prediction scale. */
export const LTP_SCALE_Q14: usize = LTP_TAPS_Q14 + 40;
/** i16[320 + 16]: quantized excitation. */
export const PULSES: usize = LTP_SCALE_Q14 + 8;

// Line spectral frequencies and prediction filters.
/** i16[16]: stage-2 model row (times 9) of each coefficient. */
export const STAGE2_MODELS: usize = PULSES + 704;
/** u8[16]: prediction weight of each coefficient. */
export const STAGE2_PREDICTORS: usize = STAGE2_MODELS + 32;
export const NLSF_RESIDUAL_Q10: usize = STAGE2_PREDICTORS + 16;
export const NLSF_COSINES: usize = NLSF_RESIDUAL_Q10 + 32;
export const NLSF_POLYNOMIAL_P: usize = NLSF_COSINES + 64;
export const NLSF_POLYNOMIAL_Q: usize = NLSF_POLYNOMIAL_P + 48;
export const NLSF_DIRECT_FORM: usize = NLSF_POLYNOMIAL_Q + 48;
/** i16[16] each: NLSFs of the frame and of its first half. */
export const NLSF_Q15: usize = NLSF_DIRECT_FORM + 64;
export const NLSF_FIRST_HALF_Q15: usize = NLSF_Q15 + 32;
/** i32[24]: step-down recursion. */
export const STEP_DOWN: usize = NLSF_FIRST_HALF_Q15 + 32;
/** i16[16]: whitening taps in signal order. */
export const REVERSED_TAPS: usize = STEP_DOWN + 96;
/** i32[20] each: pulse sums and extra bits of the shell blocks. */
export const PULSE_SUMS: usize = REVERSED_TAPS + 32;
export const PULSE_SHIFTS: usize = PULSE_SUMS + 80;

// Synthesis and concealment.
/** i16[320] behind 32 readable bytes: whitened past. */
export const WHITENED: usize = PULSE_SHIFTS + 80 + 48;
/** i32[640]: long-term prediction memory and excitation. */
export const LTP_BUFFER: usize = WHITENED + 704;
/** i32[80]: excitation after long-term prediction. */
export const RESIDUAL_Q14: usize = LTP_BUFFER + 2560;
/** i32[16 + 320]: short-term synthesis. */
export const SYNTHESIS_Q14: usize = RESIDUAL_Q14 + 320;
/** i16[2][320 + 2]: the frames of both channels behind the two samples that stereo prediction needs. */
export const FRAME_MID: usize = SYNTHESIS_Q14 + 1344;
export const FRAME_SIDE: usize = FRAME_MID + 672;
/** i16[960]: resampled output of one channel. */
export const RESAMPLED: usize = FRAME_SIDE + 672;
/** i32[480 + 36]: resampler input behind the filter memory. */
export const RESAMPLER_WORK: usize = RESAMPLED + 1920;
/** u8[2]: sign model of the pulses in hand. */
export const SIGN_MODEL: usize = RESAMPLER_WORK + 2064;
/** i16[160]: the last two subframes at output level, for their energies. */
export const ENERGY_INPUT: usize = SIGN_MODEL + 16;
/** i16[320]: comfort noise of a frame. */
export const CNG_OUTPUT: usize = ENERGY_INPUT + 320;
/** i32[2]: stereo predictors of the frame in hand. */
export const STEREO_PREDICTORS: usize = CNG_OUTPUT + 640;
/** A resampler set up for comparison. */
export const RESAMPLER_EXPECTED: usize = STEREO_PREDICTORS + 16;
/** i32: how many samples of output in front of the packet decoded last its first frame reached back to. */
export const HISTORY_REACH: usize = RESAMPLER_EXPECTED + 320;
/** End of what the decoder uses. */
export const DECODER_SCRATCH_END: usize = HISTORY_REACH + 16;
