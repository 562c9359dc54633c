import { FingerprintError } from "./errors.ts";
import { FrameBuffer } from "./frame-buffer.ts";
import {
  levelsPerDecibel,
  type MarkSpectrum,
  markColumnReach,
  markColumns,
  markFftSize,
  markFirstBin,
  markHop,
} from "./mark-spectrum.ts";

/** Frames of the mean over time: so many before, so many after the frame. The short look ahead makes the latency 1.18 s. */
const framesBefore = 31;
const framesAfter = 14;
const timeSpan = framesBefore + framesAfter + 1;
const columnSpan = 2 * markColumnReach + 1;
/** Whitened levels are integers in 1 / whitenedUnit dB: the common denominator of both means. */
export const whitenedUnit: number = 2 * timeSpan * columnSpan * levelsPerDecibel;
/** A peak is the maximum of its box of +-3 frames and +-8 columns, 3 dB above its surroundings, and not below -45 dB. */
const boxFrames = 3;
const boxColumns = 8;
const leastWhitened = 3 * whitenedUnit;
const leastLevel = -45 * levelsPerDecibel;
/** A peak stays if fewer than this many stronger ones lie within +-16 frames. */
const rankLimit = 14;
const rankFrames = 16;
/** Most candidates of one frame; boxes of 17 columns leave room for 27 separate maxima. */
const rowCandidates = 64;

const ringRows = 128;
const boxRows = 8;
const rawCapacity = 64 * rowCandidates;
const frameLimit = 2 ** 32 - 1;

/** Frequencies of peaks are in 1/256 of a bin (of 7.8125 Hz). */
export const frequencyUnit = 256;

/** Told of each peak in order of (frame, frequency). */
export interface MarkPeakSink {
  /** @param frequency in 1/256 bin @param level in 1/1024 dB */
  addPeak(frame: number, frequency: number, level: number): void;
  /** Told of each whitened row, in 1 / `whitenedUnit` dB, in order of its frame. The row is overwritten afterwards. */
  addRow?(frame: number, whitened: Int32Array): void;
}

/**
 * Streaming peak picker of `mark-v1`. Levels are whitened by half their mean over time and half their mean over frequency,
 * local maxima are refined in frequency by a parabola, and a peak stays if it ranks high among its neighbours in time: a
 * budget that does not depend on where a recording was cut.
 */
export class MarkPeaks {
  readonly #spectrum: MarkSpectrum;
  readonly #sink: MarkPeakSink;
  readonly #input = new FrameBuffer(markFftSize, markHop);
  readonly #levels = new Int32Array(ringRows * markColumns);
  readonly #columnSums = new Int32Array(ringRows * markColumns);
  readonly #timeSums = new Int32Array(markColumns);
  readonly #whitened = new Int32Array(markColumns);
  readonly #padded = new Int32Array(markColumns + 2 * boxColumns);
  readonly #rowMaxima = new Int32Array(boxRows * markColumns);
  readonly #candidateColumns = new Uint16Array(boxRows * rowCandidates);
  readonly #candidateStrengths = new Int32Array(boxRows * rowCandidates);
  readonly #candidateFrequencies = new Uint32Array(boxRows * rowCandidates);
  readonly #candidateLevels = new Int32Array(boxRows * rowCandidates);
  readonly #candidateCounts = new Uint16Array(boxRows);
  /** Box maxima that wait for their rank, as a ring. */
  readonly #rawRows = new Uint32Array(rawCapacity);
  readonly #rawStrengths = new Int32Array(rawCapacity);
  readonly #rawFrequencies = new Uint32Array(rawCapacity);
  readonly #rawLevels = new Int32Array(rawCapacity);
  #rawStart = 0;
  #rawNext = 0;
  #rawEnd = 0;
  /** Frame of row 0 of the current run; a flush ends a run. */
  #firstFrame = 0;
  #rows = 0;
  #whitenedRows = 0;
  #judgedRows = 0;
  #rankedRows = 0;

