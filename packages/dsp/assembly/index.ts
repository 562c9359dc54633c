// Exports of the dsp core; nothing else is reachable from JavaScript.
export { fftForward, fftPlan, fftPlanBytes } from "../../kernels/assembly/fft";
export {
  realFftForward,
  realFftInverse,
  realFftInverseOdd,
  realFftPlan,
  realFftPlanBytes,
} from "../../kernels/assembly/real-fft";

/** First byte behind the static data. */
export function heapBase(): usize {
  return __heap_base;
}

export { exp2, log2 } from "../../kernels/assembly/logarithm";
export { cosTurn, sinTurn } from "../../kernels/assembly/turns";
export { bandSums, powerOf, scaledLog2, stftFrame } from "./spectrum";
export { boxPeaks, rowMaxima } from "./peaks";
export { resample, sincTable } from "./resampler";
export { interpolatedPeak, weightedEnergy, windowLoudness } from "./loudness";
