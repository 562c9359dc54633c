export { allocatedBytesPerCall } from "./allocation-meter.ts";
export { mutateBytes } from "./byte-mutator.ts";
export { type FakeS3, startFakeS3 } from "./fake-s3.ts";
export { isFullSweep } from "./full-sweep.ts";
export { type FuzzReport, type FuzzTarget, fuzzParser } from "./fuzz-parser.ts";
export { listCase, readableObjects, readCases, type StoreCase, writeCases } from "./object-store-cases.ts";
export { repositoryPath, sharedPath } from "./shared-data.ts";
export { byteTokenizer, smallSpeechConfig, writeRandomSpeechModel } from "./speech-model.ts";
export { parseWasmShape, type WasmShape } from "./wasm-shape.ts";
