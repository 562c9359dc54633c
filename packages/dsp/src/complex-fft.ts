import { CoreBlock, sharedCore } from "./core.ts";
import { DspError, requireLength } from "./errors.ts";

/**
 * Complex FFT in f32 of every size 2^a 3^b 5^c from 1 to 65,536. Stockham mixed-radix with SIMD; sizes that are a
 * multiple of 4 are fastest. Real and imaginary parts are separate arrays.
 *
 * @example
 * const fft = new ComplexFft(480);
 * fft.forward(re, im, spectrumRe, spectrumIm);
 */
export class ComplexFft {
  readonly size: number;
  /** The core's own input arrays: write here and call `transform` to spare the copies of `forward`. */
  readonly inputRe: Float32Array;
  readonly inputIm: Float32Array;
  /** What `transform` has computed, until the next call. */
  readonly outputRe: Float32Array;
  readonly outputIm: Float32Array;
  readonly #block: CoreBlock;
  readonly #plan: number;
  readonly #at: readonly number[];

  /** @throws DspError `dsp/bad-size` for a size with another prime factor than 2, 3 and 5, or out of range */
  constructor(size: number) {
    const planBytes = Number.isInteger(size) ? sharedCore().fftPlanBytes(size) : 0;
    if (planBytes === 0) throw badFftSize(size, "");
    this.size = size;
    const row = roundUpTo16(4 * size);
    const plan = roundUpTo16(planBytes);
    this.#block = new CoreBlock(this, plan + 6 * row);
    this.#plan = this.#block.address;
    // Rows: input re and im, then two values a point each of output and work, the output's imaginary parts right behind.
    this.#at = [0, 1, 2, 4].map((index) => this.#plan + plan + index * row);
    this.inputRe = this.#block.floats(plan, size);
    this.inputIm = this.#block.floats(plan + row, size);
    this.outputRe = this.#block.floats(plan + 2 * row, size);
    this.outputIm = this.#block.floats(plan + 2 * row + 4 * size, size);
    this.#block.core.fftPlan(this.#plan, size);
  }

  /** X[k] = sum of x[n] exp(-2 pi i k n / size), unnormalised, from `input*` to `output*`. The input is kept. */
  transform(): void {
    const at = this.#at;
    this.#block.core.fftForward(this.#plan, at[0]!, at[1]!, at[2]!, at[3]!, 0);
  }

  /** Forward transform, unnormalised. Four arrays of `size`, all of the caller; outputs may be the inputs. */
  forward(re: Float32Array, im: Float32Array, outRe: Float32Array, outIm: Float32Array): void {
    this.#run(re, im, outRe, outIm);
  }

  /** Inverse transform, divided by `size`: gives back what `forward` was given. */
  inverse(re: Float32Array, im: Float32Array, outRe: Float32Array, outIm: Float32Array): void {
    this.#run(im, re, outIm, outRe);
    const scale = 1 / this.size;
    for (let i = 0; i < this.size; i++) {
      outRe[i] = outRe[i]! * scale;
      outIm[i] = outIm[i]! * scale;
    }
  }

  #run(re: Float32Array, im: Float32Array, outRe: Float32Array, outIm: Float32Array): void {
    requireLength("The real part", re, this.size);
    requireLength("The imaginary part", im, this.size);
    requireLength("The real output", outRe, this.size);
    requireLength("The imaginary output", outIm, this.size);
    this.inputRe.set(re);
    this.inputIm.set(im);
    this.transform();
    outRe.set(this.outputRe);
    outIm.set(this.outputIm);
  }

  /** Gives the memory back; the object must not be used after. */
  close(): void {
    this.#block.close();
  }
}

export function badFftSize(size: number, more: string): DspError {
  return new DspError(
    "dsp/bad-size",
    "usage",
    `An FFT size is 2^a 3^b 5^c from 1 to 65536${more}, not ${size}; pad the input to such a size.`,
  );
}

export function roundUpTo16(bytes: number): number {
  return (bytes + 15) & ~15;
}
