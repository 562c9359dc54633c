export { type WatermarkDetectOptions, WatermarkDetector, type WatermarkSpan } from "./detector.ts";
export { WatermarkEmbedder, type WatermarkEmbedOptions } from "./embedder.ts";
export type { PayloadBytes } from "./message.ts";
