import { TtsError } from "../errors.ts";
import { Arena } from "../model/arena.ts";
import { Core, elementaryFunctions } from "../model/core.ts";
import { MersenneTwister } from "./mersenne-twister.ts";

/** Share of a normal distribution that must lie inside the bounds for torch 2.13 to draw and redraw whole sets: 0.3. As a bound
 * on clamp / sigma that is sqrt(2) * erfinv(0.3). */
const redrawRatio = 0.385320466;

/**
 * The normals of torch's CPU generator after `torch.manual_seed(seed)`: same integers, values within 2 units in the last place.
 *
 * Sources: MT19937 above; torch aten/native/cpu/DistributionTemplates.h (normal_fill); measured against torch 2.13.
 */
export class TorchRandom {
  readonly #twister: MersenneTwister;
  readonly #core: Core;
  readonly #block: number;
  readonly #values: Float32Array;
  #kept: number | undefined;

  /** @throws TtsError `tts/option-invalid` for a seed that is not an integer in [0, 2^53] */
  constructor(seed: number) {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new TtsError("tts/option-invalid", `The seed ${seed} is not a whole number from 0 to 2^53.`);
    }
    this.#twister = new MersenneTwister(seed);
    this.#core = sharedCore();
    this.#block = blockAddress;
    this.#values = this.#core.floats(this.#block, 16);
  }

  /** A uniform in [0, 1) with 24 bits, `torch.rand` in single precision. */
  uniform(): number {
    return (this.#twister.nextU32() & 0xffffff) / 0x1000000;
  }

  /** Fills `target` with normals of mean 0, `tensor.normal_(0, sigma)`. */
  fillNormal(target: Float32Array, sigma: number): void {
    const count = target.length;
    if (count < 16) {
      for (let i = 0; i < count; i++) target[i] = this.#single() * sigma;
      return;
    }
    for (let i = 0; i < count; i++) target[i] = this.uniform();
    for (let at = 0; at + 16 <= count; at += 16) this.#transform(target, at, sigma);
    if (count % 16 === 0) return;
    const tail = count - 16;
    for (let i = tail; i < count; i++) target[i] = this.uniform();
    this.#transform(target, tail, sigma);
  }

  /**
   * Fills `target` with normals truncated to [-clamp, clamp], `trunc_normal_`. Equal to torch 2.13 while more than 30 % of the
   * distribution lies inside; for narrower bounds the distribution is right, the values are our own.
   */
  fillTruncatedNormal(target: Float32Array, sigma: number, clamp: number): void {
    if (sigma === 0) {
      target.fill(0);
      return;
    }
    if (clamp / sigma <= redrawRatio) {
      const { exponential } = elementaryFunctions();
      for (let i = 0; i < target.length; i++) {
        let value: number;
        do value = (2 * this.uniform() - 1) * clamp;
        while (this.uniform() > exponential(-0.5 * (value / sigma) ** 2));
        target[i] = value;
      }
      return;
    }
    this.fillNormal(target, sigma);
    const again = new Float32Array(target.length);
    while (target.some((value) => Math.abs(value) > clamp)) {
      this.fillNormal(again, sigma);
      for (let i = 0; i < target.length; i++) if (Math.abs(target[i]!) > clamp) target[i] = again[i]!;
    }
  }

  #transform(target: Float32Array, at: number, sigma: number): void {
    for (let i = 0; i < 16; i++) this.#values[i] = target[at + i]!;
    this.#core.kernels.gaussianBlock(this.#block, sigma);
    for (let i = 0; i < 16; i++) target[at + i] = this.#values[i]!;
  }

  /** One normal in double precision; values come in pairs, cosine first. */
  #single(): number {
    if (this.#kept !== undefined) {
      const value = this.#kept;
      this.#kept = undefined;
      return value;
    }
    const { logarithm, cosine, sine } = elementaryFunctions();
    const u1 = this.#uniform53();
    const u2 = this.#uniform53();
    const radius = Math.sqrt(-2 * logarithm(1 - u2));
    const theta = 2 * Math.PI * u1;
    this.#kept = radius * sine(theta);
    return radius * cosine(theta);
  }

  #uniform53(): number {
    const high = this.#twister.nextU32();
    const low = this.#twister.nextU32();
    return ((high * 2 ** 32 + low) % 2 ** 53) / 2 ** 53;
  }
}

let core: Core | undefined;
let blockAddress = 0;

/** One small core for all generators: a call runs to its end before the next, so they may share the block. */
function sharedCore(): Core {
  if (core === undefined) {
    const arena = new Arena();
    blockAddress = arena.floats(16);
    core = new Core(arena.size);
  }
  return core;
}
