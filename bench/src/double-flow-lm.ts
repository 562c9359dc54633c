import type { ModelConfig, SafetensorsFile, VoiceCache } from "@longwave/tts";

type Row = Float64Array;

/**
 * The language model and its flow net in double precision, written for clarity, as a second opinion: how far the recorded latents of the
 * reference are from exact arithmetic bounds what any other order of sums can reach.
 */
export class DoubleFlowLm {
  readonly #file: SafetensorsFile;
  readonly #config: ModelConfig;
  readonly #weights = new Map<string, Row>();
  #keys: Row[][] = [];
  #values: Row[][] = [];

  constructor(file: SafetensorsFile, config: ModelConfig) {
    this.#file = file;
    this.#config = config;
  }

  /** Starts with a voice and a text. */
  start(voice: VoiceCache, ids: readonly number[]): void {
    const { width } = this.#config.flowLm;
    const rows = (all: readonly Float32Array[]) =>
      all.map((layer) =>
        Array.from({ length: voice.rows }, (_, row) =>
          Float64Array.from(layer.subarray(row * width, (row + 1) * width)),
        ),
      );
    this.#keys = rows(voice.keys);
    this.#values = rows(voice.values);
    const table = this.#weight("conditioner.embed.weight");
    for (const id of ids) this.#forward(table.slice(id * width, (id + 1) * width));
  }

