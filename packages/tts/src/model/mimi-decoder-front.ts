import { type ModelConfig, stepsPerFrame } from "../config/model-config.ts";
import type { Arena } from "./arena.ts";
import type { Core } from "./core.ts";
import { Linear, type Workspace } from "./linear.ts";
import type { SafetensorsFile } from "./safetensors.ts";
import { type Probe, Transformer, type TransformerShape } from "./transformer.ts";

/**
 * The part of the decoder before the convolutions: a latent is projected, upsampled to the steps of a frame and goes through the first
 * layers of the transformer. Keeps all state between frames.
 */
export class MimiDecoderFront {
  /** Address of the latent that `run` takes. */
  readonly latent: number;
  /** Address of the steps that `run` leaves, `stepsPerFrame` rows of `width` floats. */
  readonly steps: number;
  readonly #config: ModelConfig;
  readonly #transformer: Transformer;
  readonly #std: number;
  readonly #mean: number;
  readonly #scaled: number;
  readonly #projection: Linear;
  readonly #projected: number;
  readonly #previous: number;
  readonly #upsampling: number;
  readonly #stepsPerFrame: number;

  /** @param layers layers of the transformer that run here, from the first */
  constructor(arena: Arena, workspace: Workspace, config: ModelConfig, layers: number) {
    this.#config = config;
    const { width, latentDim } = config.mimi;
    const steps = stepsPerFrame(config);
    this.#stepsPerFrame = steps;
    this.latent = arena.floats(latentDim);
    this.#std = arena.floats(latentDim);
    this.#mean = arena.floats(latentDim);
    this.#scaled = arena.floats(latentDim);
    this.#projection = new Linear(arena, workspace, width, latentDim);
    this.#projected = arena.floats(width);
    this.#previous = arena.floats(width);
    this.#upsampling = arena.floats(2 * steps * width);
    this.steps = arena.floats(steps * width);
    this.#transformer = new Transformer(arena, workspace, { ...mimiTransformerShape(config), layers });
  }

  load(core: Core, file: SafetensorsFile): void {
    const { width, latentDim } = this.#config.mimi;
    const steps = this.#stepsPerFrame;
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
    this.#transformer.load(core, file, "mimi.decoder_transformer.transformer.");
    this.reset(core);
  }

  /** Forgets all frames before. */
  reset(core: Core): void {
    core.u8.fill(0, this.#previous, this.#previous + this.#config.mimi.width * 4);
    this.#transformer.reset();
  }

  /** Turns the latent at `latent` into the steps of a frame at `steps`. */
  run(core: Core, probe?: Probe): void {
    const { kernels } = core;
    const { width, latentDim } = this.#config.mimi;
    const steps = this.#stepsPerFrame;
    kernels.scaleAndShift(this.latent, this.#std, this.#mean, this.#scaled, latentDim);
    this.#projection.apply(core, this.#scaled, latentDim, 1, this.#projected, width, false);
    probe?.("quantizer", this.#projected, 1, width);
    kernels.upsample(this.#projected, this.#previous, this.#upsampling, this.steps, steps, width);
    core.copy(this.#previous, this.#projected, width * 4);
    probe?.("upsample", this.steps, steps, width);
    this.#transformer.forward(core, this.steps, steps, probe);
  }
}

/** Both transformers of Mimi have this shape; the cache holds a window and room for 16 frames before it slides. */
export function mimiTransformerShape(config: ModelConfig): TransformerShape {
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
