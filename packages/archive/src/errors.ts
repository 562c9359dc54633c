import { type ErrorKind, isLongwaveError, LongwaveError } from "@longwave/base";

/** What went wrong in an archive; one stable code each. */
export type ArchiveErrorCode =
  | "archive/range"
  | "archive/gap"
  | "archive/not-found"
  | "archive/no-framing"
  | "archive/truncated"
  | "archive/not-opus"
  | "archive/multistream"
  | "archive/lossy"
  | "archive/ffmpeg"
  | "archive/duplicate"
  | "archive/chunk-corrupt"
  | "archive/chunk-missing"
  | "archive/metadata"
  | "archive/proof-failed"
  | "archive/limit"
  | "archive/version"
  | "archive/profile"
  | "archive/no-range"
  | "archive/write-failed"
  | "archive/append-mismatch"
  | "archive/closed"
  | "archive/no-export"
  | "archive/lease"
  | "archive/options";

const kinds: Readonly<Record<ArchiveErrorCode, ErrorKind>> = {
  "archive/range": "usage",
  "archive/gap": "usage",
  "archive/not-found": "usage",
  "archive/no-framing": "usage",
  "archive/truncated": "malformed",
  "archive/not-opus": "malformed",
  "archive/multistream": "unsupported",
  "archive/lossy": "usage",
  "archive/ffmpeg": "unavailable",
  "archive/duplicate": "usage",
  "archive/chunk-corrupt": "malformed",
  "archive/chunk-missing": "malformed",
  "archive/metadata": "malformed",
  "archive/proof-failed": "malformed",
  "archive/limit": "limit",
  "archive/version": "unsupported",
  "archive/profile": "unsupported",
  "archive/no-range": "unavailable",
  "archive/write-failed": "unavailable",
  "archive/append-mismatch": "usage",
  "archive/closed": "usage",
  "archive/no-export": "unsupported",
  "archive/lease": "unavailable",
  "archive/options": "usage",
};

/** An archive's failure. `message` names the offending value and what to do. */
export class ArchiveError extends LongwaveError {
  override readonly name = "ArchiveError";

  constructor(code: ArchiveErrorCode, message: string, options?: { cause?: unknown }) {
    super(code, kinds[code], message, options);
  }
}

/** What a store threw while it was written, as `archive/write-failed`; everything else as it is. */
export function asWriteFailure(error: unknown): unknown {
  if (!isLongwaveError(error) || !error.code.startsWith("store/") || error.code === "store/conflict")
    return error;
  return new ArchiveError(
    "archive/write-failed",
    `The archive cannot be written: ${error.message} What was there is unchanged; make room or mend the store, then resume.`,
    { cause: error },
  );
}
