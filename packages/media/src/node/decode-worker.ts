// The thread in which third-party decoders run, so that a hard time limit can end it. One job, then it is terminated.
import { parentPort, workerData } from "node:worker_threads";
import type { AudioFormat } from "../decode/audio-format.ts";
import { builtInDecoders, type DecodedAudio, decodeWith } from "../decode/decode-audio-bytes.ts";
import type { DecodeLimits } from "../decode/limits.ts";
import type { PcmForm } from "../decode/pcm-sink.ts";
import type { MediaErrorCode } from "../errors.ts";
import { MediaError } from "../errors.ts";

/** What the worker is started with. */
export interface DecodeJob {
  readonly bytes: Uint8Array;
  readonly format: AudioFormat;
  readonly form: PcmForm;
  readonly limits: DecodeLimits;
}

/** What it answers, once. */
export type DecodeAnswer =
  | { readonly audio: DecodedAudio }
  | { readonly code: MediaErrorCode; readonly message: string };

// The decoders print damaged frames to the console; they are returned as warnings instead.
console.error = () => undefined;

const { bytes, format, form, limits } = workerData as DecodeJob;
try {
  const audio = await decodeWith(builtInDecoders, bytes, format, form, limits, new AbortController().signal);
  parentPort?.postMessage({ audio } satisfies DecodeAnswer, [audio.pcm.buffer as ArrayBuffer]);
} catch (error) {
  const code = error instanceof MediaError ? error.code : "media/decode-failed";
  const message = error instanceof Error ? error.message : String(error);
  parentPort?.postMessage({ code, message } satisfies DecodeAnswer);
}
