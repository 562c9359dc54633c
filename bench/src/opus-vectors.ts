// The conformance suite of the Opus decoder in the shared data: bitstreams and lossless reference decodes.
import { existsSync, readFileSync } from "node:fs";
import { decodeAudioFile } from "@longwave/media/node";
import { sharedPath } from "@longwave/testkit";

export interface VectorPacket {
  readonly packet: Uint8Array;
  /** The encoder's range after the packet. */
  readonly finalRange: number;
}

export const vectorNames: readonly string[] = Array.from({ length: 12 }, (_, i) =>
  String(i + 1).padStart(2, "0"),
);

/** Folder of the suite; undefined where the shared data is absent. */
export const vectorFolder: string | undefined = sharedPath("data/opus-vectors");

/** Packets of a `.bit` stream: u32 length, u32 final range, both big-endian, then the packet. */
export function readVector(name: string): VectorPacket[] {
  const bytes = readFileSync(`${vectorFolder}/testvector${name}.bit`);
  const packets: VectorPacket[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    packets.push({
      packet: new Uint8Array(bytes.subarray(at + 8, at + 8 + length)),
      finalRange: bytes.readUInt32BE(at + 4),
    });
    at += 8 + length;
  }
  return packets;
}

/** The permitted decodes of a vector, 16-bit stereo at 48 kHz: one or two. */
export async function readReferences(name: string): Promise<Int16Array[]> {
  const files = [`testvector${name}.flac`, `testvector${name}m.flac`].filter((file) =>
    existsSync(`${vectorFolder}/${file}`),
  );
  const references: Int16Array[] = [];
  for (const file of files) {
    const { pcm } = await decodeAudioFile(`${vectorFolder}/${file}`);
    const samples = new Int16Array(pcm.length);
    for (let i = 0; i < pcm.length; i++) samples[i] = Math.round(pcm[i]! * 32768);
    references.push(samples);
  }
  return references;
}
