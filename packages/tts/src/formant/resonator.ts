import { elementaryFunctions } from "../model/core.ts";

/**
 * Second-order digital resonator, y[n] = a x[n] + b y[n-1] + c y[n-2], with unit gain at 0 Hz (Klatt 1980, equation 1).
 */
export class Resonator {
  readonly #rateHz: number;
  #a = 1;
  #b = 0;
  #c = 0;
  #y1 = 0;
  #y2 = 0;

  constructor(rateHz: number) {
    this.#rateHz = rateHz;
  }

  /** Sets the centre frequency and the bandwidth in Hz; the signal goes on without a jump. */
  tune(frequencyHz: number, bandwidthHz: number): void {
    const { exponential, cosine } = elementaryFunctions();
    const r = exponential((-Math.PI * bandwidthHz) / this.#rateHz);
    this.#c = -r * r;
    this.#b = 2 * r * cosine((2 * Math.PI * frequencyHz) / this.#rateHz);
    this.#a = 1 - this.#b - this.#c;
  }

  process(x: number): number {
    const y = this.#a * x + this.#b * this.#y1 + this.#c * this.#y2;
    this.#y2 = this.#y1;
    this.#y1 = y;
    return y;
  }
}
