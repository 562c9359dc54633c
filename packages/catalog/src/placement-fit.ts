import { type MarkEvidence, markColumns, markFirstBin } from "@longwave/fingerprint";
import type { Placement } from "./alignment-verifier.ts";

/** A peak of the recording and the place in the query's spectrum that answers to it. */
interface Correspondence {
  /** Window centres, frames. */
  readonly queryTime: number;
  readonly referenceTime: number;
  /** Bins. */
  readonly queryBin: number;
  readonly referenceBin: number;
}

/** A placement and how well the moments of the peaks agree with it. */
export interface FittedPlacement extends Placement {
  /** Root mean square of the deviations of peaks in time, frames; undefined where it cannot be told. */
  readonly spread?: number;
}

const windowCentre = 2;
/** Fewer correspondences, or a shorter span of them (2 s), tell nothing about a slope. */
const leastForSlope = 12;
const leastSpan = 62;
/** Correspondences further from the line than this are chance, frames and bins. */
const timeTolerance = 0.75;
const binTolerance = 1.5;
/** A factor that lies within so many standard errors of a simpler explanation is taken for it. */
const doubt = 3;
/** Systematic error of a pitch, relative: refinement of peaks between bins. */
const pitchError = 4e-4;

/**
 * Offset, tempo and pitch by least squares over the peaks that query and recording share: finer than rows and bins. Simpler
 * explanations come first: no change of pitch, no change of tempo, both changed by the same speed.
 * @param hits frames and frequencies (1/256 bin) of the recording's peaks that the query has
 */
export function fitPlacement(
  evidence: MarkEvidence,
  hits: readonly { readonly frame: number; readonly frequency: number }[],
  from: Placement,
): FittedPlacement {
  const { levels } = evidence;
  if (levels === undefined) return from;
  // The second time the peaks are looked for where the first fit puts them.
  const first = fitOnce(evidence, levels, hits, from);
  const fitted = fitOnce(evidence, levels, hits, first);
  let [sum, count] = [0, 0];
  for (const { frame, frequency } of hits) {
    for (const found of correspondence(evidence, levels, frame, frequency, fitted)) {
      sum += (found.referenceTime - fitted.tempo * found.queryTime - fitted.offset) ** 2;
      count++;
    }
  }
  return count === 0 ? fitted : { ...fitted, spread: Math.sqrt(sum / count) };
}

function fitOnce(
  evidence: MarkEvidence,
  levels: Int8Array,
  hits: readonly { readonly frame: number; readonly frequency: number }[],
  from: Placement,
): Placement {
  const all = hits.flatMap(({ frame, frequency }) =>
    correspondence(evidence, levels, frame, frequency, from),
  );
  const bins = all.filter(
    ({ queryBin, referenceBin }) => Math.abs(queryBin - referenceBin / from.pitch) < binTolerance,
  );
  const pitch = fitPitch(bins, from.pitch);
  let { tempo, offset } = from;
  for (let round = 0; round < 3; round++) {
    const near = all.filter(
      ({ queryTime, referenceTime }) => Math.abs(referenceTime - tempo * queryTime - offset) < timeTolerance,
    );
    if (near.length < 4) break;
    tempo = fitTempo(near, tempo, pitch);
    offset = 0;
    for (const { queryTime, referenceTime } of near) offset += referenceTime - tempo * queryTime;
    offset /= near.length;
  }
  return { tempo, pitch, offset };
}

function fitPitch(bins: readonly Correspondence[], fallback: number): number {
  let [squares, product, errors] = [0, 0, 0];
  for (const { queryBin, referenceBin } of bins) {
    squares += queryBin * queryBin;
    product += queryBin * referenceBin;
  }
  if (bins.length < leastForSlope) return Math.abs(fallback - 1) < 0.005 ? 1 : fallback;
  const pitch = product / squares;
  for (const { queryBin, referenceBin } of bins) errors += (referenceBin - pitch * queryBin) ** 2;
  const error = Math.sqrt(errors / bins.length / squares) + pitchError;
  return Math.abs(pitch - 1) < doubt * error ? 1 : pitch;
}

