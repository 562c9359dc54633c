import { type ErrorKind, LongwaveError } from "@longwave/base";

/**
 * What can go wrong in a station. Codes: `station/bad-option`, `station/no-audio`, `station/unreadable`,
 * `station/too-many-listeners`, `station/closed`, `station/archive-in-use`, `station/nothing-recorded`, `station/range-too-long`,
 * `station/bad-proof`, `station/bad-key` and others, each named where it is thrown.
 */
export class StationError extends LongwaveError {
  override readonly name = "StationError";

  constructor(code: `station/${string}`, kind: ErrorKind, message: string, options?: { cause?: unknown }) {
    super(code, kind, message, options);
  }
}
