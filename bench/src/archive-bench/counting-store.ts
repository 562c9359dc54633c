import type { ObjectInfo, ObjectStore } from "@longwave/base";

/** Counts what a store is asked for. */
export class CountingStore implements ObjectStore {
  readonly #store: ObjectStore;
  reads = 0;

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  get(...parameters: Parameters<ObjectStore["get"]>): ReturnType<ObjectStore["get"]> {
    this.reads++;
    return this.#store.get(...parameters);
  }

  head(key: string): Promise<ObjectInfo | undefined> {
    this.reads++;
    return this.#store.head(key);
  }

  put(...parameters: Parameters<ObjectStore["put"]>): ReturnType<ObjectStore["put"]> {
    return this.#store.put(...parameters);
  }

  delete(key: string): Promise<void> {
    return this.#store.delete(key);
  }

  list(prefix: string): AsyncIterable<ObjectInfo> {
    this.reads++;
    return this.#store.list(prefix);
  }
}
