import { type FingerprintCore, fingerprintCore, loadInput } from "./core.ts";
import { periodicHann } from "./hann-window.ts";
import { ReferenceFft } from "./reference-fft.ts";

/** |X[k]|², k = 0..size/2, of a Hann window of samples, unnormalised. */
export interface PowerSpectrum {
  /** Result of the last `compute`. May be shared: read it before the next `compute` of anybody. */
  readonly power: Float32Array;
  compute(samples: Float32Array, start: number): void;
}

/** The WASM kernel. */
export class PowerKernel implements PowerSpectrum {
  readonly power: Float32Array;
  readonly #core: FingerprintCore = fingerprintCore();
  readonly #size: 1024 | 2048;

  constructor(size: 1024 | 2048) {
    this.#size = size;
    this.power = this.#core.row;
  }

  compute(samples: Float32Array, start: number): void {
    loadInput(this.#core, samples, start, this.#size);
    this.#core.exports.powerSpectrum(this.#size);
  }
}

/** The plain TypeScript form in f64, rounded to f32 a bin: the oracle of the kernel. */
export class ReferencePowerSpectrum implements PowerSpectrum {
  readonly power: Float32Array;
  readonly #window: Float32Array;
  readonly #fft: ReferenceFft;

  /** @param size a power of two from 4 to 65,536 */
  constructor(size: number) {
    this.power = new Float32Array(size / 2 + 1);
    this.#window = periodicHann(size);
    this.#fft = new ReferenceFft(size);
  }

  compute(samples: Float32Array, start: number): void {
    this.#fft.compute(samples, start, this.#window, this.power);
  }
}
