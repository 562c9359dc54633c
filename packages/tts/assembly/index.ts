// The core of @longwave/tts. All functions work on addresses in the imported memory and keep no state of their own, so several
// threads may run instances of this module over one shared memory.

export { cosine, exponential, logarithm, sine } from "../../kernels/assembly/elementary";
export { gemmBf16, packPanelsBf16 } from "../../kernels/assembly/gemm-bf16";
export { gemmF32, packPanelsF32 } from "../../kernels/assembly/gemm-f32";
export { gemmInt8, packRowsInt8, quantizeActivations } from "../../kernels/assembly/gemm-int8";
export { addGated, addScaled, elu, gelu, scaleAndShift, silu } from "./activations";
export { appendKeysAndValues, attend, rotaryTable } from "./attention";
export { gaussianBlock } from "./gaussian";
export { layerNorm, layerNormModulated, varianceNorm } from "./normalization";
export { upsample } from "./upsample";
export { readThrough } from "./read-through";
