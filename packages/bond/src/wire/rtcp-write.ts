import { writeU16, writeU32 } from "./byte-order.ts";
import { ristName } from "./rtcp.ts";

// Every function writes one RTCP packet at `at` and returns the offset after it. The caller provides the room; the
// largest fixed packet has 32 bytes.

/** Sender report (RFC 3550 section 6.4.1) without blocks, 28 bytes. */
export function writeSenderReport(
  bytes: Uint8Array,
  at: number,
  ssrc: number,
  ntpSeconds: number,
  ntpFraction: number,
  rtpTimestamp: number,
  packetCount: number,
  octetCount: number,
): number {
  let next = header(bytes, at, 0, 200, 28, ssrc);
  next = writeU32(bytes, next, ntpSeconds);
  next = writeU32(bytes, next, ntpFraction);
  next = writeU32(bytes, next, rtpTimestamp);
  next = writeU32(bytes, next, packetCount);
  return writeU32(bytes, next, octetCount);
}

/** Empty receiver report, 8 bytes. */
export function writeEmptyReceiverReport(bytes: Uint8Array, at: number, ssrc: number): number {
  return header(bytes, at, 0, 201, 8, ssrc);
}

/** Receiver report with one block, 32 bytes. `cumulativeLost` is cut to 24 bits. */
export function writeReceiverReport(
  bytes: Uint8Array,
  at: number,
  ssrc: number,
  mediaSsrc: number,
  fractionLost: number,
  cumulativeLost: number,
  highestSequence: number,
  jitter: number,
  lastSenderReport: number,
  delaySinceLastSenderReport: number,
): number {
  let next = header(bytes, at, 1, 201, 32, ssrc);
  next = writeU32(bytes, next, mediaSsrc);
  next = writeU32(bytes, next, (fractionLost << 24) | (cumulativeLost & 0xffffff));
  next = writeU32(bytes, next, highestSequence);
  next = writeU32(bytes, next, jitter);
  next = writeU32(bytes, next, lastSenderReport);
  return writeU32(bytes, next, delaySinceLastSenderReport);
}

/** Source description with a canonical name of at most 255 bytes, followed by 1 to 4 zero bytes. */
export function writeSourceDescription(
  bytes: Uint8Array,
  at: number,
  ssrc: number,
  name: Uint8Array,
): number {
  const length = 8 + ((2 + name.length + 4) & ~3);
  let next = header(bytes, at, 1, 202, length, ssrc);
  bytes[next++] = 1;
  bytes[next++] = name.length;
  for (let i = 0; i < name.length; i++) bytes[next++] = name[i]!;
  while (next < at + length) bytes[next++] = 0;
  return next;
}

/** Round-trip echo request (subtype 2) or response (subtype 3), 24 bytes (TR-06-1 section 5.2.6). */
export function writeEcho(
  bytes: Uint8Array,
  at: number,
  isResponse: boolean,
  ssrc: number,
  timeHigh: number,
  timeLow: number,
  processingDelayUs: number,
): number {
  let next = header(bytes, at, isResponse ? 3 : 2, 204, 24, ssrc);
  next = writeU32(bytes, next, ristName);
  next = writeU32(bytes, next, timeHigh);
  next = writeU32(bytes, next, timeLow);
  return writeU32(bytes, next, processingDelayUs);
}

/** High sequence bits of the NACK that follows, 16 bytes (TR-06-2 section 8.4). */
export function writeExtendedSequence(
  bytes: Uint8Array,
  at: number,
  ssrc: number,
  sequenceHigh: number,
): number {
  let next = header(bytes, at, 1, 204, 16, ssrc);
  next = writeU32(bytes, next, ristName);
  next = writeU16(bytes, next, sequenceHigh);
  return writeU16(bytes, next, 0);
}

/** Most entries that one NACK packet of ours carries: 200 is what librist sends; 812 bytes. */
export const maxNackEntries = 200;

/**
 * Range NACK (TR-06-1 section 5.3.2.2) of `lost[from, to)`, ascending sequence numbers whose low 16 bits count.
 * Stops after `maxNackEntries` entries.
 * @returns the offset after the packet; `nackProgress` says how far it came
 */
export function writeNackRange(
  bytes: Uint8Array,
  at: number,
  mediaSsrc: number,
  lost: Float64Array,
  from: number,
  to: number,
): number {
  let next = at + 12;
  let index = from;
  let entries = 0;
  while (index < to && entries < maxNackEntries) {
    const start = lost[index]!;
    let extra = 0;
    while (index + extra + 1 < to && lost[index + extra + 1] === start + extra + 1 && extra < 0xffff) extra++;
    next = writeU16(bytes, next, start % 0x10000);
    next = writeU16(bytes, next, extra);
    index += extra + 1;
    entries++;
  }
  writeU32(bytes, header(bytes, at, 0, 204, next - at, mediaSsrc), ristName);
  nackProgress[0] = index;
  return next;
}

/** Bitmask NACK (RFC 4585 section 6.2.1) of `lost[from, to)`, as `writeNackRange`. */
export function writeNackBitmask(
  bytes: Uint8Array,
  at: number,
  ssrc: number,
  mediaSsrc: number,
  lost: Float64Array,
  from: number,
  to: number,
): number {
  let next = writeU32(bytes, at + 8, mediaSsrc);
  let index = from;
  let entries = 0;
  while (index < to && entries < maxNackEntries) {
    const start = lost[index]!;
    let mask = 0;
    index++;
    while (index < to && lost[index]! - start <= 16) mask |= 1 << (lost[index++]! - start - 1);
    next = writeU16(bytes, next, start % 0x10000);
    next = writeU16(bytes, next, mask);
    entries++;
  }
  header(bytes, at, 1, 205, next - at, ssrc);
  nackProgress[0] = index;
  return next;
}

/** Index of the first lost number that the last written NACK did not cover. */
export const nackProgress: Int32Array = new Int32Array(1);

function header(
  bytes: Uint8Array,
  at: number,
  count: number,
  type: number,
  length: number,
  ssrc: number,
): number {
  bytes[at] = 0x80 | count;
  bytes[at + 1] = type;
  writeU16(bytes, at + 2, (length >> 2) - 1);
  return writeU32(bytes, at + 4, ssrc);
}
