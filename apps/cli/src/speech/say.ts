import { encodeWav } from "@longwave/media";
import { oggOpusOf } from "@longwave/server";
import {
  concatenate,
  type FinishOptions,
  finish,
  type SamplingOptions,
  type Speech,
  streamingWavHeader,
  TtsError,
  toReferenceInt16,
} from "@longwave/tts";
import { openTts } from "@longwave/tts/node";
import { openReplacement } from "../replace-file.ts";
import { readText } from "./read-text.ts";
import { openOptions, resolveSpeechSettings } from "./speech-settings.ts";

/** Options of `longwave say`, as commander gives them. */
export interface SayOptions extends FinishOptions {
  readonly text?: string;
  readonly voice?: string;
  readonly out: string;
  readonly format: "wav" | "pcm" | "opus";
  readonly stream?: boolean;
  readonly seed: number;
  readonly engine?: string;
  readonly config?: string;
  readonly chunk?: boolean;
  readonly pauses?: boolean;
  readonly joinShort?: boolean;
  readonly maxChunkChars?: number;
  readonly ttsArg: readonly string[];
  readonly executable?: string;
  readonly model?: string;
  readonly precision?: "auto" | "f32" | "bf16" | "int8";
  readonly threads?: number;
  readonly lsdDecodeSteps?: number;
  readonly temperature?: number;
  readonly noiseClamp?: number;
  readonly eosThreshold?: number;
  readonly framesAfterEos?: number;
  readonly maxTokens?: number;
  readonly legacyPad?: boolean;
  readonly quiet?: boolean;
  readonly json?: boolean;
}

/** `longwave say [TEXT]`: speaks, writes, and reports the engine on standard error. */
export async function say(argument: string | undefined, options: SayOptions): Promise<void> {
  const text = await readText(argument ?? options.text);
  const settings = resolveSpeechSettings({ ...options }, process.env, options.config);
  const defaults = openOptions(settings);
  await using tts = await openTts({
    ...defaults,
    hooks: {
      log: (level, message) => void (level === "warn" && process.stderr.write(`longwave: ${message}\n`)),
    },
    subprocess: { ...defaults.subprocess, extraArgs: options.ttsArg.flatMap(toArguments) },
  });
  const started = performance.now();
  const speech = tts.speak(text, { ...options, voice: defaults.voice, sampling: samplingOf(options) });
  let firstMs: number | undefined;
  const timed = (async function* () {
    for await (const block of speech) {
      firstMs ??= performance.now() - started;
      yield block;
    }
  })();
  const frames = options.stream
    ? await writeStream(timed, speech, options)
    : await writeWhole(await concatenate(timed), speech, options);
  const elapsedMs = performance.now() - started;
  const seconds = frames / speech.sampleRate;
  const report = {
    out: options.out,
    engine: speech.engine,
    voice: speech.voice,
    seconds,
    firstMs: Math.round(firstMs ?? elapsedMs),
    // Of no sound there is no factor.
    rtf: frames === 0 ? null : Number((elapsedMs / 1000 / seconds).toFixed(3)),
  };
  if (options.json)
    (options.out === "-" ? process.stderr : process.stdout).write(`${JSON.stringify(report)}\n`);
  else if (!options.quiet) {
    process.stderr.write(
      `Spoken by the ${report.engine} engine, voice ${report.voice}: ${seconds.toFixed(2)} s to ${options.out}, ` +
        `first audio after ${report.firstMs} ms, real-time factor ${report.rtf ?? "unknown"}.\n`,
    );
  }
}

/** The sampling settings that were given; the rest keeps its defaults. */
function samplingOf(options: SayOptions): SamplingOptions {
  const names = [
    "lsdDecodeSteps",
    "temperature",
    "noiseClamp",
    "eosThreshold",
    "framesAfterEos",
    "maxTokens",
    "legacyPad",
  ] as const;
  return Object.fromEntries(
    names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]),
  );
}

async function writeWhole(pcm: Float32Array, speech: Speech, options: SayOptions): Promise<number> {
  finish(pcm, speech.sampleRate, options);
  if (options.format === "opus") {
    await withOutput(options.out, async (write) => {
      for await (const piece of oggOpusOf(inBlocks(pcm), speech.sampleRate)) await write(piece);
    });
    return pcm.length;
  }
  const bytes =
    options.format === "pcm"
      ? toReferenceInt16(pcm)
      : encodeWav(pcm, { sampleRate: speech.sampleRate, channels: 1 });
  await withOutput(options.out, (write) => write(bytes));
  return pcm.length;
}

async function writeStream(
  blocks: AsyncIterable<Float32Array>,
  speech: Speech,
  options: SayOptions,
): Promise<number> {
  if (options.dcBlock || options.normalize || options.fadeInMs || options.fadeOutMs) {
    throw new TtsError(
      "tts/option-invalid",
      "--stream cannot be combined with --dc-block, --normalize or fades.",
    );
  }
  let frames = 0;
  const counted = (async function* () {
    for await (const block of blocks) {
      frames += block.length;
      yield block;
    }
  })();
  await withOutput(options.out, async (write) => {
    if (options.format === "opus") {
      for await (const piece of oggOpusOf(counted, speech.sampleRate)) await write(piece);
      return;
    }
    if (options.format === "wav") await write(streamingWavHeader(speech.sampleRate));
    for await (const block of counted) await write(toReferenceInt16(block));
  });
  return frames;
}

async function* inBlocks(pcm: Float32Array): AsyncIterable<Float32Array> {
  for (let at = 0; at < pcm.length; at += 48_000) yield pcm.subarray(at, at + 48_000);
}

type Write = (bytes: Uint8Array) => Promise<void>;

async function withOutput(path: string, body: (write: Write) => Promise<void>): Promise<void> {
  if (path === "-") {
    return body(
      (bytes) =>
        new Promise((resolve, reject) => {
          process.stdout.write(bytes, (error) => (error ? reject(error) : resolve()));
        }),
    );
  }
  const replacement = await openReplacement(path);
  try {
    await body(async (bytes) => {
      await replacement.file.writeFile(bytes);
    });
    await replacement.commit();
  } finally {
    await replacement.discard();
  }
}

function toArguments(pair: string): string[] {
  const at = pair.indexOf("=");
  if (at <= 0) throw new TtsError("tts/option-invalid", `--tts-arg ${pair} is not of the form key=value.`);
  return [`--${pair.slice(0, at)}`, pair.slice(at + 1)];
}
