import { type FingerprintCore, fingerprintCore, loadInput } from "./core.ts";
import { powerToDecibels } from "./decibels.ts";
import { ReferencePowerSpectrum } from "./power-spectrum.ts";

/** Geometry shared by `wang-v1` and `panako-v2`. */
export const landmarkFftSize = 1024;
export const landmarkHop = 128;
export const landmarkBins = 513;
/** Half width of the box in which a peak must be the maximum, in bins and in frames. */
export const landmarkReach = 15;

/** One analysis window to one row of levels and one row of their maxima over +-15 bins. */
export interface LandmarkSpectrum {
  /** Levels of the last window in dB, bins 0..512. May be shared: read it before the next `compute` of anybody. */
  readonly levels: Float32Array;
  /** max of `levels[k - 15 .. k + 15]`, cut at the borders. */
  readonly rowMaximum: Float32Array;
  compute(samples: Float32Array, start: number): void;
}

/** The WASM kernel. */
export class LandmarkKernel implements LandmarkSpectrum {
  readonly levels: Float32Array;
  readonly rowMaximum: Float32Array;
  readonly #core: FingerprintCore = fingerprintCore();

  constructor() {
    this.levels = this.#core.row;
    this.rowMaximum = this.#core.rowMaximum;
  }

  compute(samples: Float32Array, start: number): void {
    loadInput(this.#core, samples, start, landmarkFftSize);
    this.#core.exports.landmarkRow();
  }
}

/** The plain TypeScript form, kept as the oracle of the kernel. */
export class ReferenceLandmarkSpectrum implements LandmarkSpectrum {
  readonly levels: Float32Array = new Float32Array(landmarkBins);
  readonly rowMaximum: Float32Array = new Float32Array(landmarkBins);
  readonly #fft = new ReferencePowerSpectrum(landmarkFftSize);

  compute(samples: Float32Array, start: number): void {
    this.#fft.compute(samples, start);
    const levels = this.levels;
    for (let k = 0; k < landmarkBins; k++) levels[k] = powerToDecibels(this.#fft.power[k]!);
    for (let k = 0; k < landmarkBins; k++) {
      const end = Math.min(landmarkBins, k + landmarkReach + 1);
      let maximum = levels[k]!;
      for (let i = Math.max(0, k - landmarkReach); i < end; i++) maximum = Math.max(maximum, levels[i]!);
      this.rowMaximum[k] = maximum;
    }
  }
}
