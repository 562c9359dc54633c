import { MediaError } from "../errors.ts";

/** Warnings of one kind that are kept. */
const maxWarnings = 16;

/** Keeps the first few of what may be thousands of equal messages. */
export function addWarning(warnings: string[], message: string): void {
  if (warnings.length < maxWarnings && !warnings.includes(message)) warnings.push(message);
}

/** What foreign decoders throw is about the content; errors of ours pass through. */
export function asDecodeError(error: unknown): unknown {
  if (error instanceof MediaError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new MediaError("media/decode-failed", `The decoder gave up: ${reason}.`, { cause: error });
}
