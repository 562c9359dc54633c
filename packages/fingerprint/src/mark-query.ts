import { downmix, type ExtractOptions, prepareSamples } from "./extract.ts";
import { storeHalfDecibels } from "./half-decibels.ts";
import { evidenceOf, type MarkEvidence, type WhitenedQuery } from "./mark-evidence.ts";
import { type MarkPeakSink, MarkPeaks } from "./mark-peaks.ts";
import { MarkKernel, markColumns, markFftSize, markHop } from "./mark-spectrum.ts";
import { profileOf } from "./profile.ts";

/**
 * Sub-frame shifts, in samples at 8 kHz, at which a query is analysed: an excerpt begins anywhere between two frames of the
 * recording, and peaks of short sounds change with the grid.
 */
export const queryShifts: readonly number[] = [0, 64, 128, 192];

/** Queries longer than this are analysed without shifts, and verified along their first hour. */
const shiftedSeconds = 60;
const verifiedSeconds = 3600;

/** The peaks of a query at one or more shifts; `shiftFrames[i]` is how late analysis `i` began, in frames. */
export interface MarkQuery {
  readonly peaks: readonly Uint32Array[];
  readonly shiftFrames: readonly number[];
  readonly seconds: number;
  /** What a verification of alignments adds up; made at the first call. Row 0 is frame 0 of shift 0. */
  evidence(): MarkEvidence;
}

/** Keeps the peaks and the whitened rows of one analysis. */
class QuerySink implements MarkPeakSink {
  readonly peaks: number[] = [];
  readonly #query: WhitenedQuery;
  readonly #shift: number;

  constructor(query: WhitenedQuery, shift: number) {
    this.#query = query;
    this.#shift = shift;
  }

  addPeak(frame: number, frequency: number): void {
    this.peaks.push(frequency, frame);
  }

  addRow(frame: number, whitened: Int32Array): void {
    const { levels, rows, rowsPerFrame } = this.#query;
    const row = frame * rowsPerFrame + this.#shift;
    if (row < rows) storeHalfDecibels(whitened, levels, row * markColumns);
  }
}

/**
 * Analyses a query for `mark-v1` at all shifts.
 * @throws FingerprintError as `extract`
 */
export function markQuery(pcm: Float32Array, options: ExtractOptions): MarkQuery {
  const samples = prepareSamples("mark-v1", downmix(pcm, options.channels ?? 1), options);
  const { sampleRate } = profileOf("mark-v1");
  const shifts = samples.length > shiftedSeconds * sampleRate ? [0] : queryShifts;
  const rowsPerFrame = shifts.length;
  const verified = Math.min(samples.length, verifiedSeconds * sampleRate);
  const rows = Math.floor(((verified - markFftSize) * rowsPerFrame) / markHop) + 1;
  const whitened = { levels: new Int8Array(rows * markColumns), rows, rowsPerFrame };
  const kernel = new MarkKernel();
  const sinks = shifts.map((shift, i) => {
    const sink = new QuerySink(whitened, i);
    const analysis = new MarkPeaks(sink, kernel);
    for (let at = shift; at < samples.length; at += 10 * sampleRate) {
      options.signal?.throwIfAborted();
      analysis.push(samples, at, Math.min(samples.length, at + 10 * sampleRate));
    }
    analysis.flush();
    return sink;
  });
  let evidence: MarkEvidence | undefined;
  return {
    peaks: sinks.map(({ peaks }) => Uint32Array.from(peaks)),
    shiftFrames: shifts.map((shift) => shift / markHop),
    seconds: samples.length / sampleRate,
    evidence: () => {
      evidence ??= evidenceOf(whitened);
      return evidence;
    },
  };
}
