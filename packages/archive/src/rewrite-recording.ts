import { createObject, type ObjectStore } from "@longwave/base";
import { ArchiveError } from "./errors.ts";
import { recordingKey, recordingMetadata, recordingPrefix, rewritePrefix, shardKey } from "./layout.ts";
import type { PacketItem } from "./packet-item.ts";
import { PrefixStore } from "./prefix-store.ts";
import { parseRecording, type RecordingInfo } from "./recording-info.ts";
import type { RecordingWriter } from "./recording-writer.ts";

/** Copied at once. */
const copyBytes = 1 << 20;

/**
 * Writes a complete recording anew from its packets: all proofs and states by the decoder at hand, no bytes that nobody asks
 * for any more. The new form is written aside first and takes the old one's place when it is whole; killed before, the old one
 * stays, killed afterwards, `repair` goes on. While the places are changed reads of this recording may fail, never lie.
 *
 * @param record starts a recording of this form in a store
 * @returns the recording as it is now
 */
export async function rewriteRecording(
  store: ObjectStore,
  info: RecordingInfo,
  items: AsyncIterable<PacketItem>,
  record: (store: ObjectStore) => Promise<RecordingWriter>,
): Promise<RecordingInfo> {
  if (info.state !== "complete") {
    throw new ArchiveError(
      "archive/options",
      `Recording ${info.id} is being written; rewrite it when it is complete.`,
    );
  }
  const aside = new PrefixStore(store, rewritePrefix(info.id));
  await clear(aside);
  const writer = await record(aside);
  try {
    for await (const item of items) await writer.push(item);
  } catch (error) {
    writer.abandon();
    await clear(aside);
    throw error;
  }
  const written = await writer.close();
  if (written.packetsSha256 !== info.packetsSha256 || written.frames !== info.frames) {
    await clear(aside);
    throw new ArchiveError(
      "archive/chunk-corrupt",
      `The packets of ${info.id} are not the ones that were recorded; restore it from a copy before it is rewritten.`,
    );
  }
  await finishRewrite(store, info.id);
  return parseRecording((await store.get(recordingKey(info.id)))!, recordingKey(info.id));
}

/**
 * Puts a recording that was written aside in its place; safe to repeat.
 * @returns false where it was not whole: then what there was of it is removed
 */
export async function finishRewrite(store: ObjectStore, id: string): Promise<boolean> {
  const aside = new PrefixStore(store, rewritePrefix(id));
  const [fresh, old] = [await aside.get(recordingKey(id)), await store.get(recordingKey(id))];
  if (fresh === undefined || old === undefined) {
    await clear(aside);
    return false;
  }
  const written = parseRecording(fresh, recordingKey(id));
  const { source, anchors, start, metadata, rawMetadata, storedAnchors, sealedShards } = parseRecording(
    old,
    recordingKey(id),
  );
  for await (const { key, size } of aside.list(recordingPrefix(id))) {
    if (key !== recordingKey(id)) await copy(aside, store, key, size);
  }
  const kept = {
    source,
    anchors,
    ...(start === undefined ? {} : { start }),
    metadata,
    rawMetadata,
    ...(storedAnchors === undefined ? {} : { storedAnchors }),
  };
  await store.put(recordingKey(id), recordingMetadata({ ...written, ...kept }));
  for (let shard = written.sealedShards; shard < sealedShards; shard++)
    await store.delete(shardKey(id, shard));
  // The description goes last: as long as it is there a repair begins anew.
  for await (const { key } of aside.list(recordingPrefix(id))) {
    if (key !== recordingKey(id)) await aside.delete(key);
  }
  await clear(aside);
  return true;
}

async function copy(from: ObjectStore, to: ObjectStore, key: string, size: number): Promise<void> {
  const writer = await createObject(to, key);
  try {
    for (let at = 0; at < size; at += copyBytes) {
      const piece = await from.get(key, { start: at, end: Math.min(size, at + copyBytes) });
      if (piece === undefined)
        throw new ArchiveError("archive/chunk-missing", `${key} vanished while it was copied.`);
      await writer.write(piece);
    }
    await writer.commit();
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

async function clear(store: ObjectStore): Promise<void> {
  for await (const { key } of store.list("")) await store.delete(key);
}
