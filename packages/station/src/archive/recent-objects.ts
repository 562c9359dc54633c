import type { ObjectInfo, ObjectStore, ObjectWriter, PutCondition } from "@longwave/base";
import { readHeld } from "./held-bytes.ts";

/** Memory for what was written last: a minute of Opus at 128 kbit/s is 1 MB, a minute of linear PCM 11 MB. */
const defaultBytes = 12 * 1024 * 1024;

/**
 * In front of a store: remembers the objects that were written last below the prefixes that are kept, such as a recording that
 * grows, and reads them from memory. What was half a minute ago is there without a look at a disk that may be flushing. Only for
 * objects that nobody else writes meanwhile.
 */
export class RecentObjects implements ObjectStore {
  readonly location: string | undefined;
  readonly create?: (key: string, signal?: AbortSignal) => Promise<ObjectWriter>;
  readonly sweep?: NonNullable<ObjectStore["sweep"]>;
  readonly #store: ObjectStore;
  readonly #maxBytes: number;
  readonly #prefixes = new Set<string>();
  /** Least recently written first. */
  readonly #objects = new Map<string, Uint8Array>();
  #bytes = 0;

  /** @param maxBytes held at the most; what was written first goes first */
  constructor(store: ObjectStore, maxBytes: number = defaultBytes) {
    this.#store = store;
    this.#maxBytes = maxBytes;
    this.location = store.location;
    if (store.sweep !== undefined) this.sweep = (...what) => store.sweep!(...what);
    if (store.create !== undefined) {
      this.create = (key, signal) => {
        this.#forget(key);
        return store.create!(key, signal);
      };
    }
  }

  /** Remembers what is written below `prefix` from now on. */
  keep(prefix: string): void {
    this.#prefixes.add(prefix);
  }

  /** Forgets what is below `prefix`. */
  release(prefix: string): void {
    this.#prefixes.delete(prefix);
    for (const key of [...this.#objects.keys()]) if (key.startsWith(prefix)) this.#forget(key);
  }

  async get(
    key: string,
    range?: { start: number; end: number },
    signal?: AbortSignal,
  ): Promise<Uint8Array | undefined> {
    const bytes = this.#objects.get(key);
    if (bytes === undefined) return this.#store.get(key, range, signal);
    return readHeld(bytes, range);
  }

  head(key: string, signal?: AbortSignal): Promise<ObjectInfo | undefined> {
    return this.#store.head(key, signal);
  }

  async put(
    key: string,
    bytes: Uint8Array,
    condition?: PutCondition,
    signal?: AbortSignal,
  ): Promise<ObjectInfo> {
    const copy = this.#isKept(key) ? bytes.slice() : undefined;
    try {
      const info = await this.#store.put(key, bytes, condition, signal);
      this.#forget(key);
      if (copy !== undefined) this.#remember(key, copy);
      return info;
    } catch (error) {
      // Whether it was written is not known.
      this.#forget(key);
      throw error;
    }
  }

  async delete(key: string, signal?: AbortSignal): Promise<void> {
    this.#forget(key);
    await this.#store.delete(key, signal);
  }

  list(prefix: string, signal?: AbortSignal): AsyncIterable<ObjectInfo> {
    return this.#store.list(prefix, signal);
  }

  #isKept(key: string): boolean {
    for (const prefix of this.#prefixes) if (key.startsWith(prefix)) return true;
    return false;
  }

  #remember(key: string, bytes: Uint8Array): void {
    if (bytes.length > this.#maxBytes || !this.#isKept(key)) return;
    this.#objects.set(key, bytes);
    this.#bytes += bytes.length;
    for (const oldest of this.#objects.keys()) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#forget(oldest);
    }
  }

  #forget(key: string): void {
    this.#bytes -= this.#objects.get(key)?.length ?? 0;
    this.#objects.delete(key);
  }
}
