import type { Arena } from "./arena.ts";
import { type Core, elementaryFunctions } from "./core.ts";
import { Linear, type WeightFormat, type Workspace } from "./linear.ts";
import type { SafetensorsFile } from "./safetensors.ts";

/** Sizes of a transformer. */
export interface TransformerShape {
  readonly width: number;
  readonly heads: number;
  readonly layers: number;
  /** Number of the first layer in the file, where a thread runs only the later ones; default 0. */
  readonly firstLayer?: number;
  readonly feedForward: number;
  readonly maxPeriod: number;
  /** Positions that a query sees, its own included; 0 = all before it. */
  readonly context: number;
  /** Rows of the key/value cache. */
  readonly capacity: number;
  /** Most rows of one call. */
  readonly maxRows: number;
  readonly layerScale: boolean;
  readonly format: WeightFormat;
}

interface Layer {
  readonly norm1: Norm;
  readonly norm2: Norm;
  readonly inProj: Linear;
  readonly outProj: Linear;
  readonly linear1: Linear;
  readonly linear2: Linear;
  readonly keys: number;
  readonly values: number;
}

interface Norm {
  readonly weight: number;
  readonly bias: number;
}

/** Sees a module's output in tests: `rows` rows of `width` floats at `address`. */
export type Probe = (name: string, address: number, rows: number, width: number) => void;

/**
 * Causal pre-norm transformer with rotary positions and a key/value cache:
 * x += out(attention(norm1 x)); x += linear2(gelu(linear1(norm2 x))), the branches scaled where the model has layer scales.
 *
 * With a `context` the cache is a window: when it is full, the rows that are still seen move to its front.
 */
export class Transformer {
  readonly shape: TransformerShape;
  readonly #layers: Layer[] = [];
  readonly #normed: number;
  readonly #qkv: number;
  readonly #attended: number;
  readonly #hidden: number;
  readonly #scores: number;
  readonly #table: number;
  readonly #logMaxPeriod: number;
  /** Rows in the cache. */
  #length = 0;
  /** Position of the cache's first row. */
  #base = 0;

