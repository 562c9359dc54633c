import { type ErrorKind, LongwaveError } from "@longwave/base";

/** What went wrong in `@longwave/netsim`; `code` is stable API. */
export type NetsimErrorCode =
  | "netsim/bad-model"
  | "netsim/bad-scenario"
  | "netsim/address-in-use"
  | "netsim/bind-failed"
  | "netsim/unsupported"
  | "netsim/command-failed";

/** A model, scenario or address that breaks a documented rule. */
export class NetsimError extends LongwaveError {
  override readonly name = "NetsimError";

  constructor(code: NetsimErrorCode, kind: ErrorKind, message: string, options?: { cause?: unknown }) {
    super(code, kind, message, options);
  }
}
