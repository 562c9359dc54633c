const bucketUs = 1_000_000;
const bucketCount = 10;
/** Before the first sample: a guess that is safe for retry timers. */
const initialRttUs = 200_000;

/**
 * Round-trip time of one link: smoothed as in RFC 6298, minimum over 10 s (a bloated minimum must expire), jitter as mean
 * absolute difference of successive samples. All times in microseconds.
 */
export class RttEstimator {
  readonly #minima = new Float64Array(bucketCount).fill(Number.POSITIVE_INFINITY);
  #bucket = -1;
  #smoothedUs = 0;
  #deviationUs = 0;
  #lastUs = 0;
  #jitterUs = 0;
  /** When the last sample came; -Infinity before the first. */
  lastSampleUs: number = Number.NEGATIVE_INFINITY;
  sampleCount = 0;

  /** Takes one sample; samples outside (0, 60 s) are ignored. */
  add(sampleUs: number, nowUs: number): void {
    if (!(sampleUs >= 0 && sampleUs < 60_000_000)) return;
    if (this.sampleCount === 0) {
      this.#smoothedUs = sampleUs;
      this.#deviationUs = sampleUs / 4;
      this.#jitterUs = 0;
    } else {
      this.#deviationUs += (Math.abs(sampleUs - this.#smoothedUs) - this.#deviationUs) / 4;
      this.#smoothedUs += (sampleUs - this.#smoothedUs) / 8;
      this.#jitterUs += (Math.abs(sampleUs - this.#lastUs) - this.#jitterUs) / 16;
    }
    this.#lastUs = sampleUs;
    this.lastSampleUs = nowUs;
    this.sampleCount++;
    const bucket = Math.floor(nowUs / bucketUs);
    if (this.#bucket < 0) this.#bucket = bucket;
    while (this.#bucket < bucket) {
      this.#bucket = Math.max(this.#bucket + 1, bucket - bucketCount);
      this.#minima[this.#bucket % bucketCount] = Number.POSITIVE_INFINITY;
    }
    const at = bucket % bucketCount;
    if (sampleUs < this.#minima[at]!) this.#minima[at] = sampleUs;
  }

  /** Forgets everything: the path has changed. */
  reset(): void {
    this.#minima.fill(Number.POSITIVE_INFINITY);
    this.#bucket = -1;
    this.sampleCount = 0;
    this.lastSampleUs = Number.NEGATIVE_INFINITY;
  }

  get smoothedUs(): number {
    return this.sampleCount === 0 ? initialRttUs : this.#smoothedUs;
  }

  get deviationUs(): number {
    return this.sampleCount === 0 ? initialRttUs / 4 : this.#deviationUs;
  }

  get lastUs(): number {
    return this.sampleCount === 0 ? initialRttUs : this.#lastUs;
  }

  get jitterUs(): number {
    return this.#jitterUs;
  }

  /** Smallest sample of the last 10 s in which there were samples. */
  get minUs(): number {
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < bucketCount; i++) if (this.#minima[i]! < least) least = this.#minima[i]!;
    return least === Number.POSITIVE_INFINITY ? this.smoothedUs : least;
  }
}
