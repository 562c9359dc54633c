import type { OnnxRuntime, OnnxSession, OnnxTensor } from "@longwave/base";
import { sha256 } from "../sha256.ts";
import { NeuralError } from "./errors.ts";

export type { OnnxRuntime, OnnxSession, OnnxTensor };

/** Values with their shape. */
export interface FloatTensor {
  readonly values: Float32Array;
  readonly shape: readonly number[];
}

/** Options of {@link OnnxModel.load}. */
export interface OnnxModelOptions {
  /** SHA-256 that the file must have, 64 hexadecimal digits. A model is a program: pin it. */
  readonly sha256?: string;
}

/** Models larger than this are refused: one part of an ONNX file ends at 2 GiB. */
const maxModelBytes = 2 ** 31 - 1;

/**
 * A model on an ONNX runtime that the application brings along (`import * as ort from "onnxruntime-web"`). Runs may overlap as far as
 * the runtime allows.
 */
export class OnnxModel {
  readonly #runtime: OnnxRuntime;
  readonly #session: OnnxSession;

  private constructor(runtime: OnnxRuntime, session: OnnxSession) {
    this.#runtime = runtime;
    this.#session = session;
  }

  /** @throws NeuralError `neural/model-untrusted`, `neural/model-load` */
  static async load(
    runtime: OnnxRuntime,
    model: Uint8Array,
    options: OnnxModelOptions = {},
  ): Promise<OnnxModel> {
    if (model.length > maxModelBytes) {
      throw new NeuralError(
        "neural/model-load",
        `The model has ${model.length} bytes, more than ${maxModelBytes}.`,
      );
    }
    const { sha256: pin } = options;
    if (pin !== undefined) {
      const found = Array.from(sha256(model), (byte) => byte.toString(16).padStart(2, "0")).join("");
      if (found !== pin.toLowerCase()) {
        throw new NeuralError(
          "neural/model-untrusted",
          `The model has SHA-256 ${found}, not ${pin}; get the right file.`,
        );
      }
    }
    try {
      return new OnnxModel(runtime, await runtime.InferenceSession.create(model));
    } catch (cause) {
      throw new NeuralError("neural/model-load", `The runtime refuses the model: ${reasonOf(cause)}`, {
        cause,
      });
    }
  }

  /** Number of inputs and outputs. */
  get inputs(): number {
    return this.#session.inputNames.length;
  }

  get outputs(): number {
    return this.#session.outputNames.length;
  }

  /**
   * Runs the model. Inputs are given in the model's order; outputs come in it.
   * @throws NeuralError `neural/inference` where it fails or gives something else than single-precision tensors
   */
  async run(
    ...inputs: readonly (
      | FloatTensor
      | { readonly integers: BigInt64Array; readonly shape: readonly number[] }
    )[]
  ): Promise<FloatTensor[]> {
    const { inputNames, outputNames } = this.#session;
    if (inputs.length !== inputNames.length) {
      throw new NeuralError(
        "neural/inference",
        `The model wants ${inputNames.length} inputs (${inputNames.join(", ")}) and gets ${inputs.length}; it is another kind of model.`,
      );
    }
    let outputs: Readonly<Record<string, OnnxTensor>>;
    try {
      const feeds = inputNames.map((name, i) => {
        const input = inputs[i]!;
        return "integers" in input
          ? [name, new this.#runtime.Tensor("int64", input.integers, input.shape)]
          : [name, new this.#runtime.Tensor("float32", input.values, input.shape)];
      });
      outputs = await this.#session.run(Object.fromEntries(feeds));
    } catch (cause) {
      throw new NeuralError("neural/inference", `The model fails: ${reasonOf(cause)}`, { cause });
    }
    return outputNames.map((name) => {
      const output = outputs[name];
      const size = output?.dims.reduce((product, each) => product * each, 1);
      if (output?.data instanceof Float32Array && size === output.data.length) {
        return { values: output.data, shape: output.dims };
      }
      throw new NeuralError("neural/inference", `Output ${name} of the model is no float32 tensor.`);
    });
  }

  async close(): Promise<void> {
    await this.#session.release?.();
  }
}

function reasonOf(cause: unknown): string {
  const { message } = cause as { message?: string };
  return (message ?? String(cause)).slice(0, 500);
}
