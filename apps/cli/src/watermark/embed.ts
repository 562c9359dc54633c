import { WatermarkDetector, WatermarkEmbedder, type WatermarkSpan } from "@longwave/fingerprint/watermark";
import { encodeWav } from "@longwave/media";
import { CliError } from "../errors.ts";
import { aboutFile } from "../id/naming.ts";
import { readSound } from "../id/read-sound.ts";
import { printResult } from "../output.ts";
import { replaceFile } from "../replace-file.ts";
import { type KeyOptions, readKey } from "./read-key.ts";

export interface EmbedOptions extends KeyOptions {
  readonly payload: string;
  readonly signalToMark: number;
  readonly float?: boolean;
  /** Mark a sound that carries a mark of this key already. */
  readonly force?: boolean;
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
  const form: SoundForm = { sampleRate, channels, key };
  const embedder = await aboutFile(
    input,
    () => new WatermarkEmbedder({ ...form, payload, signalToMark: options.signalToMark }),
  );
  const carried = payloadsIn(samples, form);
  if (carried.length > 0) warnOfMark(input, carried, options.force === true);
  const marked = new Float32Array(samples.length + embedder.maxOutputFrames() * channels);
  const given = embedder.process(samples, marked) * channels;
  const frames = (given + embedder.flush(marked.subarray(given)) * channels) / channels;
  const encoding = options.float === true ? "f32" : "s16";
  const wav = encodeWav(marked.subarray(0, frames * channels), { sampleRate, channels, encoding });
  if (output === "-") process.stdout.write(wav);
  else await replaceFile(output, wav);
  if (output === "-") return;
  const seconds = frames / sampleRate;
  const readable = payloadsIn(marked.subarray(0, frames * channels), form, [payload.length as 4 | 8]);
  const isReadable = readable.includes(Buffer.from(payload).toString("hex"));
  const result = { input, output, payload: options.payload, seconds, channels, readable: isReadable };
  printResult(options.json === true, result, () => [
    isReadable
      ? `${output}: ${seconds.toFixed(1)} s carry ${options.payload}.`
      : `${output}: written, but ${options.payload} cannot be read in it: silence and less than 5 s carry no mark.`,
  ]);
}

interface SoundForm {
  readonly sampleRate: number;
  readonly channels: number;
  readonly key: Uint8Array | string;
}

/** The payloads, in hexadecimal digits, that a sound carries under a key. */
function payloadsIn(
  samples: Float32Array,
  form: SoundForm,
  lengths: readonly (4 | 8)[] = [4, 8],
): readonly string[] {
  const found = new Set<string>();
  for (const payloadBytes of lengths) {
    const detector = new WatermarkDetector({ ...form, payloadBytes });
    const add = ({ payload }: WatermarkSpan) => void found.add(Buffer.from(payload).toString("hex"));
    detector.process(samples, add);
    detector.flush(add);
  }
  return [...found];
}

/**
 * A second mark of the same key lies in the cells of the first and erases it.
 * @throws CliError `cli/already-marked` unless forced
 */
function warnOfMark(input: string, carried: readonly string[], force: boolean): void {
  const name = input === "-" ? "Standard input" : input;
  const what = `${name} carries ${carried.join(" and ")} of this key already, which a second mark erases`;
  if (force) process.stderr.write(`longwave: ${what}.\n`);
  else throw new CliError("cli/already-marked", "usage", `${what}; mark the original, or add --force.`);
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
