import { type ErrorKind, LongwaveError } from "@longwave/base";

/** What went wrong in `@longwave/bond`; `code` is stable API. */
export type BondErrorCode =
  | "bond/bad-uri"
  | "bond/bad-option"
  | "bond/bad-config"
  | "bond/unsupported"
  | "bond/unsupported-version"
  | "bond/packet-too-large"
  | "bond/bind-failed"
  | "bond/worker-failed"
  | "bond/closed";

/** An option, configuration or call that breaks a documented rule, or a socket that could not be opened. */
export class BondError extends LongwaveError {
  override readonly name = "BondError";

  constructor(code: BondErrorCode, kind: ErrorKind, message: string, options?: { cause?: unknown }) {
    super(code, kind, message, options);
  }
}

/** The error of an option out of its range. */
export function badOption(name: string, value: unknown, range: string): BondError {
  return new BondError("bond/bad-option", "usage", `${name} is ${String(value)}; it must be ${range}.`);
}
