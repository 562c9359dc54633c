import { ArchiveError } from "./errors.ts";
import { crc32c } from "./hash-core.ts";

/**
 * Zarr v3 `sharding_indexed` shards: inner chunks one behind the other, then the index (u64 offset and size per inner
 * chunk, all ones where there is none) and its CRC32C, at the end of the object.
 */
/** All ones in both words; as a double that rounds to 2^64. */
const missing = 2 ** 64;

/** Place of an inner chunk in its shard; undefined where it has never been written. */
export interface InnerChunk {
  readonly offset: number;
  readonly size: number;
}

/** Bytes of the index of a shard with this many inner chunks, checksum included. */
export function shardIndexBytes(chunksPerShard: number): number {
  return 16 * chunksPerShard + 4;
}

/** Pieces of a shard in order, ready to be written; `chunks` are inner chunks as stored (their own checksum included). */
export function encodeShard(
  chunks: readonly (Uint8Array | undefined)[],
  chunksPerShard: number,
): Uint8Array[] {
  const places: (InnerChunk | undefined)[] = [];
  let offset = 0;
  for (const chunk of chunks) {
    places.push(chunk === undefined ? undefined : { offset, size: chunk.length });
    offset += chunk?.length ?? 0;
  }
  return [...chunks.filter((chunk) => chunk !== undefined), encodeShardIndex(places, chunksPerShard)];
}

/** The index of a shard. */
export function encodeShardIndex(
  places: readonly (InnerChunk | undefined)[],
  chunksPerShard: number,
): Uint8Array {
  const index = new Uint8Array(shardIndexBytes(chunksPerShard)).fill(0xff);
  const view = new DataView(index.buffer);
  for (const [i, place] of places.entries()) {
    if (place === undefined) continue;
    setU64(view, 16 * i, place.offset);
    setU64(view, 16 * i + 8, place.size);
  }
  view.setUint32(index.length - 4, crc32c(index, 0, index.length - 4), true);
  return index;
}

/**
 * Parses the index that ends a shard.
 * @param bytes exactly the index
 * @param shardBytes size of the whole shard; places outside are refused
 * @throws ArchiveError `archive/chunk-corrupt`
 */
export function decodeShardIndex(
  bytes: Uint8Array,
  chunksPerShard: number,
  shardBytes: number,
  where: string,
): (InnerChunk | undefined)[] {
  const fail = (reason: string) =>
    new ArchiveError(
      "archive/chunk-corrupt",
      `The index of ${where} is damaged (${reason}); restore it from a copy.`,
    );
  if (bytes.length !== shardIndexBytes(chunksPerShard)) throw fail(`${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(bytes.length - 4, true) !== crc32c(bytes, 0, bytes.length - 4))
    throw fail("its checksum differs");
  const places: (InnerChunk | undefined)[] = [];
  for (let i = 0; i < chunksPerShard; i++) {
    const offset = getU64(view, 16 * i);
    const size = getU64(view, 16 * i + 8);
    if (offset === missing && size === missing) {
      places.push(undefined);
      continue;
    }
    if (offset + size > shardBytes - bytes.length) throw fail(`inner chunk ${i} lies outside`);
    places.push({ offset, size });
  }
  return places;
}

/** Appends the `crc32c` codec's checksum to an inner chunk. */
export function withChecksum(payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(payload.length + 4);
  bytes.set(payload);
  new DataView(bytes.buffer).setUint32(payload.length, crc32c(payload), true);
  return bytes;
}

/** Checks and removes it. @throws ArchiveError `archive/chunk-corrupt` */
export function withoutChecksum(bytes: Uint8Array, where: string): Uint8Array {
  const end = bytes.length - 4;
  const stored = end < 0 ? -1 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(end, true);
  if (stored !== crc32c(bytes, 0, Math.max(0, end))) {
    throw new ArchiveError(
      "archive/chunk-corrupt",
      `${where} is damaged (its CRC32C differs); restore it from a copy.`,
    );
  }
  return bytes.subarray(0, end);
}

function setU64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setUint32(at + 4, Math.floor(value / 0x1_0000_0000), true);
}

function getU64(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 0x1_0000_0000;
}