function fitTempo(near: readonly Correspondence[], fallback: number, pitch: number): number {
  const count = near.length;
  let [meanX, meanY, first, last] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { queryTime, referenceTime } of near) {
    meanX += queryTime / count;
    meanY += referenceTime / count;
    first = Math.min(first, queryTime);
    last = Math.max(last, queryTime);
  }
  let [spread, product, errors] = [0, 0, 0];
  for (const { queryTime, referenceTime } of near) {
    spread += (queryTime - meanX) ** 2;
    product += (queryTime - meanX) * (referenceTime - meanY);
  }
  const isEnough = count >= leastForSlope && last - first >= leastSpan;
  const tempo = isEnough ? product / spread : fallback;
  for (const { queryTime, referenceTime } of near) {
    errors += (referenceTime - meanY - tempo * (queryTime - meanX)) ** 2;
  }
  // Two parameters are estimated; peaks of one sound come in groups, so that there are fewer independent ones.
  const error = isEnough ? Math.sqrt((2 * errors) / Math.max(1, count - 2) / spread) : 0.004;
  if (Math.abs(tempo - 1) < doubt * error) return 1;
  return Math.abs(tempo * pitch - 1) < doubt * error ? 1 / pitch : tempo;
}

/**
 * Where the query has the peak: its frequency refined by a parabola, and its time as the recording's was found, by the strongest of
 * frames 32 ms apart. Sounds rise faster than they fall, so that the strongest frame is on average later than the summit;
 * the mean over the shifts of the query's frames is as much later.
 */
function correspondence(
  { rows, rowsPerFrame }: MarkEvidence,
  levels: Int8Array,
  frame: number,
  frequency: number,
  { tempo, pitch, offset }: Placement,
): Correspondence[] {
  const referenceTime = frame + windowCentre;
  const referenceBin = frequency / 256;
  const row = Math.round(rowsPerFrame * ((referenceTime - offset) / tempo - windowCentre));
  const column = Math.round(referenceBin / pitch) - markFirstBin;
  const firstRow = Math.max(0, row - rowsPerFrame);
  const lastRow = Math.min(rows - 1, row + rowsPerFrame);
  if (column < 3 || column > markColumns - 4 || lastRow - firstRow < rowsPerFrame) return [];
  let [best, bestAt, bestColumn] = [-128, 0, 0];
  for (let r = firstRow; r <= lastRow; r++) {
    for (let c = column - 2; c <= column + 2; c++) {
      const level = levels[r * markColumns + c]!;
      if (level > best) [best, bestAt, bestColumn] = [level, r * markColumns + c, c];
    }
  }
  const [before, after] = [levels[bestAt - 1]!, levels[bestAt + 1]!];
  const curvature = before - 2 * best + after;
  const shift = curvature < 0 ? Math.max(-0.5, Math.min(0.5, (0.5 * (before - after)) / curvature)) : 0;
  let sum = 0;
  for (let phase = 0; phase < rowsPerFrame; phase++) {
    let [most, mostRow] = [-129, 0];
    // Three frames of this shift, so that none is favoured.
    for (
      let r = row - rowsPerFrame - (row % rowsPerFrame) + phase;
      r <= lastRow + rowsPerFrame;
      r += rowsPerFrame
    ) {
      if (r < firstRow - rowsPerFrame || r < 0 || r >= rows) continue;
      const at = r * markColumns + bestColumn;
      const level = Math.max(levels[at - 1]!, levels[at]!, levels[at + 1]!);
      if (level > most) [most, mostRow] = [level, r];
    }
    sum += mostRow;
  }
  return [
    {
      queryTime: sum / rowsPerFrame / rowsPerFrame + windowCentre,
      referenceTime,
      queryBin: bestColumn + shift + markFirstBin,
      referenceBin,
    },
  ];
}
