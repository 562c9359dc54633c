export { createExtractPool, type ExtractPoolOptions, type ExtractTask } from "./extract-pool.ts";
