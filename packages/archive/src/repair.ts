import type { ObjectStore } from "@longwave/base";
import type { Chunk } from "./chunk-format.ts";
import { decodeChunk } from "./chunk-format.ts";
import { ArchiveError } from "./errors.ts";
import {
  arrayKey,
  arrayMetadata,
  hashKey,
  recordingKey,
  recordingMetadata,
  shardKey,
  tailKey,
} from "./layout.ts";
import { rebuildShardIndex } from "./rebuild-index.ts";
import { chunkLayout, parseRecording, type RecordingInfo } from "./recording-info.ts";
import { RecordingReader } from "./recording-reader.ts";
import { finishRewrite } from "./rewrite-recording.ts";
import { scanRecording } from "./scan-recording.ts";
import { portableSha256, type Sha256Factory } from "./sha256.ts";
import { withoutChecksum } from "./shard.ts";
import { ShardWriter } from "./shard-writer.ts";
import { storeAnchors, withAnchors } from "./time-anchors.ts";

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
  /** Shards whose damaged index was written anew from their chunks; see rebuildShardIndex. */
  readonly indexesRebuilt: readonly string[];
  /** Recordings whose metadata cannot be read; nothing of them is touched. */
  readonly damaged: readonly string[];
}

export interface RepairOptions {
  /** Remove interrupted imports instead of keeping them for a resume. */
  readonly dropParts?: boolean;
  /** Close live recordings whose writer died; default true. Nobody may be writing then. */
  readonly finishLive?: boolean;
  readonly sha256?: Sha256Factory;
}

/**
 * Brings a store in order after crashes: finishes live recordings, removes what belongs to no recording, mends the look-up by
 * hash and the indexes of shards. Nothing that a reader can see is ever removed.
 */
export async function repairStore(store: ObjectStore, options: RepairOptions = {}): Promise<RepairReport> {
  const objects = new Map<string, string[]>();
  const visible = new Map<string, RecordingInfo>();
  /** Recordings whose metadata cannot be read: left as they are, to be restored from a copy. */
  const damaged = new Set<string>();
  for await (const { key } of store.list("rec/")) {
    const id = key.split("/")[1]!;
    objects.set(id, [...(objects.get(id) ?? []), key]);
  }
  for (const id of objects.keys()) {
    const bytes = await store.get(recordingKey(id));
    if (bytes === undefined) continue;
    try {
      visible.set(id, await withAnchors(store, parseRecording(bytes, recordingKey(id))));
    } catch (error) {
      if (!(error instanceof ArchiveError)) throw error;
      damaged.add(id);
    }
  }
  const parts: string[] = [];
  const leases: string[] = [];
  for await (const { key } of store.list("parts/")) {
    if (key.endsWith(".lease")) leases.push(key);
    else parts.push(key.slice("parts/".length).replace(/\.json$/, ""));
  }

  const rewrites = new Set<string>();
  for await (const { key } of store.list("rewrites/")) rewrites.add(key.split("/")[1]!);
  for (const id of rewrites) {
    if (!(await finishRewrite(store, id))) continue;
    visible.set(
      id,
      await withAnchors(store, parseRecording((await store.get(recordingKey(id)))!, recordingKey(id))),
    );
  }
  const indexesRebuilt: string[] = [];
  for (const info of visible.values()) {
    for (let shard = 0; shard < info.sealedShards; shard++) {
      if (await rebuildShardIndex(store, info, shard, options.sha256 ?? portableSha256))
        indexesRebuilt.push(shardKey(info.id, shard));
    }
  }
  const finished: string[] = [];
  if (options.finishLive !== false) {
    for (const info of visible.values()) {
      if (info.state !== "recording") continue;
      await finishLive(store, info, options.sha256);
      finished.push(info.id);
    }
  }
  const deleted: string[] = [];
  const remove = async (key: string) => {
    await store.delete(key);
    deleted.push(key);
  };
  if (options.finishLive !== false) for (const key of leases) await remove(key);
  for (const id of parts) if (visible.has(id) || options.dropParts === true) await remove(`parts/${id}.json`);
  const resumable = options.dropParts === true ? [] : parts.filter((id) => !visible.has(id));
  const claimed = new Set<string>();
  let hashesMended = 0;
  for await (const { key } of store.list("by-hash/")) {
    const id = new TextDecoder().decode(await store.get(key)).trim();
    if (visible.has(id) || damaged.has(id) || resumable.includes(id)) claimed.add(key);
    else {
      await remove(key);
      hashesMended++;
    }
  }
  for (const [id, keys] of objects) {
    if (!visible.has(id) && !damaged.has(id) && !resumable.includes(id))
      for (const key of keys) await remove(key);
  }
  for (const info of visible.values()) {
    for (const hash of [info.source.sha256, info.state === "complete" ? info.packetsSha256 : undefined]) {
      if (hash === undefined || claimed.has(hashKey(hash))) continue;
      await store.put(hashKey(hash), new TextEncoder().encode(`${info.id}\n`));
      hashesMended++;
    }
  }
  return { finished, parts: resumable, deleted, hashesMended, indexesRebuilt, damaged: [...damaged] };
}

