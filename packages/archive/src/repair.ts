import type { ObjectStore } from "@longwave/base";
import { sha256 } from "@noble/hashes/sha2.js";
import type { Chunk } from "./chunk-format.ts";
import { decodeChunk } from "./chunk-format.ts";
import {
  arrayKey,
  arrayMetadata,
  hashKey,
  recordingKey,
  recordingMetadata,
  shardKey,
  tailKey,
} from "./layout.ts";
import { hex } from "./packet-hash.ts";
import { parseRecording, type RecordingInfo } from "./recording-info.ts";
import { encodeShard, withoutChecksum } from "./shard.ts";

/** What a repair did. */
export interface RepairReport {
  /** Live recordings whose writer died: closed at the last published sample. */
  readonly finished: readonly string[];
  /** Unfinished imports that can be resumed; left alone unless `dropParts`. */
  readonly parts: readonly string[];
  /** Objects of removed recordings and dead imports that were deleted. */
  readonly deleted: readonly string[];
  /** Hash keys that pointed nowhere, or that were missing. */
  readonly hashesMended: number;
}

/**
 * Brings a store in order after crashes: finishes live recordings, removes what belongs to no recording, mends the look-up by
 * hash. Nothing that a reader can see is ever removed.
 */
export async function repairStore(
  store: ObjectStore,
  options: { dropParts?: boolean; finishLive?: boolean } = {},
): Promise<RepairReport> {
  const objects = new Map<string, string[]>();
  const visible = new Map<string, RecordingInfo>();
  for await (const { key } of store.list("rec/")) {
    const id = key.split("/")[1]!;
    objects.set(id, [...(objects.get(id) ?? []), key]);
  }
  for (const id of objects.keys()) {
    const bytes = await store.get(recordingKey(id));
    if (bytes !== undefined) visible.set(id, parseRecording(bytes, recordingKey(id)));
  }
  const parts: string[] = [];
  for await (const { key } of store.list("parts/"))
    parts.push(key.slice("parts/".length).replace(/\.json$/, ""));

  const finished: string[] = [];
  if (options.finishLive !== false) {
    for (const info of visible.values()) {
      if (info.state !== "recording") continue;
      await finishLive(store, info);
      finished.push(info.id);
    }
  }
  const deleted: string[] = [];
  const remove = async (key: string) => {
    await store.delete(key);
    deleted.push(key);
  };
  for (const id of parts) if (visible.has(id) || options.dropParts === true) await remove(`parts/${id}.json`);
  const resumable = options.dropParts === true ? [] : parts.filter((id) => !visible.has(id));
  const claimed = new Set<string>();
  let hashesMended = 0;
  for await (const { key } of store.list("by-hash/")) {
    const id = new TextDecoder().decode(await store.get(key)).trim();
    if (visible.has(id) || resumable.includes(id)) claimed.add(key);
    else {
      await remove(key);
      hashesMended++;
    }
  }
  for (const [id, keys] of objects) {
    if (!visible.has(id) && !resumable.includes(id)) for (const key of keys) await remove(key);
  }
  for (const info of visible.values()) {
    for (const hash of [info.source.sha256, info.state === "complete" ? info.packetsSha256 : undefined]) {
      if (hash === undefined || claimed.has(hashKey(hash))) continue;
      await store.put(hashKey(hash), new TextEncoder().encode(`${info.id}\n`));
      hashesMended++;
    }
  }
  return { finished, parts: resumable, deleted, hashesMended };
}

/** Puts the chunks of a dead writer into a last shard and marks the recording complete. */
export async function finishLive(store: ObjectStore, info: RecordingInfo): Promise<RecordingInfo> {
  const first = info.sealedShards * info.chunksPerShard;
  const stored: Uint8Array[] = [];
  let last: Chunk | undefined;
  for (let i = 0; i < info.tailChunks; i++) {
    const bytes = await store.get(tailKey(info.id, first + i));
    if (bytes === undefined) break;
    last = decodeChunk(
      withoutChecksum(bytes, tailKey(info.id, first + i)),
      info.profile,
      tailKey(info.id, first + i),
    );
    stored.push(bytes);
  }
  // A tail chunk may be newer than the metadata: its own header says how far it goes.
  const frames = last === undefined ? first * info.chunkFrames : last.firstSample + last.validFrames;
  const packets =
    last === undefined ? info.packets : last.firstPacket + last.lengths.length - last.preRollCount;
  const shards = [...info.shardSha256];
  if (stored.length > 0) {
    const shard = concat(encodeShard(stored, info.chunksPerShard));
    await store.put(shardKey(info.id, info.sealedShards), shard);
    shards.push(hex(sha256(shard)));
  }
  const complete: RecordingInfo = {
    ...info,
    state: "complete",
    frames,
    packets,
    sealedShards: shards.length,
    shardSha256: shards,
    tailChunks: 0,
  };
  await store.put(arrayKey(info.id), arrayMetadata(complete, frames));
  await store.put(recordingKey(info.id), recordingMetadata(complete));
  for (let i = 0; i <= info.tailChunks; i++) await store.delete(tailKey(info.id, first + i));
  return complete;
}

function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
