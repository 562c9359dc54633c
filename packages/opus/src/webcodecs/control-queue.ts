import { exception } from "./exceptions.ts";

/** Runs a task soon, not now. */
export type Schedule = (task: () => void) => void;

/** A microtask; AudioWorklets have no `queueMicrotask`. */
export function soon(task: () => void): void {
  if (typeof queueMicrotask === "function") queueMicrotask(task);
  else void Promise.resolve().then(task);
}

/** Messages that a codec may hold before `encode` and `decode` refuse more. */
export const defaultMaxQueueSize = 65_536;

/**
 * The control message queue of WebCodecs: configure, encode, decode and flush take effect in order, one a task, after the
 * call that asked for them returned.
 */
export class ControlQueue {
  readonly #schedule: Schedule;
  readonly #limit: number;
  #messages: (() => void)[] = [];
  #isScheduled = false;

  constructor(schedule: Schedule, limit: number) {
    this.#schedule = schedule;
    this.#limit = limit;
  }

  /** @throws DOMException `QuotaExceededError` where too many messages wait */
  push(message: () => void): void {
    if (this.#messages.length >= this.#limit) {
      throw exception(
        "QuotaExceededError",
        `${this.#limit} calls wait already; await flush() or the dequeue event, or raise maxQueueSize.`,
      );
    }
    this.#messages.push(message);
    this.#wake();
  }

  /** Forgets what waits. */
  clear(): void {
    this.#messages = [];
  }

  #wake(): void {
    if (this.#isScheduled || this.#messages.length === 0) return;
    this.#isScheduled = true;
    this.#schedule(() => {
      this.#isScheduled = false;
      const message = this.#messages.shift();
      try {
        message?.();
      } finally {
        this.#wake();
      }
    });
  }
}
