import {
  type Clock,
  isLongwaveError,
  type ObjectInfo,
  type ObjectStore,
  type PutCondition,
  StoreError,
  sleepUs,
} from "@longwave/base";
import { readHeld } from "./held-bytes.ts";

export interface WriteBehindOptions {
  readonly clock: Clock;
  /** Bytes that may wait for a store that is away; default 128 MiB, some hours of one station. */
  readonly maxPendingBytes?: number;
  /** Time between two tries while the store is away; default 2 s. */
  readonly retryUs?: number;
  /** Longest time for one request before the store counts as away; default 20 s. */
  readonly timeoutUs?: number;
}

/** How far behind the store is. */
export interface Delivery {
  /** What keeps the store from taking anything, undefined while it works. */
  readonly away: string | undefined;
  readonly pendingObjects: number;
  readonly pendingBytes: number;
}

/** What shall become of an object: its new content, or (undefined) its removal. */
interface Pending {
  readonly bytes: Uint8Array | undefined;
  readonly etag: string;
}

const defaults = { maxPendingBytes: 128 * 1024 * 1024, retryUs: 2_000_000, timeoutUs: 20_000_000 };

/**
 * In front of a store that may be away for a while (object storage over a network): writes are taken at once and carried out in
 * their order in the background; whoever reads sees them already. While the store is away they wait, up to a limit, and nothing
 * is lost; of several writes of one object only the last is kept.
 *
 * Conditional writes go to the store itself. What they wrote is a claim, such as a writer's lease: while the store is away a claim is
 * taken to hold, and before anything is written after that, every claim is looked at. Where somebody else has taken one over, all
 * that waits is dropped, for it is theirs to write now.
 */
export class WriteBehindStore implements ObjectStore {
  readonly location: string | undefined;
  readonly #store: ObjectStore;
  readonly #clock: Clock;
  readonly #maxPendingBytes: number;
  readonly #retryUs: number;
  readonly #timeoutUs: number;
  readonly #pending = new Map<string, Pending>();
  readonly #claims = new Map<string, ObjectInfo>();
  readonly #listeners = new Set<(delivery: Delivery) => void>();
  readonly #closing = new AbortController();
  #pendingBytes = 0;
  #written = 0;
  #away: string | undefined;
  /** The store was away: somebody may have taken a claim over in the meantime. */
  #mustCheckClaims = false;
  #work: Promise<void> | undefined;

  constructor(store: ObjectStore, options: WriteBehindOptions) {
    this.#store = store;
    this.location = store.location;
    this.#clock = options.clock;
    this.#maxPendingBytes = options.maxPendingBytes ?? defaults.maxPendingBytes;
    this.#retryUs = options.retryUs ?? defaults.retryUs;
    this.#timeoutUs = options.timeoutUs ?? defaults.timeoutUs;
  }

