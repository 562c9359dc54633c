import { ComplexFft, roundUpTo16 } from "./complex-fft.ts";
import { CoreBlock, sharedCore } from "./core.ts";
import { DspError, requireInteger, requireNumber, requireRoom } from "./errors.ts";
import { OctaveLadder } from "./octave-ladder.ts";
import { RealFft } from "./real-fft.ts";
import { createWindow } from "./window.ts";

/** Parts of a spectral kernel that are smaller than this share of its largest are left out (Brown and Puckette). */
const kernelThreshold = 1e-4;

export interface ConstantQOptions {
  readonly sampleRate: number;
  /** Frequency of the lowest bin in Hz; default 32.703 (C1). */
  readonly minHz?: number;
  /** Octaves, 1 to 12; default 7. The upper end must stay under 0.45 of the rate. */
  readonly octaves?: number;
  /** Default 36, three a semitone; 6 to 96. */
  readonly binsPerOctave?: number;
  /** Samples from one frame to the next, 1 to 2^20. */
  readonly hop: number;
}

/**
 * Constant-Q magnitudes: bins at equal distances in pitch, each with a Hann window of Q = 1 / (2^(1/B) - 1) periods.
 * Spectral kernels after Brown and Puckette ("An efficient algorithm for the calculation of a constant Q transform",
 * JASA 92, 1992); the signal is halved in rate from octave to octave, so that one set of kernels serves all of them
 * (Schoerkhuber and Klapuri, SMC 2010). A sine of amplitude A in the middle of a bin gives A.
 *
 * Streaming: `push` gives each frame once its lowest octave has all that it needs, `lookaheadSamples` later at most;
 * memory is fixed at construction. `analyze` does a whole passage at once. The frames are the same bits either way.
 *
 * @example
 * const cq = new ConstantQ({ sampleRate: 22050, hop: 512 });
 * cq.push(samples, (magnitudes, frame) => draw(frame, magnitudes));
 * cq.flush((magnitudes, frame) => draw(frame, magnitudes));
 */
export class ConstantQ {
  readonly hop: number;
  /** octaves * binsPerOctave, lowest first. */
  readonly bins: number;
  /** Samples that must follow a frame's middle, at most, before `push` gives the frame. */
  readonly lookaheadSamples: number;
  readonly #minHz: number;
  readonly #octaves: number;
  readonly #perOctave: number;
  readonly #fft: RealFft;
  readonly #ladder: OctaveLadder;
  readonly #row: Float32Array;
  #nextFrame = 0;
  readonly #block: CoreBlock;
  readonly #views: Readonly<Record<"re" | "im", Float32Array>> & { readonly sums: readonly Float32Array[] };
  readonly #at: Readonly<Record<"re" | "im" | "ranges" | "weightsRe" | "weightsIm" | "sums", number>>;

  /** @throws DspError `dsp/bad-option`, `dsp/bad-size` where the lowest window of an octave exceeds 65,536 samples */
  constructor(options: ConstantQOptions) {
    const { sampleRate, hop, minHz = 32.703, octaves = 7, binsPerOctave = 36 } = options;
    requireNumber("The sample rate", sampleRate, 100, 1e7);
    requireInteger("The hop", hop, 1, 2 ** 20);
    requireInteger("The number of octaves", octaves, 1, 12);
    requireInteger("The number of bins of an octave", binsPerOctave, 6, 96);
    requireNumber("minHz", minHz, 1, (0.45 * sampleRate) / 2 ** octaves);
    this.hop = hop;
    this.bins = octaves * binsPerOctave;
    this.#minHz = minHz;
    this.#octaves = octaves;
    this.#perOctave = binsPerOctave;
    // Cycles a sample of the lowest bin of the top octave; the same in every octave at its own rate.
    const lowest = (minHz * 2 ** (octaves - 1)) / sampleRate;
    const q = 1 / (sharedCore().exp2(1 / binsPerOctave) - 1);
    const size = powerOfTwoFrom(q / lowest);
    if (size > 65536) {
      throw new DspError(
        "dsp/bad-size",
        "usage",
        `The window of minHz needs ${size} samples; lower the sample rate.`,
      );
    }
    const kernels = spectralKernels(size, lowest, binsPerOctave, q);
    this.#fft = new RealFft(size);
    const late = OctaveLadder.lateness(octaves);
    this.lookaheadSamples = (size / 2 + 1) * 2 ** (octaves - 1) + late;
    this.#ladder = new OctaveLadder(
      // Half a window before the middle of the next frame, and what arrives until the lowest octave is ready.
      Array.from(
        { length: octaves },
        (_, octave) => size + Math.ceil(this.lookaheadSamples / 2 ** octave) + 8,
      ),
    );
    this.#row = new Float32Array(this.bins);

