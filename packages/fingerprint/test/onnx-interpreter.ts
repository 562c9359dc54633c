import type { OnnxRuntime, OnnxSession, OnnxTensor } from "../src/neural/onnx-model.ts";

/*
 * Runs the graphs of onnx-fixture.ts from their bytes, so that the tests do without ONNX Runtime; where that is installed, the same tests
 * run on it too. Knows single-precision tensors and the operators that the fixtures have, by their definitions in onnx/docs/Operators.md.
 */

interface Values {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

type Field = { readonly field: number; readonly number: number; readonly bytes: Uint8Array };

function fieldsOf(bytes: Uint8Array): Field[] {
  const found: Field[] = [];
  let at = 0;
  const varint = () => {
    let [value, shift] = [0n, 0n];
    for (;;) {
      const byte = bytes[at++];
      if (byte === undefined || shift > 63n) throw new Error("Protobuf parsing failed.");
      value |= BigInt(byte & 127) << shift;
      shift += 7n;
      if (byte < 128) return Number(BigInt.asIntN(64, value));
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const wire = key & 7;
    if (wire !== 0 && wire !== 2) throw new Error("Protobuf parsing failed.");
    const number = varint();
    if (wire === 2 && at + number > bytes.length) throw new Error("Protobuf parsing failed.");
    found.push({
      field: key >> 3,
      number,
      bytes: wire === 2 ? bytes.subarray(at, at + number) : new Uint8Array(0),
    });
    if (wire === 2) at += number;
  }
  return found;
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const all = (fields: readonly Field[], number: number) => fields.filter(({ field }) => field === number);
const names = (fields: readonly Field[], number: number) =>
  all(fields, number).map(({ bytes }) => text(bytes));

class FakeTensor implements OnnxTensor {
  readonly type: string;
  readonly data: unknown;
  readonly dims: readonly number[];

  constructor(type: "float32" | "int64", data: Float32Array | BigInt64Array, dims: readonly number[]) {
    if (dims.reduce((product, each) => product * each, 1) !== data.length)
      throw new Error("Tensor's size does not match.");
    [this.type, this.data, this.dims] = [type, data, dims];
  }
}

/** A stand-in for ONNX Runtime. */
export const interpreter: OnnxRuntime = {
  Tensor: FakeTensor,
  InferenceSession: {
    create: async (model) => {
      if (typeof model === "string") throw new Error("The stand-in reads bytes, not paths.");
      const graph = all(fieldsOf(model), 7)[0];
      if (graph === undefined) throw new Error("The model has no graph.");
      return new FakeSession(fieldsOf(graph.bytes));
    },
  },
};

class FakeSession implements OnnxSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly #fields: readonly Field[];

  constructor(fields: readonly Field[]) {
    this.#fields = fields;
    const valueNames = (number: number) =>
      all(fields, number).map(({ bytes }) => names(fieldsOf(bytes), 1)[0]!);
    this.inputNames = valueNames(11);
    this.outputNames = valueNames(12);
  }

  async run(feeds: Readonly<Record<string, OnnxTensor>>): Promise<Record<string, OnnxTensor>> {
    const known = new Map<string, Values>();
    for (const name of this.inputNames) {
      const { data, dims } = feeds[name]!;
      known.set(name, { shape: dims, data: Float32Array.from(data as ArrayLike<number>, Number) });
    }
    for (const { bytes } of all(this.#fields, 5)) {
      const fields = fieldsOf(bytes);
      const raw = all(fields, 9)[0]!.bytes.slice();
      known.set(names(fields, 8)[0]!, {
        shape: all(fields, 1).map(({ number }) => number),
        data: new Float32Array(raw.buffer),
      });
    }
    for (const { bytes } of all(this.#fields, 1)) {
      const fields = fieldsOf(bytes);
      const inputs = names(fields, 1).map((name) => known.get(name)!);
      const attributes = all(fields, 5).map((each) => fieldsOf(each.bytes));
      const ints = (name: string) => {
        const found = attributes.find((each) => names(each, 1)[0] === name) ?? [];
        return [...all(found, 3), ...all(found, 8)].map(({ number }) => number);
      };
      const run = operators[names(fields, 4)[0]!];
      if (run === undefined) throw new Error(`${names(fields, 4)[0]} is not a registered function/op`);
      known.set(names(fields, 2)[0]!, run(inputs, ints));
    }
    return Object.fromEntries(
      this.outputNames.map((name) => {
        const { shape, data } = known.get(name)!;
        return [name, new FakeTensor("float32", data, shape)];
      }),
    );
  }
}

type Operator = (inputs: readonly Values[], ints: (name: string) => number[]) => Values;

/** Element by element with multidirectional broadcasting. */
const elementwise =
  (combine: (a: number, b: number) => number): Operator =>
  ([a, b]) => {
    const rank = Math.max(a!.shape.length, b!.shape.length);
    const padded = ({ shape }: Values) => [...new Array(rank - shape.length).fill(1), ...shape] as number[];
    const [sa, sb] = [padded(a!), padded(b!)];
    const shape = sa.map((size, axis) => Math.max(size, sb[axis]!));
    const data = new Float32Array(shape.reduce((product, each) => product * each, 1));
    for (let i = 0; i < data.length; i++) {
      let [rest, ia, ib, stepA, stepB] = [i, 0, 0, 1, 1];
      for (let axis = rank - 1; axis >= 0; axis--) {
        const at = rest % shape[axis]!;
        rest = Math.floor(rest / shape[axis]!);
        if (sa[axis]! > 1) ia += at * stepA;
        if (sb[axis]! > 1) ib += at * stepB;
        stepA *= sa[axis]!;
        stepB *= sb[axis]!;
      }
      data[i] = combine(a!.data[ia]!, b!.data[ib]!);
    }
    return { shape, data };
  };

const operators: Readonly<Record<string, Operator>> = {
  Add: elementwise((a, b) => a + b),
  Sub: elementwise((a, b) => a - b),
  Mul: elementwise((a, b) => a * b),
  Sigmoid: ([x]) => ({ shape: x!.shape, data: x!.data.map((value) => 1 / (1 + Math.exp(-value))) }),
  // Over the last axis, which is dropped.
  ReduceMean: ([x], ints) => {
    const size = x!.shape.at(-1)!;
    if (ints("axes")[0] !== x!.shape.length - 1 || ints("keepdims")[0] !== 0)
      throw new Error("not for these axes");
    const data = new Float32Array(x!.data.length / size);
    for (let i = 0; i < data.length; i++) {
      let sum = 0;
      for (let k = 0; k < size; k++) sum += x!.data[i * size + k]!;
      data[i] = sum / size;
    }
    return { shape: x!.shape.slice(0, -1), data };
  },
  MatMul: ([a, b]) => {
    const [rows, inner] = a!.shape as [number, number];
    const columns = b!.shape[1]!;
    const data = new Float32Array(rows * columns);
    for (let i = 0; i < data.length; i++) {
      for (let k = 0; k < inner; k++) {
        data[i]! += a!.data[Math.floor(i / columns) * inner + k]! * b!.data[k * columns + (i % columns)]!;
      }
    }
    return { shape: [rows, columns], data };
  },
  // Of single batches along axis 1.
  Concat: (inputs) => {
    const [first] = inputs;
    const shape = [1, inputs.reduce((sum, each) => sum + each.shape[1]!, 0), ...first!.shape.slice(2)];
    return { shape, data: Float32Array.from(inputs.flatMap(({ data }) => [...data])) };
  },
};
