import { type ErrorKind, LongwaveError } from "@longwave/base";

/** Why a fingerprint could not be made or read. */
export type FingerprintErrorCode =
  | "fp/non-finite"
  | "fp/too-short"
  | "fp/rate"
  | "fp/channels"
  | "fp/limit"
  | "fp/timeout"
  | "fp/envelope"
  | "fp/version"
  | "fp/profile-mismatch"
  | "fp/settings"
  | "fp/closed"
  | "watermark/key"
  | "watermark/payload";

const kinds: Readonly<Record<FingerprintErrorCode, ErrorKind>> = {
  "fp/non-finite": "malformed",
  "fp/too-short": "usage",
  "fp/rate": "usage",
  "fp/channels": "usage",
  "fp/limit": "limit",
  "fp/timeout": "limit",
  "fp/envelope": "malformed",
  "fp/version": "unsupported",
  "fp/profile-mismatch": "usage",
  "fp/settings": "usage",
  "fp/closed": "usage",
  "watermark/key": "usage",
  "watermark/payload": "usage",
};

/** The errors of `@longwave/fingerprint`; `code` is one of {@link FingerprintErrorCode}. */
export class FingerprintError extends LongwaveError {
  override readonly name = "FingerprintError";

  constructor(code: FingerprintErrorCode, message: string, options?: { cause?: unknown }) {
    super(code, kinds[code], message, options);
  }
}
