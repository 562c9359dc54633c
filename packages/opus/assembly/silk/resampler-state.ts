// State and ratios of the SILK resampler. The coefficients follow from the pair of rates, so that nothing in the
// state is a pointer.

export const RESAMPLE_COPY: i32 = 0;
export const RESAMPLE_UP2: i32 = 1;
export const RESAMPLE_UP_FIR: i32 = 2;
export const RESAMPLE_DOWN_FIR: i32 = 3;

@unmanaged
export class ResamplerState {
  method: i32;
  inputKhz: i32;
  outputKhz: i32;
  inputDelay: i32;
  batchSize: i32;
  /** Input samples per output sample, Q16, rounded up; twice upsampled input for RESAMPLE_UP_FIR. */
  inverseRatioQ16: i32;
  firOrder: i32;
  firPhases: i32;
}

export const RESAMPLER_IIR: usize = 32; // i32[6]
export const RESAMPLER_FIR: usize = RESAMPLER_IIR + 24; // i32[36] (down) or i16[8] (up)
export const RESAMPLER_DELAY: usize = RESAMPLER_FIR + 144; // i16[48], one millisecond
export const RESAMPLER_BYTES: usize = RESAMPLER_DELAY + 96;
