import type { WeightFormat } from "../model/linear.ts";
import type { UtterancePlan } from "../model/utterance.ts";
import type { VoiceState } from "../voice/voice-state.ts";
import type { WeightsPlace } from "./open-weights.ts";

/**
 * What a thread of the native engine does: the language model with the front part of the decoder, the back part of the decoder, or
 * all of it.
 */
export type PocketRole = "language" | "decoder" | "both";

/** How a thread is started. */
export interface PocketWorkerData {
  readonly role: PocketRole;
  readonly configText: string;
  readonly configLabel: string;
  readonly weights: WeightsPlace;
  readonly format: WeightFormat;
  readonly capacity: number;
  /** Load the encoder too, so that recordings can be made into voices. */
  readonly cloning: boolean;
  /** Shared 32-bit words, see the constants below. */
  readonly control: Int32Array;
  /** Layers of the decoder's transformer that run on the language model's thread. */
  readonly frontLayers: number;
  /** Shared ring of {@link ringFrames} frames of decoder steps, from the language model's thread to the decoder's. */
  readonly ring: Float32Array;
}

/** Highest id of an utterance that was cancelled. */
export const cancelledWord = 0;
/** Frames of the current utterance that the listener has taken. */
export const takenWord = 1;
export const controlWords = 2;

/** Frames that the language model may be ahead of the listener: 2 s. A slow listener stops it here. */
export const maxFramesAhead = 25;
/** A frame's place in the ring is free again once the listener has taken the frame, so one more than may be ahead. */
export const ringFrames: number = maxFramesAhead + 1;

/** To the language model: make a voice of a recording. */
export interface CloneMessage {
  readonly kind: "clone";
  readonly pcm: Float32Array;
  readonly sampleRate: number;
}

/** To the language model. */
export interface SpeakMessage {
  readonly kind: "speak";
  readonly id: number;
  readonly plan: UtterancePlan;
  readonly voice: VoiceState;
}

/** From the language model's thread to the decoder's: a frame's steps are in the ring. */
export type StepsMessage =
  | {
      readonly kind: "steps";
      readonly id: number;
      /** Place in the ring, 0 to {@link ringFrames} - 1. */
      readonly place: number;
      readonly isChunkStart: boolean;
    }
  | EndMessage;

/** The utterance is over: all said, cancelled, or failed. */
export interface EndMessage {
  readonly kind: "end";
  readonly id: number;
  readonly cappedChunks: number;
  readonly error?: { readonly code: string; readonly message: string };
}

/** To the listener. */
export type AudioMessage =
  | { readonly kind: "ready"; readonly residentBytes: number }
  | { readonly kind: "failed"; readonly code: string; readonly message: string }
  | { readonly kind: "voice"; readonly voice: VoiceState }
  | { readonly kind: "voice-failed"; readonly code: string; readonly message: string }
  | { readonly kind: "audio"; readonly id: number; readonly pcm: Float32Array }
  | EndMessage;
