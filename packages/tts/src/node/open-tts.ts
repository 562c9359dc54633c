import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Hooks } from "@longwave/base";
import { Tts } from "../engine/tts.ts";
import { TtsError } from "../errors.ts";
import { FormantEngine } from "../formant/formant-engine.ts";
import { openFlite } from "./open-flite.ts";
import { openOnnx } from "./open-onnx.ts";
import { PocketEngine, type PocketEngineOptions } from "./pocket-engine.ts";
import {
  knownCommands,
  parseCommandTemplate,
  SubprocessEngine,
  type SubprocessOptions,
} from "./subprocess-engine.ts";

/** What to open; with nothing given, the built-in voice speaks. */
export interface OpenTtsOptions {
  /**
   * Engine that must speak: `native`, `onnx` (an exported model on an installed ONNX Runtime), `flite` (where its package is installed),
   * `formant`, an external program (`espeak-ng`, `piper`, `pocket-tts`) or `command` (any other). Default: native where there is a model,
   * else command where one is given, else formant.
   */
  readonly engine?: string | undefined;
  /** Longest text in UTF-8 bytes; default 65,536. */
  readonly maxTextBytes?: number | undefined;
  readonly subprocess?: SubprocessOptions | undefined;
  /** A program that reads text and writes a WAV, see {@link parseCommandTemplate}. */
  readonly command?: string | undefined;
  /** Rate of that WAV in Hz; default 24,000. */
  readonly commandRate?: number | undefined;
  /** A model for the native engine: a folder with `config.yaml`, or the path of a configuration. */
  readonly model?: string | undefined;
  /** The voices' manifest.json; default `voices/manifest.json` beside the configuration, where it exists. */
  readonly voices?: string | undefined;
  readonly precision?: PocketEngineOptions["precision"];
  readonly threads?: PocketEngineOptions["threads"];
  /** Voice of the native engine where none is asked for; default the manifest's first. */
  readonly voice?: string | undefined;
  /** Let speech follow a recording; needs weights with an encoder and 44 MB more. Default false. */
  readonly cloning?: boolean | undefined;
  /** Folder of an installed ONNX Runtime; default see {@link openOnnx}. */
  readonly ortLib?: string | undefined;
  readonly hooks?: Hooks | undefined;
}

/** Names that `engine` takes. */
export const engineNames: readonly string[] = [
  "native",
  "onnx",
  "flite",
  "formant",
  "command",
  ...knownCommands.map(({ name }) => name),
];

/**
 * Opens text to speech on this machine.
 * @throws TtsError `tts/engine-unknown`, `tts/model-missing`, and what {@link PocketEngine.open} throws
 *
 * @example
 * const tts = await openTts();
 * for await (const pcm of tts.speak("Hello.", { seed: 1 })) sink.write(pcm);
 * await tts.close();
 */
export async function openTts(options: OpenTtsOptions = {}): Promise<Tts> {
  const { maxTextBytes } = options;
  const fallback = options.command === undefined ? "formant" : "command";
  const name = options.engine ?? (options.model === undefined ? fallback : "native");
  if (name === "formant") return new Tts({ engines: [new FormantEngine()], maxTextBytes });
  if (name === "flite") {
    return new Tts({ engines: [await openFlite(), new FormantEngine()], maxTextBytes });
  }
  if (name === "native") {
    // The formant voice stays at hand: a caller may ask for it by name.
    return new Tts({ engines: [await openNative(options), new FormantEngine()], maxTextBytes });
  }
  if (name === "onnx") {
    const { model, voices, ortLib: runtime, hooks } = options;
    if (model === undefined)
      throw new TtsError("tts/model-missing", "The onnx engine needs a model's folder.");
    return new Tts({
      engines: [await openOnnx({ model, voices, runtime, hooks }), new FormantEngine()],
      maxTextBytes,
    });
  }
  if (name === "command" && options.command === undefined) {
    throw new TtsError("tts/option-invalid", "The engine command needs a command line.");
  }
  const command =
    name === "command"
      ? parseCommandTemplate(options.command!, options.commandRate)
      : knownCommands.find((each) => each.name === name);
  if (command === undefined) {
    throw new TtsError("tts/engine-unknown", `No engine "${name}"; there are ${engineNames.join(", ")}.`);
  }
  return new Tts({ engines: [new SubprocessEngine(command, options.subprocess)], maxTextBytes });
}

function openNative(options: OpenTtsOptions): Promise<PocketEngine> {
  if (options.model === undefined) {
    throw new TtsError(
      "tts/model-missing",
      "The native engine needs a model: give its folder, or get one with: longwave model download",
    );
  }
  const configPath = /\.ya?ml$/.test(options.model) ? options.model : join(options.model, "config.yaml");
  const beside = join(dirname(configPath), "voices", "manifest.json");
  return PocketEngine.open({
    configPath,
    voicesPath: options.voices ?? (existsSync(beside) ? beside : undefined),
    precision: options.precision,
    threads: options.threads,
    defaultVoice: options.voice,
    cloning: options.cloning,
    hooks: options.hooks,
  });
}