/** Puts the chunks of a dead writer into a last shard and marks the recording complete. */
export async function finishLive(
  store: ObjectStore,
  info: RecordingInfo,
  sha256: Sha256Factory = portableSha256,
): Promise<RecordingInfo> {
  const first = info.sealedShards * info.chunksPerShard;
  const shard = new ShardWriter(store, shardKey(info.id, info.sealedShards), info.chunksPerShard, sha256);
  let last: Chunk | undefined;
  for (let i = 0; i < info.tailChunks; i++) {
    const key = tailKey(info.id, first + i);
    const bytes = await store.get(key);
    if (bytes === undefined) break;
    last = decodeChunk(withoutChecksum(bytes, key), info.profile, key, chunkLayout(info));
    await shard.push(bytes);
  }
  // A tail chunk may be newer than the metadata: its own header says how far it goes.
  const frames = last === undefined ? first * info.chunkFrames : last.firstSample + last.validFrames;
  const packets =
    last === undefined ? info.packets : last.firstPacket + last.lengths.length - last.preRollCount;
  const shardSha256 = [...info.shardSha256];
  const shardBytes = [...info.shardBytes];
  if (shard.length > 0) {
    const stored = await shard.seal();
    shardSha256.push(stored.sha256);
    shardBytes.push(stored.bytes);
  }
  const finished: RecordingInfo = {
    ...info,
    state: "complete",
    frames,
    packets,
    sealedShards: shardBytes.length,
    shardSha256,
    shardBytes,
    tailChunks: 0,
    segments: info.segments.filter((segment) => segment.firstPacket < packets),
    anchors: info.anchors.filter((anchor) => anchor.sample <= frames),
  };
  const complete = await rescanned(store, finished, info.packets !== packets, sha256);
  await store.put(arrayKey(info.id), arrayMetadata(complete, frames));
  await store.put(recordingKey(info.id), recordingMetadata(await storeAnchors(store, complete)));
  for (let i = 0; i <= info.tailChunks; i++) await store.delete(tailKey(info.id, first + i));
  return complete;
}

/** Writes the seek points; where the description is older than the chunks, takes counts and hashes from these. */
async function rescanned(
  store: ObjectStore,
  info: RecordingInfo,
  isOlder: boolean,
  sha256: Sha256Factory,
): Promise<RecordingInfo> {
  const reader = new RecordingReader(store, info, () => {
    throw new Error("Nothing is decoded here.");
  });
  const { counts, packetsSha256, segmentSha256, seek } = await scanRecording(
    reader,
    Math.ceil(info.frames / info.chunkFrames),
    sha256,
  );
  reader.close();
  const seekBytes = await seek.finish(store, info.id);
  if (!isOlder) return info;
  return {
    ...info,
    counts: { ...counts, indexBytes: counts.indexBytes + seekBytes },
    packetsSha256,
    segments: info.segments.map((segment, i) => ({
      ...segment,
      packetsSha256: segmentSha256[i] ?? segment.packetsSha256,
    })),
  };
}
