import { configHash } from "./config-hash.ts";
import type { PeakSink, WhitenedSink } from "./fingerprint.ts";
import { storeHalfDecibels } from "./half-decibels.ts";
import { frequencyUnit, MarkPeaks } from "./mark-peaks.ts";
import { levelsPerDecibel, MarkKernel, type MarkSpectrum, markColumns } from "./mark-spectrum.ts";
import { RecordBuffer } from "./record-buffer.ts";

/** Identifies the profile, its hash width and the parameters of its peaks. */
export const markConfigHash: string = configHash({
  profile: "mark-v1",
  hashBits: 22,
  framesBefore: 31,
  framesAfter: 14,
  columns: 41,
  rank: 14,
});

/** Streaming extraction of `mark-v1`: a record is a peak, its frequency in 1/256 bin and its frame. */
export class MarkExtractor {
  readonly configHash: string = markConfigHash;
  readonly records: RecordBuffer = new RecordBuffer(2);
  readonly #peaks: MarkPeaks;
  readonly #onPeak: PeakSink | undefined;
  readonly #onWhitened: WhitenedSink | undefined;
  readonly #row = new Int8Array(markColumns);

  /** @param spectrum the kernel; default the WASM one */
  constructor(
    onPeak: PeakSink | undefined,
    onWhitened?: WhitenedSink,
    spectrum: MarkSpectrum = new MarkKernel(),
  ) {
    this.#onPeak = onPeak;
    this.#onWhitened = onWhitened;
    this.#peaks = new MarkPeaks(this, spectrum);
  }

  get replacedSamples(): number {
    return this.#peaks.replacedSamples;
  }

  addPeak(frame: number, frequency: number, level: number): void {
    this.records.add2(frequency, frame);
    this.#onPeak?.(frame, Math.round(frequency / frequencyUnit), level / levelsPerDecibel);
  }

  addRow(frame: number, whitened: Int32Array): void {
    if (this.#onWhitened === undefined) return;
    storeHalfDecibels(whitened, this.#row, 0);
    this.#onWhitened(frame, this.#row);
  }

  push(samples: Float32Array, start: number, end: number): void {
    this.#peaks.push(samples, start, end);
  }

  flush(): void {
    this.#peaks.flush();
  }

  reset(): void {
    this.#peaks.reset();
    this.records.clear();
  }
}
