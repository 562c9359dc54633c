/** A queue of this many microseconds, or three times the jitter, means that the link is full. */
const congestedQueueUs = 30_000;
/** It must last so long to count: a burst of repeats also makes a queue, and the link is not full for that. */
const sustainedUs = 250_000;
/** Kept of the delivered rate when the link is full, so that its queue drains. */
const decrease = 0.85;
/** Growth per second while the link is the bottleneck and its queue is short. */
const increasePerSecond = 0.05;
const confidenceHalfLifeUs = 30_000_000;
/**
 * No queue makes the limit smaller than this. A link with a small share delivers little because it was given little, and a
 * busy process answers late, which looks like a queue: without a floor such a link is judged to carry next to nothing and
 * cannot take over when another one is cut. Links that really carry less than 256 kbit/s show it by loss.
 */
const smallestLimitBps = 256_000;

/**
 * What a link can carry. The lower bound is the best rate that was delivered lately; the upper bound exists only after
 * the link has shown to be full, and is then probed upwards a little at a time. Without evidence there is no limit:
 * guessing one from what was sent is how bonding systems starve good links.
 */
export class CapacityEstimator {
  #upperBps = Number.POSITIVE_INFINITY;
  #lowerBps = 0;
  #holdUntilUs = 0;
  #lastUpdateUs = -1;
  #evidenceUs = 0;
  #lowerUs = 0;
  #measuredBps = 0;
  #fullSinceUs = -1;

  /** Limit to pace at in bits per second; Infinity where the link was never full. */
  get limitBps(): number {
    return this.#upperBps;
  }

  /** Best delivered rate of the last 10 s. */
  get lowerBps(): number {
    return this.#lowerBps;
  }

  /** The single best guess for people and statistics. */
  get estimateBps(): number {
    if (this.#upperBps === Number.POSITIVE_INFINITY) return this.#lowerBps;
    return Math.max(this.#measuredBps, this.#upperBps);
  }

  /** For how long the link has been full without a break; 0 where it is not. */
  fullForUs(nowUs: number): number {
    return this.#fullSinceUs < 0 ? 0 : nowUs - this.#fullSinceUs;
  }

  /** From 1 when the link was just seen full, halving every 30 s. */
  confidence(nowUs: number): number {
    if (this.#upperBps === Number.POSITIVE_INFINITY) return 0;
    let value = 1;
    for (let age = nowUs - this.#evidenceUs; age > 0; age -= confidenceHalfLifeUs) {
      value *= age >= confidenceHalfLifeUs ? 0.5 : 1 - 0.5 * (age / confidenceHalfLifeUs);
    }
    return value;
  }

  /**
   * One step, every 10 to 100 ms.
   * @param deliveredBps acknowledged rate, while the link is full over that time only; 0 where it is not known yet
   * @param queueUs present round trip minus the smallest one
   * @param isBottleneck packets wait here for the limit
   */
  update(
    nowUs: number,
    deliveredBps: number,
    queueUs: number,
    jitterUs: number,
    rttUs: number,
    isBottleneck: boolean,
  ): void {
    const elapsedUs = this.#lastUpdateUs < 0 ? 0 : nowUs - this.#lastUpdateUs;
    this.#lastUpdateUs = nowUs;
    if (deliveredBps >= this.#lowerBps || nowUs - this.#lowerUs > 10_000_000) {
      this.#lowerBps = deliveredBps;
      this.#lowerUs = nowUs;
    }
    const isFull = queueUs > Math.max(congestedQueueUs, 3 * jitterUs);
    if (!isFull) this.#fullSinceUs = -1;
    else if (this.#fullSinceUs < 0) this.#fullSinceUs = nowUs;
    if (isFull && deliveredBps > 0) {
      this.#evidenceUs = nowUs;
      if (nowUs < this.#holdUntilUs || nowUs - this.#fullSinceUs < sustainedUs) return;
      this.#measuredBps = deliveredBps;
      this.#upperBps = Math.max(smallestLimitBps, Math.min(this.#upperBps, decrease * deliveredBps));
      // The queue that is there needs its own length / (1 - 0.85) to drain; judge again after that.
      this.#holdUntilUs = nowUs + Math.max(300_000, 2 * rttUs, Math.min(2_000_000, 5 * queueUs));
      return;
    }
    if (this.#upperBps === Number.POSITIVE_INFINITY) return;
    if (isBottleneck) {
      this.#upperBps *= 1 + (increasePerSecond * elapsedUs) / 1e6;
    } else if (this.confidence(nowUs) < 0.05) this.#upperBps = Number.POSITIVE_INFINITY;
  }

  /** The path has changed: what was known is at best a hint and no limit. */
  reset(): void {
    this.#upperBps = Number.POSITIVE_INFINITY;
    this.#lowerBps = 0;
    this.#holdUntilUs = 0;
    this.#measuredBps = 0;
    this.#fullSinceUs = -1;
  }
}
