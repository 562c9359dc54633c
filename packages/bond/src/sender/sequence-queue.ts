/** A bounded queue of sequence numbers; when full, the oldest gives way. */
export class SequenceQueue {
  readonly #items: Float64Array;
  #read = 0;
  #length = 0;
  /** Numbers that were pushed out. */
  dropped = 0;

  /** @param capacity how many it holds */
  constructor(capacity: number) {
    this.#items = new Float64Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  push(sequence: number): void {
    const items = this.#items;
    if (this.#length === items.length) {
      this.shift();
      this.dropped++;
    }
    items[(this.#read + this.#length++) % items.length] = sequence;
  }

  /** The oldest number, or -1. */
  peek(): number {
    return this.#length === 0 ? -1 : this.#items[this.#read]!;
  }

  /** Takes the oldest number out, or returns -1. */
  shift(): number {
    if (this.#length === 0) return -1;
    const sequence = this.#items[this.#read]!;
    this.#read = (this.#read + 1) % this.#items.length;
    this.#length--;
    return sequence;
  }
}
