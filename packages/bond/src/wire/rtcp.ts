import { readU16, readU32 } from "./byte-order.ts";

/** What an RTCP packet inside a compound is. */
export const RtcpKind = {
  unknown: 0,
  senderReport: 1,
  receiverReport: 2,
  sourceDescription: 3,
  goodbye: 4,
  nackBitmask: 5,
  nackRange: 6,
  extendedSequence: 7,
  echoRequest: 8,
  echoResponse: 9,
  referenceTime: 10,
  delaySinceReference: 11,
} as const;

export type RtcpKind = (typeof RtcpKind)[keyof typeof RtcpKind];

/** "RIST", the name of RIST's application-defined RTCP packets. */
export const ristName = 0x52495354;

/** True if the second byte of an RTP or RTCP packet says RTCP (RFC 5761 section 4: 72..77 after removing the marker). */
export function looksLikeRtcp(secondByte: number): boolean {
  const type = secondByte & 0x7f;
  return type >= 72 && type <= 77;
}

/**
 * Walks the packets of one RTCP compound. It is total: whatever the bytes are, `next` returns false in the end and reads
 * nothing outside. One instance serves for ever and allocates nothing.
 *
 * ```ts
 * reader.reset(bytes, 0, length);
 * while (reader.next()) if (reader.kind === RtcpKind.echoRequest) answer(reader.timeHigh, reader.timeLow);
 * ```
 */
export class RtcpReader {
  kind: RtcpKind = RtcpKind.unknown;
  /** SSRC of whoever sent this packet; for range NACKs the media source. */
  ssrc = 0;
  /** NACKs: the media source. Reports: the source of the first block, 0 without a block. */
  mediaSsrc = 0;
  /** NACKs: how many entries. Reports: how many blocks. */
  entryCount = 0;
  /** Upper half of the NTP (reports, reference time) or opaque (echo) time; for EXTSEQ the high sequence bits. */
  timeHigh = 0;
  timeLow = 0;
  /** Echo response: microseconds between request and response at the peer. */
  processingDelayUs = 0;
  rtpTimestamp = 0;
  packetCount = 0;
  octetCount = 0;
  /** Report block (RFC 3550 section 6.4.1), valid where `entryCount` > 0. */
  fractionLost = 0;
  cumulativeLost = 0;
  highestSequence = 0;
  jitter = 0;
  lastSenderReport = 0;
  delaySinceLastSenderReport = 0;
  /** Canonical name: `bytes[nameStart, nameEnd)`. */
  nameStart = 0;
  nameEnd = 0;
  /** True once a packet did not fit into the datagram or was no RTCP; the walk has then ended. */
  isMalformed = false;

  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;
  #entries = 0;

  reset(bytes: Uint8Array, start: number, end: number): void {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.kind = RtcpKind.unknown;
    this.isMalformed = false;
  }

