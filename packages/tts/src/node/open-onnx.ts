import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Hooks } from "@longwave/base";
import { parseModelConfig } from "../config/model-config.ts";
import { nearNames } from "../engine/near-names.ts";
import { TtsError } from "../errors.ts";
import { checkOnnxManifest, OnnxEngine } from "../onnx/onnx-engine.ts";
import { type OnnxRuntime, OnnxSessions } from "../onnx/onnx-runtime.ts";
import { SentencePieceTokenizer } from "../text/sentencepiece-tokenizer.ts";
import { VoiceStateCache } from "../voice/voice-cache.ts";
import { parseVoiceManifest } from "../voice/voice-manifest.ts";
import { readVoiceFile } from "./pocket-engine.ts";

/** Where the exported model and the runtime are. */
export interface OpenOnnxOptions {
  /** The model's folder: `config.yaml`, `tokenizer.model`, voices. */
  readonly model: string;
  /** Folder of the exported graphs; default `onnx` in the model's folder, else that folder itself. */
  readonly graphs?: string | undefined;
  /** The voices' manifest.json; default `voices/manifest.json` in the model's folder. */
  readonly voices?: string | undefined;
  /**
   * Folder of an installed `onnxruntime-node` or `onnxruntime-web`; default `LONGWAVE_TTS_ORT_LIB`, then `ORT_LIBRARY_PATH`, then what is
   * installed beside this package.
   */
  readonly runtime?: string | undefined;
  readonly hooks?: Hooks | undefined;
}

/** A runtime that was found. */
export interface FoundOnnxRuntime {
  readonly name: string;
  readonly version: string;
  readonly runtime: OnnxRuntime;
}

const packages = ["onnxruntime-node", "onnxruntime-web"] as const;

/**
 * Loads ONNX Runtime, which is not among our dependencies.
 * @throws TtsError `tts/engine-unavailable` saying how to get it
 */
export async function loadOnnxRuntime(
  folder: string | undefined = process.env["LONGWAVE_TTS_ORT_LIB"] ?? process.env["ORT_LIBRARY_PATH"],
): Promise<FoundOnnxRuntime> {
  const resolveFrom = createRequire(import.meta.url);
  const candidates = folder === undefined ? packages : [folder];
  for (const candidate of candidates) {
    const isFolder = folder !== undefined;
    try {
      const manifestPath = isFolder
        ? join(candidate, "package.json")
        : findManifest(resolveFrom.resolve(candidate));
      const { name, version } = JSON.parse(readFileSync(manifestPath, "utf8")) as Record<string, string>;
      const entry = createRequire(pathToFileURL(manifestPath)).resolve(dirname(manifestPath));
      const loaded = (await import(pathToFileURL(entry).href)) as { default?: OnnxRuntime } & OnnxRuntime;
      const runtime = loaded.InferenceSession === undefined ? loaded.default! : loaded;
      keepToOneThread(runtime);
      return { name: name!, version: version!, runtime };
    } catch (cause) {
      if (!isFolder) continue;
      throw new TtsError("tts/engine-unavailable", `${candidate} is no installed ONNX Runtime.`, { cause });
    }
  }
  throw new TtsError(
    "tts/engine-unavailable",
    "ONNX Runtime is not installed: npm install --ignore-scripts onnxruntime-node (or onnxruntime-web), or name its folder in LONGWAVE_TTS_ORT_LIB.",
  );
}

/** The package.json of the package that a file belongs to. */
function findManifest(file: string): string {
  let folder = dirname(file);
  while (!existsSync(join(folder, "package.json")) && dirname(folder) !== folder) folder = dirname(folder);
  return join(folder, "package.json");
}

/** A matrix times one row waits for memory: more threads than one only get in each other's way. */
function keepToOneThread(runtime: OnnxRuntime): void {
  const { env } = runtime as { env?: { logLevel?: string; wasm?: { numThreads?: number } } };
  if (env === undefined) return;
  env.logLevel = "error";
  if (env.wasm !== undefined) env.wasm.numThreads = 1;
}

/**
 * Opens an exported model on ONNX Runtime.
 * @throws TtsError `tts/engine-unavailable`, `tts/model-missing`, `tts/config-invalid`, `tts/model-malformed`
 */
export async function openOnnx(options: OpenOnnxOptions): Promise<OnnxEngine> {
  const inModel = join(options.model, "onnx");
  const graphs = options.graphs ?? (existsSync(join(inModel, "manifest.json")) ? inModel : options.model);
  const manifest: unknown = JSON.parse(readRequired(join(graphs, "manifest.json")).toString("utf8"));
  checkOnnxManifest(manifest, join(graphs, "manifest.json"));
  const configPath = join(options.model, "config.yaml");
  const config = parseModelConfig(readRequired(configPath).toString("utf8"), configPath);
  const tokenizer = new SentencePieceTokenizer(readRequired(join(options.model, "tokenizer.model")));
  const voicesPath = options.voices ?? join(options.model, "voices", "manifest.json");
  const voices = existsSync(voicesPath)
    ? parseVoiceManifest(readFileSync(voicesPath, "utf8"), voicesPath)
    : [];
  const { name, version, runtime } = await loadOnnxRuntime(options.runtime);
  // The native package maps the weights itself, from beside the graph; the portable one is given their bytes.
  const locate = name === "onnxruntime-node" ? (file: string) => join(graphs, file) : undefined;
  const names = ["text_conditioner", "flow_lm_main", "flow_lm_flow", "mimi_decoder"];
  const sessions = await OnnxSessions.load(
    runtime,
    manifest,
    (file) => new Uint8Array(readRequired(join(graphs, file))),
    { names, locate },
  );
  options.hooks?.log?.("info", `${name} ${version} is loaded.`, { folder: graphs });
  for (const graph of manifest.graphs) {
    if (!names.includes(graph.name)) continue;
    const named = (values: readonly { readonly name: string }[]) => values.map((each) => each.name).join(" ");
    options.hooks?.log?.("debug", `The graph ${graph.name} is loaded.`, {
      inputs: named(graph.inputs),
      outputs: named(graph.outputs),
    });
  }
  const states = new VoiceStateCache();
  return new OnnxEngine({
    sessions,
    config,
    tokenizer,
    voices: voices.map(({ path: _, ...info }) => info),
    loadVoice: (id) => {
      const voice = voices.find((each) => each.id === id);
      if (voice === undefined) {
        const near = nearNames(
          id,
          voices.map((each) => each.id),
        );
        const hint = near.length > 0 ? ` Did you mean ${near.join(" or ")}?` : "";
        throw new TtsError("tts/voice-unknown", `There is no voice "${id}" in ${voicesPath}.${hint}`);
      }
      const path = join(dirname(voicesPath), voice.path);
      return states.get(path, () => readVoiceFile(path, config));
    },
  });
}

function readRequired(path: string): Buffer {
  if (existsSync(path)) return readFileSync(path);
  throw new TtsError(
    "tts/model-missing",
    `${path} is not there; make the graphs with: longwave model export`,
  );
}
