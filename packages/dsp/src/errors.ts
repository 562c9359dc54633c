import { LongwaveError } from "@longwave/base";

/** An argument that breaks a documented rule, or a size that the dsp core cannot hold. */
export class DspError extends LongwaveError {
  override readonly name = "DspError";
}

/** Throws `dsp/bad-length` unless an array has exactly `length` values. */
export function requireLength(what: string, array: { readonly length: number }, length: number): void {
  if (array.length !== length) {
    throw new DspError("dsp/bad-length", "usage", `${what} must have ${length} values, not ${array.length}.`);
  }
}

/** Throws `dsp/bad-length` unless an array has at least `length` values. */
export function requireRoom(what: string, array: { readonly length: number }, length: number): void {
  if (array.length < length) {
    throw new DspError(
      "dsp/bad-length",
      "usage",
      `${what} must have room for ${length} values, not ${array.length}.`,
    );
  }
}

/** Throws `dsp/bad-option` unless `value` is an integer in [minimum, maximum]. */
export function requireInteger(what: string, value: number, minimum: number, maximum: number): void {
  if (!Number.isInteger(value) || value < minimum || value > maximum) {
    throw new DspError(
      "dsp/bad-option",
      "usage",
      `${what} must be a whole number from ${minimum} to ${maximum}, not ${value}.`,
    );
  }
}

/** Throws `dsp/bad-option` unless `value` is finite and in [minimum, maximum]. */
export function requireNumber(what: string, value: number, minimum: number, maximum: number): void {
  if (!(value >= minimum && value <= maximum)) {
    throw new DspError(
      "dsp/bad-option",
      "usage",
      `${what} must be a number from ${minimum} to ${maximum}, not ${value}.`,
    );
  }
}
