import type { Arena } from "./arena.ts";
import type { Core } from "./core.ts";
import { Linear, type WeightFormat, type Workspace } from "./linear.ts";
import type { SafetensorsFile } from "./safetensors.ts";
import { loadMatrix } from "./transformer.ts";

/** Frequencies of a time embedding. */
const frequencies = 128;
/** Most steps of the flow decoder. */
export const maxLsdSteps = 64;

interface Block {
  readonly normWeight: number;
  readonly normBias: number;
  readonly modulation: Linear;
  readonly first: Linear;
  readonly second: Linear;
}

/**
 * The flow network v(h, s, t, x): a stack of residual blocks whose normalisation is modulated by the condition and the two times
 * (adaptive layer norm, Li et al. 2024, arXiv 2406.11838), decoded by Lagrangian self-distillation (arXiv 2505.18825).
 */
export class FlowNet {
  readonly #dim: number;
  readonly #latentDim: number;
  readonly #cond: Linear;
  readonly #input: Linear;
  readonly #blocks: Block[] = [];
  readonly #finalModulation: Linear;
  readonly #finalLinear: Linear;
  readonly #times: number;
  readonly #condition: number;
  readonly #mixed: number;
  readonly #modulation: number;
  readonly #x: number;
  readonly #h: number;
  readonly #hidden: number;
  readonly #velocity: number;
  #embedders: TimeEmbedder[] = [];
  #steps = 0;

