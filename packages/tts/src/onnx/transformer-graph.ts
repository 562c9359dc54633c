import { elementaryFunctions } from "../model/core.ts";
import type { OnnxGraph } from "./onnx-graph.ts";

/** The matrices that 8 bits are enough for, as in the reference: the four projections of the language model's layers. */
const quantizedPrefix = "flow_lm.transformer.";

/** Sizes of a transformer in a graph. */
export interface TransformerGraphShape {
  readonly width: number;
  readonly heads: number;
  readonly layers: number;
  readonly feedForward: number;
  readonly maxPeriod: number;
  /** Positions that a query sees, its own included; 0 = all before it. */
  readonly context: number;
  readonly layerScale: boolean;
}

/**
 * y = x Wᵀ (+ bias) over rows; the file's [n][k] goes in as it is. In a graph that quantises, a matrix of `quantizedPrefix` without a bias is 8
 * bits wide, its activations too, with one scale for all rows of a call (onnx Operators: DynamicQuantizeLinear, MatMulInteger).
 */
export function linear(
  graph: OnnxGraph,
  x: string,
  name: string,
  n: number,
  k: number,
  hasBias = false,
): string {
  const weight = name.endsWith("weight") ? name : `${name}.weight`;
  const isNarrow = !hasBias && weight.startsWith(quantizedPrefix);
  const narrow = isNarrow ? graph.quantizedWeight(weight, [n, k]) : undefined;
  if (narrow !== undefined) {
    const [values, scale, zero] = graph.nodes("DynamicQuantizeLinear", [x], 3) as [string, string, string];
    const sums = graph.node("MatMulInteger", [values, narrow.values, zero, narrow.zero]);
    const step = graph.node("Mul", [scale, narrow.scales]);
    return graph.node("Mul", [graph.node("Cast", [sums], { to: 1 }), step]);
  }
  const inputs = [x, graph.weight(weight, [n, k])];
  if (hasBias) inputs.push(graph.weight(`${name}.bias`, [n]));
  return graph.node("Gemm", inputs, { transB: 1 });
}

/** LayerNorm with weight and bias over the last axis. */
export function layerNorm(graph: OnnxGraph, x: string, name: string, width: number, epsilon: number): string {
  const inputs = [x, graph.weight(`${name}.weight`, [width]), graph.weight(`${name}.bias`, [width])];
  return graph.node("LayerNormalization", inputs, { axis: -1, epsilon: { float: epsilon } });
}

/**
 * The layers under `prefix` over rows [T][width] at positions `offset` and after. With a cache the graph takes and gives keys and values
 * of every layer as [positions][heads][headDim]; with a context it gives only those that the next row still sees.
 * @param offset name of an int64 tensor [1], the position of the first row
 */
export function transformerLayers(
  graph: OnnxGraph,
  x: string,
  offset: string,
  prefix: string,
  shape: TransformerGraphShape,
  hasCache: boolean,
): string {
  const { width, heads, layers, feedForward, context, layerScale } = shape;
  const headDim = width / heads;
  const rows = graph.node("Slice", [graph.node("Shape", [x]), graph.integers([0]), graph.integers([1])]);
  const scalar = (value: string) => graph.node("Squeeze", [value, graph.integers([0])]);
  const end = graph.node("Add", [offset, rows]);
  const one = graph.integers([1], []);
  const queryAt = graph.node("Range", [scalar(offset), scalar(end), one]);
  const rotation = rotary(graph, queryAt, headDim, shape.maxPeriod);
  let visible: string | undefined;
  for (let layer = 0; layer < layers; layer++) {
    const name = `${prefix}.layers.${layer}`;
    const normed = layerNorm(graph, x, `${name}.norm1`, width, 1e-5);
    const qkv = linear(graph, normed, `${name}.self_attn.in_proj.weight`, 3 * width, width);
    const [q, k, v] = graph
      .nodes("Split", [qkv, graph.integers([width, width, width])], 3, { axis: 1 })
      .map((part) => graph.node("Reshape", [part, graph.integers([-1, heads, headDim])])) as [
      string,
      string,
      string,
    ];
    let keys = rotate(graph, k, rotation, heads, headDim);
    let values = v;
    if (hasCache) {
      const cacheShape = ["past", heads, headDim];
      keys = graph.node("Concat", [graph.input(`past_k.${layer}`, "float", cacheShape), keys], { axis: 0 });
      values = graph.node("Concat", [graph.input(`past_v.${layer}`, "float", cacheShape), values], {
        axis: 0,
      });
    }
    visible ??= visibility(graph, queryAt, scalar(end), keys, context);
    const attended = attention(
      graph,
      rotate(graph, q, rotation, heads, headDim),
      keys,
      values,
      visible,
      width,
    );
    x = branch(
      graph,
      x,
      attended,
      `${name}.self_attn.out_proj.weight`,
      `${name}.layer_scale_1.scale`,
      width,
      {
        k: width,
        layerScale,
      },
    );
    const second = layerNorm(graph, x, `${name}.norm2`, width, 1e-5);
    const hidden = gelu(graph, linear(graph, second, `${name}.linear1`, feedForward, width));
    x = branch(graph, x, hidden, `${name}.linear2.weight`, `${name}.layer_scale_2.scale`, width, {
      k: feedForward,
      layerScale,
    });
    if (!hasCache) continue;
    graph.output(lastRows(graph, keys, context), `present_k.${layer}`, "float", ["present", heads, headDim]);
    graph.output(lastRows(graph, values, context), `present_v.${layer}`, "float", [
      "present",
      heads,
      headDim,
    ]);
  }
  return x;
}

