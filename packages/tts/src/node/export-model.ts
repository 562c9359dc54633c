import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { parseModelConfig } from "../config/model-config.ts";
import { TtsError } from "../errors.ts";
import { SafetensorsFile } from "../model/safetensors.ts";
import { exportOnnx, type OnnxManifest } from "../onnx/export-onnx.ts";
import { FileByteSource } from "./file-byte-source.ts";

const weightsName = "model.safetensors";

/**
 * Writes a model's folder as ONNX graphs with a `manifest.json`. ONNX Runtime reads weights only from beside a graph: in another folder the
 * weights file becomes a hard link, or a copy where there are none.
 * @param options `int8`: quantise the projections of the language model's layers
 * @throws TtsError `tts/model-missing`, `tts/model-malformed`, `tts/config-invalid`
 */
export function exportModel(
  modelDirectory: string,
  outDirectory: string = modelDirectory,
  options: { readonly int8?: boolean | undefined } = {},
): OnnxManifest {
  const configPath = join(modelDirectory, "config.yaml");
  const weights = join(modelDirectory, weightsName);
  for (const path of [configPath, weights]) {
    if (!existsSync(path)) throw new TtsError("tts/model-missing", `${path} is not there.`);
  }
  const config = parseModelConfig(readFileSync(configPath, "utf8"), configPath);
  const source = new FileByteSource(weights);
  try {
    const { files, manifest } = exportOnnx(
      config,
      SafetensorsFile.open(source, weights),
      weightsName,
      options,
    );
    mkdirSync(outDirectory, { recursive: true });
    const beside = join(outDirectory, weightsName);
    if (resolve(beside) !== resolve(weights)) place(weights, beside);
    for (const [name, bytes] of files) writeFileSync(join(outDirectory, name), bytes);
    writeFileSync(join(outDirectory, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
    return manifest;
  } finally {
    source.close();
  }
}

function place(from: string, to: string): void {
  if (existsSync(to)) {
    const [here, there] = [statSync(from), statSync(to)];
    if (here.ino === there.ino && here.dev === there.dev) return;
    throw new TtsError(
      "tts/option-invalid",
      `${to} is there already and is another file; choose another folder.`,
    );
  }
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}
