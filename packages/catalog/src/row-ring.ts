import { evidenceOf, type MarkEvidence, markColumns } from "@longwave/fingerprint";
import { peakQuery, type Query } from "./query.ts";

/** The newest whitened rows of a stream in `mark-v1`, against which alignments are verified. */
export class RowRing {
  readonly #capacity: number;
  readonly #rows: Int8Array;
  /** Frame after the newest row. */
  #end = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#rows = new Int8Array(capacity * markColumns);
  }

  add(frame: number, row: Int8Array): void {
    this.#rows.set(row, (frame % this.#capacity) * markColumns);
    this.#end = frame + 1;
  }

  reset(): void {
    this.#end = 0;
  }

  /** A query of `peaks`, records of the same stream, and of the rows from frame `oldest` on. */
  query(peaks: Uint32Array, milliseconds: number, oldest: number): Query {
    const first = Math.max(oldest, this.#end - this.#capacity, 0);
    const rows = Math.max(0, this.#end - first);
    const levels = new Int8Array(rows * markColumns);
    for (let row = 0; row < rows; row++) {
      const from = ((first + row) % this.#capacity) * markColumns;
      levels.set(this.#rows.subarray(from, from + markColumns), row * markColumns);
    }
    let made: MarkEvidence | undefined;
    const evidence = () => {
      made ??= evidenceOf({ levels, rows, rowsPerFrame: 1 });
      return made;
    };
    return peakQuery({ peaks: [peaks], shiftFrames: [0], seconds: milliseconds / 1000, evidence }, first);
  }
}
