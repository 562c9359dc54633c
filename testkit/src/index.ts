export { allocatedBytesPerCall } from "./allocation-meter.ts";
export { repositoryPath, sharedPath } from "./shared-data.ts";
export { parseWasmShape, type WasmShape } from "./wasm-shape.ts";
