import { writeFile } from "node:fs/promises";
import { WatermarkDetector, WatermarkEmbedder, type WatermarkSpan } from "@longwave/fingerprint/watermark";
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
  const broken = samples.findIndex((value) => !Number.isFinite(value));
  if (broken >= 0) {
    throw new CliError(
      "fp/non-finite",
      "malformed",
      `${input}: sample ${broken} is ${samples[broken]}; every sample must be a finite number.`,
    );
  }
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
  const detector = new WatermarkDetector({
    sampleRate,
    channels,
    key,
    payloadBytes: payload.length as 4 | 8,
  });
  let isReadable = false;
  const read = (span: WatermarkSpan) => {
    if (Buffer.compare(span.payload, payload) === 0) isReadable = true;
  };
  detector.process(marked.subarray(0, frames * channels), read);
  detector.flush(read);
  const result = { input, output, payload: options.payload, seconds, channels, readable: isReadable };
  printResult(options.json === true, result, () => [
    isReadable
      ? `${output}: ${seconds.toFixed(1)} s carry ${options.payload}.`
      : `${output}: written, but ${options.payload} cannot be read in it: silence and less than 5 s carry no mark.`,
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
