import { roundUpTo16 } from "./complex-fft.ts";
import { CoreBlock, sharedCore } from "./core.ts";
import { DspError, requireInteger, requireLength, requireNumber } from "./errors.ts";
import { Stft, type StftOptions } from "./stft.ts";

/**
 * `slaney`: linear below 1 kHz (3 mel per 200 Hz), logarithmic above (Auditory Toolbox, 1998);
 * `htk`: 2595 log10(1 + hz / 700) (O'Shaughnessy, 1987).
 */
export type MelScale = "slaney" | "htk";

export interface MelOptions {
  readonly sampleRate: number;
  /** Size of the transform whose power spectrum is given: even, 2 to 65,536. */
  readonly frameSize: number;
  /** Number of triangles, 1 to 8,192. */
  readonly bands: number;
  /** Lower border of the first triangle in Hz; default 0. */
  readonly minHz?: number;
  /** Upper border of the last one; default sampleRate / 2. */
  readonly maxHz?: number;
  /** Default "slaney". */
  readonly scale?: MelScale;
  /** `slaney` makes every triangle's area alike (weight 2 / (right - left)), `none` its peak 1; default "slaney". */
  readonly normalize?: "slaney" | "none";
}

/** Above 1 kHz, 27 steps of a mel each multiply the frequency by 6.4 in all. */
const slaneyLogStep = (octaves: number) => octaves / 27;

/** Frequency in Hz to mel. */
export function hzToMel(hz: number, scale: MelScale = "slaney"): number {
  const { log2 } = sharedCore();
  if (scale === "htk") return (2595 / log2(10)) * log2(1 + hz / 700);
  return hz < 1000 ? (hz * 3) / 200 : 15 + log2(hz / 1000) / slaneyLogStep(log2(6.4));
}

/** Mel to frequency in Hz. */
export function melToHz(mel: number, scale: MelScale = "slaney"): number {
  const { exp2, log2 } = sharedCore();
  if (scale === "htk") return 700 * (exp2((mel * log2(10)) / 2595) - 1);
  return mel < 15 ? (mel * 200) / 3 : 1000 * exp2((mel - 15) * slaneyLogStep(log2(6.4)));
}

/**
 * Triangular filters on the mel scale over a power spectrum. Only bins strictly between a triangle's borders count; a
 * triangle that contains no bin gives 0.
 */
export class MelFilterbank {
  readonly bands: number;
  /** Values of a power spectrum: frameSize / 2 + 1. */
  readonly bins: number;
  readonly #block: CoreBlock;
  readonly #input: Float32Array;
  readonly #output: Float32Array;
  readonly #logs: Float32Array;
  readonly #at: { input: number; output: number; logs: number; ranges: number; weights: number };

  /** @throws DspError `dsp/bad-option` */
  constructor(options: MelOptions) {
    requireInteger("frameSize", options.frameSize, 2, 65536);
    requireInteger("The number of bands", options.bands, 1, 8192);
    this.bands = options.bands;
    this.bins = Math.floor(options.frameSize / 2) + 1;
    const triangles = melTriangles(options);
    const input = 0;
    const output = roundUpTo16(4 * (this.bins + 8));
    const logs = output + roundUpTo16(4 * this.bands);
    const ranges = logs + roundUpTo16(4 * this.bands);
    const weights = ranges + roundUpTo16(12 * this.bands);
    const weightBytes = triangles.map((triangle) => roundUpTo16(4 * triangle.weights.length));
    const block = new CoreBlock(this, weights + weightBytes.reduce((sum, bytes) => sum + bytes, 0));
    let at = 0;
    for (const [band, triangle] of triangles.entries()) {
      block.integers(ranges + 12 * band, 3).set([triangle.firstBin, weightBytes[band]! / 16, at]);
      block.floats(weights + at, triangle.weights.length).set(triangle.weights);
      at += weightBytes[band]!;
    }
    this.#block = block;
    this.#input = block.floats(input, this.bins);
    this.#output = block.floats(output, this.bands);
    this.#logs = block.floats(logs, this.bands);
    const base = block.address;
    this.#at = {
      input: base + input,
      output: base + output,
      logs: base + logs,
      ranges: base + ranges,
      weights: base + weights,
    };
  }

  /** Sums of `power` (`bins` values) under each triangle into `output` (`bands` values). */
  apply(power: Float32Array, output: Float32Array): void {
    requireLength("The output", output, this.bands);
    this.#sum(power);
    output.set(this.#output);
  }

  /**
   * As `apply`, then scale * log2(max(sum + addend, floor)).
   * @param floor 1e-37 or more; a NaN counts as the floor
   */
  applyLog(power: Float32Array, output: Float32Array, scale: number, addend: number, floor: number): void {
    requireLength("The output", output, this.bands);
    requireNumber("The floor", floor, 1e-37, 1e37);
    this.#sum(power);
    this.#block.core.scaledLog2(this.#at.output, this.#at.logs, this.bands, addend, floor, scale);
    output.set(this.#logs);
  }

  /** Gives the memory back; the object must not be used after. */
  close(): void {
    this.#block.close();
  }

  #sum(power: Float32Array): void {
    requireLength("The power spectrum", power, this.bins);
    this.#input.set(power);
    const at = this.#at;
    this.#block.core.bandSums(at.input, at.ranges, at.weights, this.bands, at.output);
  }
}

