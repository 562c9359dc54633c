/** What a listener can choose from. */
export interface VoiceInfo {
  readonly id: string;
  /** Short name of the licence under which the voice may be used, for example `CC-BY-4.0`. */
  readonly license: string;
  /** BCP 47 language, where known. */
  readonly language?: string;
  readonly attribution?: string;
}

/** One text to speak, already cleaned by `normalizeText`. */
export interface SpeechRequest {
  readonly text: string;
  /** Id of one of the engine's voices; its default where absent. */
  readonly voice?: string;
  /** Same seed, text, voice and engine: same samples. Default 0. */
  readonly seed?: number;
  /** Ends the speech; the iteration then throws the signal's reason. */
  readonly signal?: AbortSignal;
  /** Speak as whoever speaks here, instead of a voice; only for engines with `canClone`. */
  readonly recording?: VoiceRecording;
  /** Settings that only the native engine knows. */
  readonly sampling?: SamplingOptions;
}

/** A recording to make a voice of; its first 30 s are used. */
export interface VoiceRecording {
  /** Mono samples. */
  readonly pcm: Float32Array;
  /** Hz. */
  readonly sampleRate: number;
}

/** The reference's sampling settings, with its names and defaults. */
export interface SamplingOptions {
  /** Steps of the flow decoder, 1 to 64; default 1. */
  readonly lsdDecodeSteps?: number;
  /** Variance of the noise, 0 to 10; default 0.7. */
  readonly temperature?: number;
  /** Truncate the noise to ±this; default off. */
  readonly noiseClamp?: number;
  /** Logit above which speech is taken to have ended; default -4. */
  readonly eosThreshold?: number;
  /** Frames after the end of speech; default by the model's configuration, else by the text's length. */
  readonly framesAfterEos?: number;
  /** Most tokens spoken in one go; default 50. */
  readonly maxTokens?: number;
  /** Join chunks of fewer than three words to a neighbour, even beyond `maxTokens`; default false, as in the reference. */
  readonly joinShort?: boolean;
  /** Put 8 spaces before chunks of fewer than five words, as the first releases of the reference did; default false. */
  readonly legacyPad?: boolean;
}

/**
 * A way to make speech. Blocks are mono at `sampleRate`, in order; their sizes are the engine's own business (the native engine
 * gives 80 ms each). An engine may be asked again while it speaks; it then speaks one after the other or side by side.
 */
export interface SpeechEngine {
  /** Name shown to users, for example `native` or `formant`. */
  readonly name: string;
  /** Hz. */
  readonly sampleRate: number;
  readonly defaultVoice: string;
  /** True where `recording` is understood; default false. */
  readonly canClone?: boolean;
  listVoices(): readonly VoiceInfo[];
  speak(request: SpeechRequest): AsyncIterable<Float32Array>;
  close(): Promise<void>;
}
