import type { Arena } from "./arena.ts";
import type { Core } from "./core.ts";

/** How a layer's weights are kept: 32-bit floats, bfloat16 (exact for published weights), or 8 bits with a scale a row. */
export type WeightFormat = "f32" | "bf16" | "int8";

/** Fills `target` with rows [start, start + count) of a weight matrix, each `k` floats. */
export type RowReader = (start: number, count: number, target: Float32Array) => void;

/** Room that all layers of a model share while loading and running. */
export class Workspace {
  /** Rows of weights on their way from the file into their packed form. */
  readonly staging: number;
  /** 16-bit activations of 8-bit layers and their scales. */
  readonly activations: number;
  readonly scales: number;
  readonly maxRows: number;
  readonly #maxK: number;

  /** @param maxRows most rows of one call, @param maxK longest row of an 8-bit layer */
  constructor(arena: Arena, maxRows: number, maxK: number) {
    this.staging = arena.floats(stagingFloats);
    this.activations = arena.allocate(maxRows * padded(maxK) * 2);
    this.scales = arena.floats(maxRows);
    this.maxRows = maxRows;
    this.#maxK = maxK;
  }

  /** True if rows of `k` values fit the activations. */
  holds(k: number): boolean {
    return k <= this.#maxK;
  }
}

const stagingFloats = 1 << 18;

/**
 * y = W x (+ b) for rows of activations; W is [n][k]. Rows of x may overlap (`strideX` < k), which makes it a convolution.
 */
export class Linear {
  readonly n: number;
  readonly k: number;
  readonly #format: WeightFormat;
  readonly #weights: number;
  readonly #bias: number;
  readonly #rowScales: number;
  readonly #workspace: Workspace;

  constructor(
    arena: Arena,
    workspace: Workspace,
    n: number,
    k: number,
    options: { readonly format?: WeightFormat; readonly bias?: boolean } = {},
  ) {
    this.n = n;
    this.k = k;
    this.#format = options.format ?? "f32";
    this.#workspace = workspace;
    const panels = Math.ceil(n / 8);
    if (this.#format === "int8") this.#weights = arena.allocate(Math.ceil(n / 4) * 4 * padded(k));
    else this.#weights = arena.allocate(panels * 8 * k * (this.#format === "f32" ? 4 : 2));
    this.#bias = options.bias ? arena.floats(panels * 8) : 0;
    this.#rowScales = this.#format === "int8" ? arena.floats(Math.ceil(n / 4) * 4) : 0;
  }

  /** Bytes of weights that one call reads. */
  get weightBytes(): number {
    return this.n * this.k * (this.#format === "f32" ? 4 : this.#format === "bf16" ? 2 : 1);
  }

  /** Packs the weights into the core's memory, a few rows at a time. */
  load(core: Core, readRows: RowReader, bias?: Float32Array): void {
    const { n, k } = this;
    const { staging } = this.#workspace;
    const step = Math.max(8, Math.floor(stagingFloats / k / 8) * 8);
    // A row longer than the staging area is rare (the old encoder's): it gets room of its own for the moment.
    const own = step * k > stagingFloats ? new Float32Array(step * k) : undefined;
    for (let row = 0; row < n; row += step) {
      const count = Math.min(step, n - row);
      if (own !== undefined) {
        readRows(row, count, own);
        this.#packSlowly(core, own, row, count);
        continue;
      }
      readRows(row, count, core.floats(staging, count * k));
      if (this.#format === "f32") core.kernels.packPanelsF32(staging, this.#weights + row * k * 4, count, k);
      else if (this.#format === "bf16")
        core.kernels.packPanelsBf16(staging, this.#weights + row * k * 2, count, k);
      else {
        const target = this.#weights + row * padded(k);
        core.kernels.packRowsInt8(staging, target, this.#rowScales + row * 4, count, k, padded(k));
      }
    }
    if (bias !== undefined) core.floats(this.#bias, n).set(bias);
  }

  /**
   * @param x address of the first row, rows `strideX` floats apart
   * @param target address of the first result, rows `strideTarget` floats apart; added to if `add`
   */
  apply(
    core: Core,
    x: number,
    strideX: number,
    rows: number,
    target: number,
    strideTarget: number,
    add: boolean,
  ): void {
    const { n, k } = this;
    const { kernels } = core;
    if (this.#format === "f32") {
      kernels.gemmF32(x, strideX, this.#weights, this.#bias, target, strideTarget, rows, n, k, add ? 1 : 0);
    } else if (this.#format === "bf16") {
      kernels.gemmBf16(x, strideX, this.#weights, this.#bias, target, strideTarget, rows, n, k, add ? 1 : 0);
    } else {
      const { activations, scales } = this.#workspace;
      const wide = padded(k);
      for (let row = 0; row < rows; row++) {
        const scale = kernels.quantizeActivations(
          x + row * strideX * 4,
          activations + row * wide * 2,
          k,
          wide,
        );
        core.f32[(scales >> 2) + row] = scale;
      }
      kernels.gemmInt8(
        activations,
        scales,
        this.#weights,
        this.#rowScales,
        target,
        strideTarget,
        rows,
        n,
        wide,
        add ? 1 : 0,
      );
    }
  }

  /** Packs rows too long for the staging area, 8 outputs at a time and in slices of k. */
  #packSlowly(core: Core, rows: Float32Array, first: number, count: number): void {
    const { k } = this;
    for (let panel = 0; panel < count; panel += 8) {
      const at = (this.#weights >> 2) + (first + panel) * k;
      for (let i = 0; i < k; i++) {
        for (let lane = 0; lane < 8; lane++) {
          core.f32[at + i * 8 + lane] = panel + lane < count ? rows[(panel + lane) * k + i]! : 0;
        }
      }
    }
  }
}

/** 8-bit rows are multiples of 16 long. */
function padded(k: number): number {
  return Math.ceil(k / 16) * 16;
}
