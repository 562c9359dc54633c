import { ByteFanOut, type Listener, type ReaderLosses } from "./byte-queue.ts";
import { StationError } from "./errors.ts";
import type { SoundSink } from "./stages.ts";

/** Limits of the listening side. */
export interface ListenerLimits {
  readonly maxListeners: number;
  /** Blocks that wait for a slow listener before the oldest is dropped. */
  readonly maxQueuedBlocks: number;
}

/** 64 listeners of one station; 4 s of patience with each. */
export const defaultListenerLimits: ListenerLimits = { maxListeners: 64, maxQueuedBlocks: 200 };

/** The error for a listener who finds no place. */
export function placesTaken(maxListeners: number): StationError {
  return new StationError(
    "station/too-many-listeners",
    "unavailable",
    `All ${maxListeners} places are taken; try again when somebody has left.`,
  );
}

/**
 * Hands the received sound to any number of listeners as 16-bit little-endian interleaved PCM. It is converted once a block,
 * and only while somebody listens.
 */
export class Listeners implements SoundSink {
  readonly #places: ByteFanOut;

  constructor(limits: ListenerLimits = defaultListenerLimits) {
    this.#places = new ByteFanOut(limits.maxListeners, limits.maxQueuedBlocks, placesTaken);
  }

  get count(): number {
    return this.#places.count;
  }

  get losses(): ReaderLosses {
    return this.#places.losses;
  }

  /** @throws StationError `station/too-many-listeners` */
  join(): Listener {
    return this.#places.join();
  }

  write(block: Float32Array): void {
    if (this.#places.count === 0) return;
    const bytes = new Uint8Array(block.length * 2);
    for (let i = 0; i < block.length; i++) {
      const value = Math.round(Math.max(-1, Math.min(1, block[i]!)) * 32767);
      bytes[2 * i] = value;
      bytes[2 * i + 1] = value >> 8;
    }
    this.#places.push(bytes);
  }

  close(): void {
    this.#places.close();
  }
}
