import { isLongwaveError, type ObjectStore } from "@longwave/base";
import { storedChunkExtent } from "./chunk-extent.ts";
import { chunkHeaderBytes, chunkTrailerBytes } from "./chunk-format.ts";
import { shardKey } from "./layout.ts";
import { chunkLayout, type RecordingInfo } from "./recording-info.ts";
import type { Sha256Factory } from "./sha256.ts";
import { decodeShardIndex, encodeShardIndex, type InnerChunk, shardIndexBytes } from "./shard.ts";
import { ShardWriter } from "./shard-writer.ts";

/** Of the `crc32c` codec, behind each chunk. */
const checksumBytes = 4;
const copyBytes = 1 << 20;

/**
 * Writes the index of a shard anew where it is damaged: every chunk tells in its header (or trailer) how long it is and where it belongs,
 * so one leads to the next. It counts only where the shard then has the SHA-256 that the recording's metadata tell: every
 * byte is what was written first. With a damaged chunk besides, the shard is left as it is.
 * @returns whether it was rebuilt; false where the index is sound, or where it cannot be
 */
export async function rebuildShardIndex(
  store: ObjectStore,
  info: RecordingInfo,
  shard: number,
  sha256: Sha256Factory,
): Promise<boolean> {
  const key = shardKey(info.id, shard);
  const size = info.shardBytes[shard]!;
  const dataBytes = size - shardIndexBytes(info.chunksPerShard);
  const stored = await store.get(key, { start: dataBytes, end: size });
  if (dataBytes <= 0 || stored === undefined || (await store.head(key))?.size !== size) return false;
  try {
    decodeShardIndex(stored, info.chunksPerShard, size, key);
    return false;
  } catch (error) {
    if (!isLongwaveError(error, "archive/chunk-corrupt")) throw error;
  }
  const places = await findChunks(store, key, info, shard, dataBytes);
  if (places === undefined) return false;
  const hash = sha256();
  for (let at = 0; at < dataBytes; at += copyBytes) {
    const piece = await store.get(key, { start: at, end: Math.min(dataBytes, at + copyBytes) });
    if (piece === undefined) return false;
    hash.update(piece);
  }
  hash.update(encodeShardIndex(places, info.chunksPerShard));
  if (hash.digest() !== info.shardSha256[shard]) return false;
  const writer = new ShardWriter(store, key, info.chunksPerShard, sha256);
  try {
    await writer.continueStored(places, dataBytes);
    await writer.seal();
  } catch (error) {
    await writer.abort();
    throw error;
  }
  return true;
}

/** Where the chunks of a shard lie, by what they tell of themselves; undefined where the trace is lost. */
async function findChunks(
  store: ObjectStore,
  key: string,
  info: RecordingInfo,
  shard: number,
  dataBytes: number,
): Promise<InnerChunk[] | undefined> {
  const layout = chunkLayout(info);
  const found = new Map<number, InnerChunk>();
  const isForward = layout === "apart";
  // Headers lead forward, trailers backward. What an append replaced lies in front of what replaced it.
  for (let at = isForward ? 0 : dataBytes; isForward ? at < dataBytes : at > 0; ) {
    const headAt = isForward ? at : at - checksumBytes - chunkTrailerBytes;
    if (headAt < 0) return undefined;
    const head = await store.get(key, {
      start: headAt,
      end: headAt + (isForward ? chunkHeaderBytes : chunkTrailerBytes),
    });
    const extent = head && storedChunkExtent(head, layout);
    if (extent === undefined) return undefined;
    const size = extent.bytes + checksumBytes;
    const offset = isForward ? at : at - size;
    if (offset < 0 || offset + size > dataBytes) return undefined;
    const number = extent.firstSample / info.chunkFrames - shard * info.chunksPerShard;
    if (isForward || !found.has(number)) found.set(number, { offset, size });
    const next = isForward ? at + size : offset + extent.sharedBytes + extent.between;
    if (isForward ? next <= at : next >= at) return undefined;
    at = next;
  }
  const places: InnerChunk[] = [];
  for (let i = 0; i < info.chunksPerShard && found.has(i); i++) places.push(found.get(i)!);
  return places.length === found.size ? places : undefined;
}