  /** The next latent after `latent` (undefined: begin of speech), from noise, in `steps` steps of the flow net. */
  next(latent: Row | undefined, noise: Row, steps: number): Row {
    const input = latent ?? this.#weight("bos_emb");
    const x = this.#forward(multiply(this.#weight("input_linear.weight"), input));
    const hidden = this.#norm(x, "out_norm", 1e-5);
    const condition = this.#dense("cond_embed", hidden);
    let z = noise;
    for (let step = 0; step < steps; step++) {
      const start = this.#timeEmbedding(0, step / steps);
      const end = this.#timeEmbedding(1, (step + 1) / steps);
      const velocity = this.#flow(
        condition.map((value, i) => silu(value + (start[i]! + end[i]!) / 2)),
        z,
      );
      z = z.map((value, i) => value + velocity[i]! / steps);
    }
    return z;
  }

  #forward(input: Row): Row {
    const { layers } = this.#config.flowLm;
    let x = input;
    for (let layer = 0; layer < layers; layer++) {
      const name = `transformer.layers.${layer}.`;
      const attended = this.#attend(layer, this.#norm(x, `${name}norm1`, 1e-5));
      x = sum(x, multiply(this.#weight(`${name}self_attn.out_proj.weight`), attended));
      const hidden = multiply(this.#weight(`${name}linear1.weight`), this.#norm(x, `${name}norm2`, 1e-5));
      x = sum(x, multiply(this.#weight(`${name}linear2.weight`), hidden.map(gelu)));
    }
    return x;
  }

  #attend(layer: number, x: Row): Row {
    const { width, heads, maxPeriod } = this.#config.flowLm;
    const headDim = width / heads;
    const keys = this.#keys[layer]!;
    const values = this.#values[layer]!;
    const position = keys.length;
    const qkv = multiply(this.#weight(`transformer.layers.${layer}.self_attn.in_proj.weight`), x);
    const rotated = (from: number) => {
      const row = qkv.slice(from, from + width);
      for (let i = 0; i < width; i += 2) {
        const angle = position * maxPeriod ** (-(i % headDim) / headDim);
        const [a, b] = [row[i]!, row[i + 1]!];
        row[i] = a * Math.cos(angle) - b * Math.sin(angle);
        row[i + 1] = a * Math.sin(angle) + b * Math.cos(angle);
      }
      return row;
    };
    const query = rotated(0);
    keys.push(rotated(width));
    values.push(qkv.slice(2 * width));
    const out = new Float64Array(width);
    for (let start = 0; start < width; start += headDim) {
      const scores = keys.map((key) => {
        let score = 0;
        for (let i = start; i < start + headDim; i++) score += query[i]! * key[i]!;
        return score / Math.sqrt(headDim);
      });
      const peak = Math.max(...scores);
      const weights = scores.map((score) => Math.exp(score - peak));
      const total = weights.reduce((all, each) => all + each, 0);
      for (const [at, weight] of weights.entries()) {
        for (let i = start; i < start + headDim; i++) out[i]! += (weight / total) * values[at]![i]!;
      }
    }
    return out;
  }

  #timeEmbedding(which: number, time: number): Row {
    const name = `flow_net.time_embed.${which}.`;
    const frequencies = [...this.#weight(`${name}freqs`)];
    const waves = [
      ...frequencies.map((f) => Math.cos(time * f)),
      ...frequencies.map((f) => Math.sin(time * f)),
    ];
    const hidden = this.#dense(`time_embed.${which}.mlp.0`, Float64Array.from(waves)).map(silu);
    const y = this.#dense(`time_embed.${which}.mlp.2`, hidden);
    const mean = y.reduce((all, each) => all + each, 0) / y.length;
    const variance = y.reduce((all, each) => all + (each - mean) ** 2, 0) / (y.length - 1);
    const alpha = this.#weight(`${name}mlp.3.alpha`);
    return y.map((value, i) => (value * alpha[i]!) / Math.sqrt(1e-5 + variance));
  }

  #flow(y: Row, z: Row): Row {
    const { flowDim: dim, flowDepth } = this.#config.flowLm;
    let x = this.#dense("input_proj", z);
    const modulated = (values: Row, parts: Row) =>
      values.map((v, i) => v * (1 + parts[dim + i]!) + parts[i]!);
    for (let block = 0; block < flowDepth; block++) {
      const name = `res_blocks.${block}`;
      const parts = this.#dense(`${name}.adaLN_modulation.1`, y);
      const normed = modulated(this.#norm(x, `flow_net.${name}.in_ln`, 1e-6), parts);
      const branch = this.#dense(`${name}.mlp.2`, this.#dense(`${name}.mlp.0`, normed).map(silu));
      x = x.map((value, i) => value + parts[2 * dim + i]! * branch[i]!);
    }
    const parts = this.#dense("final_layer.adaLN_modulation.1", y);
    return this.#dense("final_layer.linear", modulated(this.#norm(x, undefined, 1e-6), parts));
  }

  #dense(name: string, x: Row): Row {
    return sum(multiply(this.#weight(`flow_net.${name}.weight`), x), this.#weight(`flow_net.${name}.bias`));
  }

  #norm(x: Row, name: string | undefined, epsilon: number): Row {
    const mean = x.reduce((all, each) => all + each, 0) / x.length;
    const variance = x.reduce((all, each) => all + (each - mean) ** 2, 0) / x.length;
    const y = x.map((value) => (value - mean) / Math.sqrt(variance + epsilon));
    if (name === undefined) return y;
    const weight = this.#weight(`${name}.weight`);
    const bias = this.#weight(`${name}.bias`);
    return y.map((value, i) => value * weight[i]! + bias[i]!);
  }

  #weight(name: string): Row {
    let values = this.#weights.get(name);
    if (values === undefined) {
      values = Float64Array.from(this.#file.floats(`flow_lm.${name}`));
      this.#weights.set(name, values);
    }
    return values;
  }
}

function multiply(weights: Row, x: Row): Row {
  const y = new Float64Array(weights.length / x.length);
  for (let row = 0; row < y.length; row++) {
    for (let i = 0; i < x.length; i++) y[row]! += weights[row * x.length + i]! * x[i]!;
  }
  return y;
}

function sum(a: Row, b: Row): Row {
  return a.map((value, i) => value + b[i]!);
}

function silu(x: number): number {
  return x / (1 + Math.exp(-x));
}

/** x/2 (1 + erf(x / sqrt 2)), erf by its series. */
function gelu(x: number): number {
  const z = Math.abs(x) * Math.SQRT1_2;
  let series = 0;
  let term = z;
  for (let n = 0; z < 6 && Math.abs(term) > 1e-18; n++) {
    series += term / (2 * n + 1);
    term *= (-z * z) / (n + 1);
  }
  const erf = z < 6 ? (2 / Math.sqrt(Math.PI)) * series : 1;
  return (x / 2) * (1 + Math.sign(x) * erf);
}
