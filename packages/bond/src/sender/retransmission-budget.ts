/** Retransmissions per second are limited to this multiple of the measured loss, and at least to `floorRatio`. */
const floorRatio = 0.1;
/** More loss than this is not believed: forged requests could claim any, and a link that loses half is of no use. */
const mostLoss = 0.5;
/** Stored allowance: a second of the stream, so that the gap of a cut link can be repeated at once. */
const burstSeconds = 1;
const leastBurstBytes = 50_000;
/** What is repeated as a precaution leaves this part of the stored allowance to what is known to be lost. */
const reserveRatio = 0.5;
/** Added to the floor while the receiver cannot say what has arrived. */
const blindRatio = 0.15;
/** A receiver is taken for such for this long. */
const blindUs = 2_000_000;

/** Token bucket that keeps repeated packets from drowning the stream (a full link plus ARQ is a congestion collapse). */
export class RetransmissionBudget {
  readonly #factor: number;
  #tokens = leastBurstBytes;
  #lastUs = 0;
  #most = leastBurstBytes;
  #blindUntilUs = Number.NEGATIVE_INFINITY;
  refused = 0;

  /** @param factor allowance relative to loss times stream rate; 1.5 by default */
  constructor(factor: number) {
    this.#factor = factor;
  }

  /** Refills for the time since the last call. */
  refill(nowUs: number, streamBps: number, loss: number): void {
    const bytesPerSecond = streamBps / 8;
    // A packet may need several repeats: of a share p of lost packets, p/(1-p) transmissions are repeats in the mean.
    const believed = Math.min(loss, mostLoss);
    const floor = floorRatio + (nowUs < this.#blindUntilUs ? blindRatio : 0);
    const ratio = Math.max(floor, (this.#factor * believed) / (1 - believed));
    this.#most = Math.max(leastBurstBytes, bytesPerSecond * burstSeconds);
    this.#tokens = Math.min(
      this.#most,
      this.#tokens + (ratio * bytesPerSecond * (nowUs - this.#lastUs)) / 1e6,
    );
    this.#lastUs = nowUs;
  }

  /** The receiver asks for packets whether they have arrived or not: they need more repeats than were lost. */
  expectBlindRequests(nowUs: number): void {
    this.#blindUntilUs = nowUs + blindUs;
  }

  /** As `take`, for a copy that is only a precaution: it does not use up what requests may need. */
  takeSpare(bytes: number): boolean {
    return this.#tokens - bytes >= reserveRatio * Math.min(this.#most, leastBurstBytes) && this.take(bytes);
  }

  /** Takes `bytes`; false where the allowance is used up. */
  take(bytes: number): boolean {
    if (this.#tokens < bytes) {
      this.refused++;
      return false;
    }
    this.#tokens -= bytes;
    return true;
  }
}
