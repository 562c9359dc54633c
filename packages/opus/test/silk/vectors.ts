// Reads the `.bit` files of the conformance suite: [length u32 be][final range u32 be][packet]...
import { readFileSync } from "node:fs";
import { sharedPath } from "@longwave/testkit";

export interface VectorPacket {
  readonly finalRange: number;
  readonly packet: Uint8Array;
}

export const vectorFolder: string | undefined = sharedPath("data/opus-vectors");

export function readVector(name: string): VectorPacket[] {
  const bytes = readFileSync(`${vectorFolder}/testvector${name}.bit`);
  const packets: VectorPacket[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const packet = new Uint8Array(bytes.subarray(at + 8, at + 8 + length));
    packets.push({ finalRange: bytes.readUInt32BE(at + 4), packet });
    at += 8 + length;
  }
  return packets;
}
