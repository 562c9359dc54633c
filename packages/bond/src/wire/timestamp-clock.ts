/** 90 kHz ticks per microsecond, as a fraction. */
const numerator = 9;
const denominator = 100;

/**
 * Turns media time in microseconds into RTP timestamps, from a random offset (RFC 3550 section 5.1). Timestamps are signed
 * 32-bit values here: the same bits, and small integers to the engine.
 */
export class TimestampClock {
  readonly #offset: number;

  constructor(offset: number) {
    this.#offset = offset;
  }

  at(timeUs: number): number {
    return ((this.#offset + Math.floor((timeUs * numerator) / denominator)) % 0x1_0000_0000) | 0;
  }
}

/** Turns RTP timestamps back into a continuous media time in microseconds; its origin is the first timestamp. */
export class TimestampUnwrapper {
  #hasStarted = false;
  #newest = 0;
  #newestTicks = 0;

  /** Media time of `timestamp` in microseconds since the first; may be negative for older packets. */
  timeUs(timestamp: number): number {
    if (!this.#hasStarted) {
      this.#hasStarted = true;
      this.#newest = timestamp | 0;
      this.#newestTicks = 0;
    }
    // The difference of 32-bit values is right across the wrap, up to 6.6 hours either way.
    const delta = ((timestamp | 0) - this.#newest) | 0;
    const ticks = this.#newestTicks + delta;
    if (delta > 0) {
      this.#newest = timestamp | 0;
      this.#newestTicks = ticks;
    }
    return Math.floor((ticks * denominator) / numerator);
  }

  reset(): void {
    this.#hasStarted = false;
  }
}
