import { type Hypothesis, type MarkEvidence, markColumns, markFirstBin } from "@longwave/fingerprint";

/** A way to lay a query on a recording: reference frame = tempo * query frame + offset, reference bin = pitch * query bin. */
export interface Placement extends Hypothesis {
  /** Reference time of the first sample of the query, frames. */
  readonly offset: number;
}

/** How far a search goes around a placement, and in which steps; factors are relative. */
export interface SearchExtent {
  readonly tempo: number;
  readonly pitch: number;
  readonly frames: number;
}

/** A placement that has been verified against the recording's peaks. */
export interface VerifiedPlacement extends Placement {
  /**
   * Log-likelihood ratio, nats: how much better the recording explains the query's spectrum than chance does, over the best
   * stretch (the maximal segment of Karlin and Altschul, 1990, whose chance falls exponentially) and, weighted less, the rest.
   */
  readonly evidence: number;
  /** Peaks of the recording inside the stretch, and those of them that the query has. */
  readonly peaks: number;
  readonly hits: readonly Hit[];
}

/** A peak of the recording, as stored: its frame, and its frequency in 1/256 bin. */
export interface Hit {
  readonly frame: number;
  readonly frequency: number;
}

/** The middle of an analysis window lies two frames after its start. */
const windowCentre = 2;
const leastPeaks = 5;
const perBin = 1 / 256;
const pitchStep = 0.004;
/** A change of tempo is looked for in steps that move the ends of the query by this, frames. */
const edgeStep = 0.3;
const evidenceUnit = 1 / 16;
/** A moment is 128 ms; what its peaks say together is limited to 4 nats. */
const momentFrames = 4;
const mostPerMoment = 64;
/**
 * How much counts what lies outside of the best stretch. All of it would refuse a query of which only a part is in the recording,
 * nothing would let any short likeness pass. Chosen on the tuning corpus.
 */
const restWeight = 0.3;

/** How much coarser the first look is than the last. */
const coarse = 2;

/** Extent and step of each dimension of a scan; tempo and pitch relative. */
interface Grid {
  readonly tempo: readonly [number, number];
  readonly pitch: readonly [number, number];
  readonly rows: readonly [number, number];
}

/** Steps on either side, and their size such that the last reaches the extent. */
function stepsOf([extent, step]: readonly [number, number]): [number, number] {
  const count = Math.ceil(extent / step - 0.05);
  return [count, count === 0 ? 0 : extent / count];
}

/** A run of peaks by their index among those that were laid. */
interface Stretch {
  readonly sum: number;
  readonly first: number;
  readonly last: number;
  readonly peaks: number;
}

/**
 * Verifies placements of one query against peaks of recordings: adds up the query's evidence under the peaks, and moves the
 * placement to where the sum is largest. Arrays are kept from call to call.
 */
export class AlignmentVerifier {
  #evidence: MarkEvidence = { values: new Int8Array(0), rows: 0, rowsPerFrame: 1 };
  #cells = new Int32Array(1024);
  #rows = new Int32Array(1024);
  /** Where each peak stands in the records. */
  #records = new Int32Array(1024);
  #count = 0;
  #sum = 0;
  #tempo = 1;
  #pitch = 1;
  #shift = 0;

  begin(evidence: MarkEvidence): void {
    this.#evidence = evidence;
  }

