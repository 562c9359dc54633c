export { BoxPeakPicker, type BoxPeakPickerOptions, type PeakRow } from "./box-peak-picker.ts";
export { ComplexFft } from "./complex-fft.ts";
export { ConstantQ, type ConstantQOptions } from "./constant-q.ts";
export { DspError } from "./errors.ts";
export { DcBlocker, fadeLinear, normalizePeak } from "./level.ts";
export { LoudnessMeter, type LoudnessMeterOptions } from "./loudness-meter.ts";
export {
  hzToMel,
  LogMel,
  type LogMelOptions,
  MelFilterbank,
  type MelOptions,
  type MelScale,
  melToHz,
} from "./mel.ts";
export { RealFft } from "./real-fft.ts";
export { Resampler, type ResamplerOptions } from "./resampler.ts";
export { Stft, type StftOptions } from "./stft.ts";
export { createWindow, type WindowName, type WindowOptions } from "./window.ts";
