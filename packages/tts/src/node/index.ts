export { FileByteSource } from "./file-byte-source.ts";
export { engineNames, type OpenTtsOptions, openTts } from "./open-tts.ts";
export { PocketEngine, type PocketEngineOptions, readVoiceFile } from "./pocket-engine.ts";
export {
  type CommandTemplate,
  knownCommands,
  SubprocessEngine,
  type SubprocessOptions,
} from "./subprocess-engine.ts";
