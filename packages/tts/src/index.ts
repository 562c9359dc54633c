export type { SamplingOptions, SpeechEngine, SpeechRequest, VoiceInfo } from "./engine/speech-engine.ts";
export { TtsError, type TtsErrorCode, ttsErrorKinds } from "./errors.ts";
export { FormantEngine } from "./formant/formant-engine.ts";
