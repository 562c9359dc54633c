import { readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { isLongwaveError } from "@longwave/base";
import { isSystemError, systemReason } from "@longwave/base/node";
import { type ModelConfig, parseModelConfig } from "../config/model-config.ts";
import { PocketModel } from "../model/pocket-model.ts";
import type { SafetensorsFile } from "../model/safetensors.ts";
import { tensorList } from "../model/tensor-list.ts";
import { SentencePieceTokenizer } from "../text/sentencepiece-tokenizer.ts";
import { parseVoiceManifest } from "../voice/voice-manifest.ts";
import { type OpenWeights, openWeights, placeWeights, type WeightsPlace } from "./open-weights.ts";
import { readVoiceFile } from "./pocket-engine.ts";

/** One check and its outcome. */
export interface ModelCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

/**
 * Checks a model's folder: configuration, tokenizer, every tensor's presence and shape, one zero-valued pass through each module, and
 * every voice of the manifest. Never throws for what is wrong with the model.
 */
export function verifyModel(directory: string): ModelCheck[] {
  const checks: ModelCheck[] = [];
  const attempt = <T>(name: string, run: () => [T, string]): T | undefined => {
    try {
      const [value, detail] = run();
      checks.push({ name, ok: true, detail });
      return value;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const reason = isSystemError(error) ? systemReason(error) : error.message;
      checks.push({ name, ok: false, detail: isLongwaveError(error) ? `${reason} (${error.code})` : reason });
      return undefined;
    }
  };
  const config = attempt<ModelConfig>("configuration", () => {
    const path = join(directory, "config.yaml");
    const parsed = parseModelConfig(readFileSync(path, "utf8"), path);
    return [parsed, `${parsed.flowLm.layers} layers, width ${parsed.flowLm.width}`];
  });
  if (config === undefined) return checks;
  attempt("tokenizer", () => {
    const tokenizer = new SentencePieceTokenizer(readFileSync(join(directory, "tokenizer.model")));
    if (tokenizer.size !== config.flowLm.vocabulary) {
      throw new Error(`${tokenizer.size} pieces, the configuration says ${config.flowLm.vocabulary}`);
    }
    return [tokenizer, `${tokenizer.size} pieces`];
  });
  const place = attempt("weights", () => {
    const isPair = config.flowLm.weightsPath !== null || config.mimi.weightsPath !== null;
    const found = placeWeights(config, directory, isPair ? undefined : join(directory, "model.safetensors"));
    const files = typeof found === "string" ? [found] : [found.flowLm, found.mimi];
    const bytes = files.reduce((sum, path) => sum + statSync(path).size, 0);
    return [found, `${(bytes / 2 ** 20).toFixed(1)} MiB`];
  });
  const weights = place === undefined ? undefined : attempt("tensors", () => openAll(place, config));
  if (weights !== undefined) {
    verifyModules(config, weights.file, attempt);
    weights.close();
  }
  verifyVoices(directory, config, attempt);
  return checks;
}

function openAll(place: WeightsPlace, config: ModelConfig): [OpenWeights, string] {
  const weights = openWeights(place);
  try {
    const list = tensorList(config);
    for (const { name, shape } of list) weights.file.info(name, shape);
    return [weights, `${list.length} of ${list.length} with their shapes`];
  } catch (error) {
    weights.close();
    throw error;
  }
}

type Attempt = <T>(name: string, run: () => [T, string]) => T | undefined;

function verifyModules(config: ModelConfig, file: SafetensorsFile, attempt: Attempt): void {
  const model = attempt("loading", () => {
    const opened = new PocketModel(config, file, { encoder: true, capacity: 64 });
    return [opened, `${(opened.core.u8.length / 2 ** 20).toFixed(0)} MiB`];
  });
  if (model === undefined) return;
  const { core, flowLm, decoder, encoder } = model;
  const finite = (address: number, count: number): [boolean, string] => {
    if (!core.floats(address, count).every(Number.isFinite)) throw new Error("the result is not finite");
    return [true, `${count} finite values`];
  };
  attempt("language model", () => {
    flowLm.transformer.reset();
    core.floats(flowLm.latent, config.mimi.latentDim).fill(0);
    flowLm.advance(core);
    return finite(flowLm.hidden, config.flowLm.width);
  });
  attempt("flow net", () => {
    flowLm.flowNet.setSteps(core, 1);
    core.floats(flowLm.latent, config.mimi.latentDim).fill(0);
    flowLm.sample(core);
    return finite(flowLm.latent, config.mimi.latentDim);
  });
  attempt("decoder", () => {
    core.floats(decoder.latent, config.mimi.latentDim).fill(0);
    decoder.decode(core);
    return finite(decoder.audio, Math.round(config.mimi.sampleRate / config.mimi.frameRate));
  });
  attempt("encoder", () => {
    encoder.encode(core);
    return finite(encoder.latent, config.mimi.innerDim);
  });
}

function verifyVoices(directory: string, config: ModelConfig, attempt: Attempt): void {
  const path = join(directory, "voices", "manifest.json");
  const voices = attempt("voice manifest", () => {
    const parsed = parseVoiceManifest(readFileSync(path, "utf8"), path);
    return [parsed, `${parsed.length} voices`];
  });
  for (const voice of voices ?? []) {
    attempt(`voice ${voice.id}`, () => {
      const { rows } = readVoiceFile(join(dirname(path), voice.path), config);
      return [rows, `${rows} positions, ${voice.license}`];
    });
  }
}
