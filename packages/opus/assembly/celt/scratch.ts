// Work memory of the CELT decoder; nothing here outlives a call.
import { CELT_SCRATCH_AT } from "../layout";

/** Normalised spectrum, two channels of up to 960 bins. */
export const SPECTRUM_AT: usize = CELT_SCRATCH_AT;
/** Spectrum with its energy, two channels. */
export const FREQUENCIES_AT: usize = SPECTRUM_AT + 2 * 960 * 4;
/** Decoded bands at unit energy per bin, the source of folding; two channels of 8 * 78 bins. */
export const FOLD_AT: usize = FREQUENCIES_AT + 2 * 960 * 4;
export const FOLD_SAMPLES: i32 = 640;
/** Folding source of one band, transformed. */
export const LOWBAND_AT: usize = FOLD_AT + 2 * 640 * 4;
/** Reordering buffer of one band. */
export const REORDER_AT: usize = LOWBAND_AT + 192 * 4;
/** Pulses of one partition. */
export const PULSES_AT: usize = REORDER_AT + 192 * 4;

/** One i32 per band. */
export const TF_CHANGE_AT: usize = PULSES_AT + 192 * 4;
export const CAPS_AT: usize = TF_CHANGE_AT + 128;
export const BOOSTS_AT: usize = CAPS_AT + 128;
export const FINE_BITS_AT: usize = BOOSTS_AT + 128;
export const BAND_BITS_AT: usize = FINE_BITS_AT + 128;
export const FINE_PRIORITY_AT: usize = BAND_BITS_AT + 128;
export const BITS_LOW_AT: usize = FINE_PRIORITY_AT + 128;
export const BITS_STEP_AT: usize = BITS_LOW_AT + 128;
export const THRESHOLDS_AT: usize = BITS_STEP_AT + 128;
export const TRIM_OFFSETS_AT: usize = THRESHOLDS_AT + 128;
/** One byte per band and channel. */
export const COLLAPSE_MASKS_AT: usize = TRIM_OFFSETS_AT + 128;
/** Structs that functions return through. */
export const BAND_CONTEXT_AT: usize = COLLAPSE_MASKS_AT + 64;
export const SPLIT_AT: usize = BAND_CONTEXT_AT + 128;
export const WALK_AT: usize = SPLIT_AT + 64;
export const RESOLUTION_AT: usize = WALK_AT + 128;
export const ALLOCATION_AT: usize = RESOLUTION_AT + 64;

/** FFT of up to 480 points, split into real and imaginary parts. */
export const FFT_REAL_AT: usize = ALLOCATION_AT + 64;
export const FFT_IMAGINARY_AT: usize = FFT_REAL_AT + 512 * 4;

/** Concealment: excitation with its filter memory, filtered excitation, and the pitch search. */
export const EXCITATION_AT: usize = FFT_IMAGINARY_AT + 512 * 4;
export const FILTERED_AT: usize = EXCITATION_AT + (1024 + 32) * 4;
export const WINDOWED_AT: usize = FILTERED_AT + 1152 * 4;
export const SYNTHESIS_AT: usize = WINDOWED_AT + 1024 * 4;
/** Behind the five samples before it. */
export const HALF_RATE_AT: usize = SYNTHESIS_AT + 1152 * 4 + 32;
export const QUARTER_RATE_X_AT: usize = HALF_RATE_AT + 1024 * 4;
export const QUARTER_RATE_Y_AT: usize = QUARTER_RATE_X_AT + 512 * 4;
export const CORRELATION_AT: usize = QUARTER_RATE_Y_AT + 512 * 4;
export const COEFFICIENTS_AT: usize = CORRELATION_AT + 512 * 4;
export const REVERSED_AT: usize = COEFFICIENTS_AT + 128;
export const FOLDED_OVERLAP_AT: usize = REVERSED_AT + 128;
export const CELT_SCRATCH_END: usize = FOLDED_OVERLAP_AT + 120 * 4;

/** FFT twiddle factors in the order of use; written once by `prepareTwiddles`, constant from then on. */
export const TWIDDLES_AT: usize = CELT_SCRATCH_AT + 0x1c000;
