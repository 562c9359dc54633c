export { allocatedBytesPerCall } from "./allocation-meter.ts";
export { mutateBytes } from "./byte-mutator.ts";
export { isFullSweep } from "./full-sweep.ts";
export { type FuzzReport, type FuzzTarget, fuzzParser } from "./fuzz-parser.ts";
export { repositoryPath, sharedPath } from "./shared-data.ts";
export { byteTokenizer, smallSpeechConfig, writeRandomSpeechModel } from "./speech-model.ts";
export { parseWasmShape, type WasmShape } from "./wasm-shape.ts";
