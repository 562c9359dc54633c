import type { Clock } from "../clock.ts";

/** The machine's clock and timers. Timers do not keep the process alive on their own account once `unref` is set. */
export class SystemClock implements Clock {
  readonly #timers = new Map<number, NodeJS.Timeout>();
  #nextHandle = 1;

  nowUs(): number {
    return Math.floor(performance.now() * 1000);
  }

  wallUs(): number {
    return Date.now() * 1000;
  }

  schedule(atUs: number, callback: () => void): number {
    const handle = this.#nextHandle++;
    const delayMs = Math.max(0, (atUs - this.nowUs()) / 1000);
    const timer = setTimeout(() => {
      this.#timers.delete(handle);
      callback();
    }, delayMs);
    this.#timers.set(handle, timer);
    return handle;
  }

  cancel(handle: number): void {
    clearTimeout(this.#timers.get(handle));
    this.#timers.delete(handle);
  }
}
