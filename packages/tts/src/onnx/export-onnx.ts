import type { ModelConfig } from "../config/model-config.ts";
import type { SafetensorsFile } from "../model/safetensors.ts";
import { flowLmFlow, flowLmMain, textConditioner } from "./flow-lm-graphs.ts";
import { mimiDecoder, mimiEncoder } from "./mimi-graphs.ts";
import { OnnxGraph, type OnnxValue } from "./onnx-graph.ts";
import { QuantizedWeights } from "./quantized-weights.ts";

/** A graph, as the manifest lists it. */
export interface OnnxManifestGraph {
  readonly name: string;
  readonly file: string;
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

/** `manifest.json` beside the graphs. */
export interface OnnxManifest {
  readonly version: 1;
  /** The file that holds all weights; it must lie beside the graphs. */
  readonly weights: string;
  /** The file of 8-bit weights, where the graphs use any; beside them as well. */
  readonly quantized?: string;
  readonly graphs: readonly OnnxManifestGraph[];
}

const builders = {
  text_conditioner: textConditioner,
  flow_lm_main: flowLmMain,
  flow_lm_flow: flowLmFlow,
  mimi_encoder: mimiEncoder,
  mimi_decoder: mimiDecoder,
} as const;

/**
 * Writes a model as ONNX graphs of some ten kilobytes each. The weights are not copied: the graphs refer to their bytes in the safetensors
 * file, which must lie beside them under the name `weights`. The encoder is left out where the weights have none. With `int8` the projections
 * of the language model's layers are quantised into a file of their own, a quarter of their size.
 * @returns the graphs' files by name, and the manifest
 * @throws TtsError `tts/model-malformed` where a tensor is missing or has another shape
 */
export function exportOnnx(
  config: ModelConfig,
  file: SafetensorsFile,
  weights: string,
  options: { readonly int8?: boolean | undefined } = {},
): { files: Map<string, Uint8Array>; manifest: OnnxManifest } {
  const files = new Map<string, Uint8Array>();
  const graphs: OnnxManifestGraph[] = [];
  const quantized = options.int8 ? new QuantizedWeights("weights.int8") : undefined;
  for (const [name, build] of Object.entries(builders)) {
    if (name === "mimi_encoder" && !file.has("mimi.encoder.model.0.conv.weight")) continue;
    const graph = new OnnxGraph(file, weights, quantized);
    build(graph, config);
    const fileName = `${name}.onnx`;
    files.set(fileName, graph.finish(name));
    graphs.push({ name, file: fileName, inputs: graph.inputs, outputs: graph.outputs });
  }
  if (quantized === undefined) return { files, manifest: { version: 1, weights, graphs } };
  files.set(quantized.location, quantized.finish());
  return { files, manifest: { version: 1, weights, quantized: quantized.location, graphs } };
}
