import { readU16, writeU16 } from "../wire/byte-order.ts";
import { WireFault } from "../wire/wire-fault.ts";

/** EAPOL packet types (IEEE 802.1X). */
export const EapolType = { eap: 0, start: 1, logoff: 2 } as const;
/** EAP codes (RFC 3748 section 4). */
export const EapCode = { request: 1, response: 2, success: 3, failure: 4 } as const;
/** EAP types: identity (RFC 3748), SRP (draft-ietf-pppext-eap-srp-03). */
export const EapType = { identity: 1, srp: 19 } as const;
/** Subtypes of `EapType.srp`; a request and its answer share the number. */
export const SrpSubtype = { challenge: 1, serverKey: 2, serverValidator: 3, passphrase: 0x10 } as const;

const eapolHeaderBytes = 4;
const eapHeaderBytes = 4;
/** Longest frame that is read or written: a salt and two 2048-bit numbers fit. */
export const maxEapolBytes = 1024;

/** One EAPOL frame; `parse` fills a kept instance. */
export class EapolFrame {
  version = 0;
  type = 0;
  code = 0;
  identifier = 0;
  eapType = 0;
  subtype = 0;
  /** What follows the EAP type, and for SRP the subtype: `bytes[bodyStart, bodyEnd)`. */
  bytes: Uint8Array = new Uint8Array(0);
  bodyStart = 0;
  bodyEnd = 0;

  parse(bytes: Uint8Array, start: number, end: number): WireFault {
    if (end - start < eapolHeaderBytes) return WireFault.short;
    if (end - start > maxEapolBytes) return WireFault.overrun;
    this.version = bytes[start]!;
    this.type = bytes[start + 1]!;
    if (this.version < 2 || this.version > 3) return WireFault.version;
    if (this.type === EapolType.start || this.type === EapolType.logoff) return WireFault.none;
    if (this.type !== EapolType.eap) return WireFault.type;
    const eap = start + eapolHeaderBytes;
    if (end - eap < eapHeaderBytes) return WireFault.short;
    const length = readU16(bytes, eap + 2);
    if (length < eapHeaderBytes || eap + length > end) return WireFault.overrun;
    this.code = bytes[eap]!;
    this.identifier = bytes[eap + 1]!;
    this.eapType = 0;
    this.subtype = 0;
    this.bytes = bytes;
    this.bodyStart = eap + eapHeaderBytes;
    this.bodyEnd = eap + length;
    if (this.code === EapCode.success || this.code === EapCode.failure) return WireFault.none;
    if (this.code !== EapCode.request && this.code !== EapCode.response) return WireFault.type;
    if (this.bodyStart === this.bodyEnd) return WireFault.short;
    this.eapType = bytes[this.bodyStart++]!;
    if (this.eapType !== EapType.srp)
      return this.eapType === EapType.identity ? WireFault.none : WireFault.type;
    if (this.bodyStart === this.bodyEnd) return WireFault.short;
    this.subtype = bytes[this.bodyStart++]!;
    return WireFault.none;
  }

  /** A copy of the body. */
  body(): Uint8Array {
    return this.bytes.slice(this.bodyStart, this.bodyEnd);
  }
}

/** An EAPOL START. */
export function startFrame(version: number): Uint8Array {
  return Uint8Array.of(version, EapolType.start, 0, 0);
}

/** An EAP packet with the bytes behind its header. */
export function eapFrame(
  version: number,
  code: number,
  identifier: number,
  ...parts: Uint8Array[]
): Uint8Array {
  const bodyBytes = parts.reduce((sum, part) => sum + part.length, 0);
  const frame = new Uint8Array(eapolHeaderBytes + eapHeaderBytes + bodyBytes);
  frame[0] = version;
  frame[1] = EapolType.eap;
  writeU16(frame, 2, eapHeaderBytes + bodyBytes);
  frame[4] = code;
  frame[5] = identifier;
  writeU16(frame, 6, eapHeaderBytes + bodyBytes);
  let at = eapolHeaderBytes + eapHeaderBytes;
  for (const part of parts) {
    frame.set(part, at);
    at += part.length;
  }
  return frame;
}

/** A number in front of its length in 16 bits. */
export function sized(bytes: Uint8Array): Uint8Array {
  const result = new Uint8Array(2 + bytes.length);
  writeU16(result, 0, bytes.length);
  result.set(bytes, 2);
  return result;
}
