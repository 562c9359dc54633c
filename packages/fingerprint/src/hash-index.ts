/**
 * The records of one fingerprint ordered by hash, to find all frames of a hash by bisection. Built once, read only.
 */
export class HashIndex {
  /** Record numbers in order of (hash, record). */
  readonly order: Uint32Array;
  readonly #records: Uint32Array;
  readonly #words: number;

  constructor(records: Uint32Array, words: number) {
    this.#records = records;
    this.#words = words;
    const count = records.length / words;
    // Sorting f64 keys hash * 2^21 + record is exact for up to 2^21 records and needs no comparator.
    if (count <= 2 ** 21) {
      const keys = new Float64Array(count);
      for (let i = 0; i < count; i++) keys[i] = records[i * words]! * 2 ** 21 + i;
      keys.sort();
      this.order = Uint32Array.from(keys, (key) => key % 2 ** 21);
    } else {
      this.order = Uint32Array.from({ length: count }, (_, i) => i);
      this.order.sort((a, b) => records[a * words]! - records[b * words]! || a - b);
    }
  }

  /** First position in `order` whose hash is not below `hash`. */
  lowerBound(hash: number): number {
    let low = 0;
    let high = this.order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#records[this.order[middle]! * this.#words]! < hash) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** End of the run of `hash` that begins at `start`. */
  runEnd(start: number, hash: number): number {
    let end = start;
    while (end < this.order.length && this.#records[this.order[end]! * this.#words]! === hash) end++;
    return end;
  }
}
