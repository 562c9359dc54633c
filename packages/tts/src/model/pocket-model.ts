import { type ModelConfig, stepsPerFrame } from "../config/model-config.ts";
import { Arena } from "./arena.ts";
import { Core } from "./core.ts";
import { FlowLm } from "./flow-lm.ts";
import { type WeightFormat, Workspace } from "./linear.ts";
import { MimiDecoder } from "./mimi-decoder.ts";
import { MimiDecoderBack } from "./mimi-decoder-back.ts";
import { MimiDecoderFront } from "./mimi-decoder-front.ts";
import { MimiEncoder } from "./mimi-encoder.ts";
import type { SafetensorsFile } from "./safetensors.ts";

/** Which parts of a model to load; a thread that only decodes needs no language model. */
export interface PocketModelOptions {
  readonly flowLm?: boolean;
  /** Both parts of the decoder (default), one of them, or none. */
  readonly decoder?: boolean | "front" | "back";
  /** Layers of the decoder's transformer that belong to its front part; the result does not depend on it. Default all. */
  readonly frontLayers?: number;
  readonly encoder?: boolean;
  /** Format of the language model's weights; Mimi always keeps 32-bit floats. Default `f32`. */
  readonly format?: WeightFormat;
  /** Positions of the key/value cache: voice, text and frames of one chunk; default 4096. */
  readonly capacity?: number;
}

/** Rows of text or voice that go through the language model at a time. */
const prefillRows = 64;

/** The parts of one model in one memory, on one thread. */
export class PocketModel {
  readonly config: ModelConfig;
  readonly core: Core;
  readonly capacity: number;
  readonly #flowLm: FlowLm | undefined;
  readonly #front: MimiDecoderFront | undefined;
  readonly #back: MimiDecoderBack | undefined;
  readonly #decoder: MimiDecoder | undefined;
  readonly #encoder: MimiEncoder | undefined;

  /**
   * Lays out the memory and loads the weights.
   * @throws TtsError `tts/model-malformed` where a tensor is missing or has the wrong shape; `tts/model-too-large`
   */
  constructor(config: ModelConfig, file: SafetensorsFile, options: PocketModelOptions = {}) {
    this.config = config;
    this.capacity = options.capacity ?? 4096;
    const { decoder = true, frontLayers = config.mimi.layers } = options;
    const arena = new Arena();
    const rows = Math.max(prefillRows, stepsPerFrame(config));
    const widest = options.format === "int8" ? Math.max(config.flowLm.width, config.flowLm.feedForward) : 8;
    const workspace = new Workspace(arena, rows, widest);
    if (options.flowLm !== false) {
      this.#flowLm = new FlowLm(arena, workspace, config, this.capacity, options.format ?? "f32");
    }
    if (decoder === true || decoder === "front")
      this.#front = new MimiDecoderFront(arena, workspace, config, frontLayers);
    if (decoder === true || decoder === "back")
      this.#back = new MimiDecoderBack(arena, workspace, config, frontLayers);
    if (this.#front !== undefined && this.#back !== undefined)
      this.#decoder = new MimiDecoder(this.#front, this.#back, config);
    if (options.encoder === true) this.#encoder = new MimiEncoder(arena, workspace, config);
    this.core = new Core(arena.size);
    this.#flowLm?.load(this.core, file);
    this.#front?.load(this.core, file);
    this.#back?.load(this.core, file);
    this.#encoder?.load(this.core, file);
  }

  get flowLm(): FlowLm {
    return required(this.#flowLm, "language model");
  }

  get decoder(): MimiDecoder {
    return required(this.#decoder, "decoder");
  }

  get decoderFront(): MimiDecoderFront {
    return required(this.#front, "decoder's front part");
  }

  get decoderBack(): MimiDecoderBack {
    return required(this.#back, "decoder's back part");
  }

  get encoder(): MimiEncoder {
    return required(this.#encoder, "encoder");
  }
}

function required<Part>(part: Part | undefined, name: string): Part {
  if (part === undefined) throw new Error(`This model was opened without its ${name}.`);
  return part;
}
