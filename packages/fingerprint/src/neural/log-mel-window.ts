import { LogMel } from "@longwave/dsp";
import { type EmbedderSettings, windowShapeOf } from "./embedder-settings.ts";

/** Computes the model's input for one window: log10 of mel energies, band by band, `mels` times `frames` values. */
export class LogMelWindow {
  /** Values of a window. */
  readonly size: number;
  readonly #logMel: LogMel;
  readonly #frames: number;
  #into: Float32Array = new Float32Array(0);
  #at = 0;

  /** @throws NeuralError `neural/settings` */
  constructor(settings: EmbedderSettings) {
    const { frames } = windowShapeOf(settings);
    const { sampleRate, fftSize, hopSize, mels, minHz, maxHz } = settings;
    this.#frames = frames;
    this.size = mels * frames;
    this.#logMel = new LogMel({
      sampleRate,
      frameSize: fftSize,
      hop: hopSize,
      bands: mels,
      minHz,
      maxHz,
      addend: 1e-10,
      floor: 1e-10,
    });
  }

  /** Writes the window of `samples` into `into` from `at` on: value m * frames + f is band m of transform f. Allocates nothing. */
  compute(samples: Float32Array, into: Float32Array, at: number): void {
    this.#into = into;
    this.#at = at;
    this.#logMel.reset();
    this.#logMel.push(samples, this.#take);
  }

  close(): void {
    this.#logMel.close();
  }

  readonly #take = (values: Float32Array, frame: number): void => {
    const frames = this.#frames;
    if (frame >= frames) return;
    for (let band = 0; band < values.length; band++)
      this.#into[this.#at + band * frames + frame] = values[band]!;
  };
}
