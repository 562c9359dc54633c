import { type ModelConfig, stepsPerFrame } from "../config/model-config.ts";
import type { Core } from "./core.ts";
import type { MimiDecoderBack } from "./mimi-decoder-back.ts";
import type { MimiDecoderFront } from "./mimi-decoder-front.ts";
import type { Probe } from "./transformer.ts";

/** Latents to sound, one frame a call: both parts of the decoder on one thread. */
export class MimiDecoder {
  readonly #front: MimiDecoderFront;
  readonly #back: MimiDecoderBack;
  readonly #stepBytes: number;

  constructor(front: MimiDecoderFront, back: MimiDecoderBack, config: ModelConfig) {
    this.#front = front;
    this.#back = back;
    this.#stepBytes = stepsPerFrame(config) * config.mimi.width * 4;
  }

  /** Address of the latent that `decode` takes. */
  get latent(): number {
    return this.#front.latent;
  }

  /** Address of the frame that `decode` leaves, `frameSamples` floats. */
  get audio(): number {
    return this.#back.audio;
  }

  /** Forgets all frames before. */
  reset(core: Core): void {
    this.#front.reset(core);
    this.#back.reset(core);
  }

  /** Decodes the latent at `latent` into one frame at `audio`. */
  decode(core: Core, probe?: Probe): void {
    this.#front.run(core, probe);
    core.copy(this.#back.steps, this.#front.steps, this.#stepBytes);
    this.#back.run(core, probe);
  }
}
