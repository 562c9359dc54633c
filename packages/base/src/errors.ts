/** What sort of failure an error is; it decides the CLI exit code and the HTTP status. */
export type ErrorKind = "usage" | "malformed" | "unsupported" | "limit" | "unavailable";

/**
 * The root of all errors that Longwave throws on purpose. `code` is stable API (`package/reason`), `message` is a
 * plain sentence with the offending value and what to do, `cause` is kept.
 */
export abstract class LongwaveError extends Error {
  /** Stable, for example `archive/chunk-missing`. */
  readonly code: string;
  readonly kind: ErrorKind;

  constructor(code: string, kind: ErrorKind, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.kind = kind;
  }
}

/** An argument or call that breaks a documented rule of `@longwave/base`, or a store or stream that failed. */
export class BaseError extends LongwaveError {
  override readonly name = "BaseError";
}

/**
 * True if `error` is a Longwave error, and, where `code` is given, this very one. It compares by shape, so that it also
 * holds when two copies of the package are loaded.
 */
export function isLongwaveError(error: unknown, code?: string): error is LongwaveError {
  if (!(error instanceof Error)) return false;
  const candidate = error as Partial<LongwaveError>;
  if (typeof candidate.code !== "string" || !isErrorKind(candidate.kind)) return false;
  return code === undefined || candidate.code === code;
}

function isErrorKind(kind: unknown): kind is ErrorKind {
  return typeof kind === "string" && kind in exitCodes;
}

const exitCodes: Readonly<Record<ErrorKind, number>> = {
  usage: 2,
  malformed: 3,
  unsupported: 3,
  limit: 4,
  unavailable: 5,
};

const httpStatuses: Readonly<Record<ErrorKind, number>> = {
  usage: 400,
  malformed: 422,
  unsupported: 415,
  limit: 413,
  unavailable: 503,
};

/** Process exit code for an error: 2 usage, 3 malformed or unsupported, 4 limit, 5 unavailable, 1 anything else. */
export function exitCodeOf(error: unknown): number {
  return isLongwaveError(error) ? exitCodes[error.kind] : 1;
}

/** HTTP status for an error: 400, 422, 415, 413, 503 by kind, 500 anything else. */
export function httpStatusOf(error: unknown): number {
  return isLongwaveError(error) ? httpStatuses[error.kind] : 500;
}
