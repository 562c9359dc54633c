import { createObject, type ObjectStore, type ObjectWriter } from "@longwave/base";
import { ArchiveError } from "./errors.ts";
import type { Sha256Factory } from "./sha256.ts";
import { encodeShardIndex, type InnerChunk } from "./shard.ts";

/** A shard as it was stored. */
export interface StoredShard {
  readonly bytes: number;
  readonly indexBytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** Copied at once from a stored shard. */
const copyBytes = 1 << 20;

/** Writes a shard chunk by chunk, so that it is never whole in memory; nobody sees it before `seal`. */
export class ShardWriter {
  readonly #store: ObjectStore;
  readonly #key: string;
  readonly #chunksPerShard: number;
  readonly #hash: ReturnType<Sha256Factory>;
  readonly #places: InnerChunk[] = [];
  #object: ObjectWriter | undefined;
  #offset = 0;

  constructor(store: ObjectStore, key: string, chunksPerShard: number, sha256: Sha256Factory) {
    this.#store = store;
    this.#key = key;
    this.#chunksPerShard = chunksPerShard;
    this.#hash = sha256();
  }

  /** Chunks so far. */
  get length(): number {
    return this.#places.length;
  }

  /**
   * Adds the next chunk, its checksum included.
   * @param borrowedBytes so many bytes at its start are the ones that the shard ends with so far
   */
  async push(stored: Uint8Array, borrowedBytes = 0): Promise<void> {
    const place = { offset: this.#offset - borrowedBytes, size: stored.length };
    await this.#write(stored.subarray(borrowedBytes));
    this.#places.push(place);
  }

  /**
   * Begins with what a stored shard holds, every chunk at its old place, so that readers with the old index stay right.
   * @param places of the chunks that stay; bytes of the others remain as unused ones
   * @param dataBytes of the stored shard without its index
   */
  async continueStored(places: readonly InnerChunk[], dataBytes: number): Promise<void> {
    for (let at = 0; at < dataBytes; at += copyBytes) {
      const piece = await this.#store.get(this.#key, { start: at, end: Math.min(dataBytes, at + copyBytes) });
      if (piece === undefined || piece.length === 0) {
        throw new ArchiveError("archive/chunk-missing", `${this.#key} is cut short; restore it from a copy.`);
      }
      await this.#write(piece);
    }
    this.#places.push(...places);
  }

  /** Writes the index and makes the shard visible. */
  async seal(): Promise<StoredShard> {
    const index = encodeShardIndex(this.#places, this.#chunksPerShard);
    await this.#write(index);
    await this.#object!.commit();
    return { bytes: this.#offset, indexBytes: index.length, sha256: this.#hash.digest() };
  }

  async abort(): Promise<void> {
    await this.#object?.abort();
    this.#object = undefined;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.#object ??= await createObject(this.#store, this.#key);
    await this.#object.write(bytes);
    this.#hash.update(bytes);
    this.#offset += bytes.length;
  }
}
