// Work memory of the CELT encoder, behind the part that it shares with the decoder; nothing here outlives a call.
import { CELT_SCRATCH_END, TWIDDLES_AT } from "./scratch";

/** Pre-emphasised input of two channels: 120 samples of the past, then the frame. */
export const INPUT_AT: usize = (CELT_SCRATCH_END + 15) & ~15;
/** The same before the prefilter, behind 1024 samples of the past. */
export const UNFILTERED_AT: usize = INPUT_AT + 2 * 1080 * 4;
export const UNFILTERED_STRIDE: usize = (1024 + 960) * 4;
/** Folded block of the MDCT, real and imaginary parts. */
export const FOLDED_REAL_AT: usize = UNFILTERED_AT + 2 * UNFILTERED_STRIDE;
export const FOLDED_IMAGINARY_AT: usize = FOLDED_REAL_AT + 480 * 4;
/** Transient analysis of two channels, interleaved; tone analysis. */
export const ENVELOPE_AT: usize = FOLDED_IMAGINARY_AT + 480 * 4;
/** Energies at all lags of the pitch refinement. */
export const LAG_ENERGY_AT: usize = ENVELOPE_AT + 2 * 1088 * 4;

/** f32[2][21] each. */
export const BAND_AMPLITUDE_AT: usize = LAG_ENERGY_AT + 520 * 4;
export const BAND_LOG_AT: usize = BAND_AMPLITUDE_AT + 192;
/** The same with the frequency resolution of a long block. */
export const BAND_LOG_LONG_AT: usize = BAND_LOG_AT + 192;
export const ERROR_AT: usize = BAND_LOG_LONG_AT + 192;
export const INTRA_ENERGY_AT: usize = ERROR_AT + 192;
export const INTRA_ERROR_AT: usize = INTRA_ENERGY_AT + 192;
export const FOLLOWER_AT: usize = INTRA_ERROR_AT + 192;
export const NOISE_FLOOR_AT: usize = FOLLOWER_AT + 192;
export const BAND_WORK_AT: usize = NOISE_FLOOR_AT + 128;
export const BAND_WORK_2_AT: usize = BAND_WORK_AT + 128;
/** i32 per band. */
export const IMPORTANCE_AT: usize = BAND_WORK_2_AT + 128;
export const SPREAD_WEIGHT_AT: usize = IMPORTANCE_AT + 128;
export const TF_METRIC_AT: usize = SPREAD_WEIGHT_AT + 128;
export const TF_PATH_0_AT: usize = TF_METRIC_AT + 128;
export const TF_PATH_1_AT: usize = TF_PATH_0_AT + 128;
/** Six resolutions of a band, and the sums of their magnitudes. */
export const TF_LEVELS_AT: usize = TF_PATH_1_AT + 128;
export const TF_SUMS_AT: usize = TF_LEVELS_AT + 6 * 192 * 4;

/** Pulse search: magnitudes, and twice the pulses (f32). */
export const SEARCH_X_AT: usize = TF_SUMS_AT + 32;
export const SEARCH_Y_AT: usize = SEARCH_X_AT + 192 * 4;
/** Trial of the stereo angle: copies of a band before and after, of the folding source, of the coder, of its bytes. */
export const TRIAL_X_AT: usize = SEARCH_Y_AT + 192 * 4;
export const TRIAL_Y_AT: usize = TRIAL_X_AT + 192 * 4;
export const TRIAL_X2_AT: usize = TRIAL_Y_AT + 192 * 4;
export const TRIAL_Y2_AT: usize = TRIAL_X2_AT + 192 * 4;
export const TRIAL_FOLD_AT: usize = TRIAL_Y2_AT + 192 * 4;
export const CODER_SAVED_AT: usize = TRIAL_FOLD_AT + 192 * 4;
export const CODER_TRIED_AT: usize = CODER_SAVED_AT + 64;
export const CONTEXT_SAVED_AT: usize = CODER_TRIED_AT + 64;
export const CONTEXT_TRIED_AT: usize = CONTEXT_SAVED_AT + 64;
export const BYTES_TRIED_AT: usize = CONTEXT_TRIED_AT + 64;
/** Dynamic allocation for bands that the other channels do not mask, f32[21]. */
export const SURROUND_BOOST_AT: usize = BYTES_TRIED_AT + 1280;
export const FRAME_PLAN_AT: usize = SURROUND_BOOST_AT + 96;
export const CELT_ENCODER_SCRATCH_END: usize = FRAME_PLAN_AT + 256;

/** Whether everything lies below the twiddle factors; a test asks. */
export function celtScratchFits(): bool {
  return CELT_ENCODER_SCRATCH_END <= TWIDDLES_AT;
}
