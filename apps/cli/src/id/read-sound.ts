import { buffer } from "node:stream/consumers";
import type { AudioInput } from "@longwave/catalog";
import { type DecodeOptions, opusFileDecoder } from "@longwave/media";
import { decodeAudioBytes, decodeAudioFile } from "@longwave/media/node";
import { createSeekableDecoder } from "@longwave/opus";

const decoders = [opusFileDecoder(createSeekableDecoder)];

/** The sound of a file, and what the file lacked. */
export interface FileSound extends AudioInput {
  readonly channels: number;
  /** The file ended early or was damaged in places; what could be decoded is here. */
  readonly truncated: boolean;
  readonly warnings: readonly string[];
}

/** Decodes a file, or standard input for `-`, at its own rate and with its own channels. */
export async function decodeSound(path: string, options: DecodeOptions = {}): Promise<FileSound> {
  const decoding = { decoders, ...options };
  const decoded =
    path === "-"
      ? await decodeAudioBytes(new Uint8Array(await buffer(process.stdin)), decoding)
      : await decodeAudioFile(path, decoding);
  const { pcm, sampleRate, channels, truncated, warnings } = decoded;
  return { samples: pcm, sampleRate, channels, truncated, warnings };
}

/** As `decodeSound`, and says on standard error what the file lacked. */
export async function readSound(path: string, options: DecodeOptions = {}): Promise<FileSound> {
  const sound = await decodeSound(path, options);
  warnOf(path, sound.warnings);
  return sound;
}

/** Says on standard error what is odd about a file. */
export function warnOf(path: string, warnings: readonly string[]): void {
  const name = path === "-" ? "standard input" : path;
  for (const warning of warnings) process.stderr.write(`longwave: ${name}: ${warning}\n`);
}
