import { TtsError } from "../errors.ts";
import type { Dtype, SafetensorsFile } from "../model/safetensors.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";
import { type QuantizedWeights, quantizedZero } from "./quantized-weights.ts";

/** Element types of ONNX that the graphs use, with their numbers (onnx.proto3, TensorProto.DataType). */
const elementTypes = { float: 1, uint8: 2, int64: 7, bool: 9, float16: 10, bfloat16: 16 } as const;

/** Element type of a graph's input or output. */
export type OnnxType = "float" | "int64";

/** A size, or the name of one that differs from run to run. */
export type OnnxDimension = number | string;

/** An input or output, as the manifest lists it. */
export interface OnnxValue {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly OnnxDimension[];
}

/** An attribute of a node. */
export type OnnxAttribute = number | string | readonly number[] | { readonly float: number };

const weightTypes: Partial<Record<Dtype, keyof typeof elementTypes>> = {
  F32: "float",
  F16: "float16",
  BF16: "bfloat16",
};

/** The operator set of all graphs: the first with LayerNormalization. */
const opset = 17;

/**
 * Builds an ONNX graph whose weights stay where they are: initializers refer to their bytes inside the safetensors file. Values are
 * named by strings; `node` returns the name of its first output.
 */
export class OnnxGraph {
  readonly inputs: OnnxValue[] = [];
  readonly outputs: OnnxValue[] = [];
  readonly #file: SafetensorsFile;
  readonly #location: string;
  readonly #quantized: QuantizedWeights | undefined;
  readonly #nodes: ProtobufWriter[] = [];
  readonly #initializers: ProtobufWriter[] = [];
  readonly #known = new Map<string, string>();
  #count = 0;

  /**
   * @param location name of the safetensors file beside the graph
   * @param quantized collects the 8-bit form of what is quantised; without, nothing is
   */
  constructor(file: SafetensorsFile, location: string, quantized?: QuantizedWeights) {
    this.#file = file;
    this.#location = location;
    this.#quantized = quantized;
  }

  input(name: string, type: OnnxType, shape: readonly OnnxDimension[]): string {
    this.inputs.push({ name, type, shape });
    return name;
  }

  /** Gives a value out under a name of its own. */
  output(value: string, name: string, type: OnnxType, shape: readonly OnnxDimension[]): void {
    this.#add("Identity", [value], [name], {});
    this.outputs.push({ name, type, shape });
  }

  node(operator: string, inputs: readonly string[], attributes: Record<string, OnnxAttribute> = {}): string {
    return this.nodes(operator, inputs, 1, attributes)[0]!;
  }

