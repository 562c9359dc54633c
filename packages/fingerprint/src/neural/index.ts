export { type EmbeddingSink, EmbeddingStream, type Embeddings, NeuralEmbedder } from "./embedder.ts";
export {
  type EmbedderSettings,
  embedderDefaults,
  type WindowShape,
  windowShapeOf,
} from "./embedder-settings.ts";
export { NeuralError, type NeuralErrorCode } from "./errors.ts";
export { LogMelWindow } from "./log-mel-window.ts";
export {
  type EmbeddingComparison,
  type EmbeddingMatch,
  type MatchEmbeddingsOptions,
  matchEmbeddings,
} from "./match-embeddings.ts";
export {
  type NeuralDetection,
  type NeuralDetectorSettings,
  type NeuralMarkerSettings,
  NeuralWatermarkDetector,
  NeuralWatermarkEmbedder,
  neuralDetectorDefaults,
  neuralMarkerDefaults,
} from "./neural-watermark.ts";
export {
  type FloatTensor,
  OnnxModel,
  type OnnxModelOptions,
  type OnnxRuntime,
  type OnnxSession,
  type OnnxTensor,
} from "./onnx-model.ts";
