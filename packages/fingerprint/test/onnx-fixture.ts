/** Writes tiny ONNX models (onnx.proto3, operator set 13) for tests: graphs of a few nodes with weights of our own. */

type Part = { readonly field: number; readonly value: number | string | Uint8Array | readonly Part[] };

/** A node: operator, inputs, output, and attributes that are lists of whole numbers or one. */
export interface FixtureNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
}

/** A value's name and shape; a name instead of a size where it differs from run to run. */
export type FixtureValue = readonly [
  name: string,
  shape: readonly (number | string)[],
  type?: "float" | "int64",
];

export interface FixtureGraph {
  readonly inputs: readonly FixtureValue[];
  readonly outputs: readonly FixtureValue[];
  readonly weights?: Readonly<Record<string, { shape: readonly number[]; values: readonly number[] }>>;
  readonly nodes: readonly FixtureNode[];
}

const elementTypes = { float: 1, int64: 7 };

export function onnxBytes(graph: FixtureGraph): Uint8Array {
  const valueInfo = ([name, shape, type = "float"]: FixtureValue): Part[] => {
    const dims = shape.map(
      (size): Part => ({
        field: 1,
        value: [typeof size === "number" ? { field: 1, value: size } : { field: 2, value: size }],
      }),
    );
    const tensor: Part[] = [
      { field: 1, value: elementTypes[type] },
      { field: 2, value: dims },
    ];
    return [
      { field: 1, value: name },
      { field: 2, value: [{ field: 1, value: tensor }] },
    ];
  };
  const attribute = ([name, value]: [string, number | readonly number[]]): Part[] => [
    { field: 1, value: name },
    ...(typeof value === "number"
      ? [
          { field: 3, value },
          { field: 20, value: 2 },
        ]
      : [...value.map((each): Part => ({ field: 8, value: each })), { field: 20, value: 7 }]),
  ];
  const node = ({ op, inputs, output, attributes = {} }: FixtureNode): Part[] => [
    ...inputs.map((value): Part => ({ field: 1, value })),
    { field: 2, value: output },
    { field: 4, value: op },
    ...Object.entries(attributes).map((each): Part => ({ field: 5, value: attribute(each) })),
  ];
  const weight = ([name, { shape, values }]: [
    string,
    { shape: readonly number[]; values: readonly number[] },
  ]): Part[] => [
    ...shape.map((value): Part => ({ field: 1, value })),
    { field: 2, value: elementTypes.float },
    { field: 8, value: name },
    { field: 9, value: new Uint8Array(Float32Array.from(values).buffer) },
  ];
  const body: Part[] = [
    ...graph.nodes.map((each): Part => ({ field: 1, value: node(each) })),
    { field: 2, value: "fixture" },
    ...Object.entries(graph.weights ?? {}).map((each): Part => ({ field: 5, value: weight(each) })),
    ...graph.inputs.map((each): Part => ({ field: 11, value: valueInfo(each) })),
    ...graph.outputs.map((each): Part => ({ field: 12, value: valueInfo(each) })),
  ];
  return message([
    { field: 1, value: 8 },
    { field: 7, value: body },
    {
      field: 8,
      value: [
        { field: 1, value: "" },
        { field: 2, value: 13 },
      ],
    },
  ]);
}

function message(parts: readonly Part[]): Uint8Array {
  return Uint8Array.from(
    parts.flatMap(({ field, value }) => {
      if (typeof value === "number") return [...varint(field * 8), ...varint(value)];
      const bytes =
        typeof value === "string"
          ? new TextEncoder().encode(value)
          : value instanceof Uint8Array
            ? value
            : message(value);
      return [...varint(field * 8 + 2), ...varint(bytes.length), ...bytes];
    }),
  );
}

/** Whole numbers from -2^31 on; negative ones take ten bytes, as 64-bit two's complement. */
function varint(value: number): number[] {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}

/** Log-mel windows `[N, mels, frames]` to their means over time `[N, mels]`. */
export const meanEmbedder: FixtureGraph = {
  inputs: [["mel", ["n", 128, 47]]],
  outputs: [["embedding", ["n", 128]]],
  nodes: [{ op: "ReduceMean", inputs: ["mel"], output: "embedding", attributes: { axes: [2], keepdims: 0 } }],
};

/** A residual that is the same for all samples: the sum of 2^-(i+2) over the set bits i of the message. */
export const constantMarker: FixtureGraph = {
  inputs: [
    ["audio", [1, 1, "t"]],
    ["message", [1, 16]],
  ],
  outputs: [["residual", [1, 1, "t"]]],
  weights: {
    zero: { shape: [1], values: [0] },
    places: { shape: [16, 1], values: Array.from({ length: 16 }, (_, i) => 2 ** -(i + 2)) },
  },
  nodes: [
    { op: "MatMul", inputs: ["message", "places"], output: "level" },
    { op: "Mul", inputs: ["audio", "zero"], output: "nothing" },
    { op: "Add", inputs: ["nothing", "level"], output: "residual" },
  ],
};

/**
 * Scores sigmoid(8 audio) for every sample; logits of the message: mean of the audio less 1/8, with a sign for each bit.
 * `classes`: scores as AudioSeal has them, `[1, 2, T]` (1 - p, p), and the message after a sigmoid.
 */
export function levelDetector(signs: readonly number[], classes: boolean): FixtureGraph {
  return {
    inputs: [["audio", [1, 1, "t"]]],
    outputs: [
      ["scores", [1, classes ? 2 : 1, "t"]],
      ["message", [1, signs.length]],
    ],
    weights: {
      steepness: { shape: [1], values: [8] },
      one: { shape: [1], values: [1] },
      eighth: { shape: [1], values: [-1 / 8] },
      signs: { shape: [1, signs.length], values: signs },
    },
    nodes: [
      { op: "Mul", inputs: ["audio", "steepness"], output: "steep" },
      { op: "Sigmoid", inputs: ["steep"], output: classes ? "p" : "scores" },
      ...(classes
        ? [
            { op: "Sub", inputs: ["one", "p"], output: "q" },
            { op: "Concat", inputs: ["q", "p"], output: "scores", attributes: { axis: 1 } },
          ]
        : []),
      { op: "ReduceMean", inputs: ["audio"], output: "mean", attributes: { axes: [2], keepdims: 0 } },
      { op: "Add", inputs: ["mean", "eighth"], output: "above" },
      { op: "Mul", inputs: ["above", "signs"], output: classes ? "logits" : "message" },
      ...(classes ? [{ op: "Sigmoid", inputs: ["logits"], output: "message" }] : []),
    ],
  };
}
