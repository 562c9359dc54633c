import { badFftSize, roundUpTo16 } from "./complex-fft.ts";
import { CoreBlock, sharedCore } from "./core.ts";
import { requireLength } from "./errors.ts";

/**
 * Real FFT in f32 of every size 2^a 3^b 5^c from 1 to 65,536, with size/2 + 1 (rounded down) bins. An even size costs
 * a complex transform of half the size, an odd one a complex transform of the whole size.
 *
 * @example
 * const fft = new RealFft(1024);
 * fft.forward(samples, re, im); // 1024 samples -> 513 bins
 */
export class RealFft {
  readonly size: number;
  /** floor(size / 2) + 1. */
  readonly bins: number;
  /** The core's own arrays: write `input`, call `transform`, read `re` and `im`; spares the copies of `forward`. */
  readonly input: Float32Array;
  readonly re: Float32Array;
  readonly im: Float32Array;
  readonly #block: CoreBlock;
  readonly #plan: number;
  readonly #input: number;
  readonly #row: number;
  readonly #even: boolean;

  /** @throws DspError `dsp/bad-size` for a size with another prime factor than 2, 3 and 5, or out of range */
  constructor(size: number) {
    const core = sharedCore();
    this.#even = size % 2 === 0;
    const planBytes =
      !Number.isInteger(size) || size > 65536
        ? 0
        : this.#even
          ? core.realFftPlanBytes(size)
          : core.fftPlanBytes(size);
    if (planBytes === 0) throw badFftSize(size, "");
    this.size = size;
    this.bins = Math.floor(size / 2) + 1;
    const plan = roundUpTo16(planBytes);
    this.#row = roundUpTo16(4 * (size + 1));
    this.#block = new CoreBlock(this, plan + (this.#even ? 5 : 10) * this.#row);
    this.#plan = this.#block.address;
    this.#input = this.#plan + plan;
    this.input = this.#block.floats(plan, size);
    this.re = this.#block.floats(plan + this.#row, this.bins);
    // An odd size takes the complex transform's output as it is: imaginary parts right behind the real ones.
    const im = this.#even ? 2 * this.#row : this.#row + 4 * size;
    this.im = this.#block.floats(plan + im, this.bins);
    if (this.#even) this.#block.core.realFftPlan(this.#plan, size);
    else this.#block.core.fftPlan(this.#plan, size);
  }

  /** X[k] = sum of x[n] exp(-2 pi i k n / size), k = 0 to size / 2, unnormalised. The input is kept. */
  transform(): void {
    const core = this.#block.core;
    const row = this.#row;
    const input = this.#input;
    const re = input + row;
    if (this.#even) core.realFftForward(this.#plan, input, re, re + row, re + 2 * row);
    // The last row stays zero: the imaginary part of the input.
    else core.fftForward(this.#plan, input, input + 9 * row, re, re + 2 * row, 0);
  }

  /** `size` samples to `bins` bins, unnormalised; all arrays are the caller's. */
  forward(samples: Float32Array, re: Float32Array, im: Float32Array): void {
    requireLength("The input", samples, this.size);
    requireLength("The real output", re, this.bins);
    requireLength("The imaginary output", im, this.bins);
    this.input.set(samples);
    this.transform();
    re.set(this.re);
    im.set(this.im);
  }

  /**
   * `bins` bins to `size` samples, divided by `size`: gives back what `forward` was given. The imaginary parts of the
   * first bin, and of the last one of an even size, are taken as zero.
   */
  inverse(re: Float32Array, im: Float32Array, samples: Float32Array): void {
    requireLength("The real part", re, this.bins);
    requireLength("The imaginary part", im, this.bins);
    requireLength("The output", samples, this.size);
    this.re.set(re);
    this.im.set(im);
    const core = this.#block.core;
    const row = this.#row;
    const at = this.#input + row;
    const work = at + 2 * row;
    if (this.#even) {
      core.realFftInverse(this.#plan, at, at + row, this.#input, work, work + row);
    } else {
      const atIm = at + 4 * this.size;
      core.realFftInverseOdd(this.#plan, at, atIm, this.#input, work, work + 2 * row, work + 4 * row);
    }
    samples.set(this.input);
  }

  /** Gives the memory back; the object must not be used after. */
  close(): void {
    this.#block.close();
  }
}
