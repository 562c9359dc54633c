import type { RecordSink } from "./fingerprint.ts";

const capacity = 512;

/** Collects finished records and hands them to a sink in batches, without allocating. */
export class RecordBuffer {
  readonly #words: Uint32Array;
  readonly #recordWords: number;
  #count = 0;
  #sink: RecordSink | undefined;

  constructor(recordWords: number) {
    this.#recordWords = recordWords;
    this.#words = new Uint32Array(capacity * recordWords);
  }

  /** Where the records of the current call go. */
  set sink(sink: RecordSink | undefined) {
    this.#sink = sink;
  }

  add2(hash: number, frame: number): void {
    const at = this.#count * this.#recordWords;
    this.#words[at] = hash;
    this.#words[at + 1] = frame;
    if (++this.#count === capacity) this.drain();
  }

  add4(hash: number, frame: number, second: number, third: number): void {
    const at = this.#count * this.#recordWords;
    this.#words[at] = hash;
    this.#words[at + 1] = frame;
    this.#words[at + 2] = second;
    this.#words[at + 3] = third;
    if (++this.#count === capacity) this.drain();
  }

  /** Hands over what has been collected. */
  drain(): void {
    const count = this.#count;
    if (count === 0) return;
    this.#count = 0;
    this.#sink?.(this.#words, count);
  }

  clear(): void {
    this.#count = 0;
  }
}
