import { decodeAudioBytes } from "@longwave/media/node";
import { fileDecoders } from "@longwave/station/node";
import { readBody } from "../limits.ts";
import type { Schema } from "../route.ts";

/** A clip to be asked about: half a minute decides, two minutes are more than enough. */
export const maxClipBytes: number = 32 * 1024 * 1024;
export const maxClipSeconds: number = 120;

/** The body of a request that brings a sound. */
export const audioBody: Schema = { type: "string", format: "binary" };

/** The sound that a request brings, in one channel, and whether it is a part of what its header promises. @throws LongwaveError for what is no sound, or too much of it */
export async function decodeBody(
  request: Request,
  maxBytes: number,
  maxSeconds: number,
  signal: AbortSignal,
): Promise<{ samples: Float32Array; sampleRate: number; channels: number; truncated: boolean }> {
  const bytes = await readBody(request, maxBytes);
  const { pcm, sampleRate, channels, truncated } = await decodeAudioBytes(bytes, {
    decoders: fileDecoders,
    channels: 1,
    limits: { maxBytes, maxSeconds },
    signal,
  });
  return { samples: pcm, sampleRate, channels, truncated };
}
