export {
  type DownloadOptions,
  type DownloadResult,
  downloadModel,
  type LockedFile,
} from "./download-model.ts";
export { exportModel } from "./export-model.ts";
export { type ExportVoiceProgramOptions, exportVoiceByProgram } from "./export-voice-program.ts";
export { FileByteSource } from "./file-byte-source.ts";
export { findFlite, openFlite } from "./open-flite.ts";
export { type FoundOnnxRuntime, loadOnnxRuntime, type OpenOnnxOptions, openOnnx } from "./open-onnx.ts";
export { engineNames, type OpenTtsOptions, openTts } from "./open-tts.ts";
export { PocketEngine, type PocketEngineOptions, readVoiceFile } from "./pocket-engine.ts";
export {
  type CommandTemplate,
  knownCommands,
  parseCommandTemplate,
  SubprocessEngine,
  type SubprocessOptions,
} from "./subprocess-engine.ts";
export { type ModelCheck, verifyModel } from "./verify-model.ts";
export { verifyOnnx } from "./verify-onnx.ts";
export { addVoice, exportVoice } from "./voice-files.ts";
