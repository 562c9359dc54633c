// Decodes any audio file within limits, to mono at 16 kHz, and writes it as WAV.
import { writeFile } from "node:fs/promises";
import { encodeWav, opusFileDecoder } from "@longwave/media";
import { decodeAudioFile } from "@longwave/media/node";
import { createSeekableDecoder } from "@longwave/opus";

/** Returns the duration in seconds. */
export async function toMono(input: string, output: string): Promise<number> {
  const audio = await decodeAudioFile(input, {
    sampleRate: 16_000,
    channels: 1,
    decoders: [opusFileDecoder(createSeekableDecoder)],
    limits: { maxBytes: 100e6, maxSeconds: 3600, timeoutMs: 60_000 },
  });
  for (const warning of audio.warnings) console.warn(`${input}: ${warning}`);
  await writeFile(output, encodeWav(audio.pcm, { sampleRate: audio.sampleRate, channels: 1 }));
  return audio.frames / audio.sampleRate;
}
