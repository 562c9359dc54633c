import { RealFft } from "@longwave/dsp";
import { periodicHann } from "../hann-window.ts";
import { coveredAmplitudes, type FillNoise } from "./fill-noise.ts";
import { geometry } from "./geometry.ts";

const { frame: size, embedHop: hop, bands, binsPerBand, firstBin } = geometry;
const lastBin = firstBin + bands * binsPerBand;
/** Overlapping squares of the window add up to this. */
const windowGain = (3 / 8) * (size / hop);

/** Most of its magnitude that a bin may lose: beyond 1 it would come back on the other side, as loud as before. */
const deepest = 0.8;

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
 * and which the ear follows best, hardly change. Where a bin is to rise and is so weak that this is less than `limit`,
 * noise makes up the difference, as far as the sound around it covers it: gaps between partials, in which there is hardly
 * anything to change, become the safest cells, because noise that is added later finds the mark already there. `limit` is set
 * anew in every frame to keep to the energy allowed.
 */
export class FrameMarker {
  readonly #fft = new RealFft(size);
  readonly #window = periodicHann(size);
  readonly #samples = new Float32Array(size);
  readonly #re = new Float32Array(size / 2 + 1);
  readonly #im = new Float32Array(size / 2 + 1);
  readonly #power = new Float32Array(lastBin);
  /** How far each bin may change by a factor: its magnitude times the largest change. */
  readonly #reach = new Float32Array(lastBin);
  readonly #covered = new Float32Array(lastBin);
  readonly #noise: FillNoise;
  readonly #strength: MarkStrength;
  /** Factor on all changes: what overlapping frames take from one another. */
  scale = 1;

  constructor(strength: MarkStrength, noise: FillNoise) {
    this.#strength = strength;
    this.#noise = noise;
  }

  /**
   * @param frame number of the frame
   * @param sound 1024 samples from `start` on
   * @param chips for every band, from `chipStart` on, the direction of the change and how strong it is beside the others
   * @param sum 1024 samples to which the frame's part of the mark is added
   */
  add(
    frame: number,
    sound: Float32Array,
    start: number,
    chips: Float32Array,
    chipStart: number,
    sum: Float32Array,
  ): void {
    const fft = this.#fft;
    const [re, im] = [this.#re, this.#im];
    const samples = this.#samples;
    for (let i = 0; i < size; i++) samples[i] = sound[start + i]! * this.#window[i]!;
    fft.forward(samples, re, im);
    const energy = this.#measure();
    const limit = this.#limitFor(energy * this.#strength.energyRatio, chips, chipStart);
    re.fill(0, 0, firstBin);
    im.fill(0, 0, firstBin);
    re.fill(0, lastBin);
    im.fill(0, lastBin);
    const largest = this.#strength.largestChange;
    for (let band = 0, bin = firstBin; band < bands; band++) {
      const chip = chips[chipStart + band]!;
      for (let i = 0; i < binsPerBand; i++, bin++) {
        const reach = this.#reach[bin]!;
        const change = Math.max(chip * largest * (reach <= limit ? 1 : limit / reach), -deepest);
        re[bin]! *= change;
        im[bin]! *= change;
        if (chip > 0 && reach < limit) {
          this.#noise.add(frame, bin, chip * Math.min(limit - reach, this.#covered[bin]!), re, im);
        }
      }
    }
    fft.inverse(re, im, samples);
    const gain = this.scale / windowGain;
    for (let i = 0; i < size; i++) sum[i]! += samples[i]! * this.#window[i]! * gain;
  }

  /** Notes the powers of the bins and what follows from them; returns the frame's energy. */
  #measure(): number {
    const [re, im, power] = [this.#re, this.#im, this.#power];
    const largest = this.#strength.largestChange;
    let energy = 0;
    for (let bin = 0; bin < re.length; bin++) {
      const value = re[bin]! * re[bin]! + im[bin]! * im[bin]!;
      energy += value;
      if (bin >= lastBin) continue;
      power[bin] = value;
      this.#reach[bin] = largest * Math.sqrt(value);
    }
    coveredAmplitudes(power, this.#covered);
    return energy;
  }

  /** The largest change of a magnitude with which all bins together change by no more energy than `allowed`. */
  #limitFor(allowed: number, chips: Float32Array, chipStart: number): number {
    const [reach, covered] = [this.#reach, this.#covered];
    const deepestReach = deepest / this.#strength.largestChange;
    let low = 0;
    let high = 0;
    for (let bin = firstBin; bin < lastBin; bin++) high = Math.max(high, reach[bin]!);
    for (let round = 0; round < 24; round++) {
      const limit = (low + high) / 2;
      let spent = 0;
      for (let band = 0, bin = firstBin; band < bands; band++) {
        const chip = chips[chipStart + band]!;
        for (let i = 0; i < binsPerBand; i++, bin++) {
          const own = Math.min(reach[bin]!, limit);
          const moved = Math.max(chip * own, -deepestReach * reach[bin]!);
          spent += moved * moved;
          if (chip <= 0 || own === limit) continue;
          const fill = chip * Math.min(limit - own, covered[bin]!);
          spent += fill * fill;
        }
      }
      if (spent > allowed) high = limit;
      else low = limit;
    }
    return low;
  }
}
