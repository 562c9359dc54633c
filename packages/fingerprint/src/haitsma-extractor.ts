import { configHash } from "./config-hash.ts";
import { FingerprintError } from "./errors.ts";
import { FrameBuffer } from "./frame-buffer.ts";
import { PowerKernel, type PowerSpectrum } from "./power-spectrum.ts";
import { RecordBuffer } from "./record-buffer.ts";

const fftSize = 2048;
const hop = 64;
const bandCount = 33;

/**
 * First bin of each band and the end of the last: bands of equal width in log frequency, 300 (20/3)^(k/33) Hz, at
 * 5000/2048 Hz a bin.
 */
// biome-ignore format: a table
const bandStarts = Uint16Array.of(
  123, 131, 138, 147, 155, 164, 174, 184, 195, 207, 219, 232, 245, 260, 275, 292, 309, 327, 346, 367, 388, 411, 436,
  462, 489, 518, 548, 581, 615, 651, 690, 731, 774, 820,
);

/** Identifies the profile and its settings. */
export const haitsmaConfigHash: string = configHash({ profile: "haitsma-v1", fmin: 300, fmax: 2000 });

/**
 * Streaming extraction of `haitsma-v1`: 32 sign bits a frame of the energy differences between neighbouring bands and
 * frames: J. Haitsma, T. Kalker, "A Highly Robust Audio Fingerprinting System", ISMIR 2002. Band 0 is bit 31. A record
 * is the word and its frame, from frame 1.
 */
export class HaitsmaExtractor {
  readonly configHash: string = haitsmaConfigHash;
  readonly records: RecordBuffer = new RecordBuffer(2);
  readonly #input = new FrameBuffer(fftSize, hop);
  readonly #spectrum: PowerSpectrum;
  readonly #energy = new Float32Array(bandCount);
  readonly #previous = new Float32Array(bandCount - 1);
  #frameCount = 0;

  constructor(spectrum: PowerSpectrum = new PowerKernel(fftSize)) {
    this.#spectrum = spectrum;
  }

  get replacedSamples(): number {
    return this.#input.replacedSamples;
  }

  push(samples: Float32Array, start: number, end: number): void {
    const input = this.#input;
    for (let at = start; at < end; ) {
      at += input.write(samples, at, end);
      while (input.ready) {
        this.#spectrum.compute(input.samples, input.frameStart);
        input.advance();
        this.#addFrame();
      }
    }
  }

  flush(): void {}

  reset(): void {
    this.#input.reset();
    this.#frameCount = 0;
    this.records.clear();
  }

  #addFrame(): void {
    const power = this.#spectrum.power;
    const energy = this.#energy;
    const previous = this.#previous;
    for (let band = 0; band < bandCount; band++) {
      let sum = 0;
      const end = bandStarts[band + 1]!;
      for (let k = bandStarts[band]!; k < end; k++) sum = Math.fround(sum + power[k]!);
      energy[band] = sum;
    }
    let word = 0;
    for (let band = 0; band < bandCount - 1; band++) {
      const slope = Math.fround(energy[band]! - energy[band + 1]!);
      word = (word << 1) | (Math.fround(slope - previous[band]!) > 0 ? 1 : 0);
      previous[band] = slope;
    }
    if (this.#frameCount > 0) this.records.add2(word >>> 0, this.#frameCount);
    if (++this.#frameCount >= 2 ** 32) {
      throw new FingerprintError(
        "fp/limit",
        "A stream ends after 2^32 frames; call reset() to begin a new one.",
      );
    }
  }
}
