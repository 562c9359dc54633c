import type { ModelConfig } from "../config/model-config.ts";
import type { OnnxGraph } from "./onnx-graph.ts";
import { layerNorm, linear, transformerLayers } from "./transformer-graph.ts";

/** Token ids [T] to rows [T][width]. */
export function textConditioner(graph: OnnxGraph, { flowLm }: ModelConfig): void {
  const ids = graph.input("token_ids", "int64", ["tokens"]);
  const table = graph.weight("flow_lm.conditioner.embed.weight", [flowLm.vocabulary + 1, flowLm.width]);
  graph.output(graph.node("Gather", [table, ids]), "embeddings", "float", ["tokens", flowLm.width]);
}

/**
 * The language model: rows of text or of a voice, then latents (NaN: begin of speech), through the layers; the normalised output of the
 * last row and its end-of-speech logit. Either input may have no rows.
 */
export function flowLmMain(graph: OnnxGraph, { flowLm, mimi }: ModelConfig): void {
  const { width } = flowLm;
  const { latentDim } = mimi;
  const embeddings = graph.input("text_embeddings", "float", ["tokens", width]);
  const sequence = graph.input("sequence", "float", ["latents", latentDim]);
  const offset = graph.input("offset", "int64", [1]);
  const start = graph.weight("flow_lm.bos_emb", [latentDim]);
  const latents = graph.node("Where", [graph.node("IsNaN", [sequence]), start, sequence]);
  const projected = linear(graph, latents, "flow_lm.input_linear", width, latentDim);
  const rows = graph.node("Concat", [embeddings, projected], { axis: 0 });
  const shape = { ...flowLm, context: 0, layerScale: false };
  const x = transformerLayers(graph, rows, offset, "flow_lm.transformer", shape, true);
  const last = graph.node("Slice", [x, graph.integers([-1]), graph.integers([2 ** 40]), graph.integers([0])]);
  const hidden = layerNorm(graph, last, "flow_lm.out_norm", width, 1e-5);
  graph.output(hidden, "conditioning", "float", [1, width]);
  graph.output(linear(graph, hidden, "flow_lm.out_eos", 1, width, true), "eos_logit", "float", [1, 1]);
}

/** The flow net: v(c, s, t, x). */
export function flowLmFlow(graph: OnnxGraph, { flowLm, mimi }: ModelConfig): void {
  const { width, flowDim, flowDepth } = flowLm;
  const { latentDim } = mimi;
  const net = "flow_lm.flow_net";
  const c = graph.input("c", "float", [1, width]);
  const s = graph.input("s", "float", [1, 1]);
  const t = graph.input("t", "float", [1, 1]);
  const noise = graph.input("x", "float", [1, latentDim]);
  const add = (a: string, b: string) => graph.node("Add", [a, b]);
  const mul = (a: string, b: string) => graph.node("Mul", [a, b]);
  const silu = (value: string) => mul(value, graph.node("Sigmoid", [value]));
  const dense = (value: string, name: string, n: number, k: number) =>
    linear(graph, value, `${net}.${name}`, n, k, true);
  const modulate = (value: string, shift: string, scale: string) =>
    add(mul(value, add(scale, graph.floats([1]))), shift);

  const embed = (time: string, which: number) => {
    const name = `time_embed.${which}`;
    const angles = mul(time, graph.weight(`${net}.${name}.freqs`, [128]));
    const waves = graph.node("Concat", [graph.node("Cos", [angles]), graph.node("Sin", [angles])], {
      axis: 1,
    });
    const h = dense(silu(dense(waves, `${name}.mlp.0`, flowDim, 256)), `${name}.mlp.2`, flowDim, flowDim);
    // Divided by the root of the unbiased variance, itself not centred.
    const centred = graph.node("Sub", [h, graph.node("ReduceMean", [h], { axes: [1] })]);
    const squares = graph.node("ReduceMean", [mul(centred, centred)], { axes: [1] });
    const variance = mul(squares, graph.floats([flowDim / (flowDim - 1)]));
    const root = graph.node("Sqrt", [add(variance, graph.floats([1e-5]))]);
    return graph.node("Div", [mul(h, graph.weight(`${net}.${name}.mlp.3.alpha`, [flowDim])), root]);
  };
  const times = mul(add(embed(s, 0), embed(t, 1)), graph.floats([0.5]));
  const y = silu(add(times, dense(c, "cond_embed", flowDim, width)));
  let x = dense(noise, "input_proj", flowDim, latentDim);
  for (let block = 0; block < flowDepth; block++) {
    const name = `res_blocks.${block}`;
    const parts = dense(y, `${name}.adaLN_modulation.1`, 3 * flowDim, flowDim);
    const [shift, scale, gate] = graph.nodes(
      "Split",
      [parts, graph.integers([flowDim, flowDim, flowDim])],
      3,
      { axis: 1 },
    ) as [string, string, string];
    const normed = modulate(layerNorm(graph, x, `${net}.${name}.in_ln`, flowDim, 1e-6), shift, scale);
    const hidden = silu(dense(normed, `${name}.mlp.0`, flowDim, flowDim));
    x = add(x, mul(gate, dense(hidden, `${name}.mlp.2`, flowDim, flowDim)));
  }
  const parts = dense(y, "final_layer.adaLN_modulation.1", 2 * flowDim, flowDim);
  const [shift, scale] = graph.nodes("Split", [parts, graph.integers([flowDim, flowDim])], 2, {
    axis: 1,
  }) as [string, string];
  const ones = graph.floats(Array<number>(flowDim).fill(1), [flowDim]);
  const plain = graph.node("LayerNormalization", [x, ones], { axis: -1, epsilon: { float: 1e-6 } });
  const velocity = dense(modulate(plain, shift, scale), "final_layer.linear", latentDim, flowDim);
  graph.output(velocity, "flow_dir", "float", [1, latentDim]);
}
