import { frameSamples, type ModelConfig, stepsPerFrame } from "../config/model-config.ts";
import type { Arena } from "./arena.ts";
import { CausalConv } from "./causal-conv.ts";
import type { Core } from "./core.ts";
import type { Workspace } from "./linear.ts";
import { mimiTransformerShape } from "./mimi-decoder-front.ts";
import { ResidualBlock } from "./residual-block.ts";
import type { SafetensorsFile } from "./safetensors.ts";
import { type Probe, Transformer } from "./transformer.ts";

interface Stage {
  readonly upsample: CausalConv;
  readonly residual: ResidualBlock;
  readonly ratio: number;
  readonly channels: number;
  readonly output: number;
}

/** The rest of the decoder: the last layers of the transformer and the SEANet convolutions. Keeps all state between frames. */
export class MimiDecoderBack {
  /** Address of the steps that `run` takes and overwrites, `stepsPerFrame` rows of `width` floats. */
  readonly steps: number;
  /** Address of the frame that `run` leaves, `frameSamples` floats. */
  readonly audio: number;
  readonly #config: ModelConfig;
  readonly #transformer: Transformer;
  readonly #first: CausalConv;
  readonly #firstOut: number;
  readonly #stages: Stage[] = [];
  readonly #last: CausalConv;
  readonly #stepsPerFrame: number;

  /** @param firstLayer layers of the transformer that ran before, see {@link MimiDecoderFront} */
  constructor(arena: Arena, workspace: Workspace, config: ModelConfig, firstLayer: number) {
    this.#config = config;
    const { mimi } = config;
    const { width, ratios, residualKernel, compress } = mimi;
    const steps = stepsPerFrame(config);
    this.#stepsPerFrame = steps;
    this.steps = arena.floats(steps * width);
    const shape = mimiTransformerShape(config);
    this.#transformer = new Transformer(arena, workspace, {
      ...shape,
      layers: shape.layers - firstLayer,
      firstLayer,
    });
    let rows = steps;
    let channels = mimi.filters * 2 ** ratios.length;
    this.#first = new CausalConv(arena, workspace, {
      channels: width,
      outputs: channels,
      kernel: mimi.kernel,
      maxRows: rows,
    });
    this.#firstOut = arena.floats(rows * channels);
    for (const ratio of ratios) {
      const outputs = channels / 2;
      const upsample = new CausalConv(arena, workspace, {
        channels,
        outputs: ratio * outputs,
        kernel: 2,
        maxRows: rows,
      });
      rows *= ratio;
      channels = outputs;
      const residual = new ResidualBlock(arena, workspace, channels, {
        kernel: residualKernel,
        compress,
        maxRows: rows,
      });
      this.#stages.push({ upsample, residual, ratio, channels, output: arena.floats(rows * channels) });
    }
    this.#last = new CausalConv(arena, workspace, {
      channels,
      outputs: 1,
      kernel: mimi.lastKernel,
      maxRows: rows,
    });
    this.audio = arena.floats(frameSamples(config));
  }

  load(core: Core, file: SafetensorsFile): void {
    this.#transformer.load(core, file, "mimi.decoder_transformer.transformer.");
    const name = (index: number) => `mimi.decoder.model.${index}.`;
    this.#first.load(core, file, `${name(0)}conv.`);
    for (const [index, stage] of this.#stages.entries()) {
      stage.upsample.loadTransposed(core, file, `${name(2 + 3 * index)}convtr.`, stage.ratio);
      stage.residual.load(core, file, name(3 + 3 * index));
    }
    this.#last.load(core, file, `${name(2 + 3 * this.#stages.length)}conv.`);
    this.reset(core);
  }

  /** Forgets all frames before. */
  reset(core: Core): void {
    this.#transformer.reset();
    this.#first.reset(core);
    for (const { upsample, residual } of this.#stages) {
      upsample.reset(core);
      residual.reset(core);
    }
    this.#last.reset(core);
  }

  /** Turns the steps at `steps` into one frame at `audio`. */
  run(core: Core, probe?: Probe): void {
    const { kernels } = core;
    const { width } = this.#config.mimi;
    const steps = this.#stepsPerFrame;
    this.#transformer.forward(core, this.steps, steps, probe);
    core.copy(this.#first.input, this.steps, steps * width * 4);
    this.#first.run(core, steps, this.#firstOut);
    let x = this.#firstOut;
    let rows = steps;
    let channels = this.#first.linear.n;
    probe?.("seanet0", x, rows, channels);
    for (let index = 0; index < this.#stages.length; index++) {
      const stage = this.#stages[index]!;
      kernels.elu(x, stage.upsample.input, rows * channels);
      probe?.(`seanet${1 + 3 * index}`, stage.upsample.input, rows, channels);
      stage.upsample.run(core, rows, stage.output);
      x = stage.output;
      rows *= stage.ratio;
      channels = stage.channels;
      probe?.(`seanet${2 + 3 * index}`, x, rows, channels);
      stage.residual.run(core, x, rows);
      probe?.(`seanet${3 + 3 * index}`, x, rows, channels);
    }
    kernels.elu(x, this.#last.input, rows * channels);
    probe?.(`seanet${1 + 3 * this.#stages.length}`, this.#last.input, rows, channels);
    this.#last.run(core, rows, this.audio);
    probe?.(`seanet${2 + 3 * this.#stages.length}`, this.audio, rows, 1);
  }
}
