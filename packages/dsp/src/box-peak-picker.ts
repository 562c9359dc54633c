import { roundUpTo16 } from "./complex-fft.ts";
import { CoreBlock } from "./core.ts";
import { requireInteger, requireLength } from "./errors.ts";

export interface BoxPeakPickerOptions {
  /** Values of a row, 1 to 65,536. */
  readonly bins: number;
  /** Rows before and after that a peak must not be below: 15 for a box of 31 rows. 0 to 1,024. */
  readonly frameRadius: number;
  /** Values to the left and right, 0 to 4,096. */
  readonly binRadius: number;
  /** A peak is strictly above this; default minus infinity. */
  readonly threshold?: number;
}

/** The peaks of one row. All arrays are overwritten by the next row. */
export interface PeakRow {
  /** Index of the row in the stream. */
  readonly frame: number;
  /** How many peaks the row has. */
  readonly count: number;
  /** Their bins, ascending, in the first `count` places. */
  readonly bins: Int32Array;
  /** All values of the row. */
  readonly values: Float32Array;
}

/**
 * Finds the local maxima of a spectrogram that arrives row by row: values above the threshold that no value in the box of
 * (2 frameRadius + 1) rows by (2 binRadius + 1) bins around them exceeds. The box is truncated at the borders; every
 * value of a plateau counts; a NaN is never a peak and hides nothing. Holds 2 frameRadius + 1 rows, no more.
 *
 * @example
 * const picker = new BoxPeakPicker({ bins: 513, frameRadius: 15, binRadius: 15, threshold: -50 });
 * picker.push(decibels, (row) => { for (let i = 0; i < row.count; i++) use(row.frame, row.bins[i]); });
 */
export class BoxPeakPicker {
  readonly bins: number;
  readonly #options: Required<BoxPeakPickerOptions>;
  readonly #block: CoreBlock;
  readonly #rows: number;
  readonly #rowBytes: number;
  readonly #values: Float32Array[] = [];
  readonly #maxima: number;
  readonly #work: number;
  readonly #peaksAddress: number;
  readonly #result: { frame: number; count: number; bins: Int32Array; values: Float32Array };
  #pushed = 0;

  /** @throws DspError `dsp/bad-option`, `dsp/out-of-memory` where the rows of the box do not fit */
  constructor(options: BoxPeakPickerOptions) {
    requireInteger("The number of bins", options.bins, 1, 65536);
    requireInteger("frameRadius", options.frameRadius, 0, 1024);
    requireInteger("binRadius", options.binRadius, 0, 4096);
    this.#options = { threshold: Number.NEGATIVE_INFINITY, ...options };
    this.bins = options.bins;
    this.#rows = 2 * options.frameRadius + 1;
    this.#rowBytes = roundUpTo16(4 * options.bins);
    const ring = this.#rows * this.#rowBytes;
    const work = roundUpTo16(4 * (options.bins + 2 * options.binRadius + 16));
    // Values, maxima, padded work row with a span of overrun, peaks.
    const workBytes = 2 * work + 64;
    this.#block = new CoreBlock(this, 2 * ring + workBytes + this.#rowBytes);
    for (let row = 0; row < this.#rows; row++) {
      this.#values.push(this.#block.floats(row * this.#rowBytes, options.bins));
    }
    this.#maxima = this.#block.address + ring;
    this.#work = this.#maxima + ring;
    this.#peaksAddress = this.#work + workBytes;
    const bins = this.#block.integers(2 * ring + workBytes, options.bins);
    this.#result = { frame: 0, count: 0, bins, values: this.#values[0]! };
    this.reset();
  }

  /** Takes a row of `bins` values (not kept); calls `onRow` for the row that is now decided, `frameRadius` rows ago. */
  push(values: Float32Array, onRow: (row: PeakRow) => void): void {
    requireLength("A row", values, this.bins);
    const slot = this.#pushed % this.#rows;
    this.#values[slot]!.set(values);
    const address = this.#block.address + slot * this.#rowBytes;
    const maxima = this.#maxima + slot * this.#rowBytes;
    this.#block.core.rowMaxima(address, maxima, this.#work, this.bins, this.#options.binRadius);
    this.#pushed++;
    this.#decide(onRow);
  }

  /** Ends the stream: decides the last rows, with the box truncated, and begins anew. */
  flush(onRow: (row: PeakRow) => void): void {
    const end = this.#pushed + this.#options.frameRadius;
    while (this.#pushed < end) {
      this.#clearMaxima(this.#pushed % this.#rows);
      this.#pushed++;
      this.#decide(onRow);
    }
    this.reset();
  }

  /** Forgets all rows; the next one is row 0. */
  reset(): void {
    this.#pushed = 0;
    for (let row = 0; row < this.#rows; row++) this.#clearMaxima(row);
  }

  /** Gives the memory back; the object must not be used after. */
  close(): void {
    this.#block.close();
  }

  #clearMaxima(slot: number): void {
    const offset = this.#maxima - this.#block.address + slot * this.#rowBytes;
    this.#block.floats(offset, this.#rowBytes / 4).fill(Number.NEGATIVE_INFINITY);
  }

  #decide(onRow: (row: PeakRow) => void): void {
    const frame = this.#pushed - 1 - this.#options.frameRadius;
    if (frame < 0) return;
    const slot = frame % this.#rows;
    const result = this.#result;
    result.frame = frame;
    result.values = this.#values[slot]!;
    result.count = this.#block.core.boxPeaks(
      this.#maxima,
      this.#rowBytes,
      this.#rows,
      this.#block.address + slot * this.#rowBytes,
      this.bins,
      this.#options.threshold,
      this.#peaksAddress,
    );
    onRow(result);
  }
}
