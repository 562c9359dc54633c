import type { MemoryStore } from "@longwave/base";
import { type Chunk, decodeChunk, encodeChunk } from "../src/chunk-format.ts";
import { packetsOf } from "../src/packet-source.ts";
import {
  decodeShardIndex,
  encodeShard,
  shardIndexBytes,
  withChecksum,
  withoutChecksum,
} from "../src/shard.ts";

/** The only shard of a recording `r`. */
export interface ForgedShard {
  readonly key: string;
  readonly chunksPerShard: number;
  readonly profile: string;
}

/** Changes a chunk and mends every checksum and size behind it, as a forger would. */
export async function forgeChunk(
  store: MemoryStore,
  { key, chunksPerShard, profile }: ForgedShard,
  number: number,
  change: (chunk: Chunk) => Partial<Chunk>,
): Promise<void> {
  const shard = (await store.get(key))!;
  const indexBytes = shardIndexBytes(chunksPerShard);
  const index = decodeShardIndex(shard.slice(-indexBytes), chunksPerShard, shard.length, key);
  const chunks: (Uint8Array | undefined)[] = index.map(
    (place) => place && shard.slice(place.offset, place.offset + place.size),
  );
  const chunk = decodeChunk(withoutChecksum(chunks[number]!, key), profile, key);
  const packetList = Array.from(packetsOf(chunk), (item) => item.data);
  chunks[number] = withChecksum(encodeChunk({ ...chunk, ...change(chunk), packetList }));
  const forged = Buffer.concat(encodeShard(chunks, chunksPerShard));
  await store.put(key, forged);
  const metadata = new TextDecoder().decode((await store.get("rec/r/zarr.json"))!);
  const sizes = `"shardBytes":[${shard.length}]`;
  if (!metadata.includes(sizes)) throw new Error(`The metadata do not tell ${sizes}.`);
  const mended = metadata.replace(sizes, `"shardBytes":[${forged.length}]`);
  await store.put("rec/r/zarr.json", new TextEncoder().encode(mended));
}
