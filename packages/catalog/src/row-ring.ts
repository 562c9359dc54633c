import { markColumns } from "@longwave/fingerprint";

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

  /** A copy of the rows from frame `oldest` on, as far as they are kept, and the frame of the first. */
  since(oldest: number): { readonly levels: Int8Array; readonly firstFrame: number } {
    const firstFrame = Math.max(oldest, this.#end - this.#capacity, 0);
    const rows = Math.max(0, this.#end - firstFrame);
    const levels = new Int8Array(rows * markColumns);
    for (let row = 0; row < rows; row++) {
      const from = ((firstFrame + row) % this.#capacity) * markColumns;
      levels.set(this.#rows.subarray(from, from + markColumns), row * markColumns);
    }
    return { levels, firstFrame };
  }
}
