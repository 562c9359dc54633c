import { type ModelConfig, stepsPerFrame } from "../config/model-config.ts";
import { mimiTransformerShape } from "../model/mimi-decoder-front.ts";
import type { OnnxGraph } from "./onnx-graph.ts";
import { linear, transformerLayers } from "./transformer-graph.ts";

const end = 2 ** 40;

/** Sound [1][1][samples], a whole number of frames, to the conditioning rows of a voice [frames][width]. */
export function mimiEncoder(graph: OnnxGraph, config: ModelConfig): void {
  const { mimi, flowLm } = config;
  const steps = stepsPerFrame(config);
  const conv = (x: string, name: string, n: number, k: number, kernel: number, stride = 1) => {
    const padded = graph.node("Pad", [x, graph.integers([0, 0, kernel - stride, 0, 0, 0])]);
    const inputs = [
      padded,
      graph.weight(`${name}.weight`, [n, k, kernel]),
      graph.weight(`${name}.bias`, [n]),
    ];
    return graph.node("Conv", inputs, { strides: [stride], kernel_shape: [kernel] });
  };
  const model = (index: number) => `mimi.encoder.model.${index}`;
  let channels = mimi.filters;
  let x = conv(
    graph.input("audio", "float", [1, 1, "samples"]),
    `${model(0)}.conv`,
    channels,
    1,
    mimi.kernel,
  );
  for (const [stage, ratio] of mimi.ratios.toReversed().entries()) {
    const name = model(1 + 3 * stage);
    const hidden = Math.floor(channels / mimi.compress);
    const first = conv(elu(graph, x), `${name}.block.1.conv`, hidden, channels, mimi.residualKernel);
    x = graph.node("Add", [x, conv(elu(graph, first), `${name}.block.3.conv`, channels, hidden, 1)]);
    x = conv(elu(graph, x), `${model(3 + 3 * stage)}.conv`, 2 * channels, channels, 2 * ratio, ratio);
    channels *= 2;
  }
  const last = model(2 + 3 * mimi.ratios.length);
  x = conv(elu(graph, x), `${last}.conv`, mimi.width, channels, mimi.lastKernel);
  const prefix = "mimi.encoder_transformer.transformer";
  const rows = transformerLayers(
    graph,
    toRows(graph, x),
    graph.integers([0]),
    prefix,
    mimiTransformerShape(config),
    false,
  );
  const replicated = graph.node("Pad", [toChannels(graph, rows), graph.integers([0, 0, steps, 0, 0, 0])], {
    mode: "edge",
  });
  const down = graph.weight("mimi.downsample.conv.conv.weight", [mimi.innerDim, mimi.width, 2 * steps]);
  const latents = graph.node("Conv", [replicated, down], { strides: [steps], kernel_shape: [2 * steps] });
  const projected = linear(
    graph,
    toRows(graph, latents),
    "flow_lm.speaker_proj_weight",
    flowLm.width,
    mimi.innerDim,
  );
  graph.output(projected, "conditioning", "float", ["frames", flowLm.width]);
}

/**
 * One latent [1][latentDim] to one frame of sound. State goes in as `state.N` and comes out as `next_state.N`, zeros at first, and the
 * keys and values of the layers, none at first.
 */
