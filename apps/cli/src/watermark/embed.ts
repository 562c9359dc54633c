import { writeFile } from "node:fs/promises";
import { WatermarkEmbedder } from "@longwave/fingerprint/watermark";
import { encodeWav } from "@longwave/media";
import { CliError } from "../errors.ts";
import { readSound } from "../id/read-sound.ts";
import { printResult } from "../output.ts";
import { type KeyOptions, readKey } from "./read-key.ts";

export interface EmbedOptions extends KeyOptions {
  readonly payload: string;
  readonly signalToMark: number;
  readonly float?: boolean;
  readonly json?: boolean;
}

/** `longwave watermark embed IN OUT`: the sound with a payload in it, as a WAV file. */
export async function embed(input: string, output: string, options: EmbedOptions): Promise<void> {
  const payload = payloadOf(options.payload);
  const key = await readKey(options);
  const { samples, sampleRate, channels = 1 } = await readSound(input);
  const embedder = new WatermarkEmbedder({
    sampleRate,
    channels,
    key,
    payload,
    signalToMark: options.signalToMark,
  });
  const marked = new Float32Array(samples.length + embedder.maxOutputFrames() * channels);
  const given = embedder.process(samples, marked) * channels;
  const frames = (given + embedder.flush(marked.subarray(given)) * channels) / channels;
  const encoding = options.float === true ? "f32" : "s16";
  const wav = encodeWav(marked.subarray(0, frames * channels), { sampleRate, channels, encoding });
  if (output === "-") process.stdout.write(wav);
  else await writeFile(output, wav);
  if (output === "-") return;
  const seconds = frames / sampleRate;
  printResult(options.json === true, { input, output, payload: options.payload, seconds, channels }, () => [
    `${output}: ${seconds.toFixed(1)} s carry ${options.payload}.`,
    ...(seconds < 5 ? ["Under 5 s a mark may not be readable."] : []),
  ]);
}

/** 8 or 16 hexadecimal digits. */
function payloadOf(text: string): Uint8Array {
  if (!/^([0-9a-f]{8}|[0-9a-f]{16})$/i.test(text)) {
    throw new CliError(
      "cli/payload",
      "usage",
      `The payload is 8 or 16 hexadecimal digits, such as 0000002a, not ${JSON.stringify(text)}.`,
    );
  }
  return Uint8Array.from(Buffer.from(text, "hex"));
}
