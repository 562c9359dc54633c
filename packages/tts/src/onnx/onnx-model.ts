import type { ModelConfig } from "../config/model-config.ts";
import type { VoiceState } from "../voice/voice-state.ts";
import { floatsOf, type OnnxSessions, type OnnxTensor } from "./onnx-runtime.ts";

/** Keys and values of all layers, by the graphs' names. */
type Cache = Record<string, OnnxTensor>;

/** What the language model says after a row. */
export interface OnnxStep {
  /** Normalised output of the last row, [width]. */
  readonly hidden: Float32Array;
  readonly eosLogit: number;
}

/** One utterance's state of the exported graphs. Calls must not overlap; several objects may share the sessions. */
export class OnnxModel {
  readonly #sessions: OnnxSessions;
  readonly #config: ModelConfig;
  #cache: Cache = {};
  #position = 0;
  #decoderState: Cache = {};
  #decoderPosition = 0;

  constructor(sessions: OnnxSessions, config: ModelConfig) {
    this.#sessions = sessions;
    this.#config = config;
  }

  /** Starts with a voice. */
  async start(voice: VoiceState): Promise<void> {
    const { heads, width, layers } = this.#config.flowLm;
    const rows = voice.kind === "cache" ? voice.rows : 0;
    const dims = [rows, heads, width / heads];
    this.#cache = {};
    this.#position = rows;
    for (let layer = 0; layer < layers; layer++) {
      // The runtime takes no shared memory: a copy of its own.
      const keys = voice.kind === "cache" ? Float32Array.from(voice.keys[layer]!) : new Float32Array(0);
      const values = voice.kind === "cache" ? Float32Array.from(voice.values[layer]!) : new Float32Array(0);
      this.#cache[`past_k.${layer}`] = this.#sessions.floats(keys, dims);
      this.#cache[`past_v.${layer}`] = this.#sessions.floats(values, dims);
    }
    if (voice.kind === "prompt") await this.#advance(voice.conditioning, new Float32Array(0));
  }

  /** Appends the embeddings of text tokens. */
  async prefill(ids: readonly number[]): Promise<OnnxStep> {
    const feeds = { token_ids: this.#sessions.integers(ids) };
    const { embeddings } = await this.#sessions.run("text_conditioner", feeds);
    return this.#advance(floatsOf(embeddings), new Float32Array(0));
  }

  /** One step: the latent before goes in; undefined is the begin of speech. */
  async step(latent: Float32Array | undefined): Promise<OnnxStep> {
    const { latentDim } = this.#config.mimi;
    return this.#advance(new Float32Array(0), latent ?? new Float32Array(latentDim).fill(Number.NaN));
  }

  /** Turns noise into a latent: z += v(h, i/n, (i+1)/n, z) / n. */
  async sample(hidden: Float32Array, noise: Float32Array, steps: number): Promise<Float32Array> {
    const sessions = this.#sessions;
    const latent = noise.slice();
    for (let step = 0; step < steps; step++) {
      const { flow_dir: velocity } = await sessions.run("flow_lm_flow", {
        c: sessions.floats(hidden, [1, hidden.length]),
        s: sessions.floats(Float32Array.of(step / steps), [1, 1]),
        t: sessions.floats(Float32Array.of((step + 1) / steps), [1, 1]),
        x: sessions.floats(latent.slice(), [1, latent.length]),
      });
      const values = floatsOf(velocity);
      for (let i = 0; i < latent.length; i++) latent[i]! += values[i]! / steps;
    }
    return latent;
  }

  /** Forgets the sound before. */
  resetDecoder(): void {
    const { heads, width } = this.#config.mimi;
    const graph = this.#sessions.manifest.graphs.find(({ name }) => name === "mimi_decoder");
    this.#decoderState = {};
    this.#decoderPosition = 0;
    for (const { name, shape } of graph?.inputs ?? []) {
      if (name.startsWith("past_")) {
        this.#decoderState[name] = this.#sessions.floats(new Float32Array(0), [0, heads, width / heads]);
      } else if (name.startsWith("state.")) {
        const dims = shape as readonly number[];
        const size = dims.reduce((product, each) => product * each, 1);
        this.#decoderState[name] = this.#sessions.floats(new Float32Array(size), dims);
      }
    }
  }

  /** One latent to one frame of sound. */
  async decode(latent: Float32Array): Promise<Float32Array> {
    const { steps } = this;
    const result = await this.#sessions.run("mimi_decoder", {
      ...this.#decoderState,
      latent: this.#sessions.floats(latent.slice(), [1, latent.length]),
      offset: this.#sessions.integers([this.#decoderPosition]),
    });
    this.#decoderPosition += steps;
    this.#decoderState = nextState(result);
    return floatsOf(result["audio"]).slice();
  }

  private get steps(): number {
    const { sampleRate, frameRate, ratios } = this.#config.mimi;
    return sampleRate / frameRate / ratios.reduce((product, ratio) => product * ratio, 1);
  }

  async #advance(embeddings: Float32Array, latents: Float32Array): Promise<OnnxStep> {
    const { width } = this.#config.flowLm;
    const { latentDim } = this.#config.mimi;
    const result = await this.#sessions.run("flow_lm_main", {
      ...this.#cache,
      text_embeddings: this.#sessions.floats(embeddings, [embeddings.length / width, width]),
      sequence: this.#sessions.floats(latents, [latents.length / latentDim, latentDim]),
      offset: this.#sessions.integers([this.#position]),
    });
    this.#position += embeddings.length / width + latents.length / latentDim;
    this.#cache = nextState(result);
    return { hidden: floatsOf(result["conditioning"]).slice(), eosLogit: floatsOf(result["eos_logit"])[0]! };
  }
}

/** Outputs `present_*` and `next_*` as the inputs of the next call. */
function nextState(result: Readonly<Record<string, OnnxTensor>>): Cache {
  const state: Cache = {};
  for (const [name, tensor] of Object.entries(result)) {
    if (name.startsWith("present_")) state[`past_${name.slice(8)}`] = tensor;
    else if (name.startsWith("next_")) state[name.slice(5)] = tensor;
  }
  return state;
}
