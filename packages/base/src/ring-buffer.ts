import { BaseError } from "./errors.ts";

/**
 * A bounded queue of f32 samples for one producer and one consumer on one thread. Nothing is allocated after
 * construction. When full, `write` takes what fits and says how much that was: the caller decides what to do with the
 * rest.
 */
export class SampleRing {
  readonly #samples: Float32Array;
  #read = 0;
  #length = 0;

  /** @param capacity samples it can hold, at least 1 */
  constructor(capacity: number) {
    if (!Number.isInteger(capacity) || capacity < 1 || capacity > 2 ** 30) {
      throw new BaseError("base/bad-capacity", "usage", `A ring holds 1 to 2^30 samples, not ${capacity}.`);
    }
    this.#samples = new Float32Array(capacity);
  }

  get capacity(): number {
    return this.#samples.length;
  }

  /** Samples waiting to be read. */
  get length(): number {
    return this.#length;
  }

  /** Copies up to `end - start` samples in; returns how many fitted. */
  write(from: Float32Array, start = 0, end: number = from.length): number {
    const ring = this.#samples;
    const count = Math.max(0, Math.min(Math.min(end, from.length) - start, ring.length - this.#length));
    let to = (this.#read + this.#length) % ring.length;
    for (let i = 0; i < count; i++) {
      ring[to] = from[start + i]!;
      if (++to === ring.length) to = 0;
    }
    this.#length += count;
    return count;
  }

  /** Moves up to `end - start` samples out; returns how many there were. */
  read(into: Float32Array, start = 0, end: number = into.length): number {
    const count = this.peek(into, start, end);
    this.skip(count);
    return count;
  }

  /** As `read`, but leaves the samples in the queue. */
  peek(into: Float32Array, start = 0, end: number = into.length): number {
    const ring = this.#samples;
    const count = Math.max(0, Math.min(Math.min(end, into.length) - start, this.#length));
    let from = this.#read;
    for (let i = 0; i < count; i++) {
      into[start + i] = ring[from]!;
      if (++from === ring.length) from = 0;
    }
    return count;
  }

  /** Drops up to `count` of the oldest samples; returns how many. */
  skip(count: number): number {
    const dropped = Math.max(0, Math.min(count, this.#length));
    this.#read = (this.#read + dropped) % this.#samples.length;
    this.#length -= dropped;
    return dropped;
  }

  clear(): void {
    this.#read = 0;
    this.#length = 0;
  }
}
