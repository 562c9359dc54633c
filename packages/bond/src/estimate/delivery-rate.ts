const sampleCount = 64;

/**
 * The rate at which a link delivers, from acknowledged progress: samples of (time, bytes sent up to the highest sequence
 * number that arrived). What was sent is never taken for what was delivered.
 */
export class DeliveryRate {
  readonly #timesUs = new Float64Array(sampleCount);
  readonly #bytes = new Float64Array(sampleCount);
  #count = 0;

  /** `ackedBytes` may not fall. */
  add(nowUs: number, ackedBytes: number): void {
    if (this.#count > 0 && nowUs - this.#timesUs[(this.#count - 1) % sampleCount]! < 10_000) return;
    this.#timesUs[this.#count % sampleCount] = nowUs;
    this.#bytes[this.#count % sampleCount] = ackedBytes;
    this.#count++;
  }

  /** Bits per second over about the last `windowUs`, or 0 where the samples do not cover half of it. */
  bps(windowUs: number): number {
    if (this.#count < 2) return 0;
    const last = (this.#count - 1) % sampleCount;
    const endUs = this.#timesUs[last]!;
    let first = last;
    for (let back = 1; back < Math.min(this.#count, sampleCount); back++) {
      first = (this.#count - 1 - back) % sampleCount;
      if (endUs - this.#timesUs[first]! >= windowUs) break;
    }
    const spanUs = endUs - this.#timesUs[first]!;
    if (spanUs < windowUs / 2) return 0;
    return ((this.#bytes[last]! - this.#bytes[first]!) * 8e6) / spanUs;
  }

  get lastSampleUs(): number {
    return this.#count === 0 ? Number.NEGATIVE_INFINITY : this.#timesUs[(this.#count - 1) % sampleCount]!;
  }

  reset(): void {
    this.#count = 0;
  }
}