  /** Reads the next packet; false at the end or at the first malformed one. */
  next(): boolean {
    const bytes = this.#bytes;
    const at = this.#at;
    if (at >= this.#end) return false;
    if (at + 4 > this.#end || bytes[at]! >> 6 !== 2) return this.#fail();
    const type = bytes[at + 1]!;
    const length = 4 * (readU16(bytes, at + 2) + 1);
    const padding = this.#paddingOf(at, length, type);
    // Names and goodbyes of nobody are legal without a source (RFC 3550 sections 6.5 and 6.6).
    const least = type === 202 || type === 203 ? 4 : 8;
    if (at + length > this.#end || padding < 0 || length - padding < least) return this.#fail();
    this.#at = at + length;
    this.kind = RtcpKind.unknown;
    this.ssrc = length >= 8 ? readU32(bytes, at + 4) : 0;
    this.mediaSsrc = 0;
    this.entryCount = 0;
    this.#decode(bytes, at, length - padding, bytes[at]! & 0x1f, type);
    return true;
  }

  /**
   * Once a packet behind a source description was no RTCP: how many whole entries of four bytes are left from there on, which
   * `nackStart` and `nackExtra` then read; else 0.
   */
  bareEntries(): number {
    const bytes = this.#end - this.#entries;
    if (!this.isMalformed || this.kind !== RtcpKind.sourceDescription || bytes % 4 !== 0) return 0;
    return bytes >> 2;
  }

  /** NACK entry `index`: first lost sequence number. */
  nackStart(index: number): number {
    return readU16(this.#bytes, this.#entries + 4 * index);
  }

  /** NACK entry `index`: bitmask of the 16 following numbers (bitmask), or how many follow (range). */
  nackExtra(index: number): number {
    return readU16(this.#bytes, this.#entries + 4 * index + 2);
  }

  #fail(): boolean {
    this.isMalformed = true;
    this.#entries = this.#at;
    this.#at = this.#end;
    return false;
  }

  /** Bytes of padding, which only the last packet of a compound may have (RFC 3550 appendix A.2); -1 where that is not so. */
  #paddingOf(at: number, length: number, type: number): number {
    if ((this.#bytes[at]! & 0x20) === 0) return 0;
    // Types of RTCP are 192 to 223 (RFC 5761 section 4).
    if (at + length !== this.#end || type >> 5 !== 6) return -1;
    const padding = this.#bytes[this.#end - 1]!;
    return padding > 0 && padding % 4 === 0 && padding < length ? padding : -1;
  }

  #decode(bytes: Uint8Array, at: number, length: number, count: number, type: number): void {
    if (type === 200 && length >= 28) {
      this.kind = RtcpKind.senderReport;
      this.timeHigh = readU32(bytes, at + 8);
      this.timeLow = readU32(bytes, at + 12);
      this.rtpTimestamp = readU32(bytes, at + 16);
      this.packetCount = readU32(bytes, at + 20);
      this.octetCount = readU32(bytes, at + 24);
    } else if (type === 201) {
      this.kind = RtcpKind.receiverReport;
      if (count > 0 && length >= 32) this.#decodeBlock(bytes, at + 8);
    } else if (type === 202) this.#decodeName(bytes, at, length, count);
    else if (type === 203) this.kind = RtcpKind.goodbye;
    else if (type === 205 && count === 1 && length >= 12) {
      this.kind = RtcpKind.nackBitmask;
      this.mediaSsrc = readU32(bytes, at + 8);
      this.#entries = at + 12;
      this.entryCount = (length - 12) >> 2;
    } else if (type === 204 && length >= 12 && readU32(bytes, at + 8) === ristName) {
      this.#decodeRist(bytes, at, length, count);
    } else if (type === 207 || type === 77) {
      // librist 0.2.12 writes 77 for an extended report, losing the top bit.
      const block = length >= 16 ? bytes[at + 8]! : 0;
      if (block === 4 && length >= 20) {
        this.kind = RtcpKind.referenceTime;
        this.timeHigh = readU32(bytes, at + 12);
        this.timeLow = readU32(bytes, at + 16);
      } else if (block === 5 && length >= 24) {
        this.kind = RtcpKind.delaySinceReference;
        this.lastSenderReport = readU32(bytes, at + 16);
        this.delaySinceLastSenderReport = readU32(bytes, at + 20);
      }
    }
  }

  #decodeBlock(bytes: Uint8Array, at: number): void {
    this.entryCount = 1;
    this.mediaSsrc = readU32(bytes, at);
    this.fractionLost = bytes[at + 4]!;
    this.cumulativeLost = (readU32(bytes, at + 4) << 8) >> 8;
    this.highestSequence = readU32(bytes, at + 8);
    this.jitter = readU32(bytes, at + 12);
    this.lastSenderReport = readU32(bytes, at + 16);
    this.delaySinceLastSenderReport = readU32(bytes, at + 20);
  }

  #decodeName(bytes: Uint8Array, at: number, length: number, count: number): void {
    this.kind = RtcpKind.sourceDescription;
    this.nameStart = 0;
    this.nameEnd = 0;
    if (count === 0 || length < 10 || bytes[at + 8] !== 1) return;
    const end = at + 10 + bytes[at + 9]!;
    if (end > at + length) return;
    this.nameStart = at + 10;
    this.nameEnd = end;
  }

  #decodeRist(bytes: Uint8Array, at: number, length: number, subtype: number): void {
    if (subtype === 0) {
      this.kind = RtcpKind.nackRange;
      this.mediaSsrc = this.ssrc;
      this.#entries = at + 12;
      this.entryCount = (length - 12) >> 2;
    } else if (subtype === 1 && length >= 16) {
      this.kind = RtcpKind.extendedSequence;
      this.timeHigh = readU16(bytes, at + 12);
    } else if ((subtype === 2 || subtype === 3) && length >= 24) {
      this.kind = subtype === 2 ? RtcpKind.echoRequest : RtcpKind.echoResponse;
      this.timeHigh = readU32(bytes, at + 12);
      this.timeLow = readU32(bytes, at + 16);
      this.processingDelayUs = readU32(bytes, at + 20);
    }
  }
}
