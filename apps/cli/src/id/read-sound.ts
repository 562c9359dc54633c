import { buffer } from "node:stream/consumers";
import type { AudioInput } from "@longwave/catalog";
import type { DecodeOptions } from "@longwave/media";
import { decodeAudioBytes, decodeAudioFile } from "@longwave/media/node";

/** Decodes a file, or standard input for `-`, at its own rate and with its own channels. */
export async function readSound(path: string, options: DecodeOptions = {}): Promise<AudioInput> {
  const decoded =
    path === "-"
      ? await decodeAudioBytes(new Uint8Array(await buffer(process.stdin)), options)
      : await decodeAudioFile(path, options);
  return { samples: decoded.pcm, sampleRate: decoded.sampleRate, channels: decoded.channels };
}
