import { badFftSize, roundUpTo16 } from "./complex-fft.ts";
import { CoreBlock, sharedCore } from "./core.ts";
import { requireInteger, requireLength, requireNumber } from "./errors.ts";
import { createWindow, type WindowName } from "./window.ts";

/** Samples that are staged in the core beside one frame. */
const stagingSamples = 8192;
/** f32(10 / log2 10): decibels of a power are this times its base-2 logarithm. */
const decibelsPerOctave: number = Math.fround(3.010299956639812);

export interface StftOptions {
  /** Samples of a frame: an even size 2^a 3^b 5^c up to 65,536. */
  readonly frameSize: number;
  /** Samples from one frame's start to the next one's, 1 to frameSize. */
  readonly hop: number;
  /** A name (periodic) or `frameSize` values of your own; default "hann". */
  readonly window?: WindowName | Float32Array;
}

/**
 * Streaming short-time Fourier transform. Frame i covers samples [i hop, i hop + frameSize) of all that was pushed; no
 * padding, and a last partial frame is never given. The frames are the same for every way of cutting the stream.
 * A NaN or infinity spoils the frames that contain it and no other.
 *
 * @example
 * const stft = new Stft({ frameSize: 1024, hop: 256 });
 * stft.push(samples, (frame) => spectrogram.set(stft.power(), frame * stft.bins));
 */
export class Stft {
  readonly frameSize: number;
  readonly hop: number;
  /** frameSize / 2 + 1. */
  readonly bins: number;
  /** Spectrum of the current frame (views of the core, overwritten by the next frame). */
  readonly re: Float32Array;
  readonly im: Float32Array;
  readonly #block: CoreBlock;
  readonly #staging: Float32Array;
  readonly #power: Float32Array;
  readonly #decibels: Float32Array;
  readonly #plan: number;
  readonly #row: number;
  readonly #rows: number;
  readonly #stagingAddress: number;
  /** Samples staged; below frameSize between calls. */
  #filled = 0;
  #frames = 0;

  /** @throws DspError `dsp/bad-size`, `dsp/bad-option`, `dsp/bad-length` */
  constructor(options: StftOptions) {
    const { frameSize, hop } = options;
    const planBytes = Number.isInteger(frameSize) ? sharedCore().realFftPlanBytes(frameSize) : 0;
    if (planBytes === 0 || frameSize > 65536) throw badFftSize(frameSize, " and even");
    requireInteger("The hop", hop, 1, frameSize);
    const window = options.window ?? "hann";
    const values = typeof window === "string" ? createWindow(window, frameSize) : window;
    requireLength("The window", values, frameSize);
    this.frameSize = frameSize;
    this.hop = hop;
    this.bins = frameSize / 2 + 1;
    const plan = roundUpTo16(planBytes);
    this.#row = roundUpTo16(4 * (frameSize + 4));
    // Rows: window, windowed, re, im, work, power, decibels; then the staged samples.
    this.#block = new CoreBlock(this, plan + 7 * this.#row + 4 * (frameSize + stagingSamples + 4));
    this.#plan = this.#block.address;
    this.#rows = this.#plan + plan;
    const row = (index: number, length: number) => this.#block.floats(plan + index * this.#row, length);
    row(0, frameSize).set(values);
    this.re = row(2, this.bins);
    this.im = row(3, this.bins);
    this.#power = row(5, this.bins);
    this.#decibels = row(6, this.bins);
    this.#stagingAddress = this.#rows + 7 * this.#row;
    this.#staging = this.#block.floats(plan + 7 * this.#row, frameSize + stagingSamples);
    this.#block.core.realFftPlan(this.#plan, frameSize);
  }

  /** Number of frames that `samples` samples give in all. */
  frameCount(samples: number): number {
    return samples < this.frameSize ? 0 : 1 + Math.floor((samples - this.frameSize) / this.hop);
  }

  /**
   * Takes samples of any number and calls `onFrame` with the index of each frame that they complete; in it, read `re` and
   * `im`, or call `power` or `decibels`. The samples are the caller's and are not kept.
   */
  push(samples: Float32Array, onFrame: (frame: number) => void): void {
    const staging = this.#staging;
    if (samples.length <= staging.length - this.#filled) {
      staging.set(samples, this.#filled);
      this.#filled += samples.length;
      this.#runFrames(onFrame);
      return;
    }
    for (let at = 0; at < samples.length; ) {
      const end = Math.min(samples.length, at + staging.length - this.#filled);
      let to = this.#filled;
      while (at < end) staging[to++] = samples[at++]!;
      this.#filled = to;
      this.#runFrames(onFrame);
    }
  }

  /** Forgets all samples; the next frame is frame 0. */
  reset(): void {
    this.#filled = 0;
    this.#frames = 0;
  }

  /** Power re^2 + im^2 of the current frame, `bins` values in a view that the next frame overwrites. */
  power(): Float32Array {
    const row = this.#row;
    const rows = this.#rows;
    this.#block.core.powerOf(rows + 2 * row, rows + 3 * row, rows + 5 * row, this.bins);
    return this.#power;
  }

  /**
   * f32(10 / log2 10) * log2(max(power, floor)) of the current frame; the logarithm is taken in f64 and rounded to f32.
   * @param floor smallest power that is told apart, 1e-37 to 1e37; default 1e-12 (-120 dB)
   */
  decibels(floor = 1e-12): Float32Array {
    requireNumber("The floor", floor, 1e-37, 1e37);
    this.power();
    const power = this.#rows + 5 * this.#row;
    this.#block.core.scaledLog2(power, power + this.#row, this.bins, 0, floor, decibelsPerOctave);
    return this.#decibels;
  }

  /** Gives the memory back; the object must not be used after. */
  close(): void {
    this.#block.close();
  }

  #runFrames(onFrame: (frame: number) => void): void {
    const row = this.#row;
    const rows = this.#rows;
    let start = 0;
    while (this.#filled - start >= this.frameSize) {
      this.#block.core.stftFrame(
        this.#plan,
        this.#stagingAddress + 4 * start,
        rows,
        rows + row,
        this.frameSize,
        rows + 2 * row,
        rows + 3 * row,
        rows + 4 * row,
      );
      start += this.hop;
      onFrame(this.#frames++);
    }
    if (start > 0) this.#staging.copyWithin(0, start, this.#filled);
    this.#filled -= start;
  }
}
