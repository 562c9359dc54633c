/** Copies of one packet keep this distance, so that one short burst does not take both. */
const spacingUs = 5_000;
const capacity = 1024;

/** Second copies of repeated packets, waiting for their time. Bounded: when full, new copies are not made. */
export class DelayedCopies {
  readonly #sequences = new Float64Array(capacity);
  readonly #dueUs = new Float64Array(capacity);
  #read = 0;
  #length = 0;

  push(sequence: number, nowUs: number): void {
    if (this.#length === capacity) return;
    const at = (this.#read + this.#length++) % capacity;
    this.#sequences[at] = sequence;
    this.#dueUs[at] = nowUs + spacingUs;
  }

  /** When the next copy is due; Infinity without any. */
  get nextUs(): number {
    return this.#length === 0 ? Number.POSITIVE_INFINITY : this.#dueUs[this.#read]!;
  }

  /** Takes one sequence number whose copy is due, or returns -1. */
  due(nowUs: number): number {
    if (this.#length === 0 || this.#dueUs[this.#read]! > nowUs) return -1;
    const sequence = this.#sequences[this.#read]!;
    this.#read = (this.#read + 1) % capacity;
    this.#length--;
    return sequence;
  }
}
