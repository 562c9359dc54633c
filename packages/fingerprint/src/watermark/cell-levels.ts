import { RealFft } from "@longwave/dsp";
import { exactLog2 } from "../decibels.ts";
import { FrameBuffer } from "../frame-buffer.ts";
import { periodicHann } from "../hann-window.ts";
import { detectFramesPerSlot, geometry } from "./geometry.ts";

const { frame: frameSize, detectHop: hop, bands, binsPerBand, firstBin } = geometry;

/** Frames before and after a frame with which its level is compared. */
export const contextFrames: number = 2 * detectFramesPerSlot;
const rows = 2 * contextFrames + 1;
/** Bands on either side whose mean is taken off, so that a click, a syllable or a moving formant does not look like a mark. */
const contextBands = 2;
/** Levels beyond this, in octaves of power, count as this. */
const largestLevel = 1;
/** Part of a band's mean power that is added to each of its bins, so that the emptiest do not rule the logarithm. */
const floorShare = 0.05;

/**
 * How much louder every band of a frame is than the same band around it and its neighbours at the same time: where a mark
 * shows, and the sound itself shows as little as possible. Levels in octaves of power, within plus or minus 1.
 */
export class CellLevels {
  readonly #buffer = new FrameBuffer(frameSize, hop);
  readonly #fft = new RealFft(frameSize);
  readonly #window = periodicHann(frameSize);
  readonly #samples = new Float32Array(frameSize);
  readonly #re = new Float32Array(frameSize / 2 + 1);
  readonly #im = new Float32Array(frameSize / 2 + 1);
  /** Logarithms of the last frames, a row each, in a circle; their sums by band. */
  readonly #logs = new Float64Array(rows * bands);
  readonly #sums = new Float64Array(bands);
  readonly #level = new Float64Array(bands);
  readonly #flat = new Float64Array(bands);
  #frames = 0;

  /**
   * Takes mono samples at 16 kHz.
   * @param onFrame called with the number of a frame (its first sample is 128 times that) and its levels, valid during the call
   */
  push(samples: Float32Array, onFrame: (frame: number, levels: Float64Array) => void): void {
    for (let at = 0; at < samples.length; ) {
      at += this.#buffer.write(samples, at, samples.length);
      while (this.#buffer.ready) {
        this.#addFrame(this.#buffer.samples, this.#buffer.frameStart);
        this.#buffer.advance();
        if (this.#frames > 2 * contextFrames) this.#give(onFrame);
      }
    }
  }

  reset(): void {
    this.#buffer.reset();
    this.#logs.fill(0);
    this.#sums.fill(0);
    this.#frames = 0;
  }

  #addFrame(sound: Float32Array, start: number): void {
    for (let i = 0; i < frameSize; i++) this.#samples[i] = sound[start + i]! * this.#window[i]!;
    this.#fft.forward(this.#samples, this.#re, this.#im);
    const row = (this.#frames++ % rows) * bands;
    for (let band = 0, bin = firstBin; band < bands; band++, bin += binsPerBand) {
      let sum = 0;
      for (let i = bin; i < bin + binsPerBand; i++) sum += this.#power(i);
      const floor = (floorShare / binsPerBand) * sum + 1e-12;
      let product = 1;
      for (let i = bin; i < bin + binsPerBand; i++) product *= this.#power(i) + floor;
      const level = exactLog2(Math.max(product, 1e-290)) / binsPerBand;
      this.#sums[band]! += level - this.#logs[row + band]!;
      this.#logs[row + band] = level;
    }
  }

  #power(bin: number): number {
    const [re, im] = [this.#re[bin]!, this.#im[bin]!];
    return re * re + im * im;
  }

  #give(onFrame: (frame: number, levels: Float64Array) => void): void {
    const frame = this.#frames - 1 - contextFrames;
    const row = (frame % rows) * bands;
    const flat = this.#flat;
    for (let band = 0; band < bands; band++) flat[band] = this.#logs[row + band]! - this.#sums[band]! / rows;
    for (let band = 0; band < bands; band++) {
      const from = Math.max(0, band - contextBands);
      const to = Math.min(bands - 1, band + contextBands);
      let sum = 0;
      for (let i = from; i <= to; i++) sum += flat[i]!;
      const level = flat[band]! - sum / (to - from + 1);
      this.#level[band] = Math.max(-largestLevel, Math.min(largestLevel, level));
    }
    onFrame(frame, this.#level);
  }
}
