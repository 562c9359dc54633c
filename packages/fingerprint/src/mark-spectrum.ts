import { type FingerprintCore, fingerprintCore, loadInput } from "./core.ts";
import { powerToDecibels } from "./decibels.ts";
import { ReferencePowerSpectrum } from "./power-spectrum.ts";

/** Geometry of `mark-v1`. */
export const markFftSize = 1024;
export const markHop = 256;
/** Columns are bins 10 to 459, 78 Hz to 3.59 kHz. */
export const markFirstBin = 10;
export const markColumns = 450;
/** Levels are integers in 1/1024 dB, so that sums over neighbours are exact in any order. */
export const levelsPerDecibel = 1024;
/** Half width of the mean over frequency, in columns. */
export const markColumnReach = 20;

const levelLimit = 150 * levelsPerDecibel;

/** One analysis window to levels and their sums over +-20 columns, borders continued by the edge value. */
export interface MarkSpectrum {
  /** 10 log10(|X|² + 1e-7) in 1/1024 dB. May be shared: read it before the next `compute` of anybody. */
  readonly levels: Int32Array;
  readonly columnSums: Int32Array;
  compute(samples: Float32Array, start: number): void;
}

/** The WASM kernel. */
export class MarkKernel implements MarkSpectrum {
  readonly levels: Int32Array;
  readonly columnSums: Int32Array;
  readonly #core: FingerprintCore = fingerprintCore();

  constructor() {
    this.levels = this.#core.integerRow;
    this.columnSums = this.#core.integerSums;
  }

  compute(samples: Float32Array, start: number): void {
    loadInput(this.#core, samples, start, markFftSize);
    this.#core.exports.markRow();
  }
}

/** The plain TypeScript form, kept as the oracle of the kernel. */
export class ReferenceMarkSpectrum implements MarkSpectrum {
  readonly levels: Int32Array = new Int32Array(markColumns);
  readonly columnSums: Int32Array = new Int32Array(markColumns);
  readonly #fft = new ReferencePowerSpectrum(markFftSize);

  compute(samples: Float32Array, start: number): void {
    this.#fft.compute(samples, start);
    for (let c = 0; c < markColumns; c++) {
      const power = Math.fround(this.#fft.power[c + markFirstBin]! + Math.fround(1e-7));
      const level = Math.round(powerToDecibels(power) * levelsPerDecibel);
      this.levels[c] = Math.min(levelLimit, Math.max(-levelLimit, level));
    }
    for (let c = 0; c < markColumns; c++) {
      let sum = 0;
      for (let d = -markColumnReach; d <= markColumnReach; d++) {
        sum += this.levels[Math.min(markColumns - 1, Math.max(0, c + d))]!;
      }
      this.columnSums[c] = sum;
    }
  }
}
