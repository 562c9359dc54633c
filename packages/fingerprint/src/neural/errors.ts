import { type ErrorKind, LongwaveError } from "@longwave/base";

/** Why a model could not be loaded or run. */
export type NeuralErrorCode =
  | "neural/model-missing"
  | "neural/model-load"
  | "neural/model-untrusted"
  | "neural/inference"
  | "neural/settings"
  | "neural/input";

const kinds: Readonly<Record<NeuralErrorCode, ErrorKind>> = {
  "neural/model-missing": "unavailable",
  "neural/model-load": "malformed",
  "neural/model-untrusted": "usage",
  "neural/inference": "malformed",
  "neural/settings": "usage",
  "neural/input": "usage",
};

/** The errors of the neural runners; `code` is one of {@link NeuralErrorCode}. */
export class NeuralError extends LongwaveError {
  override readonly name = "NeuralError";

  constructor(code: NeuralErrorCode, message: string, options?: { cause?: unknown }) {
    super(code, kinds[code], message, options);
  }
}
