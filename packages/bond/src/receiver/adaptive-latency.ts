const periodUs = 500_000;
/** Packets that come too late widen the buffer by this much at once. */
const widen = 1.15;
/** Shrinks by at most this much per second: faster would be heard. */
const shrinkUsPerSecond = 5_000;

/**
 * Playout latency between bounds: quickly up when packets come late or the path needs more (seven round trips for repeats,
 * reordering and the skew between links, librist's rule), slowly down afterwards.
 */
export class AdaptiveLatency {
  readonly #leastUs: number;
  readonly #mostUs: number;
  #nextUs = 0;
  #seenLate = 0;

  constructor(leastUs: number, mostUs: number) {
    this.#leastUs = leastUs;
    this.#mostUs = mostUs;
  }

  get isAdaptive(): boolean {
    return this.#mostUs > this.#leastUs;
  }

  /**
   * @param bufferUs latency now
   * @param needUs what the paths need
   * @param late packets that came too late so far
   * @returns the latency from now on
   */
  step(bufferUs: number, needUs: number, late: number, nowUs: number): number {
    if (nowUs < this.#nextUs) return bufferUs;
    this.#nextUs = nowUs + periodUs;
    const isLate = late > this.#seenLate;
    this.#seenLate = late;
    const wantedUs = Math.min(this.#mostUs, Math.max(this.#leastUs, needUs, isLate ? bufferUs * widen : 0));
    if (wantedUs >= bufferUs) return wantedUs;
    return Math.max(wantedUs, bufferUs - (shrinkUsPerSecond * periodUs) / 1e6);
  }
}
