import { readU16, readU32, writeU16, writeU32 } from "./byte-order.ts";
import { WireFault } from "./wire-fault.ts";

/** Bytes of an RTP header without extension (RFC 3550 section 5.1). */
export const rtpHeaderBytes = 12;
/** Bytes that the RIST header extension adds (TR-06-2 section 8.3). */
export const ristExtensionBytes = 8;
/** RTP payload type of an MPEG transport stream (RFC 3551); RIST senders use it unless told otherwise. */
export const payloadTypeTransportStream = 33;
/** RIST media clock in Hz. */
export const mediaClockHz = 90_000;

const ristExtensionId = 0x5249;

/**
 * The fields of one RTP packet. `parse` fills an instance that the caller keeps, so that reading packets allocates nothing;
 * offsets point into the parsed bytes.
 */
export class RtpHeader {
  marker = false;
  payloadType = 0;
  sequence = 0;
  timestamp = 0;
  /** Synchronization source with the retransmission bit cleared. */
  ssrc = 0;
  /** The lowest SSRC bit: this packet repeats an earlier one (TR-06-1 section 5.3.3). */
  isRetransmission = false;
  payloadStart = 0;
  payloadEnd = 0;
  /** Bits 16..31 of the sequence number, or -1 where the packet does not carry them. */
  sequenceHigh = -1;
  /** Null packets were removed (N). */
  hasDeletedNulls = false;
  /** Positions of the removed packets: bit 6 is the first transport stream packet. */
  nullBits = 0;
  /** Count of transport stream packets before deletion, 0 to derive it. */
  originalCount = 0;
  /** Transport stream packets of 204 bytes instead of 188 (T). */
  is204 = false;

  /** Reads `bytes[start, end)`; returns a fault, after which the fields mean nothing. */
  parse(bytes: Uint8Array, start: number, end: number): WireFault {
    if (end - start < rtpHeaderBytes) return WireFault.short;
    const first = bytes[start]!;
    if (first >> 6 !== 2) return WireFault.version;
    const second = bytes[start + 1]!;
    this.marker = second >= 0x80;
    this.payloadType = second & 0x7f;
    this.sequence = readU16(bytes, start + 2);
    this.timestamp = readU32(bytes, start + 4);
    const ssrc = readU32(bytes, start + 8);
    this.isRetransmission = (ssrc & 1) === 1;
    this.ssrc = (ssrc & ~1) >>> 0;
    this.sequenceHigh = -1;
    this.hasDeletedNulls = false;
    this.nullBits = 0;
    this.originalCount = 0;
    this.is204 = false;
    let at = start + rtpHeaderBytes + 4 * (first & 0x0f);
    if (first & 0x10) {
      if (at + 4 > end) return WireFault.overrun;
      const words = readU16(bytes, at + 2);
      if (at + 4 + 4 * words > end) return WireFault.overrun;
      if (readU16(bytes, at) === ristExtensionId && words >= 1) this.#readRistExtension(bytes, at + 4);
      at += 4 + 4 * words;
    }
    let payloadEnd = end;
    if (first & 0x20) {
      const padding = end > at ? bytes[end - 1]! : 0;
      if (padding === 0 || at + padding > end) return WireFault.overrun;
      payloadEnd -= padding;
    }
    if (at > payloadEnd) return WireFault.overrun;
    this.payloadStart = at;
    this.payloadEnd = payloadEnd;
    return WireFault.none;
  }

  #readRistExtension(bytes: Uint8Array, at: number): void {
    const flags = bytes[at]!;
    const nulls = bytes[at + 1]!;
    if (flags & 0x80) {
      this.hasDeletedNulls = true;
      this.originalCount = (flags >> 3) & 7;
      this.is204 = nulls >= 0x80;
      this.nullBits = nulls & 0x7f;
    }
    if (flags & 0x40) this.sequenceHigh = readU16(bytes, at + 2);
  }
}

/** Writes the fixed header; returns the offset after it. `ssrc` carries the retransmission bit already. */
export function writeRtpHeader(
  bytes: Uint8Array,
  at: number,
  payloadType: number,
  marker: boolean,
  sequence: number,
  timestamp: number,
  ssrc: number,
  hasExtension: boolean,
): number {
  bytes[at] = hasExtension ? 0x90 : 0x80;
  bytes[at + 1] = (marker ? 0x80 : 0) | payloadType;
  writeU16(bytes, at + 2, sequence);
  writeU32(bytes, at + 4, timestamp);
  return writeU32(bytes, at + 8, ssrc);
}

/**
 * Writes the RIST header extension; returns the offset after it.
 * @param sequenceHigh bits 16..31 of the sequence number, or -1 to leave them out
 * @param nullFlags `originalCount << 8 | T << 7 | nullBits` as `deleteNullPackets` gives it, or -1 without deletion
 */
export function writeRistExtension(
  bytes: Uint8Array,
  at: number,
  sequenceHigh: number,
  nullFlags: number,
): number {
  writeU16(bytes, at, ristExtensionId);
  writeU16(bytes, at + 2, 1);
  bytes[at + 4] = (nullFlags >= 0 ? 0x80 | ((nullFlags >> 8) << 3) : 0) | (sequenceHigh >= 0 ? 0x40 : 0);
  bytes[at + 5] = nullFlags >= 0 ? nullFlags & 0xff : 0;
  return writeU16(bytes, at + 6, sequenceHigh >= 0 ? sequenceHigh : 0);
}
