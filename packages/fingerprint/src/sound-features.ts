import { RealFft } from "@longwave/dsp";
import { exactLog2 } from "./decibels.ts";
import { FrameBuffer } from "./frame-buffer.ts";
import { periodicHann } from "./hann-window.ts";

/** Rate in Hz of the sound whose features are measured, samples of a frame, and from one frame to the next (32 ms). */
export const featureRate = 8000;
const frameSize = 512;
const frameHop = 256;
/** Bins of 109 to 3,800 Hz. */
const firstBin = 7;
const lastBin = 243;
const columns = lastBin - firstBin + 1;
/** Frames of a window (2.05 s), and from one window to the next (0.51 s). */
export const windowFrames = 64;
export const stepFrames = 16;
/** Spectra so many frames apart (128 ms) are compared: longer than most sounds of speech, shorter than most notes. */
const lag = 4;
const spectrumRows = lag + 1;
/** Rates of syllables, 2.4 to 6.8 Hz, as bins of a transform of a window's loudness. */
const firstSyllableBin = 5;
const lastSyllableBin = 14;
/** Frames quieter than the loudest by this many octaves of power count as so much quieter: 40 dB. */
const deepestPause = 13.3;
const leastPower = 1e-12;

/** What is measured of a window, in this order. */
export const featureNames = [
  /** Part of the loudness's variation at the rates of syllables (Scheirer and Slaney, 1997). */
  "syllables",
  /** Standard deviation of the level in octaves of power. */
  "depth",
  /** Part of the frames with less than half of the mean power. */
  "pauses",
  /** Mean and standard deviation of the spectral flatness in octaves: 0 for white noise, less for tones. */
  "flatness",
  "flatness change",
  /** Correlation of the logarithmic spectra of frames 128 ms apart. */
  "steadiness",
] as const;

/** Measures windows of a stream of mono samples at 8 kHz. */
export class SoundFeatures {
  readonly #buffer = new FrameBuffer(frameSize, frameHop);
  readonly #fft = new RealFft(frameSize);
  readonly #window = periodicHann(frameSize);
  readonly #samples = new Float32Array(frameSize);
  readonly #re = new Float32Array(frameSize / 2 + 1);
  readonly #im = new Float32Array(frameSize / 2 + 1);
  readonly #rows = new Float32Array(spectrumRows * columns);
  readonly #powers = new Float64Array(windowFrames);
  readonly #flatness = new Float64Array(windowFrames);
  readonly #steadiness = new Float64Array(windowFrames);
  readonly #loudness = new Float32Array(windowFrames);
  readonly #loudnessFft = new RealFft(windowFrames);
  readonly #loudnessRe = new Float32Array(windowFrames / 2 + 1);
  readonly #loudnessIm = new Float32Array(windowFrames / 2 + 1);
  readonly #features = new Float64Array(featureNames.length);
  #frames = 0;

  /**
   * @param onWindow called with the number of a window's first frame (of 32 ms), its mean power (full scale 1) and its features,
   *   valid during the call
   */
  push(
    samples: Float32Array,
    start: number,
    end: number,
    onWindow: (frame: number, power: number, features: Float64Array) => void,
  ): void {
    for (let at = start; at < end; ) {
      at += this.#buffer.write(samples, at, end);
      while (this.#buffer.ready) {
        this.#addFrame(this.#buffer.samples, this.#buffer.frameStart);
        this.#buffer.advance();
        const first = this.#frames - windowFrames;
        if (first >= 0 && first % stepFrames === 0) onWindow(first, this.#measure(), this.#features);
      }
    }
  }

  reset(): void {
    this.#buffer.reset();
    this.#frames = 0;
  }

  #addFrame(sound: Float32Array, start: number): void {
    const [re, im, rows] = [this.#re, this.#im, this.#rows];
    for (let i = 0; i < frameSize; i++) this.#samples[i] = sound[start + i]! * this.#window[i]!;
    this.#fft.forward(this.#samples, re, im);
    const row = (this.#frames % spectrumRows) * columns;
    let power = 0;
    let logs = 0;
    for (let c = 0; c < columns; c++) {
      const bin = c + firstBin;
      // Full scale is 1: a sine of amplitude 1 gives (512 / 4)^2.
      const value = (re[bin]! * re[bin]! + im[bin]! * im[bin]!) / (frameSize / 4) ** 2;
      const log = exactLog2(Math.max(leastPower, value));
      power += value;
      logs += log;
      rows[row + c] = log;
    }
    const slot = this.#frames % windowFrames;
    const mean = logs / columns;
    this.#powers[slot] = Math.max(leastPower, power);
    this.#flatness[slot] = mean - exactLog2(Math.max(leastPower, power / columns));
    for (let c = 0; c < columns; c++) rows[row + c]! -= mean;
    this.#steadiness[slot] = this.#frames < lag ? 0 : this.#correlation(row);
    this.#frames++;
  }

  /** Of the newest spectrum with the one `lag` frames before, both without their mean. */
  #correlation(row: number): number {
    const rows = this.#rows;
    const other = ((this.#frames - lag) % spectrumRows) * columns;
    let [both, own, before] = [0, 0, 0];
    for (let c = 0; c < columns; c++) {
      const [a, b] = [rows[row + c]!, rows[other + c]!];
      both += a * b;
      own += a * a;
      before += b * b;
    }
    return both / Math.sqrt(Math.max(1e-9, own * before));
  }

  /** Fills the features of the newest window; returns its mean power. */
  #measure(): number {
    let mean = 0;
    let loudest = 0;
    for (const power of this.#powers) {
      mean += power / windowFrames;
      if (power > loudest) loudest = power;
    }
    const floor = exactLog2(loudest) - deepestPause;
    let quiet = 0;
    const depth = deviation(this.#powers, (power) => {
      if (power < mean / 2) quiet++;
      return Math.max(floor, exactLog2(power));
    });
    const flatness = deviation(this.#flatness, (value) => value);
    const steadiness = deviation(this.#steadiness, (value) => value);
    const features = this.#features;
    features[0] = this.#syllables();
    features[1] = depth.deviation;
    features[2] = quiet / windowFrames;
    features[3] = flatness.mean;
    features[4] = flatness.deviation;
    features[5] = steadiness.mean;
    return mean;
  }

  #syllables(): number {
    const loudness = this.#loudness;
    for (let i = 0; i < windowFrames; i++) {
      loudness[i] = Math.sqrt(Math.sqrt(this.#powers[(this.#frames + i) % windowFrames]!));
    }
    const [re, im] = [this.#loudnessRe, this.#loudnessIm];
    this.#loudnessFft.forward(loudness, re, im);
    let all = 1e-12;
    let syllables = 0;
    for (let bin = 1; bin < re.length; bin++) {
      const power = re[bin]! * re[bin]! + im[bin]! * im[bin]!;
      all += power;
      if (bin >= firstSyllableBin && bin <= lastSyllableBin) syllables += power;
    }
    return syllables / all;
  }
}

function deviation(values: Float64Array, of: (value: number) => number): { mean: number; deviation: number } {
  let sum = 0;
  let squares = 0;
  for (const each of values) {
    const value = of(each);
    sum += value;
    squares += value * value;
  }
  const mean = sum / values.length;
  return { mean, deviation: Math.sqrt(Math.max(0, squares / values.length - mean * mean)) };
}