function branch(
  graph: OnnxGraph,
  x: string,
  input: string,
  weight: string,
  scale: string,
  width: number,
  { k, layerScale }: { k: number; layerScale: boolean },
): string {
  let y = linear(graph, input, weight, width, k);
  if (layerScale) y = graph.node("Mul", [y, graph.weight(scale, [width])]);
  return graph.node("Add", [x, y]);
}

function lastRows(graph: OnnxGraph, rows: string, context: number): string {
  if (context === 0) return rows;
  return graph.node("Slice", [
    rows,
    graph.integers([1 - context]),
    graph.integers([2 ** 40]),
    graph.integers([0]),
  ]);
}

/** Cosines and sines [T][1][headDim / 2] of the positions. */
function rotary(
  graph: OnnxGraph,
  positions: string,
  headDim: number,
  maxPeriod: number,
): { cosine: string; sine: string } {
  const { exponential, logarithm } = elementaryFunctions();
  const step = Math.fround((-logarithm(maxPeriod) * 2) / headDim);
  const frequencies = Array.from({ length: headDim / 2 }, (_, i) => exponential(Math.fround(i * step)));
  const column = graph.node("Reshape", [
    graph.node("Cast", [positions], { to: 1 }),
    graph.integers([-1, 1, 1]),
  ]);
  const angles = graph.node("Mul", [column, graph.floats(frequencies, [1, 1, headDim / 2])]);
  return { cosine: graph.node("Cos", [angles]), sine: graph.node("Sin", [angles]) };
}

/** Rotates neighbouring pairs (2i, 2i + 1) of [T][heads][headDim]. */
function rotate(
  graph: OnnxGraph,
  x: string,
  { cosine, sine }: { cosine: string; sine: string },
  heads: number,
  headDim: number,
): string {
  const pairs = graph.node("Reshape", [x, graph.integers([-1, heads, headDim / 2, 2])]);
  const [even, odd] = graph
    .nodes("Split", [pairs, graph.integers([1, 1])], 2, { axis: 3 })
    .map((part) => graph.node("Squeeze", [part, graph.integers([3])])) as [string, string];
  const mul = (a: string, b: string) => graph.node("Mul", [a, b]);
  const real = graph.node("Sub", [mul(even, cosine), mul(odd, sine)]);
  const imaginary = graph.node("Add", [mul(even, sine), mul(odd, cosine)]);
  const last = graph.integers([3]);
  const both = graph.node(
    "Concat",
    [graph.node("Unsqueeze", [real, last]), graph.node("Unsqueeze", [imaginary, last])],
    { axis: 3 },
  );
  return graph.node("Reshape", [both, graph.integers([-1, heads, headDim])]);
}

/** 0 where a query sees a key, else a number so low that its weight is 0; [T][keys]. The last key is at position `end` - 1. */
function visibility(graph: OnnxGraph, queryAt: string, end: string, keys: string, context: number): string {
  const count = graph.node("Squeeze", [
    graph.node("Slice", [graph.node("Shape", [keys]), graph.integers([0]), graph.integers([1])]),
    graph.integers([0]),
  ]);
  const keyAt = graph.node("Range", [graph.node("Sub", [end, count]), end, graph.integers([1], [])]);
  const distance = graph.node("Sub", [
    graph.node("Unsqueeze", [queryAt, graph.integers([1])]),
    graph.node("Unsqueeze", [keyAt, graph.integers([0])]),
  ]);
  let hidden = graph.node("Less", [distance, graph.integers([0], [])]);
  if (context > 0) {
    const tooFar = graph.node("Less", [graph.integers([context - 1], []), distance]);
    hidden = graph.node("Or", [hidden, tooFar]);
  }
  return graph.node("Where", [hidden, graph.floats([-1e30]), graph.floats([0])]);
}

/** softmax(q kᵀ / √headDim + visible) v over [T][heads][headDim]; [T][width]. */
function attention(
  graph: OnnxGraph,
  q: string,
  k: string,
  v: string,
  visible: string,
  width: number,
): string {
  const byHead = graph.node("Transpose", [q], { perm: [1, 0, 2] });
  const keys = graph.node("Transpose", [k], { perm: [1, 2, 0] });
  const values = graph.node("Transpose", [v], { perm: [1, 0, 2] });
  const headDim = graph.node(
    "Cast",
    [graph.node("Slice", [graph.node("Shape", [q]), graph.integers([2]), graph.integers([3])])],
    { to: 1 },
  );
  const scaled = graph.node("Div", [graph.node("MatMul", [byHead, keys]), graph.node("Sqrt", [headDim])]);
  const weights = graph.node("Softmax", [graph.node("Add", [scaled, visible])], { axis: -1 });
  const attended = graph.node("Transpose", [graph.node("MatMul", [weights, values])], { perm: [1, 0, 2] });
  return graph.node("Reshape", [attended, graph.integers([-1, width])]);
}

function gelu(graph: OnnxGraph, x: string): string {
  const erf = graph.node("Erf", [graph.node("Mul", [x, graph.floats([Math.SQRT1_2])])]);
  const half = graph.node("Mul", [x, graph.floats([0.5])]);
  return graph.node("Mul", [half, graph.node("Add", [erf, graph.floats([1])])]);
}
