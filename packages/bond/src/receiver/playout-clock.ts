const bucketUs = 2_000_000;
const bucketCount = 8;
/** Once running, the playout offset moves by at most 0.5 ms a second. */
const slewPerUs = 0.0005;

/**
 * Maps media time to the receiver's clock: playout = media time + offset + latency. The offset follows the smallest
 * (arrival - media time) of the last 16 s of first transmissions, that is the fastest path, slowly once packets play. Where
 * none of these was in time (a source that paused, a machine that slept) it follows at once: slewing would take hours.
 */
export class PlayoutClock {
  readonly #minima = new Float64Array(bucketCount).fill(Number.POSITIVE_INFINITY);
  #bucket = -1;
  #offsetUs = 0;
  #lastUs = 0;
  #isRunning = false;

  /** Takes the arrival of a first transmission; `latencyUs` is the latency of playout. */
  add(timeUs: number, nowUs: number, latencyUs: number): void {
    const bucket = Math.floor(nowUs / bucketUs);
    if (this.#bucket < 0) this.#bucket = bucket;
    while (this.#bucket < bucket) {
      this.#bucket = Math.max(this.#bucket + 1, bucket - bucketCount);
      this.#minima[this.#bucket % bucketCount] = Number.POSITIVE_INFINITY;
    }
    const at = bucket % bucketCount;
    if (nowUs - timeUs < this.#minima[at]!) this.#minima[at] = nowUs - timeUs;
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < bucketCount; i++) if (this.#minima[i]! < least) least = this.#minima[i]!;
    if (this.#isRunning && least - this.#offsetUs <= latencyUs) {
      const most = (nowUs - this.#lastUs) * slewPerUs;
      this.#offsetUs += Math.max(-most, Math.min(most, least - this.#offsetUs));
    } else this.#offsetUs = least;
    this.#lastUs = nowUs;
  }

  /** Playout has begun: from now on the offset only slews. */
  start(): void {
    this.#isRunning = true;
  }

  get offsetUs(): number {
    return this.#offsetUs;
  }

  reset(): void {
    this.#minima.fill(Number.POSITIVE_INFINITY);
    this.#bucket = -1;
    this.#isRunning = false;
  }
}