  constructor(arena: Arena, workspace: Workspace, shape: TransformerShape) {
    this.shape = shape;
    const { width, feedForward, maxRows, capacity, format } = shape;
    for (let i = 0; i < shape.layers; i++) {
      this.#layers.push({
        norm1: { weight: arena.floats(width), bias: arena.floats(width) },
        norm2: { weight: arena.floats(width), bias: arena.floats(width) },
        inProj: new Linear(arena, workspace, 3 * width, width, { format }),
        outProj: new Linear(arena, workspace, width, width, { format }),
        linear1: new Linear(arena, workspace, feedForward, width, { format }),
        linear2: new Linear(arena, workspace, width, feedForward, { format }),
        keys: arena.floats(capacity * width),
        values: arena.floats(capacity * width),
      });
    }
    this.#normed = arena.floats(maxRows * width);
    this.#qkv = arena.floats(maxRows * 3 * width);
    this.#attended = arena.floats(maxRows * width);
    this.#hidden = arena.floats(maxRows * feedForward);
    this.#scores = arena.floats(capacity + 4);
    this.#table = arena.floats(maxRows * 2 * (width / shape.heads));
    this.#logMaxPeriod = elementaryFunctions().logarithm(shape.maxPeriod);
  }

  /** Reads the weights under `prefix` (for example `flow_lm.transformer.`). */
  load(core: Core, file: SafetensorsFile, prefix: string): void {
    const { width, layerScale, firstLayer = 0 } = this.shape;
    for (const [index, layer] of this.#layers.entries()) {
      const name = `${prefix}layers.${firstLayer + index}.`;
      for (const [norm, key] of [
        [layer.norm1, "norm1"],
        [layer.norm2, "norm2"],
      ] as const) {
        core.floats(norm.weight, width).set(file.floats(`${name}${key}.weight`, [width]));
        core.floats(norm.bias, width).set(file.floats(`${name}${key}.bias`, [width]));
      }
      const scale1 = layerScale ? file.floats(`${name}layer_scale_1.scale`, [width]) : undefined;
      const scale2 = layerScale ? file.floats(`${name}layer_scale_2.scale`, [width]) : undefined;
      loadMatrix(core, file, layer.inProj, `${name}self_attn.in_proj.weight`);
      loadMatrix(core, file, layer.outProj, `${name}self_attn.out_proj.weight`, scale1);
      loadMatrix(core, file, layer.linear1, `${name}linear1.weight`);
      loadMatrix(core, file, layer.linear2, `${name}linear2.weight`, scale2);
    }
  }

  /** Positions seen so far. */
  get position(): number {
    return this.#base + this.#length;
  }

  /** Forgets everything. */
  reset(): void {
    this.#length = 0;
    this.#base = 0;
  }

  /** Bytes of weights that one call reads. */
  get weightBytes(): number {
    return this.#layers.reduce(
      (sum, { inProj, outProj, linear1, linear2 }) =>
        sum + inProj.weightBytes + outProj.weightBytes + linear1.weightBytes + linear2.weightBytes,
      0,
    );
  }

  /** Keys and values of layer `index` as views of `position` rows, valid while nothing is appended; whole caches only. */
  cache(core: Core, index: number): { keys: Float32Array; values: Float32Array } {
    const { keys, values } = this.#layers[index]!;
    const count = this.#length * this.shape.width;
    return { keys: core.floats(keys, count), values: core.floats(values, count) };
  }

  /** Makes room for `rows` cached rows from outside and returns views to write them to (see `cache`). */
  restore(rows: number): void {
    this.#base = 0;
    this.#length = rows;
  }

  /**
   * Runs `rows` rows of activations at `x` through all layers, in place, appending to the cache.
   * The caller makes sure that an unwindowed cache has room.
   * @param cacheOnly leave the rows undefined: the last layer does no more than the cache needs
   */
  forward(core: Core, x: number, rows: number, probe?: Probe, cacheOnly = false): void {
    const { kernels } = core;
    const { width, heads, feedForward, context, capacity, maxPeriod, firstLayer = 0 } = this.shape;
    const headDim = width / heads;
    if (this.#length + rows > capacity) this.#slide(core);
    const first = this.#length;
    kernels.rotaryTable(this.#table, this.#base + first, rows, headDim, maxPeriod, this.#logMaxPeriod);
    for (let index = 0; index < this.#layers.length; index++) {
      const layer = this.#layers[index]!;
      const at = first * width * 4;
      kernels.layerNorm(x, layer.norm1.weight, layer.norm1.bias, this.#normed, rows, width, 1e-5);
      layer.inProj.apply(core, this.#normed, width, rows, this.#qkv, 3 * width, false);
      kernels.appendKeysAndValues(
        this.#qkv,
        this.#table,
        layer.keys + at,
        layer.values + at,
        rows,
        heads,
        headDim,
      );
      if (cacheOnly && index === this.#layers.length - 1) break;
      kernels.attend(
        this.#qkv,
        layer.keys,
        layer.values,
        this.#attended,
        this.#scores,
        rows,
        first,
        context,
        heads,
        headDim,
      );
      layer.outProj.apply(core, this.#attended, width, rows, x, width, true);
      kernels.layerNorm(x, layer.norm2.weight, layer.norm2.bias, this.#normed, rows, width, 1e-5);
      layer.linear1.apply(core, this.#normed, width, rows, this.#hidden, feedForward, false);
      kernels.gelu(this.#hidden, rows * feedForward);
      layer.linear2.apply(core, this.#hidden, feedForward, rows, x, width, true);
      probe?.(`layer${firstLayer + index}`, x, rows, width);
    }
    this.#length += rows;
  }

  /** Moves the rows that the next query still sees to the front of the caches. */
  #slide(core: Core): void {
    const { width, context } = this.shape;
    const kept = Math.min(this.#length, context - 1);
    const dropped = this.#length - kept;
    // An index, not an iterator: this runs too seldom to be optimised, and must not allocate.
    for (let index = 0; index < this.#layers.length; index++) {
      const { keys, values } = this.#layers[index]!;
      core.copy(keys, keys + dropped * width * 4, kept * width * 4);
      core.copy(values, values + dropped * width * 4, kept * width * 4);
    }
    this.#base += dropped;
    this.#length = kept;
  }
}

/** Loads a [n][k] tensor into a layer, its rows times `scale` if given. */
export function loadMatrix(
  core: Core,
  file: SafetensorsFile,
  linear: Linear,
  name: string,
  scale?: Float32Array,
  bias?: Float32Array,
): void {
  const { n, k } = linear;
  file.info(name, [n, k]);
  linear.load(
    core,
    (start, count, target) => {
      file.readFloats(name, target, start * k, count * k);
      if (scale === undefined) return;
      for (let row = 0; row < count; row++) {
        for (let i = 0; i < k; i++) target[row * k + i]! *= scale[start + row]!;
      }
    },
    bias,
  );
}
