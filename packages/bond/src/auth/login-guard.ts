import { lockUs, maxFailures } from "./authentication.ts";

const maxAddresses = 256;
/** Exponentiations that all strangers together may cause in a second; one takes about a millisecond. */
const exchangesPerSecond = 20;

interface Attempts {
  failures: number;
  lockedUntilUs: number;
}

/** Failures by source address, and a limit to the work that strangers can cause. Bounded: the oldest entry gives way. */
export class LoginGuard {
  readonly #attempts = new Map<string, Attempts>();
  #windowUs = Number.NEGATIVE_INFINITY;
  #exchanges = 0;

  isLocked(address: string, nowUs: number): boolean {
    return (this.#attempts.get(address)?.lockedUntilUs ?? 0) > nowUs;
  }

  /** Asks to compute keys for one exchange. */
  takeExchange(nowUs: number): boolean {
    if (nowUs - this.#windowUs >= 1_000_000) {
      this.#windowUs = nowUs;
      this.#exchanges = 0;
    }
    return this.#exchanges++ < exchangesPerSecond;
  }

  /** Counts a failure; returns true if the address is locked now. */
  countFailure(address: string, nowUs: number): boolean {
    const entry = this.#attempts.get(address) ?? { failures: 0, lockedUntilUs: 0 };
    this.#attempts.delete(address);
    this.#attempts.set(address, entry);
    if (this.#attempts.size > maxAddresses) {
      const [oldest] = this.#attempts.keys();
      if (oldest !== undefined) this.#attempts.delete(oldest);
    }
    entry.failures++;
    if (entry.failures < maxFailures) return false;
    entry.failures = 0;
    entry.lockedUntilUs = nowUs + lockUs;
    return true;
  }

  forgive(address: string): void {
    this.#attempts.delete(address);
  }
}
