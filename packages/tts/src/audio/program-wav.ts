import { WavReader } from "@longwave/media";
import { TtsError } from "../errors.ts";
import { resamplePoly } from "./resample-poly.ts";

/** What a speech program should have written. */
export interface ProgramWavOptions {
  /** Its name, for messages. */
  readonly program: string;
  /** Sample rate in Hz that it has to write; `any` takes every rate. */
  readonly from: number | "any";
  /** Sample rate of the result in Hz. */
  readonly to: number;
}

/**
 * The samples, in [-1, 1], of the WAV that a speech program wrote: mono, 16 bits, resampled where its rate is another one. The format is
 * judged by the first 4 KB, before the rest is decoded.
 * @throws TtsError `tts/wav-malformed`, `tts/format-unsupported`
 */
export function decodeProgramWav(wav: Uint8Array, { program, from, to }: ProgramWavOptions): Float32Array {
  const parts: Float32Array[] = [];
  let frames = 0;
  const reader = new WavReader((pcm, count) => {
    parts.push(pcm.slice(0, count));
    frames += count;
  });
  let rate = 0;
  try {
    reader.push(wav.subarray(0, 4096));
    const format = reader.head?.format;
    if (format !== undefined) {
      const isPlain = format.channels === 1 && format.encoding === "s16";
      if (!isPlain || (from !== "any" && format.sampleRate !== from)) {
        throw new TtsError(
          "tts/format-unsupported",
          `${program} wrote ${format.sampleRate} Hz, ${format.channels} channels, ${format.encoding}; ` +
            `wanted ${from} Hz, mono, s16.`,
        );
      }
      rate = format.sampleRate;
    }
    reader.push(wav.subarray(4096));
    reader.end();
  } catch (cause) {
    if (cause instanceof TtsError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TtsError("tts/wav-malformed", `${program} did not write a WAV: ${reason}`, { cause });
  }
  if (rate === 0) {
    throw new TtsError("tts/wav-malformed", `${program} wrote ${wav.length} bytes that are no WAV.`);
  }
  const pcm = new Float32Array(frames);
  let at = 0;
  for (const part of parts) {
    pcm.set(part, at);
    at += part.length;
  }
  return rate === to ? pcm : resamplePoly(pcm, rate, to);
}
