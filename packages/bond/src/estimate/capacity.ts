/** A queue of this many microseconds, or three times the jitter, means that the link is full. */
const congestedQueueUs = 30_000;
/**
 * It must last so long to count: a burst of repeats also makes a queue, and so does a process that gets no CPU for a while,
 * and the link is not full for that.
 */
const sustainedUs = 500_000;
/** A queue that the other links do not have, or that overflows, is not the process's: with other links the loss of one is cheap. */
const ownSustainedUs = 250_000;
/** A push must last for longer than rates waver. */
const pushSustainedUs = 250_000;
/** Without drops one judgement takes no more than this from what was given: late acknowledgements make rates look small. */
const leastKept = 0.7;
/** With drops no more than this: reports of many losses at once make the delivered rate look like nothing. */
const leastKeptWithDrops = 0.25;
/** Kept of the delivered rate when the link is full, so that its queue drains. */
const decrease = 0.85;
/** Growth per second while packets wait for the limit and no queue answers; it doubles every half second of that. */
const increasePerSecond = 0.1;
const mostIncreasePerSecond = 2;
const softIncreasePerSecond = 4;
const increaseDoublesUs = 500_000;
const usedUpRatio = 0.97;
const confidenceHalfLifeUs = 30_000_000;
/** More was given to the link than this multiple of what it delivered: it was pushed to its limit. */
const pushedRatio = 1.25;
/** ... by at least so much: three packets in a quarter of a second, below which rates are counting noise. */
const pushedByBps = 130_000;
/** For so long a push explains a queue. */
const pushLastsUs = 1_000_000;
/** Shortest window of the delivered rate, and how much later than arrivals losses are reported where links differ in delay. */
const lateReportsUs = 280_000;
/** After a pause of this process its own lateness fills every measurement for so long, and two round trips if that is longer. */
const distrustUs = 1_000_000;
/** A queue that only this link has is evidence without a push after so long. */
const ownQueueUs = 1_000_000;
/** One packet of 1400 bytes in 100 ms: below that nothing can be measured. */
const smallestLimitBps = 112_000;

/**
 * What a link can carry. The lower bound is the best rate that was delivered lately; the upper bound exists only after
 * the link has shown to be full, and is then probed upwards a little at a time. Without evidence there is no limit:
 * guessing one from what was sent is how bonding systems starve good links.
 *
 * A link that delivers all that it is given is limited by the application and says nothing about its capacity, whatever the
 * round trips look like (the marking of BBR's rate samples, draft-cheng-iccrg-delivery-rate-estimation). Late answers of a
 * busy process look like a queue on all links at once; a queue that one link alone has for a second is its own.
 */
