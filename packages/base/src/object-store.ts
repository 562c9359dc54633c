import { BaseError } from "./errors.ts";

/** What a store knows about an object. `etag` changes whenever the content does. */
export interface ObjectInfo {
  readonly key: string;
  readonly size: number;
  readonly etag: string;
}

/** A condition on `put`: only if the object is absent, or only if it still has this etag. */
export type PutCondition = { readonly ifAbsent: true } | { readonly ifMatch: string };

/**
 * A flat key-value store of immutable-by-habit objects: a directory, memory, an S3 bucket, a web server (read only).
 * Keys are relative paths with `/`, without empty, `.` or `..` parts. A `put` is atomic: readers see the old object or
 * the new one. Errors: `store/not-found`, `store/conflict`, `store/busy`, `store/read-only`, `store/bad-key`, `store/failed`,
 * `store/cannot-list` where objects can only be asked for by name.
 */
export interface ObjectStore {
  /** Where it is, for messages: a directory, an address. */
  readonly location?: string | undefined;
  /** The whole object, or the half-open byte range of it; undefined where there is none. A range is cut at the end. */
  get(
    key: string,
    range?: { start: number; end: number },
    signal?: AbortSignal,
  ): Promise<Uint8Array | undefined>;
  head(key: string, signal?: AbortSignal): Promise<ObjectInfo | undefined>;
  /** Writes the whole object; with a condition that does not hold it throws `store/conflict` and changes nothing. */
  put(key: string, bytes: Uint8Array, condition?: PutCondition, signal?: AbortSignal): Promise<ObjectInfo>;
  /** Removes it; no error where it is absent. */
  delete(key: string, signal?: AbortSignal): Promise<void>;
  /** All objects whose key starts with `prefix`, in ascending order of key. */
  list(prefix: string, signal?: AbortSignal): AsyncIterable<ObjectInfo>;
  /** Starts an object that is too large to be held in memory; see `createObject` for stores without it. */
  create?(key: string, signal?: AbortSignal): Promise<ObjectWriter>;
  /**
   * Deletes what killed writers left behind directly below `prefixes` ("" or "a/"), for stores where a write leaves something.
   * @param options `alone`: nobody writes below these prefixes now, so that everything there was left behind, in folders too
   * @returns how much it was
   */
  sweep?(prefixes: readonly string[], options?: { readonly alone?: boolean }): Promise<number>;
}

/** An object that is written piece by piece. Nobody sees it before `commit`; end it with `commit` or `abort`. */
export interface ObjectWriter {
  /** Adds bytes; they are the caller's again when it resolves. One call at a time. */
  write(bytes: Uint8Array): Promise<void>;
  commit(): Promise<ObjectInfo>;
  /** Drops what was written; harmless after `commit`. */
  abort(): Promise<void>;
}

/** Starts an object in any store; where the store has no `create`, the pieces are held until `commit`. */
export async function createObject(
  store: ObjectStore,
  key: string,
  signal?: AbortSignal,
): Promise<ObjectWriter> {
  if (store.create !== undefined) return store.create(key, signal);
  let pieces: Uint8Array[] = [];
  return {
    async write(bytes) {
      pieces.push(new Uint8Array(bytes));
    },
    commit() {
      const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
      let at = 0;
      for (const piece of pieces) {
        whole.set(piece, at);
        at += piece.length;
      }
      pieces = [];
      return store.put(key, whole, undefined, signal);
    },
    async abort() {
      pieces = [];
    },
  };
}

/** An object store's failure. */
export class StoreError extends BaseError {}

/** Throws `store/bad-key` unless `key` is a clean relative path of at most 1,024 characters. */
export function checkKey(key: string): void {
  const parts = key.split("/");
  const clean = parts.every((part) => part !== "" && part !== "." && part !== "..");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are exactly what is refused
  if (!clean || key.length > 1024 || /[\u0000-\u001f\\]/.test(key)) {
    throw new StoreError(
      "store/bad-key",
      "usage",
      `${JSON.stringify(key)} is no object key: use relative parts joined by "/".`,
    );
  }
}

/** An object store in memory, for tests, virtual runs and short-lived catalogs. */
export class MemoryStore implements ObjectStore {
  readonly #objects = new Map<string, { bytes: Uint8Array; info: ObjectInfo }>();
  #version = 0;

  async get(key: string, range?: { start: number; end: number }): Promise<Uint8Array | undefined> {
    checkKey(key);
    const object = this.#objects.get(key);
    if (object === undefined) return undefined;
    return range === undefined ? object.bytes.slice() : object.bytes.slice(range.start, range.end);
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    checkKey(key);
    return this.#objects.get(key)?.info;
  }

  async put(key: string, bytes: Uint8Array, condition?: PutCondition): Promise<ObjectInfo> {
    checkKey(key);
    requireCondition(key, this.#objects.get(key)?.info, condition);
    const info = { key, size: bytes.length, etag: `"${++this.#version}"` };
    this.#objects.set(key, { bytes: new Uint8Array(bytes), info });
    return info;
  }

  async delete(key: string): Promise<void> {
    checkKey(key);
    this.#objects.delete(key);
  }

  async *list(prefix: string): AsyncIterable<ObjectInfo> {
    const infos = [...this.#objects.values()].map((object) => object.info);
    infos.sort((a, b) => (a.key < b.key ? -1 : 1));
    for (const info of infos) if (info.key.startsWith(prefix)) yield info;
  }
}

/** Throws `store/conflict` unless `condition` holds for what is stored now. */
export function requireCondition(
  key: string,
  current: ObjectInfo | undefined,
  condition?: PutCondition,
): void {
  if (condition === undefined) return;
  const holds = "ifAbsent" in condition ? current === undefined : current?.etag === condition.ifMatch;
  if (holds) return;
  throw new StoreError(
    "store/conflict",
    "unavailable",
    `${key} was changed by somebody else in the meantime; read it again and retry.`,
  );
}
