import { OpusError } from "../errors.ts";
import { createFrameTable, parseFrames } from "./frame-table.ts";
import { Repacketizer } from "./repacketizer.ts";

const repacketizer = new Repacketizer();
const table = createFrameTable();

/**
 * Lengthens the packet at `buffer[0, length)` to exactly `newLength` bytes by padding (RFC 6716 section 3.2.5), in place. What
 * an old padding held is lost.
 * @throws OpusError `opus/bad-argument` where it would shrink or does not fit the buffer, `opus/invalid-packet`
 */
export function padPacket(buffer: Uint8Array, length: number, newLength: number): void {
  padAt(buffer, 0, length, newLength);
}

/**
 * Removes all padding from the packet at `buffer[0, length)`, in place; returns the new length.
 * @throws OpusError `opus/bad-argument`, `opus/invalid-packet`
 */
export function unpadPacket(buffer: Uint8Array, length: number): number {
  checkLength(buffer, length);
  repacketizer.clear();
  repacketizer.addAt(buffer, 0, length, false);
  return repacketizer.outAt(buffer, 0, length, 0, repacketizer.frameCount, false, false);
}

/** As `padPacket` for a packet of `streams` streams: the last one is padded. */
export function multistreamPad(buffer: Uint8Array, length: number, newLength: number, streams: number): void {
  checkLength(buffer, length);
  let at = 0;
  for (let stream = 0; stream < streams - 1; stream++) {
    if (parseFrames(buffer, at, length, true, table) < 0) throw invalid(stream);
    at = table.end;
  }
  padAt(buffer, at, length, newLength);
}

/** As `unpadPacket` for every stream of a packet of `streams` streams. */
export function multistreamUnpad(buffer: Uint8Array, length: number, streams: number): number {
  checkLength(buffer, length);
  let from = 0;
  let to = 0;
  for (let stream = 0; stream < streams; stream++) {
    const selfDelimited = stream < streams - 1;
    repacketizer.clear();
    const next = repacketizer.addAt(buffer, from, length, selfDelimited);
    to += repacketizer.outAt(buffer, to, next, 0, repacketizer.frameCount, selfDelimited, false);
    from = next;
  }
  return to;
}

function padAt(buffer: Uint8Array, start: number, length: number, newLength: number): void {
  checkLength(buffer, length);
  if (!(newLength >= length && newLength <= buffer.length)) {
    throw new OpusError(
      "opus/bad-argument",
      `A packet of ${length} bytes cannot be padded to ${newLength} in a buffer of ${buffer.length}.`,
    );
  }
  if (newLength === length) return;
  repacketizer.clear();
  repacketizer.addAt(buffer, start, length, false);
  repacketizer.outAt(buffer, start, newLength, 0, repacketizer.frameCount, false, true);
}

function checkLength(buffer: Uint8Array, length: number): void {
  if (Number.isInteger(length) && length >= 1 && length <= buffer.length) return;
  throw new OpusError(
    "opus/bad-argument",
    `There is no packet of ${length} bytes in a buffer of ${buffer.length}.`,
  );
}

function invalid(stream: number): OpusError {
  return new OpusError("opus/invalid-packet", `Stream ${stream} of the multistream packet is malformed.`);
}
