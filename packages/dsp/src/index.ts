export { ComplexFft } from "./complex-fft.ts";
export { DspError } from "./errors.ts";
export { RealFft } from "./real-fft.ts";
