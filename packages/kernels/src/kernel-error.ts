import { LongwaveError } from "@longwave/base";

/** A WASM core could not be started, is damaged, or has no room left. */
export class KernelError extends LongwaveError {
  override readonly name = "KernelError";
}
