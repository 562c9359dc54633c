const bucketUs = 50_000;
const bucketCount = 64;

/** Bytes per time over a sliding window, in buckets of 50 ms. */
export class RateMeter {
  readonly #bytes = new Float64Array(bucketCount);
  #newest = -1;
  #first = -1;

  add(bytes: number, nowUs: number): void {
    this.#advance(nowUs);
    const at = this.#newest % bucketCount;
    this.#bytes[at] = this.#bytes[at]! + bytes;
  }

  /** Bits per second over the last `windowUs` (at most 3 s) of complete buckets, or over as long a time `lagUs` ago. */
  bps(nowUs: number, windowUs: number, lagUs = 0): number {
    if (this.#first < 0) return 0;
    this.#advance(nowUs);
    const lag = Math.min(Math.round(lagUs / bucketUs), bucketCount - 2);
    const end = this.#newest - lag;
    const buckets = Math.min(Math.round(windowUs / bucketUs), bucketCount - 1 - lag, end - this.#first);
    if (buckets < 1) return 0;
    let sum = 0;
    for (let bucket = end - buckets; bucket < end; bucket++) sum += this.#bytes[bucket % bucketCount]!;
    return (sum * 8e6) / (buckets * bucketUs);
  }

  #advance(nowUs: number): void {
    const bucket = Math.floor(nowUs / bucketUs);
    if (this.#first < 0) this.#first = this.#newest = bucket;
    if (bucket <= this.#newest) return;
    for (let each = Math.max(this.#newest + 1, bucket - bucketCount + 1); each <= bucket; each++) {
      this.#bytes[each % bucketCount] = 0;
    }
    this.#newest = bucket;
  }
}
