import { type ErrorKind, LongwaveError } from "@longwave/base";

/** Stable codes of `OpusError`. */
export type OpusErrorCode =
  | "opus/bad-argument"
  | "opus/buffer-too-small"
  | "opus/internal"
  | "opus/invalid-packet"
  | "opus/unimplemented"
  | "opus/invalid-state"
  | "opus/out-of-slots"
  | "opus/bad-snapshot"
  | "opus/profile-mismatch"
  | "opus/closed";

const kinds: Readonly<Record<OpusErrorCode, ErrorKind>> = {
  "opus/bad-argument": "usage",
  "opus/buffer-too-small": "usage",
  "opus/internal": "unavailable",
  "opus/invalid-packet": "malformed",
  "opus/unimplemented": "unsupported",
  "opus/invalid-state": "usage",
  "opus/out-of-slots": "limit",
  "opus/bad-snapshot": "malformed",
  "opus/profile-mismatch": "unsupported",
  "opus/closed": "usage",
};

const libopusCodes: Partial<Record<OpusErrorCode, number>> = {
  "opus/bad-argument": -1,
  "opus/buffer-too-small": -2,
  "opus/internal": -3,
  "opus/invalid-packet": -4,
  "opus/unimplemented": -5,
  "opus/invalid-state": -6,
  "opus/out-of-slots": -7,
};

/** Whatever the codec throws on purpose. */
export class OpusError extends LongwaveError {
  override readonly name = "OpusError";
  /** The error number of libopus, -1..-7, where there is one. */
  readonly libopusCode: number | undefined;

  constructor(code: OpusErrorCode, message: string, options?: { cause?: unknown }) {
    super(code, kinds[code], message, options);
    this.libopusCode = libopusCodes[code];
  }
}

/** The error for a negative code of the core, with what was being done. */
export function errorOfCode(code: number, what: string): OpusError {
  switch (code) {
    case -1:
      return new OpusError("opus/bad-argument", `${what}: an argument is out of range.`);
    case -2:
      return new OpusError("opus/buffer-too-small", `${what}: the output buffer is too short.`);
    case -4:
      return new OpusError(
        "opus/invalid-packet",
        `${what}: the packet breaks the framing rules of RFC 6716.`,
      );
    case -5:
      return new OpusError("opus/unimplemented", `${what}: not supported.`);
    case -6:
      return new OpusError("opus/invalid-state", `${what}: the object is not in a state for this.`);
    default:
      return new OpusError("opus/internal", `${what}: the packet is corrupt inside (code ${code}).`);
  }
}
