import { Archive } from "@longwave/archive";
import { expect, test } from "vitest";
import { shardIndexBytes } from "../src/shard.ts";
import { contents, DyingStore, mixedSegment, toyDecoder } from "./fixtures.ts";

const chunksPerShard = 3;
const indexBytes = shardIndexBytes(chunksPerShard);
const key = (shard: number) => `rec/r/pcm/c/${shard}/0`;

/** A recording of several shards, the last of which an append took up in the middle of a chunk. */
async function appendedTo(options: { overlap?: boolean } = {}) {
  const store = new DyingStore();
  const archive = await Archive.open(store, { decoder: toyDecoder });
  const form = { id: "r", channels: 1 as const, chunkFrames: 96_000, chunksPerShard, ...options };
  const writer = await archive.record(form);
  for (const item of mixedSegment(1, 500)) await writer.push(item);
  const { sealedShards } = await writer.close();
  const more = await archive.append("r");
  for (const item of mixedSegment(2, 300)) await more.push(item);
  const { shardBytes } = await more.close();
  expect([sealedShards, shardBytes.length]).toEqual([2, 3]);
  // Claims the hash of the packets, which only an import does.
  await archive.repair();
  return { store, archive, shardBytes };
}

async function flip(store: DyingStore, at: string, byte: number): Promise<void> {
  const bytes = (await store.get(at))!.slice();
  bytes[byte]! ^= 4;
  await store.put(at, bytes);
}

test.each([{}, { overlap: true }])("a damaged index is written anew, to the byte: %o", async (options) => {
  const { store, archive, shardBytes } = await appendedTo(options);
  const before = await contents(store);
  for (const [shard, size] of shardBytes.entries())
    await flip(store, key(shard), size - indexBytes + 5 * shard);
  expect((await archive.verify("r", "structure")).findings.length).toBeGreaterThan(0);
  const report = await archive.repair();
  expect(report.indexesRebuilt).toEqual([key(0), key(1), key(2)]);
  expect(await contents(store)).toEqual(before);
  expect((await archive.verify("r", "decode")).findings).toEqual([]);
  expect((await archive.repair()).indexesRebuilt).toEqual([]);
});

test.each([{}, { overlap: true }])("where a chunk is damaged too nothing is written: %o", async (options) => {
  const { store, archive, shardBytes } = await appendedTo(options);
  const end = shardBytes[0]! - indexBytes;
  await flip(store, key(0), end + 2);
  // In packets, in what tells the length (of the first header or the last trailer), in the magic.
  for (const byte of [
    Math.floor(end / 2),
    options.overlap === true ? end - 84 + 40 : 40,
    options.overlap === true ? end - 84 : 0,
  ]) {
    await flip(store, key(0), byte);
    const before = await contents(store);
    expect((await archive.repair()).indexesRebuilt).toEqual([]);
    expect(await contents(store)).toEqual(before);
    await flip(store, key(0), byte);
  }
  expect((await archive.repair()).indexesRebuilt).toEqual([key(0)]);
});

test("a shard that is cut short or missing is left to verify", async () => {
  const { store, archive } = await appendedTo();
  await store.put(key(0), (await store.get(key(0)))!.slice(0, -1));
  await store.delete(key(1));
  expect((await archive.repair()).indexesRebuilt).toEqual([]);
});
