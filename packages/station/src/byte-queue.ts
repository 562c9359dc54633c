/** The reading end of a bounded queue of byte blocks: one slow reader never holds up the others. */
export interface Listener {
  /** The next block; waits for it. Undefined once the station or the listener is closed. Blocks are shared: do not write. */
  next(): Promise<Uint8Array | undefined>;
  /** Blocks dropped so far because this listener was too slow. */
  readonly droppedBlocks: number;
  close(): void;
}

/** A reader that takes nothing while its queue could have been filled so many times has vanished, and loses its place. */
const goneAfter = 15;

/** A queue that drops its oldest block when full, and counts that; one that nobody reads any more closes itself. */
export class ByteQueue implements Listener {
  readonly #blocks: Uint8Array[] = [];
  readonly #limit: number;
  readonly #onClose: () => void;
  #wake: (() => void) | undefined;
  #closed = false;
  #dropped = 0;
  /** Blocks that came since the last was taken. */
  #sinceRead = 0;

  constructor(limit: number, onClose: () => void) {
    this.#limit = limit;
    this.#onClose = onClose;
  }

  get droppedBlocks(): number {
    return this.#dropped;
  }

  push(block: Uint8Array): void {
    if (this.#closed) return;
    if (++this.#sinceRead > goneAfter * this.#limit) {
      this.close();
      return;
    }
    if (this.#blocks.length === this.#limit) {
      this.#blocks.shift();
      this.#dropped++;
    }
    this.#blocks.push(block);
    this.#wake?.();
  }

  async next(): Promise<Uint8Array | undefined> {
    this.#sinceRead = 0;
    while (this.#blocks.length === 0 && !this.#closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
      this.#sinceRead = 0;
    }
    return this.#closed ? undefined : this.#blocks.shift();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#blocks.length = 0;
    this.#wake?.();
    this.#onClose();
  }
}

/** Hands the same blocks to any number of listeners, up to a limit. */
export class ByteFanOut {
  readonly #maxListeners: number;
  readonly #maxQueued: number;
  readonly #onFull: (maxListeners: number) => Error;
  readonly #queues = new Set<ByteQueue>();

  constructor(maxListeners: number, maxQueued: number, onFull: (maxListeners: number) => Error) {
    this.#maxListeners = maxListeners;
    this.#maxQueued = maxQueued;
    this.#onFull = onFull;
  }

  get count(): number {
    return this.#queues.size;
  }

  /** @param first what the new listener gets before everything else */
  join(first?: Uint8Array): Listener {
    if (this.#queues.size >= this.#maxListeners) throw this.#onFull(this.#maxListeners);
    const queue: ByteQueue = new ByteQueue(this.#maxQueued, () => this.#queues.delete(queue));
    this.#queues.add(queue);
    if (first !== undefined && first.length > 0) queue.push(first);
    return queue;
  }

  push(block: Uint8Array): void {
    for (const queue of this.#queues) queue.push(block);
  }

  close(): void {
    for (const queue of [...this.#queues]) queue.close();
  }
}