  constructor(sink: MarkPeakSink, spectrum: MarkSpectrum) {
    this.#sink = sink;
    this.#spectrum = spectrum;
  }

  get replacedSamples(): number {
    return this.#input.replacedSamples;
  }

  push(samples: Float32Array, start: number, end: number): void {
    const input = this.#input;
    for (let at = start; at < end; ) {
      at += input.write(samples, at, end);
      while (input.ready) {
        this.#spectrum.compute(input.samples, input.frameStart);
        input.advance();
        this.#addRow();
      }
    }
  }

  /** Takes the stream as ended: the last level continues for the means, boxes and ranks use what is there. */
  flush(): void {
    const rows = this.#rows;
    if (rows >= 4) {
      for (let row = rows; this.#whitenedRows < rows; row++) this.#slide(rows - 1, row);
      while (this.#judgedRows < rows) this.#judge();
      while (this.#rankedRows < rows) this.#rank();
    }
    this.#firstFrame += rows;
    this.#beginRun();
  }

  reset(): void {
    this.#input.reset();
    this.#firstFrame = 0;
    this.#beginRun();
  }

  #beginRun(): void {
    this.#rows = 0;
    this.#whitenedRows = 0;
    this.#judgedRows = 0;
    this.#rankedRows = 0;
    this.#rawStart = 0;
    this.#rawNext = 0;
    this.#rawEnd = 0;
    this.#timeSums.fill(0);
  }

  #addRow(): void {
    const row = this.#rows++;
    if (this.#firstFrame + row >= frameLimit) {
      throw new FingerprintError(
        "fp/limit",
        "A stream ends after 2^32 - 1 frames; call reset() to begin a new one.",
      );
    }
    const base = (row % ringRows) * markColumns;
    this.#levels.set(this.#spectrum.levels, base);
    this.#columnSums.set(this.#spectrum.columnSums, base);
    if (row === 0) {
      // The first row stands for all before it.
      for (let c = 0; c < markColumns; c++) this.#timeSums[c] = framesBefore * this.#levels[c]!;
    }
    this.#slide(row, row);
  }

  /** Lets a row enter the means (on `row`, with the levels of `source`) and whitens the row that is complete with it. */
  #slide(source: number, row: number): void {
    const levels = this.#levels;
    const sums = this.#timeSums;
    const entering = (source % ringRows) * markColumns;
    for (let c = 0; c < markColumns; c++) sums[c]! += levels[entering + c]!;
    const centre = row - framesAfter;
    if (centre < 0) return;
    this.#whiten(centre);
    const leaving = (Math.max(0, centre - framesBefore) % ringRows) * markColumns;
    for (let c = 0; c < markColumns; c++) sums[c]! -= levels[leaving + c]!;
    if (centre >= boxFrames) this.#judge();
    if (this.#judgedRows > rankFrames) this.#rank();
  }

  #whiten(row: number): void {
    const whitened = this.#whitened;
    const base = (row % ringRows) * markColumns;
    for (let c = 0; c < markColumns; c++) {
      whitened[c] =
        2 * timeSpan * columnSpan * this.#levels[base + c]! -
        columnSpan * this.#timeSums[c]! -
        timeSpan * this.#columnSums[base + c]!;
    }
    this.#whitenedRows = row + 1;
    this.#sink.addRow?.(this.#firstFrame + row, whitened);
    this.#findRowMaxima(row);
    this.#findCandidates(row);
  }

  /** Maxima over +-8 columns: 2, 4, 8 and 16 neighbours by doubling; two of 16 that overlap by 15 make 17. */
  #findRowMaxima(row: number): void {
    const work = this.#padded;
    work.fill(-(2 ** 31));
    work.set(this.#whitened, boxColumns);
    for (let span = 1; span <= 8; span *= 2) {
      for (let i = 0; i + span < work.length; i++) if (work[i + span]! > work[i]!) work[i] = work[i + span]!;
    }
    const base = (row % boxRows) * markColumns;
    for (let c = 0; c < markColumns; c++) {
      this.#rowMaxima[base + c] = work[c]! > work[c + 1]! ? work[c]! : work[c + 1]!;
    }
  }

