import { timestampModulus, unwrapNear } from "./sequence.ts";

/** 90 kHz ticks per microsecond, as a fraction. */
const numerator = 9;
const denominator = 100;

/** Turns media time in microseconds into RTP timestamps, from a random offset (RFC 3550 section 5.1). */
export class TimestampClock {
  readonly #offset: number;

  constructor(offset: number) {
    this.#offset = offset;
  }

  at(timeUs: number): number {
    return (this.#offset + Math.floor((timeUs * numerator) / denominator)) % timestampModulus;
  }
}

/** Turns RTP timestamps back into a continuous media time in microseconds; its origin is the first timestamp. */
export class TimestampUnwrapper {
  #reference = -1;
  #origin = 0;

  /** Media time of `timestamp`, in microseconds since the first; may be negative for older packets. */
  timeUs(timestamp: number): number {
    if (this.#reference < 0) this.#reference = this.#origin = timestamp + timestampModulus;
    const extended = unwrapNear(timestamp, this.#reference, timestampModulus);
    if (extended > this.#reference) this.#reference = extended;
    return Math.floor(((extended - this.#origin) * denominator) / numerator);
  }

  reset(): void {
    this.#reference = -1;
  }
}