  /**
   * The best placement within `extent` of `from`; undefined where the recording has too few peaks in the query's span.
   * @param peaks records of `mark-v1` in order of their frames
   */
  search(peaks: Uint32Array, from: Placement, extent: SearchExtent): VerifiedPlacement | undefined {
    const { rows, rowsPerFrame } = this.#evidence;
    const middle = rows / (2 * rowsPerFrame) + windowCentre;
    const anchor = from.tempo * middle + from.offset;
    const tempoStep = Math.min(0.01, (2 * edgeStep * rowsPerFrame) / rows);
    this.#sum = Number.NEGATIVE_INFINITY;
    // Coarsely over the whole extent, then finely around the best.
    this.#scan(peaks, from, middle, anchor, {
      tempo: [extent.tempo, coarse * tempoStep],
      pitch: [extent.pitch, coarse * pitchStep],
      rows: [Math.round(extent.frames * rowsPerFrame), Math.min(rowsPerFrame, coarse)],
    });
    if (this.#sum === Number.NEGATIVE_INFINITY) return undefined;
    const around = { tempo: this.#tempo, pitch: this.#pitch, offset: 0 };
    const moved = anchor - (this.#shift * this.#tempo) / rowsPerFrame;
    this.#scan(peaks, around, middle, moved, {
      tempo: [extent.tempo === 0 ? 0 : 1.01 * tempoStep, tempoStep],
      pitch: [extent.pitch === 0 ? 0 : 1.01 * pitchStep, pitchStep],
      rows: [Math.min(rowsPerFrame, coarse), 1],
    });
    if (this.#sum === Number.NEGATIVE_INFINITY) return undefined;
    const at = moved - this.#tempo * middle;
    return this.#describe(peaks, this.#tempo, this.#pitch, at, this.#shift, coarse + 1);
  }

  /** Sums at all steps around a placement whose middle lies at `anchor`; keeps the best in `#tempo`, `#pitch`, `#shift`. */
  #scan(peaks: Uint32Array, from: Placement, middle: number, anchor: number, grid: Grid): void {
    const [tempoSteps, tempoStep] = stepsOf(grid.tempo);
    const [pitchSteps, pitchStep] = stepsOf(grid.pitch);
    const [reach, rowStep] = grid.rows;
    this.#sum = Number.NEGATIVE_INFINITY;
    for (let i = -tempoSteps; i <= tempoSteps; i++) {
      const tempo = from.tempo * (1 + i * tempoStep);
      for (let k = -pitchSteps; k <= pitchSteps; k++) {
        const pitch = from.pitch * (1 + k * pitchStep);
        if (!this.#lay(peaks, tempo, pitch, anchor - tempo * middle, reach + 1)) continue;
        for (let shift = -reach; shift <= reach; shift += rowStep) {
          const sum = this.#sumAt(shift);
          if (sum <= this.#sum) continue;
          this.#sum = sum;
          this.#tempo = tempo;
          this.#pitch = pitch;
          this.#shift = shift;
        }
      }
    }
  }

  /** Rows and cells under the peaks of a placement that can still be moved by `reach` rows; false for too few peaks. */
  #lay(peaks: Uint32Array, tempo: number, pitch: number, offset: number, reach: number): boolean {
    const { rows, rowsPerFrame } = this.#evidence;
    const perReferenceFrame = rowsPerFrame / tempo;
    // Row of a reference frame whose window centre is `frame + 2`.
    const origin = perReferenceFrame * (windowCentre - offset) - rowsPerFrame * windowCentre + 0.5;
    const earliest = (-reach - origin) / perReferenceFrame;
    const latest = (rows + reach - origin) / perReferenceFrame;
    const columns = perBin / pitch;
    let count = 0;
    for (let i = firstFrom(peaks, earliest); i < peaks.length; i += 2) {
      const frame = peaks[i + 1]!;
      if (frame > latest) break;
      const column = Math.floor(peaks[i]! * columns + 0.5) - markFirstBin;
      if (column < 0 || column >= markColumns) continue;
      if (count === this.#cells.length) this.#grow();
      const row = Math.floor(frame * perReferenceFrame + origin);
      this.#rows[count] = row;
      this.#records[count] = i;
      this.#cells[count++] = row * markColumns + column;
    }
    this.#count = count;
    return count >= leastPeaks;
  }

  #sumAt(shift: number): number {
    const { values, rows } = this.#evidence;
    const cells = this.#cells;
    const step = shift * markColumns;
    // Rows ascend, so that those inside the query lie side by side.
    let from = 0;
    let to = this.#count;
    while (from < to && this.#rows[from]! + shift < 0) from++;
    while (to > from && this.#rows[to - 1]! + shift >= rows) to--;
    let sum = 0;
    for (let i = from; i < to; i++) sum += values[cells[i]! + step]!;
    return sum;
  }

  #describe(
    peaks: Uint32Array,
    tempo: number,
    pitch: number,
    offset: number,
    shift: number,
    reach: number,
  ): VerifiedPlacement | undefined {
    const { values, rows, rowsPerFrame } = this.#evidence;
    this.#lay(peaks, tempo, pitch, offset, reach);
    const [before, best, after] = [this.#sumAt(shift - 1), this.#sumAt(shift), this.#sumAt(shift + 1)];
    const curvature = before - 2 * best + after;
    const vertex = curvature < 0 ? Math.max(-0.5, Math.min(0.5, (0.5 * (before - after)) / curvature)) : 0;
    const moved = offset - ((shift + vertex) * tempo) / rowsPerFrame;
    const stretch = this.#bestStretch(shift);
    if (stretch === undefined) return undefined;
    const hits: Hit[] = [];
    for (let i = stretch.first; i <= stretch.last; i++) {
      const row = this.#rows[i]! + shift;
      if (row < 0 || row >= rows || values[this.#cells[i]! + shift * markColumns]! <= 0) continue;
      const at = this.#records[i]!;
      hits.push({ frequency: peaks[at]!, frame: peaks[at + 1]! });
    }
    if (stretch.peaks < leastPeaks) return undefined;
    return {
      tempo,
      pitch,
      offset: moved,
      evidence: stretch.sum * evidenceUnit,
      peaks: stretch.peaks,
      hits,
    };
  }

  /**
   * The run of moments with the largest sum of evidence (Bentley and Kadane, 1984). Peaks of one moment come from one sound, so
   * that together they count for no more than `mostPerMoment`.
   */
  #bestStretch(shift: number): Stretch | undefined {
    const { values, rows, rowsPerFrame } = this.#evidence;
    const momentRows = momentFrames * rowsPerFrame;
    let [sum, start, inside, total] = [0, 0, 0, 0];
    let best: Stretch | undefined;
    for (let i = 0; i < this.#count; ) {
      const moment = Math.floor((this.#rows[i]! + shift) / momentRows);
      const first = i;
      let [own, peaks] = [0, 0];
      for (; i < this.#count && Math.floor((this.#rows[i]! + shift) / momentRows) === moment; i++) {
        const row = this.#rows[i]! + shift;
        if (row < 0 || row >= rows) continue;
        own += values[this.#cells[i]! + shift * markColumns]!;
        peaks++;
      }
      if (sum <= 0) [sum, start, inside] = [0, first, 0];
      own = Math.min(own, mostPerMoment);
      sum += own;
      total += own;
      inside += peaks;
      if (best === undefined || sum > best.sum) best = { sum, first: start, last: i - 1, peaks: inside };
    }
    if (best === undefined) return undefined;
    return { ...best, sum: best.sum + restWeight * (total - best.sum) };
  }

  #grow(): void {
    const larger = (from: Int32Array) => {
      const to = new Int32Array(2 * from.length);
      to.set(from);
      return to;
    };
    this.#cells = larger(this.#cells);
    this.#rows = larger(this.#rows);
    this.#records = larger(this.#records);
  }
}

/** Index of the first record whose frame is at least `frame`. */
function firstFrom(peaks: Uint32Array, frame: number): number {
  let low = 0;
  let high = peaks.length >> 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (peaks[2 * middle + 1]! < frame) low = middle + 1;
    else high = middle;
  }
  return 2 * low;
}
