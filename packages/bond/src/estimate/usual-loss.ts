const bucketUs = 1_000_000;
const bucketCount = 10;
/** The loss meter looks back two seconds and a round trip; earlier values are no measurements. */
const settleUs = 2_500_000;

/** What a link loses anyway: the least loss of the last ten seconds. What it loses beyond that is the work of a full queue. */
export class UsualLoss {
  readonly #minima = new Float64Array(bucketCount).fill(Number.POSITIVE_INFINITY);
  #bucket = -1;
  #startUs = -1;
  #latest = 0;

  add(loss: number, nowUs: number): void {
    this.#latest = loss;
    if (this.#startUs < 0) this.#startUs = nowUs;
    if (nowUs - this.#startUs < settleUs) return;
    const bucket = Math.floor(nowUs / bucketUs);
    if (this.#bucket < 0) this.#bucket = bucket;
    while (this.#bucket < bucket) {
      this.#bucket = Math.max(this.#bucket + 1, bucket - bucketCount);
      this.#minima[this.#bucket % bucketCount] = Number.POSITIVE_INFINITY;
    }
    const at = bucket % bucketCount;
    if (loss < this.#minima[at]!) this.#minima[at] = loss;
  }

  /** 0 to 1; the latest value while nothing is settled. */
  get ratio(): number {
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < bucketCount; i++) if (this.#minima[i]! < least) least = this.#minima[i]!;
    return least === Number.POSITIVE_INFINITY ? this.#latest : least;
  }

  reset(): void {
    this.#minima.fill(Number.POSITIVE_INFINITY);
    this.#bucket = -1;
    this.#startUs = -1;
    this.#latest = 0;
  }
}
