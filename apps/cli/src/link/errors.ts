import { LongwaveError } from "@longwave/base";

/** A mistake in the use of `longwave link`, or a source or output that failed. */
export class LinkError extends LongwaveError {
  override readonly name = "LinkError";
}
