import { open } from "node:fs/promises";
import { encodeWav } from "@longwave/media";
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
import { readText } from "./read-text.ts";

/** Options of `longwave say`, as commander gives them. */
export interface SayOptions extends FinishOptions {
  readonly text?: string;
  readonly voice?: string;
  readonly out: string;
  readonly format: "wav" | "pcm";
  readonly stream?: boolean;
  readonly seed: number;
  readonly engine?: string;
  readonly chunk?: boolean;
  readonly maxChunkChars?: number;
  readonly ttsArg: readonly string[];
  readonly executable?: string;
  readonly model?: string;
  readonly precision?: "auto" | "f32" | "bf16" | "int8";
  readonly threads?: 1 | 2;
  readonly lsdDecodeSteps?: number;
  readonly temperature?: number;
  readonly noiseClamp?: number;
  readonly eosThreshold?: number;
  readonly framesAfterEos?: number;
  readonly maxTokens?: number;
  readonly quiet?: boolean;
  readonly json?: boolean;
}

/** `longwave say [TEXT]`: speaks, writes, and reports the engine on standard error. */
export async function say(argument: string | undefined, options: SayOptions): Promise<void> {
  const text = await readText(argument ?? options.text);
  await using tts = await openTts({
    engine: options.engine,
    model: options.model ?? process.env["LONGWAVE_TTS_MODEL"],
    precision: options.precision,
    threads: options.threads,
    hooks: {
      log: (level, message) => void (level === "warn" && process.stderr.write(`longwave: ${message}\n`)),
    },
    subprocess: { executablePath: options.executable, extraArgs: options.ttsArg.flatMap(toArguments) },
  });
  const started = performance.now();
  const speech = tts.speak(text, { ...options, sampling: samplingOf(options) });
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
    rtf: Number((elapsedMs / 1000 / seconds).toFixed(3)),
  };
  if (options.json)
    (options.out === "-" ? process.stderr : process.stdout).write(`${JSON.stringify(report)}\n`);
  else if (!options.quiet) {
    process.stderr.write(
      `Spoken by the ${report.engine} engine, voice ${report.voice}: ${seconds.toFixed(2)} s to ${options.out}, ` +
        `first audio after ${report.firstMs} ms, real-time factor ${report.rtf}.\n`,
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
  ] as const;
  return Object.fromEntries(
    names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]),
  );
}

async function writeWhole(pcm: Float32Array, speech: Speech, options: SayOptions): Promise<number> {
  finish(pcm, speech.sampleRate, options);
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
  await withOutput(options.out, async (write) => {
    if (options.format === "wav") await write(streamingWavHeader(speech.sampleRate));
    for await (const block of blocks) {
      frames += block.length;
      await write(toReferenceInt16(block));
    }
  });
  return frames;
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
  const file = await open(path, "w");
  try {
    await body(async (bytes) => {
      await file.writeFile(bytes);
    });
  } finally {
    await file.close();
  }
}

function toArguments(pair: string): string[] {
  const at = pair.indexOf("=");
  if (at <= 0) throw new TtsError("tts/option-invalid", `--tts-arg ${pair} is not of the form key=value.`);
  return [`--${pair.slice(0, at)}`, pair.slice(at + 1)];
}
