import type { Arena } from "./arena.ts";
import type { Core } from "./core.ts";
import { Linear, type Workspace } from "./linear.ts";
import type { SafetensorsFile } from "./safetensors.ts";

/**
 * A causal convolution over time-major rows, as a matrix product over overlapping windows: the window of output t is the run of
 * `kernel` rows that starts at row t * stride of the input buffer, which begins with the last `kernel - stride` rows of the call
 * before. Nothing is copied but that history.
 */
export class CausalConv {
  /** Address where the caller writes the new rows. */
  readonly input: number;
  readonly linear: Linear;
  readonly #base: number;
  readonly #channels: number;
  readonly #stride: number;
  readonly #history: number;

  /** @param maxRows most new rows of one call, @param outputs values per window (channels, or channels times upsampling) */
  constructor(
    arena: Arena,
    workspace: Workspace,
    shape: {
      channels: number;
      outputs: number;
      kernel: number;
      stride?: number;
      maxRows: number;
      bias?: boolean;
    },
  ) {
    const { channels, outputs, kernel, stride = 1, maxRows, bias = true } = shape;
    this.#channels = channels;
    this.#stride = stride;
    this.#history = kernel - stride;
    this.#base = arena.floats((this.#history + maxRows) * channels);
    this.input = this.#base + this.#history * channels * 4;
    this.linear = new Linear(arena, workspace, outputs, kernel * channels, { bias });
  }

  /** Zeros before the first row. */
  reset(core: Core): void {
    core.u8.fill(0, this.#base, this.input);
  }

  /** Repeats the first new row backwards, instead of zeros. */
  replicateFirst(core: Core): void {
    const bytes = this.#channels * 4;
    for (let row = 0; row < this.#history; row++) core.copy(this.#base + row * bytes, this.input, bytes);
  }

  /** Convolves the `rows` rows at `input` (a multiple of the stride) into rows / stride rows at `target`. */
  run(core: Core, rows: number, target: number, add = false): void {
    const { n } = this.linear;
    this.linear.apply(core, this.#base, this.#stride * this.#channels, rows / this.#stride, target, n, add);
    const bytes = this.#channels * 4;
    if (this.#history > 0) core.copy(this.#base, this.#base + rows * bytes, this.#history * bytes);
  }

  /** Loads a convolution [outputs][channels][kernel]. */
  load(core: Core, file: SafetensorsFile, name: string, hasBias = true): void {
    const { n, k } = this.linear;
    const channels = this.#channels;
    const kernel = k / channels;
    file.info(`${name}weight`, [n, channels, kernel]);
    let rows: Float32Array | undefined;
    this.linear.load(
      core,
      (start, count, target) => {
        // The first call asks for the most rows.
        rows ??= new Float32Array(count * k);
        file.readFloats(`${name}weight`, rows, start * k, count * k);
        for (let row = 0; row < count; row++) {
          const from = row * k;
          for (let channel = 0; channel < channels; channel++) {
            for (let tap = 0; tap < kernel; tap++) {
              target[from + tap * channels + channel] = rows[from + channel * kernel + tap]!;
            }
          }
        }
      },
      hasBias ? file.floats(`${name}bias`, [n]) : undefined,
    );
  }

  /**
   * Loads a transposed convolution [channels][outputs / stride][2 * stride]: one input row makes `stride` output rows, each from
   * this row and the one before, so it is a convolution of kernel 2 with stride * channels outputs.
   */
  loadTransposed(core: Core, file: SafetensorsFile, name: string, stride: number): void {
    const { n } = this.linear;
    const channels = this.#channels;
    const outputs = n / stride;
    file.info(`${name}weight`, [channels, outputs, 2 * stride]);
    const bias = file.floats(`${name}bias`, [outputs]);
    const repeated = new Float32Array(n);
    for (let step = 0; step < stride; step++) repeated.set(bias, step * outputs);
    // One channel of the file at a time: the tensor as a whole would stay in memory long after loading.
    const taps = new Float32Array(outputs * 2 * stride);
    this.linear.load(
      core,
      (start, count, target) => {
        for (let channel = 0; channel < channels; channel++) {
          file.readFloats(`${name}weight`, taps, channel * taps.length, taps.length);
          for (let row = 0; row < count; row++) {
            const step = Math.floor((start + row) / outputs);
            const from = ((start + row) % outputs) * 2 * stride + step;
            target[row * 2 * channels + channel] = taps[from + stride]!;
            target[row * 2 * channels + channels + channel] = taps[from]!;
          }
        }
      },
      repeated,
    );
  }
}
