import type { Clock } from "@longwave/base";

interface Delayed {
  atUs: number;
  order: number;
  bytes: Uint8Array;
  length: number;
  target: (bytes: Uint8Array, length: number) => void;
}

/** Datagrams under way in the proxy at once; 16 MB. */
const capacity = 8192;
const slotBytes = 2048;

/** Holds copies of datagrams until their time, in order of time, then of arrival, with one timer for all. */
export class DelayQueue {
  readonly #clock: Clock;
  readonly #heap: Delayed[] = [];
  readonly #free: Uint8Array[] = [];
  #order = 0;
  #timer = -1;
  #timerUs = Number.POSITIVE_INFINITY;
  #isClosed = false;
  /** Datagrams dropped because too many were under way. */
  overflows = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Copies `bytes[0, length)` and hands the copy to `target` at `atUs`. */
  push(atUs: number, bytes: Uint8Array, length: number, target: Delayed["target"]): void {
    if (this.#heap.length >= capacity || length > slotBytes || this.#isClosed) {
      this.overflows++;
      return;
    }
    const slot = this.#free.pop() ?? new Uint8Array(slotBytes);
    slot.set(bytes.subarray(0, length));
    this.#insert({ atUs, order: this.#order++, bytes: slot, length, target });
    this.#arm();
  }

  close(): void {
    this.#isClosed = true;
    if (this.#timer >= 0) this.#clock.cancel(this.#timer);
    this.#heap.length = 0;
  }

  #arm(): void {
    const first = this.#heap[0];
    if (first === undefined || first.atUs >= this.#timerUs) return;
    if (this.#timer >= 0) this.#clock.cancel(this.#timer);
    this.#timerUs = first.atUs;
    this.#timer = this.#clock.schedule(first.atUs, () => this.#run());
  }

  #run(): void {
    this.#timer = -1;
    this.#timerUs = Number.POSITIVE_INFINITY;
    // Timers are no finer than a millisecond: what is due within half of one goes now.
    const dueUs = this.#clock.nowUs() + 500;
    for (let first = this.#heap[0]; first !== undefined && first.atUs <= dueUs; first = this.#heap[0]) {
      this.#removeFirst();
      first.target(first.bytes, first.length);
      this.#free.push(first.bytes);
    }
    if (!this.#isClosed) this.#arm();
  }

  #insert(item: Delayed): void {
    const heap = this.#heap;
    let at = heap.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(item, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = item;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Delayed, b: Delayed): boolean {
  return a.atUs < b.atUs || (a.atUs === b.atUs && a.order < b.order);
}
