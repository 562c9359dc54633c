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

/**
 * Refuses parts of buffers that are not there.
 * @throws OpusError `opus/bad-argument`
 */
export function checkRange(
  packetBytes: number,
  at: number,
  length: number,
  pcmAt: number,
  capacity: number,
): void {
  if (!(isCount(at) && isCount(length) && length >= 1 && at + length <= packetBytes)) {
    throw new OpusError(
      "opus/bad-argument",
      `The packet's ${length} bytes at ${at} are not within the buffer of ${packetBytes} bytes.`,
    );
  }
  if (!(isCount(pcmAt) && isCount(capacity))) {
    throw new OpusError("opus/bad-argument", `${capacity} frames at sample ${pcmAt}: give whole numbers.`);
  }
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 0;
}
