import { createObject, type ObjectStore } from "@longwave/base";
import { ArchiveError } from "./errors.ts";
import { json, originalKey } from "./layout.ts";
import type { OriginalInfo } from "./recording-info.ts";
import type { Sha256Factory } from "./sha256.ts";

/** Bytes of a Zarr chunk of the file. */
const chunkBytes = 1 << 22;

/**
 * Keeps a file byte for byte as a one-dimensional uint8 Zarr array of raw chunks; the last one is padded with zeros. One chunk is in
 * memory at a time.
 */
export async function storeOriginal(
  store: ObjectStore,
  id: string,
  file: AsyncIterable<Uint8Array>,
  sha256: Sha256Factory,
): Promise<OriginalInfo> {
  const hash = sha256();
  let chunk = new Uint8Array(chunkBytes);
  let filled = 0;
  let bytes = 0;
  const flush = async () => {
    const object = await createObject(store, originalKey(id, `c/${Math.floor((bytes - 1) / chunkBytes)}`));
    try {
      await object.write(chunk);
      await object.commit();
    } catch (error) {
      await object.abort();
      throw error;
    }
    chunk = new Uint8Array(chunkBytes);
    filled = 0;
  };
  for await (const piece of file) {
    hash.update(piece);
    for (let at = 0; at < piece.length; ) {
      const count = Math.min(piece.length - at, chunkBytes - filled);
      chunk.set(piece.subarray(at, at + count), filled);
      filled += count;
      bytes += count;
      at += count;
      if (filled === chunkBytes) await flush();
    }
  }
  if (filled > 0) await flush();
  await store.put(originalKey(id, "zarr.json"), originalMetadata(bytes));
  return { bytes, sha256: hash.digest() };
}

/**
 * The file again, piece by piece.
 * @throws ArchiveError `archive/chunk-missing`; `archive/chunk-corrupt` behind the last piece, where the hash is another
 */
export async function* readOriginal(
  store: ObjectStore,
  id: string,
  original: OriginalInfo,
  sha256: Sha256Factory,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const hash = sha256();
  for (let at = 0; at < original.bytes; at += chunkBytes) {
    const key = originalKey(id, `c/${at / chunkBytes}`);
    const end = Math.min(chunkBytes, original.bytes - at);
    const piece = await store.get(key, { start: 0, end }, signal);
    if (piece?.length !== end) {
      throw new ArchiveError(
        "archive/chunk-missing",
        `${key} is missing or cut short; restore it from a copy.`,
      );
    }
    hash.update(piece);
    yield piece;
  }
  if (hash.digest() !== original.sha256) {
    throw new ArchiveError(
      "archive/chunk-corrupt",
      `The original file of ${id} is damaged (its SHA-256 differs); restore it from a copy.`,
    );
  }
}

function originalMetadata(bytes: number): Uint8Array {
  return json({
    zarr_format: 3,
    node_type: "array",
    shape: [bytes],
    data_type: "uint8",
    chunk_grid: { name: "regular", configuration: { chunk_shape: [chunkBytes] } },
    chunk_key_encoding: { name: "default", configuration: { separator: "/" } },
    fill_value: 0,
    codecs: [{ name: "bytes" }],
    attributes: {},
  });
}
