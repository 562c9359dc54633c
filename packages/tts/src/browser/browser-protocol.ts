import type { SpeechRequest, VoiceInfo } from "../engine/speech-engine.ts";
import type { WeightFormat } from "../model/linear.ts";

/** Frames that the worker may be ahead of the listener: 2 s, as between the threads of the native engine. */
export const maxFramesAhead = 25;

/** What the worker opens. */
export interface OpenMessage {
  readonly kind: "open";
  /** Absolute address of the model's folder. */
  readonly modelUrl: string;
  readonly voices: readonly string[] | undefined;
  readonly precision: WeightFormat;
  readonly cloning: boolean;
  /** Name of the store in the origin's private file system; undefined: fetch every time. */
  readonly store: string | undefined;
}

/** A request without its signal, which cannot leave its thread. */
export type PlainRequest = Omit<SpeechRequest, "signal">;

/** To the worker. */
export type EngineMessage =
  | OpenMessage
  | { readonly kind: "speak"; readonly id: number; readonly request: PlainRequest }
  /** The listener took a frame. */
  | { readonly kind: "taken"; readonly id: number }
  | { readonly kind: "cancel"; readonly id: number };

export interface PlainError {
  readonly code: string;
  readonly message: string;
}

/** From the worker. */
export type WorkerMessage =
  | {
      readonly kind: "progress";
      readonly file: string;
      readonly done: number;
      readonly total: number | undefined;
    }
  | {
      readonly kind: "opened";
      readonly sampleRate: number;
      readonly defaultVoice: string;
      readonly voices: readonly VoiceInfo[];
    }
  | { readonly kind: "failed"; readonly error: PlainError }
  | { readonly kind: "audio"; readonly id: number; readonly pcm: Float32Array }
  | { readonly kind: "end"; readonly id: number; readonly error?: PlainError };
