import { markColumns } from "./mark-spectrum.ts";

/**
 * How much a place in a query's spectrum speaks for a peak of the recording being there: one value for every row (time) and
 * column (bin), in 1/16 nat of log-likelihood ratio. An alignment is verified by adding up the values under all peaks that
 * the recording has in its span.
 */
export interface MarkEvidence {
  /** `rows` rows of 450 columns. */
  readonly values: Int8Array;
  readonly rows: number;
  /** Rows a frame: 4 where the query was analysed at four shifts. */
  readonly rowsPerFrame: number;
  /** The whitened levels themselves, half dB; undefined where only peaks are known. */
  readonly levels?: Int8Array;
}

/** Whitened levels of a query in half dB, row by row; shift s of frame f is row `rowsPerFrame * f + s`. */
export interface WhitenedQuery {
  readonly levels: Int8Array;
  readonly rows: number;
  readonly rowsPerFrame: number;
}

/** Units of evidence a nat. */
export const evidencePerNat = 16;

/** Half size of the neighbourhood in which a place is compared, as for peaks: columns, and frames in time. */
const nearColumns = 8;
const nearFrames = 2;
/** Least standard deviation of a column, half dB: below, the sound is steady and says little. */
const leastDeviation = 2;

/** Below 3 dB over its surroundings (half dB) no cell is a peak; it is then taken for one some 4 dB under another. */
const leastLevel = 6;
const flatGap = 3;

/** Lower edges of the classes of z = (level - mean of its column) / deviation of its column, after the first class. */
export const zEdges: readonly number[] = [-0.5, 0, 0.5, 1, 1.5, 2, 2.5, 3];
/** Lower edges of the classes of the distance in half dB under the strongest cell around, after the first class. */
export const gapEdges: readonly number[] = [1, 4, 7, 10, 14, 20];

/**
 * Log-likelihood ratios in 1/16 nat by class of z (rows) and of gap (columns): counted under the peaks of recordings at the
 * true alignments of excerpts in loud noise against those at the best wrong ones, and smoothed. Noise, because what it hides is
 * missing for a reason: counted on clean excerpts, a missing peak would speak too loudly against a match. From
 * `npm run bench -- robustness --size small --seed 1`, a corpus for tuning only.
 */
// biome-ignore format: a table
export const evidenceTable: number[][] = [
  [ -2,  -9, -20, -30, -30, -36, -45],
  [ -2, -15, -20, -25, -25, -30, -40],
  [ -2, -10, -15, -15, -15, -20, -32],
  [ -2,  -6,  -6,  -7,  -8, -16, -30],
  [  6,   5,   4,   1,  -5, -16, -29],
  [ 15,  14,  10,   5,  -5, -16, -29],
  [ 23,  20,  15,   6,  -5, -16, -28],
  [ 28,  25,  19,   7,  -6, -14, -22],
  [ 36,  31,  22,   7,  -6, -12, -18],
];

/** The evidence of a query that was analysed as sound. */
export function evidenceOf({ levels, rows, rowsPerFrame }: WhitenedQuery): MarkEvidence {
  const values = new Int8Array(rows * markColumns);
  const high = new Int8Array(rows * markColumns);
  const line = new Int8Array(markColumns);
  for (let row = 0; row < rows; row++) {
    // The place itself is wide: the strongest of three columns.
    maximumOfColumns(levels, values, row * markColumns, 1, line);
    maximumOfColumns(levels, high, row * markColumns, nearColumns, line);
  }
  maximumOfRows(high, rows, nearFrames * rowsPerFrame);
  const classes = zClasses(levels, rows);
  const gapClasses = Uint8Array.from({ length: 256 }, (_, gap) => {
    return gapEdges.filter((edge) => gap >= edge).length;
  });
  const width = gapEdges.length + 1;
  const table = Int8Array.from(evidenceTable.flat());
  for (let row = 0, at = 0; row < rows; row++) {
    for (let c = 0; c < markColumns; c++, at++) {
      const level = values[at]!;
      let gap = gapClasses[high[at]! - level]!;
      // In silence every cell is the strongest around, and none is a peak.
      if (level < leastLevel && gap < flatGap) gap = flatGap;
      values[at] = table[classes[256 * c + level + 128]! * width + gap]!;
    }
  }
  return { values, rows, rowsPerFrame, levels };
}

