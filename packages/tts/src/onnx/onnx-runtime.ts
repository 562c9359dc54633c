import type { OnnxRuntime, OnnxSession, OnnxTensor } from "@longwave/base";
import { TtsError } from "../errors.ts";
import type { OnnxManifest } from "./export-onnx.ts";

export type { OnnxRuntime, OnnxSession, OnnxTensor };

/** Reads a file of the exported folder. */
export type ReadOnnxFile = (name: string) => Uint8Array | Promise<Uint8Array>;

/**
 * All graphs of a manifest, loaded once; runs may overlap. Names and shapes are checked against the manifest before the runtime sees them.
 */
export class OnnxSessions {
  readonly manifest: OnnxManifest;
  readonly #runtime: OnnxRuntime;
  readonly #sessions: ReadonlyMap<string, OnnxSession>;

  private constructor(runtime: OnnxRuntime, manifest: OnnxManifest, sessions: Map<string, OnnxSession>) {
    this.#runtime = runtime;
    this.manifest = manifest;
    this.#sessions = sessions;
  }

  /**
   * @param options `names` of the graphs to load, default all; `locate`: where the runtime itself finds a file, with the weights beside it
   * @throws TtsError `tts/model-malformed` for a manifest or graph that the runtime does not take
   */
  static async load(
    runtime: OnnxRuntime,
    manifest: OnnxManifest,
    read: ReadOnnxFile,
    options: {
      readonly names?: readonly string[];
      readonly locate?: ((file: string) => string) | undefined;
    } = {},
  ): Promise<OnnxSessions> {
    const { names, locate } = options;
    const external =
      manifest.quantized === undefined ? [manifest.weights] : [manifest.weights, manifest.quantized];
    const externalData: { path: string; data: Uint8Array }[] = [];
    if (locate === undefined) {
      for (const path of external) externalData.push({ path, data: await read(path) });
    }
    const sessions = new Map<string, OnnxSession>();
    for (const graph of manifest.graphs) {
      if (names !== undefined && !names.includes(graph.name)) continue;
      try {
        const session =
          locate === undefined
            ? await runtime.InferenceSession.create(await read(graph.file), { externalData })
            : await runtime.InferenceSession.create(locate(graph.file));
        sessions.set(graph.name, session);
      } catch (cause) {
        await Promise.all([...sessions.values()].map((each) => each.release?.()));
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new TtsError("tts/model-malformed", `ONNX Runtime refuses ${graph.file}: ${reason}`, { cause });
      }
    }
    return new OnnxSessions(runtime, manifest, sessions);
  }

  /** A tensor of single precision. @throws TtsError `tts/tensor-invalid` where data and shape do not match */
  floats(data: Float32Array, dims: readonly number[]): OnnxTensor {
    checkSize(data.length, dims);
    return new this.#runtime.Tensor("float32", data, dims);
  }

  /** A tensor of 64-bit integers. @throws TtsError `tts/tensor-invalid` */
  integers(values: readonly number[], dims: readonly number[] = [values.length]): OnnxTensor {
    checkSize(values.length, dims);
    return new this.#runtime.Tensor("int64", new BigInt64Array(values.map(BigInt)), dims);
  }

  /**
   * Runs a graph.
   * @throws TtsError `tts/tensor-invalid` for a missing, unknown or misshapen input, `tts/engine-unavailable` for a graph not loaded
   */
  async run(
    name: string,
    feeds: Readonly<Record<string, OnnxTensor>>,
  ): Promise<Readonly<Record<string, OnnxTensor>>> {
    const session = this.#sessions.get(name);
    const graph = this.manifest.graphs.find((each) => each.name === name);
    if (session === undefined || graph === undefined) {
      throw new TtsError("tts/engine-unavailable", `The graph ${name} was not loaded.`);
    }
    for (const input of graph.inputs) {
      const dims = feeds[input.name]?.dims;
      const fits =
        dims?.length === input.shape.length &&
        input.shape.every((size, axis) => typeof size === "string" || size === dims[axis]);
      if (!fits) {
        throw new TtsError(
          "tts/tensor-invalid",
          `${name}: input ${input.name} has shape [${dims ?? "missing"}], expected [${input.shape}].`,
        );
      }
    }
    for (const key of Object.keys(feeds)) {
      if (graph.inputs.some((input) => input.name === key)) continue;
      throw new TtsError("tts/tensor-invalid", `${name} has no input ${key}.`);
    }
    return session.run(feeds);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sessions.values()].map((session) => session.release?.()));
  }
}

/** The values of a tensor of single precision. @throws TtsError `tts/tensor-invalid` for another type */
export function floatsOf(tensor: OnnxTensor | undefined): Float32Array {
  if (tensor?.data instanceof Float32Array) return tensor.data;
  throw new TtsError("tts/tensor-invalid", `Expected a float32 tensor, not ${tensor?.type ?? "none"}.`);
}

function checkSize(length: number, dims: readonly number[]): void {
  const size = dims.reduce((product, each) => product * each, 1);
  if (size === length) return;
  throw new TtsError("tts/tensor-invalid", `${length} values do not fill the shape [${dims}].`);
}
