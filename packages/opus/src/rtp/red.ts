import { OpusError } from "../errors.ts";

/** One block of a RED payload (RFC 2198). */
export interface RedBlock {
  /** 0 to 127. */
  payloadType: number;
  /** How much older it is than the primary, in clock units (48 kHz): 0 to 16,383; 0 for the primary. */
  timestampOffset: number;
  data: Uint8Array;
}

const maxOffset = 0x3fff;
const maxRedundantBytes = 0x3ff;

/** Blocks that a payload is read into at most. */
const maxBlocks = 32;

/**
 * Writes a RED payload: `blocks` oldest first, the primary last. Redundant blocks that are too old (over 16,383 units) or too
 * long (over 1,023 bytes) for their header are left out.
 * @returns bytes written
 * @throws OpusError `opus/bad-argument` without a primary or for a payload type out of range, `opus/buffer-too-small`
 */
export function writeRed(blocks: readonly RedBlock[], into: Uint8Array): number {
  const primary = blocks.at(-1);
  if (primary === undefined) throw new OpusError("opus/bad-argument", "A RED payload needs a primary block.");
  for (const { payloadType } of blocks) {
    if (Number.isInteger(payloadType) && payloadType >= 0 && payloadType <= 127) continue;
    throw new OpusError(
      "opus/bad-argument",
      `A payload type is an integer from 0 to 127, not ${payloadType}.`,
    );
  }
  let headers = 1;
  let data = primary.data.length;
  for (let i = 0; i < blocks.length - 1; i++) {
    if (!fits(blocks[i]!)) continue;
    headers += 4;
    data += blocks[i]!.data.length;
  }
  if (headers + data > into.length) {
    throw new OpusError(
      "opus/buffer-too-small",
      `The RED payload has ${headers + data} bytes; there is room for ${into.length}.`,
    );
  }
  let header = 0;
  let at = headers;
  for (let i = 0; i < blocks.length - 1; i++) {
    const block = blocks[i]!;
    if (!fits(block)) continue;
    const length = block.data.length;
    into[header] = 0x80 | block.payloadType;
    into[header + 1] = block.timestampOffset >> 6;
    into[header + 2] = ((block.timestampOffset & 63) << 2) | (length >> 8);
    into[header + 3] = length & 255;
    header += 4;
    into.set(block.data, at);
    at += length;
  }
  into[header] = primary.payloadType;
  into.set(primary.data, at);
  return headers + data;
}

function fits({ timestampOffset, data }: RedBlock): boolean {
  return (
    Number.isInteger(timestampOffset) &&
    timestampOffset >= 0 &&
    timestampOffset <= maxOffset &&
    data.length <= maxRedundantBytes
  );
}

/**
 * Reads a RED payload into `into`, oldest block first, the primary last; `data` are views into the payload. Never throws.
 * @returns the number of blocks, or -1 where the payload is malformed or has more than 32 blocks; `into` is empty then
 */
export function parseRed(payload: Uint8Array, into: RedBlock[]): number {
  into.length = 0;
  let header = 0;
  let total = 0;
  while (header < payload.length && (payload[header]! & 0x80) !== 0) {
    if (header + 4 > payload.length || into.length === maxBlocks - 1) return refuse(into);
    const length = ((payload[header + 2]! & 3) << 8) | payload[header + 3]!;
    const timestampOffset = (payload[header + 1]! << 6) | (payload[header + 2]! >> 2);
    into.push({ payloadType: payload[header]! & 0x7f, timestampOffset, data: payload.subarray(0, length) });
    total += length;
    header += 4;
  }
  const primary = payload[header];
  let at = header + 1;
  if (primary === undefined || at + total > payload.length) return refuse(into);
  for (const block of into) {
    block.data = payload.subarray(at, at + block.data.length);
    at += block.data.length;
  }
  into.push({ payloadType: primary, timestampOffset: 0, data: payload.subarray(at) });
  return into.length;
}

function refuse(into: RedBlock[]): number {
  into.length = 0;
  return -1;
}
