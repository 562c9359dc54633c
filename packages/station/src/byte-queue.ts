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
  readonly #onClose: (isGone: boolean) => void;
  #wake: (() => void) | undefined;
  #closed = false;
  #dropped = 0;
  /** Blocks that came since the last was taken. */
  #sinceRead = 0;

  /** @param onClose told once, and whether because nobody reads any more */
  constructor(limit: number, onClose: (isGone: boolean) => void) {
    this.#limit = limit;
    this.#onClose = onClose;
  }

  get droppedBlocks(): number {
    return this.#dropped;
  }

  push(block: Uint8Array): void {
    if (this.#closed) return;
    if (++this.#sinceRead > goneAfter * this.#limit) {
      this.#end(true);
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
    this.#end(false);
  }

  #end(isGone: boolean): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#blocks.length = 0;
    this.#wake?.();
    this.#onClose(isGone);
  }
}

/** What slow readers missed, and how many were given up. */
export interface ReaderLosses {
  /** Blocks that were dropped because a reader was too slow. */
  readonly blocks: number;
  /** Readers that took nothing for so long that they lost their place. */
  readonly readers: number;
}

/** Hands the same blocks to any number of listeners, up to a limit. */
export class ByteFanOut {
  readonly #maxListeners: number;
  readonly #maxQueued: number;
  readonly #onFull: (maxListeners: number) => Error;
  readonly #queues = new Set<ByteQueue>();
  /** Of readers that are not there any more. */
  #droppedBefore = 0;
  #gone = 0;

  constructor(maxListeners: number, maxQueued: number, onFull: (maxListeners: number) => Error) {
    this.#maxListeners = maxListeners;
    this.#maxQueued = maxQueued;
    this.#onFull = onFull;
  }

  get count(): number {
    return this.#queues.size;
  }

  /** Of all readers so far. */
  get losses(): ReaderLosses {
    let blocks = this.#droppedBefore;
    for (const { droppedBlocks } of this.#queues) blocks += droppedBlocks;
    return { blocks, readers: this.#gone };
  }

  /** @param first what the new listener gets before everything else */
  join(first?: Uint8Array): Listener {
    if (this.#queues.size >= this.#maxListeners) throw this.#onFull(this.#maxListeners);
    const queue: ByteQueue = new ByteQueue(this.#maxQueued, (isGone) => {
      this.#queues.delete(queue);
      this.#droppedBefore += queue.droppedBlocks;
      if (isGone) this.#gone++;
    });
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
