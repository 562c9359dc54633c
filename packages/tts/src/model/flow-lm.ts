import type { ModelConfig } from "../config/model-config.ts";
import type { Arena } from "./arena.ts";
import type { Core } from "./core.ts";
import { FlowNet } from "./flow-net.ts";
import { Linear, type WeightFormat, type Workspace } from "./linear.ts";
import type { SafetensorsFile } from "./safetensors.ts";
import { loadMatrix, type Probe, Transformer } from "./transformer.ts";

/**
 * The language model: text embeddings and latents in, one latent a step out. Steps in order: `reset` or a voice's cache, `prefill`
 * with text, then `step` per frame.
 */
export class FlowLm {
  readonly transformer: Transformer;
  readonly flowNet: FlowNet;
  /** Address of the latest latent, `latentDim` floats; noise goes in here before `sample`. */
  readonly latent: number;
  /** Address of the normalised output of the last position. */
  readonly hidden: number;
  readonly #config: ModelConfig;
  readonly #embedding: number;
  /** Bytes of one value of the table: bfloat16 where the weights are, else single precision. */
  readonly #embeddingBytes: 2 | 4;
  readonly #bos: number;
  readonly #normWeight: number;
  readonly #normBias: number;
  readonly #input: Linear;
  readonly #eos: Linear;
  readonly #speaker: Linear;
  readonly #x: number;
  readonly #eosLogit: number;
  readonly #rows: number;

  constructor(
    arena: Arena,
    workspace: Workspace,
    config: ModelConfig,
    capacity: number,
    format: WeightFormat,
  ) {
    this.#config = config;
    const { flowLm, mimi } = config;
    const { width, vocabulary } = flowLm;
    this.#rows = workspace.maxRows;
    this.transformer = new Transformer(arena, workspace, {
      width,
      heads: flowLm.heads,
      layers: flowLm.layers,
      feedForward: flowLm.feedForward,
      maxPeriod: flowLm.maxPeriod,
      context: 0,
      capacity,
      maxRows: this.#rows,
      layerScale: false,
      format,
    });
    // Only the four projections of a layer are quantised, as in the reference; the rest keeps full precision.
    const exact = format === "int8" ? "f32" : format;
    this.flowNet = new FlowNet(arena, workspace, {
      dim: flowLm.flowDim,
      depth: flowLm.flowDepth,
      width,
      latentDim: mimi.latentDim,
      format: exact,
    });
    this.#embeddingBytes = format === "bf16" ? 2 : 4;
    this.#embedding = arena.allocate((vocabulary + 1) * width * this.#embeddingBytes);
    this.#bos = arena.floats(mimi.latentDim);
    this.#normWeight = arena.floats(width);
    this.#normBias = arena.floats(width);
    this.#input = new Linear(arena, workspace, width, mimi.latentDim, { format: exact });
    this.#eos = new Linear(arena, workspace, 1, width, { bias: true });
    this.#speaker = new Linear(arena, workspace, width, mimi.innerDim);
    this.#x = arena.floats(this.#rows * width);
    this.hidden = arena.floats(width);
    this.latent = arena.floats(mimi.latentDim);
    this.#eosLogit = arena.floats(1);
  }

