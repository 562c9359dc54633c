import type { Arena } from "./arena.ts";
import { CausalConv } from "./causal-conv.ts";
import type { Core } from "./core.ts";
import type { Workspace } from "./linear.ts";
import type { SafetensorsFile } from "./safetensors.ts";

/** x + conv1(elu(conv3(elu x))) over rows of `channels` floats. */
export class ResidualBlock {
  readonly #wide: CausalConv;
  readonly #narrow: CausalConv;
  readonly #channels: number;
  readonly #hidden: number;

  constructor(
    arena: Arena,
    workspace: Workspace,
    channels: number,
    shape: { kernel: number; compress: number; maxRows: number },
  ) {
    this.#channels = channels;
    this.#hidden = Math.floor(channels / shape.compress);
    const { kernel, maxRows } = shape;
    this.#wide = new CausalConv(arena, workspace, { channels, outputs: this.#hidden, kernel, maxRows });
    this.#narrow = new CausalConv(arena, workspace, {
      channels: this.#hidden,
      outputs: channels,
      kernel: 1,
      maxRows,
    });
  }

  load(core: Core, file: SafetensorsFile, name: string): void {
    this.#wide.load(core, file, `${name}block.1.conv.`);
    this.#narrow.load(core, file, `${name}block.3.conv.`);
  }

  reset(core: Core): void {
    this.#wide.reset(core);
  }

  /** In place over `rows` rows at `x`. */
  run(core: Core, x: number, rows: number): void {
    core.kernels.elu(x, this.#wide.input, rows * this.#channels);
    this.#wide.run(core, rows, this.#narrow.input);
    core.kernels.elu(this.#narrow.input, this.#narrow.input, rows * this.#hidden);
    this.#narrow.run(core, rows, x, true);
  }
}
