import { readU16, readU32, writeU16, writeU32 } from "./byte-order.ts";
import { WireFault } from "./wire-fault.ts";

/** What a Main profile datagram carries after its GRE header (TR-06-2 section 5). */
export const GreContent = {
  /** A whole IP datagram out of band; tolerated and ignored. */
  ipDatagram: 0x0800,
  keepAlive: 0x88b5,
  /** RTP or RTCP after a header of two virtual ports. */
  reduced: 0x88b6,
  /** EAP over LAN: authentication, never encrypted. */
  eapol: 0x888e,
  /** RIST version 2: a subtype of 4 bytes follows. */
  vsf: 0xcce0,
} as const;

/** Subtypes behind `GreContent.vsf`. */
export const VsfSubtype = {
  reduced: 0,
  keepAlive: 0x8000,
  futureNonce: 0x8001,
  bufferNegotiation: 0x8002,
} as const;

/** Longest header that we write: base 4, nonce 4, sequence 4, subtype 4, ports 4. */
export const maxGreHeaderBytes = 20;

/** The GRE header of one datagram (RFC 2784, 2890; TR-06-2 section 5.2); `parse` fills a kept instance. */
export class GreHeader {
  /** RIST version in the GRE header: 0, 1 or 2. It decides the layout of the AES initialization vector. */
  version = 0;
  content = 0;
  /** True for AES-256, false for AES-128; means something only with a nonce. */
  isAes256 = false;
  /** Key nonce, or 0 where the datagram is not encrypted. */
  nonce = 0;
  /** Datagram sequence number of this link, or -1. */
  sequence = -1;
  payloadStart = 0;

  parse(bytes: Uint8Array, start: number, end: number): WireFault {
    if (end - start < 4) return WireFault.short;
    const flags = bytes[start]!;
    const second = bytes[start + 1]!;
    // Bits 0x0F of the first byte are reserved and ignored on reading; routing (0x40) was removed from GRE.
    if (flags & 0x40) return WireFault.reserved;
    if (second & 0x07) return WireFault.version;
    this.version = (second >> 3) & 7;
    if (this.version > 2) return WireFault.version;
    this.isAes256 = (second & 0x40) !== 0;
    this.content = readU16(bytes, start + 2);
    this.nonce = 0;
    this.sequence = -1;
    let at = start + 4;
    const needed = (flags & 0x80 ? 4 : 0) + (flags & 0x20 ? 4 : 0) + (flags & 0x10 ? 4 : 0);
    if (at + needed > end) return WireFault.short;
    if (flags & 0x80) at += 4;
    if (flags & 0x20) {
      this.nonce = readU32(bytes, at);
      at += 4;
      // Without a sequence number there is no initialization vector, and nonce 0 is forbidden.
      if (this.nonce === 0 || !(flags & 0x10)) return WireFault.key;
    }
    if (flags & 0x10) {
      this.sequence = readU32(bytes, at);
      at += 4;
    }
    this.payloadStart = at;
    return WireFault.none;
  }
}

/**
 * Writes a GRE header; returns the offset after it.
 * @param nonce key nonce, 0 for a clear datagram
 * @param sequence datagram sequence number, or -1 to leave it out (clear datagrams only)
 */
export function writeGreHeader(
  bytes: Uint8Array,
  at: number,
  version: number,
  content: number,
  nonce: number,
  isAes256: boolean,
  sequence: number,
): number {
  bytes[at] = (nonce !== 0 ? 0x20 : 0) | (sequence >= 0 ? 0x10 : 0);
  bytes[at + 1] = (isAes256 && nonce !== 0 ? 0x40 : 0) | (version << 3);
  let next = writeU16(bytes, at + 2, content);
  if (nonce !== 0) next = writeU32(bytes, next, nonce);
  if (sequence >= 0) next = writeU32(bytes, next, sequence);
  return next;
}