  get delivery(): Delivery {
    return { away: this.#away, pendingObjects: this.#pending.size, pendingBytes: this.#pendingBytes };
  }

  /** Calls `listener` when the store goes away and when everything that waited has been written. */
  onChange(listener: (delivery: Delivery) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async get(
    key: string,
    range?: { start: number; end: number },
    signal?: AbortSignal,
  ): Promise<Uint8Array | undefined> {
    const pending = this.#pending.get(key);
    if (pending === undefined) return this.#store.get(key, range, signal);
    return pending.bytes && readHeld(pending.bytes, range);
  }

  async head(key: string, signal?: AbortSignal): Promise<ObjectInfo | undefined> {
    const pending = this.#pending.get(key);
    if (pending !== undefined)
      return pending.bytes && { key, size: pending.bytes.length, etag: pending.etag };
    const claim = this.#claims.get(key);
    if (claim !== undefined && this.#away !== undefined) return claim;
    try {
      return await this.#store.head(key, signal);
    } catch (error) {
      if (claim === undefined) throw error;
      return claim;
    }
  }

  async put(
    key: string,
    bytes: Uint8Array,
    condition?: PutCondition,
    signal?: AbortSignal,
  ): Promise<ObjectInfo> {
    if (condition !== undefined || this.#claims.has(key)) {
      if (this.#pending.has(key)) await this.settle();
      const info = await this.#store.put(key, bytes, condition, signal);
      this.#claims.set(key, info);
      return info;
    }
    const before = this.#pending.get(key)?.bytes?.length ?? 0;
    if (this.#pendingBytes - before + bytes.length > this.#maxPendingBytes) {
      throw new StoreError(
        "store/failed",
        "unavailable",
        `${Math.round(this.#pendingBytes / 2 ** 20)} MB wait for a store that is away (${this.#away ?? "too slow"}); no more can.`,
      );
    }
    const etag = `pending-${++this.#written}`;
    this.#enqueue(key, { bytes: bytes.slice(), etag });
    return { key, size: bytes.length, etag };
  }

  async delete(key: string): Promise<void> {
    this.#claims.delete(key);
    this.#enqueue(key, { bytes: undefined, etag: "" });
  }

  async *list(prefix: string, signal?: AbortSignal): AsyncIterable<ObjectInfo> {
    const found = new Map<string, ObjectInfo>();
    for await (const info of this.#store.list(prefix, signal)) found.set(info.key, info);
    for (const [key, { bytes, etag }] of this.#pending) {
      if (!key.startsWith(prefix)) continue;
      if (bytes === undefined) found.delete(key);
      else found.set(key, { key, size: bytes.length, etag });
    }
    yield* [...found.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  /** Waits until nothing waits any more. */
  async settle(): Promise<void> {
    while (this.#work !== undefined) await this.#work;
  }

  /** Writes what still waits, for at most `graceUs`. @throws StoreError `store/failed` saying how much could not be written */
  async close(graceUs = 10_000_000): Promise<void> {
    const late = this.#clock.schedule(this.#clock.nowUs() + graceUs, () => this.#closing.abort());
    await this.settle();
    this.#clock.cancel(late);
    if (this.#pending.size === 0) return;
    throw new StoreError(
      "store/failed",
      "unavailable",
      `${this.#pending.size} objects (${Math.ceil(this.#pendingBytes / 1024)} KB) could not be written before the end: ${this.#away ?? "no time was left"}.`,
    );
  }

  #enqueue(key: string, next: Pending): void {
    this.#forget(key);
    // Behind everything else: what was written before it must be there first.
    this.#pending.set(key, next);
    this.#pendingBytes += next.bytes?.length ?? 0;
    this.#work ??= this.#drain().finally(() => {
      this.#work = undefined;
    });
  }

  #forget(key: string): void {
    this.#pendingBytes -= this.#pending.get(key)?.bytes?.length ?? 0;
    this.#pending.delete(key);
  }

  async #drain(): Promise<void> {
    // What is asked for in one turn is one piece of work: of several writes of an object only the last is carried out.
    await Promise.resolve();
    while (this.#pending.size > 0 && !this.#closing.signal.aborted) {
      try {
        if (this.#mustCheckClaims) await this.#checkClaims();
        else await this.#writeFirst();
      } catch (error) {
        this.#goAway(error);
        await sleepUs(this.#clock, this.#retryUs, this.#closing.signal).catch(() => {});
      }
    }
    if (this.#away === undefined || this.#pending.size > 0) return;
    this.#away = undefined;
    this.#tell();
  }

  async #writeFirst(): Promise<void> {
    const [key, pending] = this.#pending.entries().next().value!;
    const { bytes } = pending;
    await this.#inTime(async (signal) => {
      if (bytes === undefined) await this.#store.delete(key, signal);
      else await this.#store.put(key, bytes, undefined, signal);
    });
    // It may have been written anew in the meantime.
    if (this.#pending.get(key) === pending) this.#forget(key);
  }

  async #checkClaims(): Promise<void> {
    for (const [key, { etag }] of this.#claims) {
      const now = await this.#inTime((signal) => this.#store.head(key, signal));
      if (now?.etag === etag) continue;
      this.#claims.delete(key);
      this.#pending.clear();
      this.#pendingBytes = 0;
      break;
    }
    this.#mustCheckClaims = false;
  }

  /** A request that hangs (a cable that was pulled) is one that failed. */
  async #inTime<T>(request: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const stop = new AbortController();
    const end = (reason: unknown) => stop.abort(reason);
    const late = this.#clock.schedule(this.#clock.nowUs() + this.#timeoutUs, () =>
      end(new StoreError("store/failed", "unavailable", "The store does not answer.")),
    );
    const closing = () => end(this.#closing.signal.reason);
    this.#closing.signal.addEventListener("abort", closing, { once: true });
    try {
      return await request(stop.signal);
    } finally {
      this.#clock.cancel(late);
      this.#closing.signal.removeEventListener("abort", closing);
    }
  }

  #goAway(error: unknown): void {
    this.#mustCheckClaims = this.#claims.size > 0;
    if (this.#away !== undefined || this.#closing.signal.aborted) return;
    this.#away = isLongwaveError(error) ? error.message : String(error);
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener(this.delivery);
  }
}
