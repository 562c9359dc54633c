const bucketUs = 50_000;
const bucketCount = 128;
const windowBuckets = 40;

/**
 * Loss of one link by time of sending: counts per 50 ms how many packets were sent and how many of those were reported
 * lost, and looks only at times old enough for a report to have come.
 */
export class LossMeter {
  readonly #sent = new Int32Array(bucketCount);
  readonly #lost = new Int32Array(bucketCount);
  #newest = -1;

  countSent(nowUs: number): void {
    this.#sent[this.#advance(nowUs)]!++;
  }

  /** A packet sent at `sentUs` was reported lost. */
  countLost(sentUs: number): void {
    const bucket = Math.floor(sentUs / bucketUs);
    if (bucket > this.#newest || bucket <= this.#newest - bucketCount) return;
    this.#lost[bucket % bucketCount]!++;
  }

  /** Lost / sent over the 2 s before `nowUs - lagUs`; 0 where fewer than 10 packets were sent. */
  loss(nowUs: number, lagUs: number): number {
    this.#advance(nowUs);
    const last = Math.min(this.#newest - 1, Math.floor((nowUs - lagUs) / bucketUs));
    return this.#ratio(last - windowBuckets + 1, last, 10);
  }

  reset(): void {
    this.#sent.fill(0);
    this.#lost.fill(0);
  }

  #ratio(first: number, last: number, atLeast: number): number {
    let sent = 0;
    let lost = 0;
    for (let bucket = Math.max(0, first, this.#newest - bucketCount + 1); bucket <= last; bucket++) {
      sent += this.#sent[bucket % bucketCount]!;
      lost += this.#lost[bucket % bucketCount]!;
    }
    return sent < atLeast ? 0 : Math.min(1, lost / sent);
  }

  #advance(nowUs: number): number {
    const bucket = Math.floor(nowUs / bucketUs);
    if (bucket > this.#newest) {
      const first = Math.max(this.#newest + 1, bucket - bucketCount + 1);
      for (let each = first; each <= bucket; each++) {
        this.#sent[each % bucketCount] = 0;
        this.#lost[each % bucketCount] = 0;
      }
      this.#newest = bucket;
    }
    return this.#newest % bucketCount;
  }
}
