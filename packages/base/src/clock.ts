/** Source of time and timers. Libraries get it by argument; only applications make a real one (`@longwave/base/node`). */
export interface Clock {
  /** Monotonic time in microseconds from an arbitrary origin; an integer. */
  nowUs(): number;
  /** Wall-clock time in microseconds since the Unix epoch; an integer. It may jump. */
  wallUs(): number;
  /** Calls `callback` once at monotonic time `atUs` or as soon after it as possible; returns a handle for `cancel`. */
  schedule(atUs: number, callback: () => void): number;
  /** Forgets a scheduled call; does nothing if it already ran. */
  cancel(handle: number): void;
}

/** Waits on a clock, ending early (by rejection with the signal's reason) when `signal` aborts. */
export function sleepUs(clock: Clock, microseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const stop = () => {
      clock.cancel(handle);
      reject(signal?.reason);
    };
    const handle = clock.schedule(clock.nowUs() + microseconds, () => {
      signal?.removeEventListener("abort", stop);
      resolve();
    });
    signal?.addEventListener("abort", stop, { once: true });
  });
}

interface Timer {
  readonly atUs: number;
  readonly order: number;
  readonly callback: () => void;
}

/**
 * A clock that moves only when told to. Timers fire in order of time, then of scheduling, so a run is a pure function of
 * its inputs.
 */
export class VirtualClock implements Clock {
  #nowUs = 0;
  #nextHandle = 1;
  readonly #wallOriginUs: number;
  readonly #heap: Timer[] = [];
  /** Handles of the timers that have neither run nor been cancelled. */
  readonly #waiting = new Set<number>();

  /** @param wallOriginUs wall time at virtual time 0; default 2026-01-01T00:00:00Z */
  constructor(wallOriginUs = 1_767_225_600_000_000) {
    this.#wallOriginUs = wallOriginUs;
  }

  nowUs(): number {
    return this.#nowUs;
  }

  wallUs(): number {
    return this.#wallOriginUs + this.#nowUs;
  }

  schedule(atUs: number, callback: () => void): number {
    const order = this.#nextHandle++;
    this.#waiting.add(order);
    heapPush(this.#heap, { atUs: Math.max(atUs, this.#nowUs), order, callback });
    return order;
  }

  cancel(handle: number): void {
    this.#waiting.delete(handle);
  }

  /** Time of the next timer, or undefined when none waits. */
  nextTimerUs(): number | undefined {
    this.#dropCancelled();
    return this.#heap[0]?.atUs;
  }

  /** Runs every timer up to and including `untilUs`, then stands at `untilUs`. Returns how many ran. */
  runUntil(untilUs: number): number {
    let count = 0;
    for (;;) {
      this.#dropCancelled();
      const next = this.#heap[0];
      if (next === undefined || next.atUs > untilUs) break;
      heapPop(this.#heap);
      this.#waiting.delete(next.order);
      // Later than it was to be where time was skipped.
      this.#nowUs = Math.max(this.#nowUs, next.atUs);
      next.callback();
      count++;
    }
    this.#nowUs = Math.max(this.#nowUs, untilUs);
    return count;
  }

  /**
   * Time passes while nothing runs, as in a process that gets no CPU: what is due meanwhile runs late, in its order, when the time is
   * over. To be called from a timer.
   */
  skip(microseconds: number): void {
    this.#nowUs += Math.max(0, microseconds);
  }

  #dropCancelled(): void {
    let top = this.#heap[0];
    while (top !== undefined && !this.#waiting.has(top.order)) {
      heapPop(this.#heap);
      top = this.#heap[0];
    }
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.atUs < b.atUs || (a.atUs === b.atUs && a.order < b.order);
}

function heapPush(heap: Timer[], timer: Timer): void {
  let at = heap.length;
  heap.push(timer);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!isBefore(timer, heap[parent]!)) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = timer;
}

function heapPop(heap: Timer[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
    if (!isBefore(heap[child]!, last)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = last;
}