  #findCandidates(row: number): void {
    const whitened = this.#whitened;
    const slot = row % boxRows;
    const maxima = slot * markColumns;
    const levels = (row % ringRows) * markColumns;
    let count = 0;
    for (let c = 0; c < markColumns && count < rowCandidates; c++) {
      const strength = whitened[c]!;
      if (strength <= leastWhitened || strength < this.#rowMaxima[maxima + c]!) continue;
      if (this.#levels[levels + c]! <= leastLevel) continue;
      const at = slot * rowCandidates + count++;
      this.#candidateColumns[at] = c;
      this.#candidateStrengths[at] = strength;
      this.#candidateLevels[at] = this.#levels[levels + c]!;
      this.#candidateFrequencies[at] = this.#refine(c);
    }
    this.#candidateCounts[slot] = count;
  }

  /** The vertex of the parabola through three neighbouring columns, within half a column, in 1/256 bin. */
  #refine(column: number): number {
    const centre = Math.min(markColumns - 2, Math.max(1, column));
    const a = this.#whitened[centre - 1]!;
    const m = this.#whitened[centre]!;
    const b = this.#whitened[centre + 1]!;
    const curvature = a - 2 * m + b;
    let shift = 0;
    if (Math.abs(curvature) > 1e-6 * whitenedUnit) {
      shift = Math.min(0.5, Math.max(-0.5, (0.5 * (a - b)) / curvature));
    }
    return Math.floor((centre + shift + markFirstBin) * frequencyUnit + 0.5);
  }

  /** Compares the candidates of the oldest row that waits with the rows around it. */
  #judge(): void {
    const row = this.#judgedRows++;
    const first = Math.max(0, row - boxFrames);
    const last = Math.min(this.#whitenedRows - 1, row + boxFrames);
    const slot = row % boxRows;
    const count = this.#candidateCounts[slot]!;
    for (let i = 0; i < count; i++) {
      const at = slot * rowCandidates + i;
      const column = this.#candidateColumns[at]!;
      const strength = this.#candidateStrengths[at]!;
      let isMaximum = true;
      for (let other = first; other <= last && isMaximum; other++) {
        isMaximum = this.#rowMaxima[(other % boxRows) * markColumns + column]! <= strength;
      }
      if (!isMaximum) continue;
      const to = this.#rawEnd++ % rawCapacity;
      this.#rawRows[to] = row;
      this.#rawStrengths[to] = strength;
      this.#rawFrequencies[to] = this.#candidateFrequencies[at]!;
      this.#rawLevels[to] = this.#candidateLevels[at]!;
    }
  }

  /** Hands over the peaks of the oldest row whose neighbours are all known. */
  #rank(): void {
    const row = this.#rankedRows++;
    while (this.#rawStart < this.#rawEnd && this.#rawRows[this.#rawStart % rawCapacity]! < row - rankFrames) {
      this.#rawStart++;
    }
    for (; this.#rawNext < this.#rawEnd; this.#rawNext++) {
      const at = this.#rawNext % rawCapacity;
      if (this.#rawRows[at] !== row) break;
      const strength = this.#rawStrengths[at]!;
      let stronger = 0;
      for (let i = this.#rawStart; i < this.#rawEnd && stronger < rankLimit; i++) {
        const other = i % rawCapacity;
        if (this.#rawRows[other]! > row + rankFrames) break;
        if (this.#rawStrengths[other]! > strength) stronger++;
      }
      if (stronger < rankLimit) {
        this.#sink.addPeak(this.#firstFrame + row, this.#rawFrequencies[at]!, this.#rawLevels[at]!);
      }
    }
  }
}