/** The weights of one triangle: those of bins firstBin, firstBin + 1 ... */
interface Triangle {
  readonly firstBin: number;
  readonly weights: readonly number[];
}

function melTriangles(options: MelOptions): Triangle[] {
  const { sampleRate, frameSize, bands } = options;
  const minHz = options.minHz ?? 0;
  const maxHz = options.maxHz ?? sampleRate / 2;
  const scale = options.scale ?? "slaney";
  requireNumber("The sample rate", sampleRate, 1, 1e7);
  requireNumber("maxHz", maxHz, 0, sampleRate / 2);
  if (!(minHz >= 0 && minHz < maxHz)) {
    throw new DspError(
      "dsp/bad-option",
      "usage",
      `minHz must be from 0 to below maxHz (${maxHz}), not ${minHz}.`,
    );
  }
  const low = hzToMel(minHz, scale);
  const step = (hzToMel(maxHz, scale) - low) / (bands + 1);
  const border = (index: number) => melToHz(low + index * step, scale);
  const bins = Math.floor(frameSize / 2) + 1;
  return Array.from({ length: bands }, (_, band) => {
    const [left, centre, right] = [border(band), border(band + 1), border(band + 2)];
    const height = options.normalize === "none" ? 1 : 2 / (right - left);
    const weights: number[] = [];
    let firstBin = 0;
    for (let bin = 0; bin < bins; bin++) {
      const hz = (bin * sampleRate) / frameSize;
      if (hz <= left || hz >= right) continue;
      if (weights.length === 0) firstBin = bin;
      weights.push(height * Math.min((hz - left) / (centre - left), (right - hz) / (right - centre)));
    }
    return { firstBin, weights };
  });
}

/** Logarithms of a log-mel spectrogram: `scale * log2(max(energy + addend, floor))`. */
const logarithms: Readonly<Record<"log10" | "ln" | "decibels", number>> = {
  log10: Math.fround(0.3010299956639812),
  ln: Math.fround(Math.LN2),
  decibels: Math.fround(3.010299956639812),
};

export interface LogMelOptions extends StftOptions, Omit<MelOptions, "frameSize"> {
  /** Default "log10". */
  readonly logarithm?: keyof typeof logarithms;
  /** Added to every energy before the logarithm; default 1e-10. */
  readonly addend?: number;
  /** Smallest energy, after the addition; default 1e-10. */
  readonly floor?: number;
}

/**
 * Streaming log-mel spectrogram: STFT, power, mel triangles, logarithm.
 *
 * @example
 * const logMel = new LogMel({ sampleRate: 16000, frameSize: 1024, hop: 320, bands: 128 });
 * logMel.push(samples, (values, frame) => rows.push(values.slice()));
 */
export class LogMel {
  readonly bands: number;
  readonly #stft: Stft;
  readonly #filterbank: MelFilterbank;
  readonly #values: Float32Array;
  readonly #onFrame: (frame: number) => void;
  #sink: ((values: Float32Array, frame: number) => void) | undefined;

  /** @throws DspError `dsp/bad-size`, `dsp/bad-option` */
  constructor(options: LogMelOptions) {
    const scale = logarithms[options.logarithm ?? "log10"];
    if (scale === undefined) {
      throw new DspError("dsp/bad-option", "usage", `There is no logarithm "${options.logarithm}".`);
    }
    const addend = options.addend ?? 1e-10;
    const floor = options.floor ?? 1e-10;
    requireNumber("addend", addend, 0, 1e37);
    requireNumber("floor", floor, 1e-37, 1e37);
    this.#filterbank = new MelFilterbank(options);
    this.#stft = new Stft(options);
    this.bands = options.bands;
    this.#values = new Float32Array(this.bands);
    this.#onFrame = (frame) => {
      this.#filterbank.applyLog(this.#stft.power(), this.#values, scale, addend, floor);
      this.#sink?.(this.#values, frame);
    };
  }

  /** Takes samples; calls `onFrame` with `bands` values (overwritten by the next frame) and the frame's index. */
  push(samples: Float32Array, onFrame: (values: Float32Array, frame: number) => void): void {
    this.#sink = onFrame;
    this.#stft.push(samples, this.#onFrame);
    this.#sink = undefined;
  }

  /** Forgets all samples; the next frame is frame 0. */
  reset(): void {
    this.#stft.reset();
  }

  /** Gives the memory back; the object must not be used after. */
  close(): void {
    this.#stft.close();
    this.#filterbank.close();
  }
}
