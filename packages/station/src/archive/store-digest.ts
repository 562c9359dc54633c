import type { ObjectStore } from "@longwave/base";
import { Sha256 } from "@longwave/bond";

/** Everything in a store as one number. */
export interface StoreDigest {
  readonly objects: number;
  readonly bytes: number;
  /** SHA-256 over all objects in order of their keys: key, a zero byte, length (u32, little-endian), content. Hexadecimal. */
  readonly sha256: string;
}

/** Two stores with equal digests hold the same bytes under the same names. */
export async function digestStore(store: ObjectStore): Promise<StoreDigest> {
  const hash = new Sha256();
  const length = new Uint8Array(5);
  let objects = 0;
  let bytes = 0;
  for await (const { key } of store.list("")) {
    const content = (await store.get(key)) ?? new Uint8Array(0);
    new DataView(length.buffer).setUint32(1, content.length, true);
    hash.update(new TextEncoder().encode(key));
    hash.update(length);
    hash.update(content);
    objects++;
    bytes += content.length;
  }
  const digest = hash.digest();
  return {
    objects,
    bytes,
    sha256: Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join(""),
  };
}
