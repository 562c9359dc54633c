/**
 * Sound on its way from a device that does not wait: what does not fit is dropped and counted. Read it once, with `for await`.
 */
export class BoundedQueue implements AsyncIterable<Float32Array> {
  readonly #capacity: number;
  #waiting: Float32Array[] = [];
  #length = 0;
  #dropped = 0;
  #over = false;
  #error: Error | undefined;
  #wake: () => void = () => {};

  /** @param capacity samples that may wait */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Samples that were dropped so far. */
  get dropped(): number {
    return this.#dropped;
  }

  push(samples: Float32Array): void {
    const room = this.#capacity - this.#length;
    const kept = samples.length <= room ? samples : samples.subarray(0, room);
    this.#dropped += samples.length - kept.length;
    if (kept.length === 0) return;
    this.#waiting.push(kept);
    this.#length += kept.length;
    this.#wake();
  }

  /** No more will come; with an error, reading ends with it. */
  end(error?: Error): void {
    this.#over = true;
    this.#error = error;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Float32Array> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) {
        this.#length -= next.length;
        yield next;
      } else if (!this.#over) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      } else if (this.#error !== undefined) throw this.#error;
      else return;
    }
  }
}
