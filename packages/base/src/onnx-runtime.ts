/**
 * What is used of ONNX Runtime's JavaScript interface; `onnxruntime-node` and `onnxruntime-web` both have it. The packages
 * that run models take it as an argument, so that none depends on a runtime.
 */
export interface OnnxRuntime {
  readonly Tensor: new (
    type: "float32" | "int64",
    data: Float32Array | BigInt64Array,
    dims: readonly number[],
  ) => OnnxTensor;
  readonly InferenceSession: {
    create(model: Uint8Array | string, options?: unknown): Promise<OnnxSession>;
  };
}

/** A tensor of the runtime. */
export interface OnnxTensor {
  readonly type: string;
  readonly data: unknown;
  readonly dims: readonly number[];
}

/** A loaded model of the runtime. */
export interface OnnxSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(feeds: Readonly<Record<string, OnnxTensor>>): Promise<Readonly<Record<string, OnnxTensor>>>;
  release?(): Promise<void>;
}
