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
  readonly residual: ResidualBlock;
  readonly downsample: CausalConv;
  readonly ratio: number;
  readonly channels: number;
  readonly output: number;
}

/** Sound to the latents of a voice, one frame a call. Every part is causal, so memory does not grow with the clip. */
export class MimiEncoder {
  /** Address of the frame that `encode` takes. */
  readonly audio: number;
  /** Address of the latent that it leaves, `innerDim` floats. */
  readonly latent: number;
  readonly transformer: Transformer;
  readonly #config: ModelConfig;
  readonly #first: CausalConv;
  readonly #firstOut: number;
  readonly #stages: Stage[] = [];
  readonly #last: CausalConv;
  readonly #x: number;
  readonly #down: CausalConv;
  #isFirst = true;

  constructor(arena: Arena, workspace: Workspace, config: ModelConfig) {
    this.#config = config;
    const { mimi } = config;
    const steps = stepsPerFrame(config);
    let rows = frameSamples(config);
    let channels = mimi.filters;
    this.#first = new CausalConv(arena, workspace, {
      channels: 1,
      outputs: channels,
      kernel: mimi.kernel,
      maxRows: rows,
    });
    this.audio = this.#first.input;
    this.#firstOut = arena.floats(rows * channels);
    for (const ratio of mimi.ratios.toReversed()) {
      const residual = new ResidualBlock(arena, workspace, channels, {
        kernel: mimi.residualKernel,
        compress: mimi.compress,
        maxRows: rows,
      });
      const downsample = new CausalConv(arena, workspace, {
        channels,
        outputs: 2 * channels,
        kernel: 2 * ratio,
        stride: ratio,
        maxRows: rows,
      });
      rows /= ratio;
      this.#stages.push({ residual, downsample, ratio, channels, output: arena.floats(rows * 2 * channels) });
      channels *= 2;
    }
    this.#last = new CausalConv(arena, workspace, {
      channels,
      outputs: mimi.width,
      kernel: mimi.lastKernel,
      maxRows: rows,
    });
    this.#x = arena.floats(steps * mimi.width);
    this.transformer = new Transformer(arena, workspace, mimiTransformerShape(config));
    this.#down = new CausalConv(arena, workspace, {
      channels: mimi.width,
      outputs: mimi.innerDim,
      kernel: 2 * steps,
      stride: steps,
      maxRows: steps,
      bias: false,
    });
    this.latent = arena.floats(mimi.innerDim);
  }

  load(core: Core, file: SafetensorsFile): void {
    const name = (index: number) => `mimi.encoder.model.${index}.`;
    this.#first.load(core, file, `${name(0)}conv.`);
    for (const [index, stage] of this.#stages.entries()) {
      stage.residual.load(core, file, name(1 + 3 * index));
      stage.downsample.load(core, file, `${name(3 + 3 * index)}conv.`);
    }
    this.#last.load(core, file, `${name(2 + 3 * this.#stages.length)}conv.`);
    this.transformer.load(core, file, "mimi.encoder_transformer.transformer.");
    this.#down.load(core, file, "mimi.downsample.conv.conv.", false);
    this.reset(core);
  }

  reset(core: Core): void {
    this.#first.reset(core);
    for (const { residual, downsample } of this.#stages) {
      residual.reset(core);
      downsample.reset(core);
    }
    this.#last.reset(core);
    this.transformer.reset();
    this.#isFirst = true;
  }

  /** Encodes the frame at `audio` into the latent at `latent`. */
  encode(core: Core, probe?: Probe): void {
    const { width } = this.#config.mimi;
    const steps = stepsPerFrame(this.#config);
    let rows = frameSamples(this.#config);
    this.#first.run(core, rows, this.#firstOut);
    let x = this.#firstOut;
    for (let index = 0; index < this.#stages.length; index++) {
      const stage = this.#stages[index]!;
      stage.residual.run(core, x, rows);
      core.kernels.elu(x, stage.downsample.input, rows * stage.channels);
      stage.downsample.run(core, rows, stage.output);
      x = stage.output;
      rows /= stage.ratio;
    }
    core.kernels.elu(x, this.#last.input, rows * (this.#last.linear.k / this.#config.mimi.lastKernel));
    this.#last.run(core, rows, this.#x);
    probe?.("seanet_enc", this.#x, steps, width);
    this.transformer.forward(core, this.#x, steps, probe);
    probe?.("enc_transformer", this.#x, steps, width);
    core.copy(this.#down.input, this.#x, steps * width * 4);
    if (this.#isFirst) this.#down.replicateFirst(core);
    this.#isFirst = false;
    this.#down.run(core, steps, this.latent);
  }
}