/** For each column and each level from -128 to 127, the class of z. */
function zClasses(levels: Int8Array, rows: number): Uint8Array {
  const sums = new Int32Array(markColumns);
  const squares = new Float64Array(markColumns);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let c = 0; c < markColumns; c++, at++) {
      const level = levels[at]!;
      sums[c]! += level;
      squares[c]! += level * level;
    }
  }
  const classes = new Uint8Array(256 * markColumns);
  for (let c = 0; c < markColumns; c++) {
    const mean = sums[c]! / rows;
    const deviation = Math.max(leastDeviation, Math.sqrt(Math.max(0, squares[c]! / rows - mean * mean)));
    let z = 0;
    for (let level = -128; level < 128; level++) {
      while (z < zEdges.length && level >= mean + zEdges[z]! * deviation) z++;
      classes[256 * c + level + 128] = z;
    }
  }
  return classes;
}

/** Evidence where the query's peaks are known but not its sound: a peak within a frame and two bins, or none. */
const peakHit = 40;
const peakMiss = -11;
const hitColumns = 2;

/** The evidence of a query of which only the peaks are known, as records of `mark-v1`; frames count from `firstFrame`. */
export function evidenceOfPeaks(peaks: Uint32Array, firstFrame: number, frames: number): MarkEvidence {
  const values = new Int8Array(frames * markColumns).fill(peakMiss);
  for (let i = 0; i < peaks.length; i += 2) {
    const column = Math.round(peaks[i]! / 256) - 10;
    const frame = peaks[i + 1]! - firstFrame;
    for (let row = Math.max(0, frame - 1); row <= Math.min(frames - 1, frame + 1); row++) {
      const last = Math.min(markColumns - 1, column + hitColumns);
      for (let c = Math.max(0, column - hitColumns); c <= last; c++) values[row * markColumns + c] = peakHit;
    }
  }
  return { values, rows: frames, rowsPerFrame: 1 };
}

/** The larger of two small integers, without a branch: in sound either is as likely, and a wrong guess costs more than the sum. */
function larger(a: number, b: number): number {
  const difference = (a - b) | 0;
  return a - (difference & (difference >> 31));
}

/**
 * Maxima over +-reach columns of a row, by doubling: of 2, 4, 8 ... cells, then of two runs that overlap. At a border the run that
 * begins there stands for what is missing.
 */
function maximumOfColumns(
  from: Int8Array,
  to: Int8Array,
  base: number,
  reach: number,
  line: Int8Array,
): void {
  for (let c = 0; c < markColumns; c++) line[c] = from[base + c]!;
  const width = 2 * reach + 1;
  let span = 1;
  for (; 2 * span <= width; span *= 2) {
    for (let c = 0; c + span < markColumns; c++) line[c] = larger(line[c]!, line[c + span]!);
  }
  for (let c = 0; c < markColumns; c++) {
    const first = c < reach ? 0 : c - reach;
    const last = Math.max(first, Math.min(markColumns - 1, c + reach) - span + 1);
    to[base + c] = larger(line[first]!, line[last]!);
  }
}

/** Maxima over +-reach rows, in place, in the same way: whole rows at a time. */
function maximumOfRows(plane: Int8Array, rows: number, reach: number): void {
  const width = 2 * reach + 1;
  let span = 1;
  const takeMaximum = (to: number, from: number) => {
    for (let c = 0; c < markColumns; c++) plane[to + c] = larger(plane[to + c]!, plane[from + c]!);
  };
  for (; 2 * span <= width; span *= 2) {
    for (let row = 0; row + span < rows; row++) takeMaximum(row * markColumns, (row + span) * markColumns);
  }
  // Row r now holds the maximum of r to r + span - 1; from the last row on, those before it are still needed.
  for (let row = rows - 1; row >= 0; row--) {
    const first = row < reach ? 0 : row - reach;
    const last = Math.max(first, Math.min(rows - 1, row + reach) - span + 1);
    plane.copyWithin(row * markColumns, first * markColumns, (first + 1) * markColumns);
    if (last !== first) takeMaximum(row * markColumns, last * markColumns);
  }
}
