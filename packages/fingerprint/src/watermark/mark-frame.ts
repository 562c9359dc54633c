import { RealFft } from "@longwave/dsp";
import { periodicHann } from "../hann-window.ts";
import { geometry } from "./geometry.ts";

const { frame: size, embedHop: hop, bands, binsPerBand, firstBin } = geometry;
const lastBin = firstBin + bands * binsPerBand;
/** Overlapping squares of the window add up to this. */
const windowGain = (3 / 8) * (size / hop);

/** How much a mark may change the sound. */
export interface MarkStrength {
  /** Energy of the mark relative to the sound's, of every frame. */
  readonly energyRatio: number;
  /** Largest relative change of a bin's magnitude. */
  readonly largestChange: number;
}

/**
 * Finds what has to be added to a sound at 16 kHz so that the magnitudes of its cells rise and fall with the signs of
 * a pattern. A bin of magnitude |X| changes by the factor 1 + sign * min(largest, limit / |X|): all bins alike as far as
 * they are weak, the strong ones by the same amount, so that the loudest partials, which would cost most of the energy
 * and which the ear follows best, hardly change. `limit` is set anew in every frame to keep to the energy allowed.
 */
export class FrameMarker {
  readonly #fft = new RealFft(size);
  readonly #window = periodicHann(size);
  readonly #samples = new Float32Array(size);
  readonly #re = new Float32Array(size / 2 + 1);
  readonly #im = new Float32Array(size / 2 + 1);
  readonly #power = new Float32Array(lastBin);
  readonly #strength: MarkStrength;
  /** Factor on all changes: what overlapping frames take from one another. */
  scale = 1;

  constructor(strength: MarkStrength) {
    this.#strength = strength;
  }

  /**
   * @param sound 1024 samples from `start` on
   * @param chips for every band, from `chipStart` on, the direction of the change and how strong it is beside the others
   * @param sum 1024 samples to which the frame's part of the mark is added
   */
  add(sound: Float32Array, start: number, chips: Float32Array, chipStart: number, sum: Float32Array): void {
    const fft = this.#fft;
    const [re, im, power] = [this.#re, this.#im, this.#power];
    const samples = this.#samples;
    for (let i = 0; i < size; i++) samples[i] = sound[start + i]! * this.#window[i]!;
    fft.forward(samples, re, im);
    let energy = 0;
    for (let bin = 0; bin < re.length; bin++) {
      const value = re[bin]! * re[bin]! + im[bin]! * im[bin]!;
      energy += value;
      if (bin < lastBin) power[bin] = value;
    }
    const limit = this.#limitFor(energy * this.#strength.energyRatio, chips, chipStart);
    re.fill(0, 0, firstBin);
    im.fill(0, 0, firstBin);
    re.fill(0, lastBin);
    im.fill(0, lastBin);
    const largest = this.#strength.largestChange;
    for (let band = 0, bin = firstBin; band < bands; band++) {
      const chip = chips[chipStart + band]!;
      for (let i = 0; i < binsPerBand; i++, bin++) {
        const magnitude = Math.sqrt(power[bin]!);
        const change = chip * (magnitude * largest <= limit ? largest : limit / magnitude);
        re[bin]! *= change;
        im[bin]! *= change;
      }
    }
    fft.inverse(re, im, samples);
    const gain = this.scale / windowGain;
    for (let i = 0; i < size; i++) sum[i]! += samples[i]! * this.#window[i]! * gain;
  }

  /** The largest change of a magnitude with which all bins together change by no more energy than `allowed`. */
  #limitFor(allowed: number, chips: Float32Array, chipStart: number): number {
    const power = this.#power;
    const largestSquared = this.#strength.largestChange ** 2;
    let low = 0;
    let high = 0;
    for (let bin = firstBin; bin < lastBin; bin++) high = Math.max(high, power[bin]!);
    high *= largestSquared;
    for (let round = 0; round < 24; round++) {
      const middle = (low + high) / 2;
      let spent = 0;
      for (let band = 0, bin = firstBin; band < bands; band++) {
        const chip = chips[chipStart + band]!;
        let sum = 0;
        for (let i = 0; i < binsPerBand; i++, bin++) sum += Math.min(power[bin]! * largestSquared, middle);
        spent += chip * chip * sum;
      }
      if (spent > allowed) high = middle;
      else low = middle;
    }
    return Math.sqrt(low);
  }
}
