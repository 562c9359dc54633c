import { buffer } from "node:stream/consumers";
import type { AudioInput } from "@longwave/catalog";
import { type DecodeOptions, opusFileDecoder } from "@longwave/media";
import { decodeAudioBytes, decodeAudioFile } from "@longwave/media/node";
import { createSeekableDecoder } from "@longwave/opus";

const decoders = [opusFileDecoder(createSeekableDecoder)];

/** Decodes a file, or standard input for `-`, at its own rate and with its own channels. */
export async function readSound(path: string, options: DecodeOptions = {}): Promise<AudioInput> {
  const decoding = { decoders, ...options };
  const decoded =
    path === "-"
      ? await decodeAudioBytes(new Uint8Array(await buffer(process.stdin)), decoding)
      : await decodeAudioFile(path, decoding);
  return { samples: decoded.pcm, sampleRate: decoded.sampleRate, channels: decoded.channels };
}
