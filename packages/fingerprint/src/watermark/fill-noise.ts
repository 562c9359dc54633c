import { SeededRandom } from "@longwave/base";
import { RealFft } from "@longwave/dsp";
import { periodicHann } from "../hann-window.ts";
import { geometry } from "./geometry.ts";

const { frame: size, embedHop: hop, bands, binsPerBand, firstBin } = geometry;
const bins = bands * binsPerBand;
/** Frames after which the noise repeats: one period of the pattern. */
const frames = geometry.slots * geometry.embedFramesPerSlot;

/**
 * White noise as spectra of overlapping frames, mean power 1 a bin: what fills the gaps of a sound where a mark wants more
 * level than the sound itself could be raised to. Frames of one continuous noise add up to it again, where the remains of
 * a neighbouring partial, raised frame by frame, would partly cancel.
 */
export class FillNoise {
  readonly #re = new Float32Array(frames * bins);
  readonly #im = new Float32Array(frames * bins);

  constructor() {
    const random = new SeededRandom(0x6b65796d);
    const noise = new Float32Array(frames * hop + size);
    // Variance 1/12 a sample, 3/8 of the window's energy.
    const scale = Math.sqrt(12 / ((3 / 8) * size));
    for (let i = 0; i < frames * hop; i++) noise[i] = scale * (random.next() - 0.5);
    noise.copyWithin(frames * hop, 0, size);
    const fft = new RealFft(size);
    const window = periodicHann(size);
    const samples = new Float32Array(size);
    const re = new Float32Array(size / 2 + 1);
    const im = new Float32Array(size / 2 + 1);
    for (let frame = 0; frame < frames; frame++) {
      for (let i = 0; i < size; i++) samples[i] = noise[frame * hop + i]! * window[i]!;
      fft.forward(samples, re, im);
      this.#re.set(re.subarray(firstBin, firstBin + bins), frame * bins);
      this.#im.set(im.subarray(firstBin, firstBin + bins), frame * bins);
    }
  }

  /** Adds the noise of a frame's bin, times `amplitude`, to a spectrum. */
  add(frame: number, bin: number, amplitude: number, re: Float32Array, im: Float32Array): void {
    const at = (frame % frames) * bins + bin - firstBin;
    re[bin]! += amplitude * this.#re[at]!;
    im[bin]! += amplitude * this.#im[at]!;
  }
}

/** The noise stays 20 dB below the strongest partial around it ... */
const share = 0.01;
/** ... less 8 dB for every kHz above that partial and 29 dB for every kHz below: powers of neighbouring bins. */
const upward = 0.97;
const downward = 0.9;

/**
 * How loud the noise may be in each bin so that the sound covers it: a simple spreading function, steeper towards low
 * frequencies as the ear's is (Zwicker and Fastl, "Psychoacoustics", chapter 4).
 * @param powers of the sound's bins
 * @param limits receives amplitudes
 */
export function coveredAmplitudes(powers: Float32Array, limits: Float32Array): void {
  let level = 0;
  for (let bin = firstBin; bin < firstBin + bins; bin++) {
    level = Math.max(level * upward, powers[bin]!);
    limits[bin] = level;
  }
  level = 0;
  for (let bin = firstBin + bins - 1; bin >= firstBin; bin--) {
    level = Math.max(level * downward, powers[bin]!);
    limits[bin] = Math.sqrt(share * Math.max(limits[bin]!, level));
  }
}
