import type { ObjectInfo, ObjectStore, ObjectWriter, PutCondition } from "@longwave/base";

/** A store inside a store: every key gets a prefix. */
export class PrefixStore implements ObjectStore {
  readonly #store: ObjectStore;
  readonly #prefix: string;
  readonly create?: (key: string, signal?: AbortSignal) => Promise<ObjectWriter>;

  /** @param prefix with a slash at its end */
  constructor(store: ObjectStore, prefix: string) {
    this.#store = store;
    this.#prefix = prefix;
    if (store.create !== undefined) this.create = (key, signal) => store.create!(prefix + key, signal);
  }

  get(
    key: string,
    range?: { start: number; end: number },
    signal?: AbortSignal,
  ): Promise<Uint8Array | undefined> {
    return this.#store.get(this.#prefix + key, range, signal);
  }

  async head(key: string, signal?: AbortSignal): Promise<ObjectInfo | undefined> {
    const info = await this.#store.head(this.#prefix + key, signal);
    return info && { ...info, key };
  }

  async put(
    key: string,
    bytes: Uint8Array,
    condition?: PutCondition,
    signal?: AbortSignal,
  ): Promise<ObjectInfo> {
    return { ...(await this.#store.put(this.#prefix + key, bytes, condition, signal)), key };
  }

  delete(key: string, signal?: AbortSignal): Promise<void> {
    return this.#store.delete(this.#prefix + key, signal);
  }

  async *list(prefix: string, signal?: AbortSignal): AsyncIterable<ObjectInfo> {
    for await (const info of this.#store.list(this.#prefix + prefix, signal)) {
      yield { ...info, key: info.key.slice(this.#prefix.length) };
    }
  }
}