  constructor(
    arena: Arena,
    workspace: Workspace,
    shape: { dim: number; depth: number; width: number; latentDim: number; format: WeightFormat },
  ) {
    const { dim, depth, width, latentDim, format } = shape;
    this.#dim = dim;
    this.#latentDim = latentDim;
    const options = { format, bias: true };
    this.#cond = new Linear(arena, workspace, dim, width, options);
    this.#input = new Linear(arena, workspace, dim, latentDim, options);
    for (let i = 0; i < depth; i++) {
      this.#blocks.push({
        normWeight: arena.floats(dim),
        normBias: arena.floats(dim),
        modulation: new Linear(arena, workspace, 3 * dim, dim, options),
        first: new Linear(arena, workspace, dim, dim, options),
        second: new Linear(arena, workspace, dim, dim, options),
      });
    }
    this.#finalModulation = new Linear(arena, workspace, 2 * dim, dim, options);
    this.#finalLinear = new Linear(arena, workspace, latentDim, dim, options);
    this.#times = arena.floats(maxLsdSteps * dim);
    this.#condition = arena.floats(dim);
    this.#mixed = arena.floats(dim);
    this.#modulation = arena.floats(3 * dim);
    this.#x = arena.floats(dim);
    this.#h = arena.floats(dim);
    this.#hidden = arena.floats(dim);
    this.#velocity = arena.floats(latentDim);
  }

  load(core: Core, file: SafetensorsFile, prefix: string): void {
    const dim = this.#dim;
    const linear = (target: Linear, name: string) =>
      loadMatrix(
        core,
        file,
        target,
        `${prefix}${name}.weight`,
        undefined,
        file.floats(`${prefix}${name}.bias`, [target.n]),
      );
    linear(this.#cond, "cond_embed");
    linear(this.#input, "input_proj");
    for (const [index, block] of this.#blocks.entries()) {
      const name = `res_blocks.${index}.`;
      core.floats(block.normWeight, dim).set(file.floats(`${prefix}${name}in_ln.weight`, [dim]));
      core.floats(block.normBias, dim).set(file.floats(`${prefix}${name}in_ln.bias`, [dim]));
      linear(block.modulation, `${name}adaLN_modulation.1`);
      linear(block.first, `${name}mlp.0`);
      linear(block.second, `${name}mlp.2`);
    }
    linear(this.#finalModulation, "final_layer.adaLN_modulation.1");
    linear(this.#finalLinear, "final_layer.linear");
    this.#embedders = [0, 1].map((index) => readTimeEmbedder(file, `${prefix}time_embed.${index}.`, dim));
    this.#steps = 0;
  }

  /** Prepares the time embeddings for decoding in `steps` steps (1 to {@link maxLsdSteps}); they depend on nothing else. */
  setSteps(core: Core, steps: number): void {
    if (steps === this.#steps) return;
    for (let step = 0; step < steps; step++) {
      const start = this.timeEmbedding(core, 0, step / steps);
      const end = this.timeEmbedding(core, 1, (step + 1) / steps);
      const target = core.floats(this.#times + step * this.#dim * 4, this.#dim);
      for (let i = 0; i < this.#dim; i++) target[i] = Math.fround(start[i]! + end[i]!) / 2;
    }
    this.#steps = steps;
  }

  /** The embedding of one time by embedder 0 (start) or 1 (end); a new array. */
  timeEmbedding(core: Core, which: number, time: number): Float32Array {
    const embedder = this.#embedders[which]!;
    const dim = this.#dim;
    const { cosine, sine, silu, varianceNorm } = core.kernels;
    const tau = Math.fround(time);
    const waves = new Float32Array(2 * frequencies);
    for (let i = 0; i < frequencies; i++) {
      const angle = Math.fround(tau * embedder.freqs[i]!);
      waves[i] = cosine(angle);
      waves[frequencies + i] = sine(angle);
    }
    const hidden = core.floats(this.#hidden, dim);
    multiply(embedder.first, embedder.firstBias, waves, hidden);
    silu(this.#hidden, this.#hidden, dim);
    const h = core.floats(this.#h, dim);
    multiply(embedder.second, embedder.secondBias, hidden, h);
    core.floats(this.#x, dim).set(embedder.alpha);
    varianceNorm(this.#h, this.#x, dim);
    return h.slice();
  }

  /**
   * Turns noise into a latent, in place: z += v(h, i/n, (i+1)/n, z) / n for the n steps of `setSteps`.
   * @param condition address of the language model's output, @param z address of the noise
   */
  decode(core: Core, condition: number, z: number): void {
    const { kernels } = core;
    const dim = this.#dim;
    this.#cond.apply(core, condition, this.#cond.k, 1, this.#condition, dim, false);
    for (let step = 0; step < this.#steps; step++) {
      core.copy(this.#mixed, this.#times + step * dim * 4, dim * 4);
      kernels.addScaled(this.#mixed, this.#condition, 1, dim);
      kernels.silu(this.#mixed, this.#mixed, dim);
      this.#input.apply(core, z, this.#latentDim, 1, this.#x, dim, false);
      for (const block of this.#blocks) this.#runBlock(core, block);
      this.#finalModulation.apply(core, this.#mixed, dim, 1, this.#modulation, 2 * dim, false);
      kernels.layerNormModulated(this.#x, 0, 0, this.#modulation, this.#modulation + dim * 4, this.#h, dim);
      this.#finalLinear.apply(core, this.#h, dim, 1, this.#velocity, this.#latentDim, false);
      kernels.addScaled(z, this.#velocity, 1 / this.#steps, this.#latentDim);
    }
  }

  #runBlock(core: Core, block: Block): void {
    const { kernels } = core;
    const dim = this.#dim;
    const shift = this.#modulation;
    const scale = shift + dim * 4;
    const gate = scale + dim * 4;
    block.modulation.apply(core, this.#mixed, dim, 1, shift, 3 * dim, false);
    kernels.layerNormModulated(this.#x, block.normWeight, block.normBias, shift, scale, this.#h, dim);
    block.first.apply(core, this.#h, dim, 1, this.#hidden, dim, false);
    kernels.silu(this.#hidden, this.#hidden, dim);
    block.second.apply(core, this.#hidden, dim, 1, this.#h, dim, false);
    kernels.addGated(this.#x, gate, this.#h, dim);
  }
}

/** Weights of a time embedder; used at load only, so they stay outside the core's memory. */
interface TimeEmbedder {
  readonly freqs: Float32Array;
  readonly first: Float32Array;
  readonly firstBias: Float32Array;
  readonly second: Float32Array;
  readonly secondBias: Float32Array;
  readonly alpha: Float32Array;
}

function readTimeEmbedder(file: SafetensorsFile, prefix: string, dim: number): TimeEmbedder {
  return {
    freqs: file.floats(`${prefix}freqs`, [frequencies]),
    first: file.floats(`${prefix}mlp.0.weight`, [dim, 2 * frequencies]),
    firstBias: file.floats(`${prefix}mlp.0.bias`, [dim]),
    second: file.floats(`${prefix}mlp.2.weight`, [dim, dim]),
    secondBias: file.floats(`${prefix}mlp.2.bias`, [dim]),
    alpha: file.floats(`${prefix}mlp.3.alpha`, [dim]),
  };
}

/** target = weights x + bias, sums in double precision. */
function multiply(weights: Float32Array, bias: Float32Array, x: Float32Array, target: Float32Array): void {
  for (let row = 0; row < target.length; row++) {
    let sum = bias[row]!;
    for (let i = 0; i < x.length; i++) sum += weights[row * x.length + i]! * x[i]!;
    target[row] = sum;
  }
}