  load(core: Core, file: SafetensorsFile): void {
    const { flowLm, mimi } = this.#config;
    const { width, vocabulary } = flowLm;
    const name = "flow_lm.";
    this.transformer.load(core, file, `${name}transformer.`);
    this.flowNet.load(core, file, `${name}flow_net.`);
    const table = `${name}conditioner.embed.weight`;
    file.info(table, [vocabulary + 1, width]);
    if (this.#embeddingBytes === 4) {
      file.readFloats(table, core.floats(this.#embedding, (vocabulary + 1) * width));
    } else this.#loadHalfTable(core, file, table);
    core.floats(this.#bos, mimi.latentDim).set(file.floats(`${name}bos_emb`, [mimi.latentDim]));
    core.floats(this.#normWeight, width).set(file.floats(`${name}out_norm.weight`, [width]));
    core.floats(this.#normBias, width).set(file.floats(`${name}out_norm.bias`, [width]));
    loadMatrix(core, file, this.#input, `${name}input_linear.weight`);
    const eosBias = file.floats(`${name}out_eos.bias`, [1]);
    loadMatrix(core, file, this.#eos, `${name}out_eos.weight`, undefined, eosBias);
    loadMatrix(core, file, this.#speaker, `${name}speaker_proj_weight`);
  }

  /** Appends the embeddings of text tokens. Afterwards `hidden` is the output of the last one. */
  prefillText(core: Core, ids: readonly number[], probe?: Probe): void {
    this.#prefillText(core, ids, probe, false);
  }

  /** As `prefillText`, but `hidden` is undefined afterwards, for speech that starts with its begin-of-speech latent: a seventh less work. */
  cacheText(core: Core, ids: readonly number[]): void {
    this.#prefillText(core, ids, undefined, true);
  }

  #prefillText(core: Core, ids: readonly number[], probe: Probe | undefined, cacheOnly: boolean): void {
    const { width } = this.#config.flowLm;
    this.#prefill(core, ids.length, probe, cacheOnly, (row, target) => {
      const from = this.#embedding + ids[row]! * width * this.#embeddingBytes;
      if (this.#embeddingBytes === 4) core.copy(target, from, width * 4);
      else for (let i = 0; i < width; i++) core.i32[(target >> 2) + i] = core.u16[(from >> 1) + i]! << 16;
    });
  }

  /** Reads the table row by row, rounded as `packPanelsBf16` rounds. */
  #loadHalfTable(core: Core, file: SafetensorsFile, table: string): void {
    const { width, vocabulary } = this.#config.flowLm;
    const row = new Float32Array(width);
    const bits = new Uint32Array(row.buffer);
    for (let id = 0; id <= vocabulary; id++) {
      file.readFloats(table, row, id * width, width);
      const to = (this.#embedding >> 1) + id * width;
      for (let i = 0; i < width; i++) core.u16[to + i] = (bits[i]! + 0x7fff + ((bits[i]! >>> 16) & 1)) >>> 16;
    }
  }

  /** Appends conditioning rows [count][width], for example of a voice. */
  prefillRows(core: Core, rows: Float32Array, probe?: Probe): void {
    const { width } = this.#config.flowLm;
    this.#prefill(core, rows.length / width, probe, false, (row, target) => {
      for (let i = 0; i < width; i++) core.f32[(target >> 2) + i] = rows[row * width + i]!;
    });
  }

  /** Latents of a voice [count][innerDim] to conditioning rows [count][width]. */
  projectSpeaker(core: Core, latents: Float32Array): Float32Array {
    const { width } = this.#config.flowLm;
    const { innerDim } = this.#config.mimi;
    const count = latents.length / innerDim;
    const rows = new Float32Array(count * width);
    const input = this.#x;
    for (let row = 0; row < count; row++) {
      core.floats(input, innerDim).set(latents.subarray(row * innerDim, (row + 1) * innerDim));
      this.#speaker.apply(core, input, innerDim, 1, this.hidden, width, false);
      rows.set(core.floats(this.hidden, width), row * width);
    }
    return rows;
  }

  /** Uses the begin-of-speech latent as the next input. */
  startSpeech(core: Core): void {
    core.copy(this.latent, this.#bos, this.#config.mimi.latentDim * 4);
  }

  /** One position: the latest latent goes in, `hidden` comes out. */
  advance(core: Core, probe?: Probe): void {
    const { width } = this.#config.flowLm;
    this.#input.apply(core, this.latent, this.#config.mimi.latentDim, 1, this.#x, width, false);
    this.transformer.forward(core, this.#x, 1, probe);
    core.kernels.layerNorm(this.#x, this.#normWeight, this.#normBias, this.hidden, 1, width, 1e-5);
  }

  /** The logit of "speech has ended" for the current `hidden`. */
  eosLogit(core: Core): number {
    const { width } = this.#config.flowLm;
    this.#eos.apply(core, this.hidden, width, 1, this.#eosLogit, 1, false);
    return core.f32[this.#eosLogit >> 2]!;
  }

  /** Whether that logit is above `threshold`; unlike the number itself, the answer costs no allocation. */
  hasEnded(core: Core, threshold: number): boolean {
    const { width } = this.#config.flowLm;
    this.#eos.apply(core, this.hidden, width, 1, this.#eosLogit, 1, false);
    return core.f32[this.#eosLogit >> 2]! > threshold;
  }

  /** Turns the noise at `latent` into the next latent. */
  sample(core: Core): void {
    this.flowNet.decode(core, this.hidden, this.latent);
  }

  #prefill(
    core: Core,
    count: number,
    probe: Probe | undefined,
    cacheOnly: boolean,
    fill: (row: number, target: number) => void,
  ): void {
    const { width } = this.#config.flowLm;
    for (let start = 0; start < count; start += this.#rows) {
      const rows = Math.min(this.#rows, count - start);
      for (let row = 0; row < rows; row++) fill(start + row, this.#x + row * width * 4);
      this.transformer.forward(core, this.#x, rows, probe, cacheOnly);
      if (cacheOnly) continue;
      const last = this.#x + (rows - 1) * width * 4;
      core.kernels.layerNorm(last, this.#normWeight, this.#normBias, this.hidden, 1, width, 1e-5);
    }
  }
}
