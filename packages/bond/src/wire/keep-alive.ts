import { readU16, writeU16 } from "./byte-order.ts";
import { WireFault } from "./wire-fault.ts";

/** Capability bits of a keep-alive, first byte in the high half (TR-06-2 section 5.5). */
export const Capability = {
  bonding: 0x2000,
  advanced: 0x1000,
  pskAes: 0x0800,
  eap: 0x0400,
  loadSharing: 0x0200,
  nullDeletion: 0x0100,
  disconnect: 0x0080,
  reconnect: 0x0040,
} as const;

/** What librist announces too: bonding, EAP, null packet deletion (`25`), and bit V (`20`). */
const announced = 0x2520;

const largestKeepAlive = 8 + 1024;

/** One keep-alive message; `parse` fills a kept instance. The optional JSON is ignored. */
export class KeepAlive {
  capabilities = 0;
  isDisconnect = false;
  isReconnect = false;

  parse(bytes: Uint8Array, start: number, end: number): WireFault {
    if (end - start < 8) return WireFault.short;
    if (end - start > largestKeepAlive) return WireFault.overrun;
    this.capabilities = readU16(bytes, start + 6);
    this.isDisconnect = (this.capabilities & Capability.disconnect) !== 0;
    this.isReconnect = (this.capabilities & Capability.reconnect) !== 0;
    return WireFault.none;
  }
}

/** Writes a keep-alive of 8 bytes without JSON; `mac` are 6 bytes that identify the sender. */
export function writeKeepAlive(
  bytes: Uint8Array,
  at: number,
  mac: Uint8Array,
  isDisconnect: boolean,
): number {
  for (let i = 0; i < 6; i++) bytes[at + i] = mac[i]!;
  return writeU16(bytes, at + 6, announced | (isDisconnect ? Capability.disconnect : 0));
}

/** Buffer sizes that the two ends announce to each other, in milliseconds; `parse` fills a kept instance. */
export class BufferNegotiation {
  senderMaxMs = 0;
  receiverCurrentMs = 0;

  parse(bytes: Uint8Array, start: number, end: number): WireFault {
    if (end - start < 6) return WireFault.short;
    this.senderMaxMs = readU16(bytes, start);
    this.receiverCurrentMs = readU16(bytes, start + 2);
    return WireFault.none;
  }
}

/** Writes a buffer negotiation of 6 bytes; values above 65,535 ms are cut. */
export function writeBufferNegotiation(
  bytes: Uint8Array,
  at: number,
  senderMaxMs: number,
  receiverCurrentMs: number,
): number {
  let next = writeU16(bytes, at, Math.min(0xffff, senderMaxMs));
  next = writeU16(bytes, next, Math.min(0xffff, receiverCurrentMs));
  return writeU16(bytes, next, 0);
}
