import { existsSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import type { ModelConfig } from "../config/model-config.ts";
import { TtsError } from "../errors.ts";
import { SafetensorsFile } from "../model/safetensors.ts";
import { joinCheckpoint } from "../model/split-checkpoint.ts";
import { FileByteSource } from "./file-byte-source.ts";

/** One file with all weights, or one each for language model and Mimi. */
export type WeightsPlace = string | { readonly flowLm: string; readonly mimi: string };

/** Weights open for reading; close them when loading is done. */
export interface OpenWeights {
  readonly file: SafetensorsFile;
  readonly byteLength: number;
  close(): void;
}

/**
 * Where a configuration has its weights.
 * @throws TtsError `tts/config-invalid` where it names none, or one of two; `tts/model-missing` for files that are not there
 */
export function placeWeights(config: ModelConfig, folder: string, given?: string): WeightsPlace {
  const flowLm = config.flowLm.weightsPath;
  const mimi = config.mimi.weightsPath;
  let place: WeightsPlace;
  if (given !== undefined || (flowLm === null && mimi === null)) {
    place = given ?? localPath(folder, config.weightsPath, "weights_path");
  } else if (flowLm === null || mimi === null) {
    const missing = flowLm === null ? "flow_lm" : "mimi";
    throw new TtsError(
      "tts/config-invalid",
      `The configuration has only one of two weights_path; ${missing}.weights_path is missing.`,
    );
  } else {
    place = {
      flowLm: localPath(folder, flowLm, "flow_lm.weights_path"),
      mimi: localPath(folder, mimi, "mimi.weights_path"),
    };
  }
  for (const path of typeof place === "string" ? [place] : [place.flowLm, place.mimi]) {
    if (!existsSync(path)) missingModel(path, "weights file");
  }
  return place;
}

/** @throws TtsError `tts/model-malformed`, and the system's error if a file cannot be opened */
export function openWeights(place: WeightsPlace): OpenWeights {
  const opened: FileByteSource[] = [];
  const open = (path: string) => {
    const source = new FileByteSource(path);
    opened.push(source);
    return source;
  };
  const close = () => {
    for (const source of opened) source.close();
  };
  try {
    const label = labelOf(place);
    const source =
      typeof place === "string" ? open(place) : joinCheckpoint(open(place.flowLm), open(place.mimi), label);
    return { file: SafetensorsFile.open(source, label), byteLength: source.byteLength, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** How errors name the weights. */
export function labelOf(place: WeightsPlace): string {
  return typeof place === "string" ? place : `${place.flowLm} and ${place.mimi}`;
}

/** A path of the configuration as a file on this machine: downloads put `hf://` files beside the configuration. */
export function localPath(folder: string, path: string | null, key: string): string {
  if (path === null) {
    throw new TtsError("tts/config-invalid", `The configuration has no ${key} and none was given.`);
  }
  if (/^[a-z]+:\/\//.test(path)) return join(folder, path.split("@")[0]!.split("/").at(-1)!);
  return isAbsolute(path) ? path : resolve(folder, path);
}

export function missingModel(path: string, what: string): never {
  throw new TtsError(
    "tts/model-missing",
    `There is no ${what} at ${path}; get a model with: longwave model download`,
  );
}