  /** A node of several outputs. */
  nodes(
    operator: string,
    inputs: readonly string[],
    outputs: number,
    attributes: Record<string, OnnxAttribute> = {},
  ): string[] {
    const names = Array.from({ length: outputs }, () => this.#fresh(operator));
    this.#add(operator, inputs, names, attributes);
    return names;
  }

  /**
   * A tensor of the file, in single precision whatever the file holds.
   * @throws TtsError `tts/model-malformed` where it is missing or of another shape or type
   */
  weight(name: string, shape: readonly number[]): string {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const info = this.#file.info(name, shape);
    const type = weightTypes[info.dtype];
    if (type === undefined) {
      throw new TtsError("tts/model-malformed", `Tensor ${name} has type ${info.dtype}, expected a float.`);
    }
    this.#refer(name, elementTypes[type], shape, this.#location, info);
    const value = type === "float" ? name : this.node("Cast", [name], { to: elementTypes.float });
    this.#known.set(name, value);
    return value;
  }

  /**
   * The 8-bit form of a matrix [n][k] of the file, as [k][n] unsigned values about `zero` with a scale for each output; undefined where
   * this graph quantises nothing.
   */
  quantizedWeight(
    name: string,
    shape: readonly [number, number],
  ): { values: string; zero: string; scales: string } | undefined {
    if (this.#quantized === undefined) return undefined;
    const [n, k] = shape;
    this.#file.info(name, shape);
    const matrix = this.#quantized.add(this.#file, name, n, k);
    const values = `${name}.int8`;
    this.#refer(values, elementTypes.uint8, [k, n], this.#quantized.location, matrix);
    return {
      values,
      zero: this.#constant("zero8", elementTypes.uint8, [], Uint8Array.of(quantizedZero)),
      scales: this.#constant(`${name}.scales`, elementTypes.float, [n], matrix.scales),
    };
  }

  /** Constant floats; a single number without a shape is a scalar. */
  floats(values: readonly number[], shape: readonly number[] = []): string {
    return this.#constant(`f${shape}:${values}`, elementTypes.float, shape, new Float32Array(values));
  }

  /** Constant 64-bit integers, a list unless a shape says otherwise. */
  integers(values: readonly number[], shape: readonly number[] = [values.length]): string {
    const words = new BigInt64Array(values.map(BigInt));
    return this.#constant(`i${shape}:${values}`, elementTypes.int64, shape, words);
  }

  /** The model file's bytes. */
  finish(name: string): Uint8Array {
    const graph = new ProtobufWriter();
    for (const node of this.#nodes) graph.message(1, node);
    graph.text(2, name);
    for (const tensor of this.#initializers) graph.message(5, tensor);
    for (const value of this.inputs) graph.message(11, valueInfo(value));
    for (const value of this.outputs) graph.message(12, valueInfo(value));
    return new ProtobufWriter()
      .integer(1, 8)
      .text(2, "longwave")
      .message(7, graph)
      .message(8, new ProtobufWriter().text(1, "").integer(2, opset))
      .finish();
  }

  /** An initializer whose bytes lie in a file beside the graph. */
  #refer(
    name: string,
    type: number,
    shape: readonly number[],
    location: string,
    place: { readonly offset: number; readonly byteLength: number },
  ): void {
    const tensor = new ProtobufWriter();
    for (const size of shape) tensor.integer(1, size);
    tensor.integer(2, type).text(8, name);
    for (const [key, value] of [
      ["location", location],
      ["offset", `${place.offset}`],
      ["length", `${place.byteLength}`],
    ] as const) {
      tensor.message(13, new ProtobufWriter().text(1, key).text(2, value));
    }
    this.#initializers.push(tensor.integer(14, 1));
  }

  #constant(
    key: string,
    type: number,
    shape: readonly number[],
    values: Float32Array | BigInt64Array | Uint8Array,
  ): string {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const name = this.#fresh("constant");
    const tensor = new ProtobufWriter();
    for (const size of shape) tensor.integer(1, size);
    const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    this.#initializers.push(tensor.integer(2, type).text(8, name).bytes(9, raw));
    this.#known.set(key, name);
    return name;
  }

  #add(
    operator: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Record<string, OnnxAttribute>,
  ): void {
    const node = new ProtobufWriter();
    for (const name of inputs) node.text(1, name);
    for (const name of outputs) node.text(2, name);
    node.text(3, `${operator}_${this.#nodes.length}`).text(4, operator);
    for (const [name, value] of Object.entries(attributes)) node.message(5, attribute(name, value));
    this.#nodes.push(node);
  }

  #fresh(stem: string): string {
    return `${stem.toLowerCase()}_${this.#count++}`;
  }
}

/** AttributeProto: integers are 64-bit, lists are of integers; `{ float }` marks a float. */
function attribute(name: string, value: OnnxAttribute): ProtobufWriter {
  const writer = new ProtobufWriter().text(1, name);
  if (typeof value === "number") return writer.integer(3, value).integer(20, 2);
  if (typeof value === "string") return writer.text(4, value).integer(20, 3);
  if ("float" in value) return writer.float(2, value.float).integer(20, 1);
  for (const each of value) writer.integer(8, each);
  return writer.integer(20, 7);
}

function valueInfo({ name, type, shape }: OnnxValue): ProtobufWriter {
  const dimensions = new ProtobufWriter();
  for (const size of shape) {
    const dimension = new ProtobufWriter();
    if (typeof size === "number") dimension.integer(1, size);
    else dimension.text(2, size);
    dimensions.message(1, dimension);
  }
  const tensor = new ProtobufWriter().integer(1, elementTypes[type]).message(2, dimensions);
  return new ProtobufWriter().text(1, name).message(2, new ProtobufWriter().message(1, tensor));
}
