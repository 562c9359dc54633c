import { OpusError } from "./errors.ts";

/** Longest packet of the standard. */
export const longestPacketMs = 120;

/**
 * Refuses views of detached buffers, which would otherwise look empty.
 * @throws OpusError `opus/bad-argument`
 */
export function checkUsable(view: ArrayBufferView): void {
  if (view.byteLength !== 0 || view.buffer.byteLength !== 0) return;
  try {
    new Uint8Array(view.buffer as ArrayBuffer);
  } catch (cause) {
    throw new OpusError(
      "opus/bad-argument",
      "The buffer is detached: it was transferred to another thread.",
      {
        cause,
      },
    );
  }
}
