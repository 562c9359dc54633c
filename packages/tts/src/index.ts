export { concatenate } from "./audio/concatenate.ts";
export { type FinishOptions, finish } from "./audio/finish.ts";
export { streamingWavHeader, toReferenceInt16, trailingSilenceFrames } from "./audio/reference-wav.ts";
export { resamplePoly } from "./audio/resample-poly.ts";
export { frameSamples, type ModelConfig, parseModelConfig, stepsPerFrame } from "./config/model-config.ts";
export { type PredefinedVoice, predefinedVoiceList, predefinedVoices } from "./config/predefined-voices.ts";
export {
  type PublishedModel,
  publishedConfigText,
  publishedModels,
  voiceLocation,
} from "./config/published-models.ts";
export { parseYaml, type YamlMap, type YamlValue } from "./config/yaml-subset.ts";
export { InlineEngine, type InlineEngineOptions, type InlineVoice } from "./engine/inline-engine.ts";
export type {
  SamplingOptions,
  SpeechEngine,
  SpeechRequest,
  VoiceInfo,
  VoiceRecording,
} from "./engine/speech-engine.ts";
export { type EngineVoice, type SpeakOptions, Speech, Tts, type TtsOptions } from "./engine/tts.ts";
export { TtsError, type TtsErrorCode, ttsErrorKinds } from "./errors.ts";
export { FliteEngine, type RunFlite } from "./flite/flite-engine.ts";
export { runWasiProgram, type WasiResult } from "./flite/wasi-program.ts";
export { FormantEngine } from "./formant/formant-engine.ts";
export { type ByteSource, MemoryByteSource } from "./model/byte-source.ts";
export { cloneVoice, maxCloneSeconds } from "./model/clone-voice.ts";
export type { WeightFormat } from "./model/linear.ts";
export { PocketModel, type PocketModelOptions } from "./model/pocket-model.ts";
export {
  type Dtype,
  dtypeBytes,
  SafetensorsFile,
  type SafetensorsLimits,
  type TensorInfo,
} from "./model/safetensors.ts";
export { type WritableTensor, writeSafetensors } from "./model/safetensors-writer.ts";
export { tensorList } from "./model/tensor-list.ts";
export {
  type Chunk,
  planUtterance,
  type Sampling,
  Utterance,
  type UtterancePlan,
} from "./model/utterance.ts";
export { exportOnnx, type OnnxManifest, type OnnxManifestGraph } from "./onnx/export-onnx.ts";
export { OnnxEngine, type OnnxEngineOptions } from "./onnx/onnx-engine.ts";
export type { OnnxDimension, OnnxType, OnnxValue } from "./onnx/onnx-graph.ts";
export {
  floatsOf,
  type OnnxRuntime,
  type OnnxSession,
  OnnxSessions,
  type OnnxTensor,
  type ReadOnnxFile,
} from "./onnx/onnx-runtime.ts";
export { TorchRandom } from "./sampling/torch-random.ts";
export {
  type ServedSpeech,
  type SpeechReport,
  SpeechService,
  type SpeechServiceOptions,
  type SpeechStatistics,
} from "./service/speech-service.ts";
export { chunkBySentence } from "./text/chunk-by-sentence.ts";
export { fewestWords, joinShort } from "./text/join-short.ts";
export { maxPauseMs, maxPausesMs, type SpokenPart, splitAtPauses } from "./text/pauses.ts";
export {
  defaultMaxTextBytes,
  normalizeText,
  type PreparedText,
  type PrepareTextOptions,
  prepareText,
} from "./text/prepare-text.ts";
export { SentencePieceTokenizer } from "./text/sentencepiece-tokenizer.ts";
export { defaultMaxTokens, splitIntoChunks } from "./text/split-into-chunks.ts";
export {
  formatVoiceManifest,
  isNonCommercial,
  type ManifestVoice,
  parseVoiceManifest,
} from "./voice/voice-manifest.ts";
export {
  readVoice,
  type VoiceCache,
  type VoicePrompt,
  type VoiceState,
  voiceBytes,
  writeVoice,
} from "./voice/voice-state.ts";
