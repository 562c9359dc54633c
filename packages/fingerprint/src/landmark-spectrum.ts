import { periodicHann } from "./hann-window.ts";
import { ReferencePowerSpectrum } from "./real-fft.ts";

/** Geometry shared by `wang-v1` and `panako-v2`. */
export const landmarkFftSize = 1024;
export const landmarkHop = 128;
export const landmarkBins = 513;
/** Half width of the box in which a peak must be the maximum, in bins and in frames. */
export const landmarkReach = 15;

/** One analysis window to one row of powers and one row of their maxima over +-15 bins. */
export interface LandmarkSpectrum {
  /** |X[k]|², k = 0..512, of the last window. */
  readonly power: Float32Array;
  /** max of `power[k - 15 .. k + 15]`, cut at the borders. */
  readonly rowMaximum: Float32Array;
  compute(samples: Float32Array, start: number): void;
}

/** The plain TypeScript form, kept as the oracle of the WASM kernel. */
export class ReferenceLandmarkSpectrum implements LandmarkSpectrum {
  readonly power: Float32Array = new Float32Array(landmarkBins);
  readonly rowMaximum: Float32Array = new Float32Array(landmarkBins);
  readonly #window = periodicHann(landmarkFftSize);
  readonly #fft = new ReferencePowerSpectrum(landmarkFftSize);
  readonly #padded = new Float32Array(landmarkBins + 2 * landmarkReach);

  compute(samples: Float32Array, start: number): void {
    this.#fft.compute(samples, start, this.#window, this.power);
    // Maxima of 2, 4, 8 and 16 neighbours by doubling; two of 16 that overlap by one make 31.
    const work = this.#padded;
    work.fill(0);
    work.set(this.power, landmarkReach);
    for (let span = 1; span <= 8; span *= 2) {
      for (let i = 0; i + span < work.length; i++) work[i] = Math.max(work[i]!, work[i + span]!);
    }
    const out = this.rowMaximum;
    for (let k = 0; k < landmarkBins; k++) out[k] = Math.max(work[k]!, work[k + landmarkReach]!);
  }
}
