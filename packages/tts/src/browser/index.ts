export { BrowserEngine, type BrowserEngineOptions } from "./browser-engine.ts";
export { type FetchOptions, ModelStore, type StoredFile } from "./model-store.ts";
export { SpeechPlayer, type SpeechPlayerOptions } from "./speech-player.ts";
