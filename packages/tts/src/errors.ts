import { LongwaveError } from "@longwave/base";

/** Every code that `@longwave/tts` throws, with its kind. Codes are stable API. */
export const ttsErrorKinds = {
  "tts/empty-text": "usage",
  "tts/text-too-long": "limit",
  "tts/option-invalid": "usage",
  "tts/config-invalid": "malformed",
  "tts/model-malformed": "malformed",
  "tts/model-missing": "unavailable",
  "tts/model-too-large": "limit",
  "tts/tokenizer-unsupported": "unsupported",
  "tts/voice-unknown": "usage",
  "tts/voice-missing": "unavailable",
  "tts/voice-mismatch": "malformed",
  "tts/voice-malformed": "malformed",
  "tts/cloning-unavailable": "unavailable",
  "tts/engine-unknown": "usage",
  "tts/engine-unavailable": "unavailable",
  "tts/executable-not-found": "unavailable",
  "tts/process-timeout": "unavailable",
  "tts/non-zero-exit": "unavailable",
  "tts/wav-malformed": "malformed",
  "tts/format-unsupported": "unsupported",
  "tts/output-too-large": "limit",
  "tts/queue-full": "unavailable",
  "tts/draining": "unavailable",
  "tts/timeout": "unavailable",
  "tts/no-eos": "unavailable",
  "tts/download-failed": "unavailable",
  "tts/checksum-mismatch": "malformed",
  "tts/voice-url-refused": "usage",
  "tts/upload-too-large": "limit",
  "tts/worker-failed": "unavailable",
  "tts/tensor-invalid": "usage",
  "tts/closed": "usage",
} as const;

/** A stable error code of this package. */
export type TtsErrorCode = keyof typeof ttsErrorKinds;

/** Speech failed for a reason that the caller can act on; see {@link ttsErrorKinds} for the codes. */
export class TtsError extends LongwaveError {
  override readonly name = "TtsError";

  constructor(code: TtsErrorCode, message: string, options?: { cause?: unknown }) {
    super(code, ttsErrorKinds[code], message, options);
  }
}
