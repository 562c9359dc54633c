export { createExtractPool, type ExtractPoolOptions, type ExtractTask } from "./extract-pool.ts";
export { readModelFile } from "./read-model-file.ts";
