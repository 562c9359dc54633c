import { frameSamples, type ModelConfig, stepsPerFrame } from "../config/model-config.ts";
import type { Arena } from "./arena.ts";
import { CausalConv } from "./causal-conv.ts";
import type { Core } from "./core.ts";
import { Linear, type Workspace } from "./linear.ts";
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

/** Latents to sound, one frame a call: projection, upsampling, transformer, SEANet decoder. Keeps all state between frames. */
export class MimiDecoder {
  /** Address of the latent that `decode` takes. */
  readonly latent: number;
  /** Address of the frame that `decode` leaves, `frameSamples` floats. */
  readonly audio: number;
  readonly transformer: Transformer;
  readonly #config: ModelConfig;
  readonly #std: number;
  readonly #mean: number;
  readonly #scaled: number;
  readonly #projection: Linear;
  readonly #projected: number;
  readonly #previous: number;
  readonly #upsampling: number;
  readonly #x: number;
  readonly #first: CausalConv;
  readonly #firstOut: number;
  readonly #stages: Stage[] = [];
  readonly #last: CausalConv;
  readonly #steps: number;

  constructor(arena: Arena, workspace: Workspace, config: ModelConfig) {
    this.#config = config;
    const { mimi } = config;
    const { width, latentDim, ratios, residualKernel, compress } = mimi;
    const steps = stepsPerFrame(config);
    this.#steps = steps;
    this.latent = arena.floats(latentDim);
    this.#std = arena.floats(latentDim);
    this.#mean = arena.floats(latentDim);
    this.#scaled = arena.floats(latentDim);
    this.#projection = new Linear(arena, workspace, width, latentDim);
    this.#projected = arena.floats(width);
    this.#previous = arena.floats(width);
    this.#upsampling = arena.floats(2 * steps * width);
    this.#x = arena.floats(steps * width);
    this.transformer = new Transformer(arena, workspace, mimiTransformerShape(config));
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
    const { mimi } = this.#config;
    const { width, latentDim } = mimi;
    const steps = stepsPerFrame(this.#config);
    core.floats(this.#std, latentDim).set(file.floats("flow_lm.emb_std", [latentDim]));
    core.floats(this.#mean, latentDim).set(file.floats("flow_lm.emb_mean", [latentDim]));
    const projection = "mimi.quantizer.output_proj.weight";
    file.info(projection, [width, latentDim, 1]);
    this.#projection.load(core, (start, count, target) =>
      file.readFloats(projection, target, start * latentDim, count * latentDim),
    );
    // [channel][0][tap] to time-major [tap][channel].
    const taps = file.floats("mimi.upsample.convtr.convtr.weight", [width, 1, 2 * steps]);
    const upsampling = core.floats(this.#upsampling, 2 * steps * width);
    for (let channel = 0; channel < width; channel++) {
      for (let tap = 0; tap < 2 * steps; tap++)
        upsampling[tap * width + channel] = taps[channel * 2 * steps + tap]!;
    }
    this.transformer.load(core, file, "mimi.decoder_transformer.transformer.");
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
    core.u8.fill(0, this.#previous, this.#previous + this.#config.mimi.width * 4);
    this.transformer.reset();
    this.#first.reset(core);
    for (const { upsample, residual } of this.#stages) {
      upsample.reset(core);
      residual.reset(core);
    }
    this.#last.reset(core);
  }

  /** Decodes the latent at `latent` into one frame at `audio`. */
  decode(core: Core, probe?: Probe): void {
    const { kernels } = core;
    const { width, latentDim } = this.#config.mimi;
    const steps = this.#steps;
    kernels.scaleAndShift(this.latent, this.#std, this.#mean, this.#scaled, latentDim);
    this.#projection.apply(core, this.#scaled, latentDim, 1, this.#projected, width, false);
    probe?.("quantizer", this.#projected, 1, width);
    kernels.upsample(this.#projected, this.#previous, this.#upsampling, this.#x, steps, width);
    core.copy(this.#previous, this.#projected, width * 4);
    probe?.("upsample", this.#x, steps, width);
    this.transformer.forward(core, this.#x, steps, probe);
    core.copy(this.#first.input, this.#x, steps * width * 4);
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

/** Both transformers of Mimi have this shape; the cache holds a window and room for 16 frames before it slides. */
export function mimiTransformerShape(config: ModelConfig): Transformer["shape"] {
  const { mimi } = config;
  const steps = stepsPerFrame(config);
  return {
    width: mimi.width,
    heads: mimi.heads,
    layers: mimi.layers,
    feedForward: mimi.feedForward,
    maxPeriod: mimi.maxPeriod,
    context: mimi.context,
    capacity: mimi.context - 1 + 16 * steps,
    maxRows: steps,
    layerScale: true,
    format: "f32",
  };
}