export function mimiDecoder(graph: OnnxGraph, config: ModelConfig): void {
  const { mimi } = config;
  const steps = stepsPerFrame(config);
  const { width, latentDim } = mimi;
  let states = 0;
  const state = (channels: number, length: number): { before: string; after: (value: string) => void } => {
    const index = states++;
    const shape = [1, channels, length];
    return {
      before: graph.input(`state.${index}`, "float", shape),
      after: (value) => graph.output(value, `next_state.${index}`, "float", shape),
    };
  };
  const conv = (x: string, name: string, n: number, k: number, kernel: number) => {
    const inputs = [graph.weight(`${name}.weight`, [n, k, kernel]), graph.weight(`${name}.bias`, [n])];
    if (kernel === 1) return graph.node("Conv", [x, ...inputs], { kernel_shape: [1] });
    const history = state(k, kernel - 1);
    const whole = graph.node("Concat", [history.before, x], { axis: 2 });
    history.after(columns(graph, whole, 1 - kernel, end));
    return graph.node("Conv", [whole, ...inputs], { kernel_shape: [kernel] });
  };
  /** Kernel 2 * stride: the second half of the outputs waits for the next call. */
  const transposed = (x: string, weight: string, outputs: number, stride: number, group = 1) => {
    const tail = state(outputs, stride);
    const whole = graph.node("ConvTranspose", [x, weight], {
      strides: [stride],
      kernel_shape: [2 * stride],
      group,
    });
    tail.after(columns(graph, whole, -stride, end));
    const first = graph.node("Add", [columns(graph, whole, 0, stride), tail.before]);
    return graph.node("Concat", [first, columns(graph, whole, stride, -stride)], { axis: 2 });
  };

  const latent = graph.input("latent", "float", [1, latentDim]);
  const offset = graph.input("offset", "int64", [1]);
  const scaled = graph.node("Add", [
    graph.node("Mul", [latent, graph.weight("flow_lm.emb_std", [latentDim])]),
    graph.weight("flow_lm.emb_mean", [latentDim]),
  ]);
  const projected = graph.node(
    "Conv",
    [toChannels(graph, scaled), graph.weight("mimi.quantizer.output_proj.weight", [width, latentDim, 1])],
    { kernel_shape: [1] },
  );
  const up = graph.weight("mimi.upsample.convtr.convtr.weight", [width, 1, 2 * steps]);
  const rows = transformerLayers(
    graph,
    toRows(graph, transposed(projected, up, width, steps, width)),
    offset,
    "mimi.decoder_transformer.transformer",
    mimiTransformerShape(config),
    true,
  );
  const model = (index: number) => `mimi.decoder.model.${index}`;
  let channels = mimi.filters * 2 ** mimi.ratios.length;
  let x = conv(toChannels(graph, rows), `${model(0)}.conv`, channels, width, mimi.kernel);
  for (const [stage, ratio] of mimi.ratios.entries()) {
    const outputs = channels / 2;
    const name = `${model(2 + 3 * stage)}.convtr`;
    const weight = graph.weight(`${name}.weight`, [channels, outputs, 2 * ratio]);
    const bias = graph.node("Reshape", [
      graph.weight(`${name}.bias`, [outputs]),
      graph.integers([1, outputs, 1]),
    ]);
    x = graph.node("Add", [transposed(elu(graph, x), weight, outputs, ratio), bias]);
    channels = outputs;
    const block = model(3 + 3 * stage);
    const hidden = Math.floor(channels / mimi.compress);
    const first = conv(elu(graph, x), `${block}.block.1.conv`, hidden, channels, mimi.residualKernel);
    x = graph.node("Add", [x, conv(elu(graph, first), `${block}.block.3.conv`, channels, hidden, 1)]);
  }
  const last = `${model(2 + 3 * mimi.ratios.length)}.conv`;
  const audio = conv(elu(graph, x), last, 1, channels, mimi.lastKernel);
  graph.output(audio, "audio", "float", [1, 1, mimi.sampleRate / mimi.frameRate]);
}

function elu(graph: OnnxGraph, x: string): string {
  return graph.node("Elu", [x]);
}

/** [1][channels][T] to [T][channels]. */
function toRows(graph: OnnxGraph, x: string): string {
  return graph.node("Squeeze", [graph.node("Transpose", [x], { perm: [2, 0, 1] }), graph.integers([1])]);
}

/** [T][channels] to [1][channels][T]. */
function toChannels(graph: OnnxGraph, x: string): string {
  return graph.node("Unsqueeze", [graph.node("Transpose", [x], { perm: [1, 0] }), graph.integers([0])]);
}

/** Columns [from, to) of the last axis; negative counts from the end. */
function columns(graph: OnnxGraph, x: string, from: number, to: number): string {
  return graph.node("Slice", [x, graph.integers([from]), graph.integers([to]), graph.integers([2])]);
}