export class CapacityEstimator {
  #upperBps = Number.POSITIVE_INFINITY;
  #lowerBps = 0;
  #holdUntilUs = 0;
  #lastUpdateUs = -1;
  #evidenceUs = 0;
  #lowerUs = 0;
  #measuredBps = 0;
  /** What the last judgement leaves at least, its refinements included. */
  #leastBps = 0;
  #fullSinceUs = -1;
  #ownSinceUs = -1;
  #pushedSinceUs = -1;
  #pushedUs = Number.NEGATIVE_INFINITY;
  #waitingSinceUs = -1;
  #judgedUs = Number.NEGATIVE_INFINITY;
  #distrustedUntilUs = Number.NEGATIVE_INFINITY;
  /** The limit follows from a queue alone, which may be another's: it gives way quickly when it is in the way. */
  #isSoft = false;

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
   * @param offeredBps rate at which packets were given to the link over as long a time one round trip earlier
   * @param queueUs present round trip minus the smallest one
   * @param commonQueueUs the least such queue of the other links; Infinity without others, when a queue cannot be told
   *   from late answers
   * @param isWaiting packets wait here for the limit
   * @param hasDrops losses have jumped above the link's usual ones
   */
  update(
    nowUs: number,
    deliveredBps: number,
    offeredBps: number,
    queueUs: number,
    commonQueueUs: number,
    jitterUs: number,
    rttUs: number,
    isWaiting: boolean,
    hasDrops: boolean,
  ): void {
    const elapsedUs = this.#lastUpdateUs < 0 ? 0 : nowUs - this.#lastUpdateUs;
    this.#lastUpdateUs = nowUs;
    if (deliveredBps >= this.#lowerBps || nowUs - this.#lowerUs > 10_000_000) {
      this.#lowerBps = deliveredBps;
      this.#lowerUs = nowUs;
    }
    const thresholdUs = Math.max(congestedQueueUs, 3 * jitterUs);
    const isTrusted = nowUs >= this.#distrustedUntilUs;
    const isFull = isTrusted && queueUs > thresholdUs;
    this.#fullSinceUs = since(this.#fullSinceUs, isFull, nowUs);
    this.#ownSinceUs = since(this.#ownSinceUs, isTrusted && queueUs - commonQueueUs > thresholdUs, nowUs);
    // Single packets wait for a burst to pass; only a link that is used up to its limit shows whether there is more.
    const isBonded = commonQueueUs !== Number.POSITIVE_INFINITY;
    // Without other links whatever waits has nowhere else to go.
    const isUsedUp = isWaiting && (!isBonded || offeredBps > usedUpRatio * this.#upperBps);
    const isPushed = offeredBps > Math.max(pushedRatio * deliveredBps, deliveredBps + pushedByBps);
    this.#pushedSinceUs = since(this.#pushedSinceUs, isTrusted && isPushed && deliveredBps > 0, nowUs);
    const hasPush = this.#pushedSinceUs >= 0 && nowUs - this.#pushedSinceUs > pushSustainedUs;
    if (isTrusted && deliveredBps > 0 && (hasPush || hasDrops)) this.#pushedUs = nowUs;
    if (!isUsedUp) this.#waitingSinceUs = -1;
    const isRefined = isTrusted && hasDrops && nowUs - this.#judgedUs < lateReportsUs;
    if (isRefined && deliveredBps > 0 && deliveredBps < this.#measuredBps) {
      // Reports of what a full queue dropped come a little later than those of what arrived.
      this.#measuredBps = Math.max(deliveredBps, this.#leastBps);
      this.#upperBps = Math.max(smallestLimitBps, Math.min(this.#upperBps, decrease * this.#measuredBps));
    }
    if (isFull && deliveredBps > 0 && this.#isEvidence(nowUs, hasDrops, isBonded)) {
      this.#evidenceUs = nowUs;
      this.#waitingSinceUs = -1;
      if (nowUs < this.#holdUntilUs) return;
      this.#judgedUs = nowUs;
      this.#isSoft = nowUs - this.#pushedUs >= pushLastsUs;
      this.#measuredBps = deliveredBps;
      const givenBps = Math.min(this.#upperBps, offeredBps);
      // A single link carries the stream or nobody does: there a drop that was a pause must not cost more either.
      const kept = hasDrops && isBonded ? leastKeptWithDrops : leastKept;
      this.#leastBps = givenBps === Number.POSITIVE_INFINITY ? 0 : kept * givenBps;
      const limitBps = Math.max(smallestLimitBps, this.#leastBps, decrease * deliveredBps);
      this.#upperBps = Math.min(this.#upperBps, limitBps);
      // The queue that is there needs its own length / (1 - 0.85) to drain; judge again after that.
      this.#holdUntilUs = nowUs + Math.max(300_000, 2 * rttUs, Math.min(2_000_000, 5 * queueUs));
      return;
    }
    if (this.#upperBps === Number.POSITIVE_INFINITY) return;
    if (isUsedUp) {
      if (this.#waitingSinceUs < 0) this.#waitingSinceUs = nowUs;
      const doublings = Math.floor((nowUs - this.#waitingSinceUs) / increaseDoublesUs);
      const doubled = increasePerSecond * 2 ** Math.min(10, doublings);
      const increase =
        this.#isSoft || !isTrusted ? softIncreasePerSecond : Math.min(mostIncreasePerSecond, doubled);
      this.#upperBps *= 1 + (increase * elapsedUs) / 1e6;
    } else if (!isWaiting && this.confidence(nowUs) < 0.05) this.#upperBps = Number.POSITIVE_INFINITY;
  }

  /**
   * The queue of a full link counts once it lasts, and only where the link had more to carry than it delivered (or drops what
   * it is given), or has the queue alone.
   */
  #isEvidence(nowUs: number, hasDrops: boolean, isBonded: boolean): boolean {
    const ownUs = this.#ownSinceUs < 0 ? 0 : nowUs - this.#ownSinceUs;
    const isPushed = nowUs - this.#pushedUs < pushLastsUs;
    if (isPushed && ownUs > ownSustainedUs) return true;
    const isShort = hasDrops && isBonded;
    if (nowUs - this.#fullSinceUs < (isShort ? ownSustainedUs : sustainedUs)) return false;
    if (isPushed) return true;
    return ownUs > ownQueueUs;
  }

  /**
   * This process stood still until now: what it sent late and read late looks like a full link for a while, and is none. What was
   * learned stays, nothing is learned anew, and a limit that is in the way gives way.
   */
  distrust(nowUs: number, rttUs: number): void {
    this.#distrustedUntilUs = nowUs + Math.max(distrustUs, 2 * rttUs);
    this.#pushedUs = Number.NEGATIVE_INFINITY;
  }

  /** Starts from a limit that was learned earlier: an upper hint, forgotten or probed upwards as any other. */
  restore(limitBps: number, nowUs: number): void {
    if (!(limitBps >= smallestLimitBps)) return;
    this.#upperBps = limitBps;
    this.#measuredBps = limitBps;
    this.#evidenceUs = nowUs - confidenceHalfLifeUs;
  }

  /** The path has changed: what was known is at best a hint and no limit. */
  reset(): void {
    this.#upperBps = Number.POSITIVE_INFINITY;
    this.#lowerBps = 0;
    this.#holdUntilUs = 0;
    this.#measuredBps = 0;
    this.#fullSinceUs = -1;
    this.#ownSinceUs = -1;
    this.#pushedSinceUs = -1;
    this.#pushedUs = Number.NEGATIVE_INFINITY;
    this.#waitingSinceUs = -1;
  }
}

/** Start of the time for which a condition has held, or -1. */
function since(startUs: number, holds: boolean, nowUs: number): number {
  if (!holds) return -1;
  return startUs < 0 ? nowUs : startUs;
}