    const row = roundUpTo16(4 * (this.#fft.bins + 8));
    const sumRow = roundUpTo16(4 * binsPerOctave);
    const ranges = 2 * row + 4 * sumRow;
    const weightsRe = ranges + roundUpTo16(12 * binsPerOctave);
    const weightBytes = kernels.reduce((sum, kernel) => sum + roundUpTo16(4 * kernel.re.length), 0);
    const block = new CoreBlock(this, weightsRe + 2 * weightBytes);
    let at = 0;
    for (const [bin, kernel] of kernels.entries()) {
      const bytes = roundUpTo16(4 * kernel.re.length);
      block.integers(ranges + 12 * bin, 3).set([kernel.firstBin, bytes / 16, at]);
      block.floats(weightsRe + at, kernel.re.length).set(kernel.re);
      block.floats(weightsRe + weightBytes + at, kernel.im.length).set(kernel.im);
      at += bytes;
    }
    this.#block = block;
    this.#views = {
      re: block.floats(0, this.#fft.bins),
      im: block.floats(row, this.#fft.bins),
      sums: [0, 1, 2, 3].map((index) => block.floats(2 * row + index * sumRow, binsPerOctave)),
    };
    const base = block.address;
    this.#at = {
      re: base,
      im: base + row,
      sums: base + 2 * row,
      ranges: base + ranges,
      weightsRe: base + weightsRe,
      weightsIm: base + weightsRe + weightBytes,
    };
  }

  /** Middle frequency of a bin in Hz. */
  frequencyOf(bin: number): number {
    return this.#minHz * sharedCore().exp2(bin / this.#perOctave);
  }

  /** Frames of a passage: frame t has its middle at sample t * hop. */
  frameCount(samples: number): number {
    return samples === 0 ? 0 : 1 + Math.floor((samples - 1) / this.hop);
  }

  /**
   * Takes samples of any number and calls `onFrame` with each frame that they complete: its `bins` magnitudes in a view that
   * the next frame overwrites, and its number. The samples are the caller's and are not kept.
   */
  push(samples: Float32Array, onFrame: (magnitudes: Float32Array, frame: number) => void): void {
    const lowest = this.#octaves - 1;
    for (let n = 0; n < samples.length; n++) {
      this.#ladder.push(samples, n);
      while (this.#ladder.length(lowest) >= this.#middle(this.#nextFrame, lowest) + this.#fft.size / 2) {
        this.#give(onFrame);
      }
    }
  }

  /** Ends the stream: gives the frames that were waiting for later samples, as if silence followed, and begins anew. */
  flush(onFrame: (magnitudes: Float32Array, frame: number) => void): void {
    const frames = this.frameCount(this.#ladder.length(0));
    this.#ladder.flush();
    while (this.#nextFrame < frames) this.#give(onFrame);
    this.reset();
  }

  /** Forgets all samples; the next frame is frame 0. */
  reset(): void {
    this.#ladder.reset();
    this.#nextFrame = 0;
  }

  /**
   * A whole passage at once, as a stream of its own: writes frameCount x bins magnitudes, frame after frame; returns the
   * number of frames. Outside of `samples` there is silence.
   * @throws DspError `dsp/bad-length` where `magnitudes` is too short
   */
  analyze(samples: Float32Array, magnitudes: Float32Array): number {
    const frames = this.frameCount(samples.length);
    requireRoom("The output", magnitudes, frames * this.bins);
    const keep = (row: Float32Array, frame: number) => magnitudes.set(row, frame * this.bins);
    this.reset();
    this.push(samples, keep);
    this.flush(keep);
    return frames;
  }

  /** Gives the memory back; the object must not be used after. */
  close(): void {
    this.#fft.close();
    this.#ladder.close();
    this.#block.close();
  }

  /** The middle of a frame at the rate of an octave. */
  #middle(frame: number, octave: number): number {
    return Math.round((frame * this.hop) / 2 ** octave);
  }

  #give(onFrame: (magnitudes: Float32Array, frame: number) => void): void {
    const frame = this.#nextFrame++;
    for (let octave = 0; octave < this.#octaves; octave++) {
      this.#ladder.read(octave, this.#middle(frame, octave) - this.#fft.size / 2, this.#fft.input);
      this.#analyzeOctave((this.#octaves - 1 - octave) * this.#perOctave);
    }
    onFrame(this.#row, frame);
  }

  /** Magnitudes of one octave, from the samples in the transform's input, into the row from bin `to` on. */
  #analyzeOctave(to: number): void {
    this.#fft.transform();
    this.#views.re.set(this.#fft.re);
    this.#views.im.set(this.#fft.im);
    // sum X conj(K), the real and imaginary parts from two sums each.
    const { re, im, ranges, weightsRe, weightsIm, sums } = this.#at;
    const count = this.#perOctave;
    const row = roundUpTo16(4 * count);
    const core = this.#block.core;
    core.bandSums(re, ranges, weightsRe, count, sums);
    core.bandSums(im, ranges, weightsIm, count, sums + row);
    core.bandSums(im, ranges, weightsRe, count, sums + 2 * row);
    core.bandSums(re, ranges, weightsIm, count, sums + 3 * row);
    const rr = this.#views.sums[0]!;
    const ii = this.#views.sums[1]!;
    const ir = this.#views.sums[2]!;
    const ri = this.#views.sums[3]!;
    for (let bin = 0; bin < count; bin++) {
      const x = rr[bin]! + ii[bin]!;
      const y = ir[bin]! - ri[bin]!;
      this.#row[to + bin] = Math.sqrt(x * x + y * y);
    }
  }
}

interface SpectralKernel {
  readonly firstBin: number;
  readonly re: readonly number[];
  readonly im: readonly number[];
}

/** Spectra of the windowed complex tones of one octave, scaled so that a real sine of amplitude 1 gives 1. */
function spectralKernels(size: number, lowest: number, count: number, q: number): SpectralKernel[] {
  const core = sharedCore();
  const fft = new ComplexFft(size);
  const kernels: SpectralKernel[] = [];
  for (let bin = 0; bin < count; bin++) {
    const frequency = lowest * core.exp2(bin / count);
    const length = Math.round(q / frequency);
    const window = createWindow("hann", length);
    const scale = 2 / window.reduce((sum, value) => sum + value, 0);
    fft.inputRe.fill(0);
    fft.inputIm.fill(0);
    for (let n = 0; n < length; n++) {
      const at = size / 2 - (length >> 1) + n;
      const turns = frequency * (at - size / 2);
      fft.inputRe[at] = scale * window[n]! * core.cosTurn(turns);
      fft.inputIm[at] = scale * window[n]! * core.sinTurn(turns);
    }
    fft.transform();
    kernels.push(significantPart(fft.outputRe, fft.outputIm, size));
  }
  fft.close();
  return kernels;
}

/** The positive frequencies between the first and the last value that counts, divided by the size (Parseval). */
function significantPart(re: Float32Array, im: Float32Array, size: number): SpectralKernel {
  const magnitude = (k: number) => Math.sqrt(re[k]! ** 2 + im[k]! ** 2);
  const half = size / 2;
  let largest = 0;
  for (let k = 0; k <= half; k++) largest = Math.max(largest, magnitude(k));
  let first = 0;
  while (magnitude(first) < kernelThreshold * largest) first++;
  let last = half;
  while (magnitude(last) < kernelThreshold * largest) last--;
  const part = (values: Float32Array) =>
    Array.from(values.subarray(first, last + 1), (value) => value / size);
  return { firstBin: first, re: part(re), im: part(im) };
}

function powerOfTwoFrom(x: number): number {
  let size = 4;
  while (size < x) size *= 2;
  return size;
}
