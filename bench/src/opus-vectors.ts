// The conformance suite of the Opus decoder in the shared data: bitstreams and lossless reference decodes.
import { execFileSync } from "node:child_process";
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
  for (const file of files) references.push(await readFlac(`${vectorFolder}/${file}`));
  return references;
}

/** 16-bit samples of a FLAC file: with the flac tool where there is one, else with our decoding facade. */
async function readFlac(path: string): Promise<Int16Array> {
  try {
    const raw = execFileSync(
      "flac",
      ["-d", "-c", "-s", "--force-raw-format", "--endian=little", "--sign=signed", path],
      { maxBuffer: 1 << 28, stdio: ["ignore", "pipe", "ignore"] },
    );
    return new Int16Array(new Uint8Array(raw).buffer);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const { pcm } = await decodeAudioFile(path);
  return Int16Array.from(pcm, (value) => Math.round(value * 32768));
}
