import { Archive, type PacketItem, verifyRecording } from "@longwave/archive";
import { MemoryStore, SeededRandom } from "@longwave/base";
import type { OpusHead } from "@longwave/media";
import { describe, expect, test } from "vitest";
import { type Chunk, decodeChunk, encodeChunk } from "../src/chunk-format.ts";
import { chunkItems } from "../src/packet-source.ts";
import {
  decodeShardIndex,
  encodeShard,
  shardIndexBytes,
  withChecksum,
  withoutChecksum,
} from "../src/shard.ts";
import { ToyDecoder } from "./toy-decoder.ts";

const decoder = (head: OpusHead, profile: string) => new ToyDecoder(head, profile);
const chunksPerShard = 8;
const key = "rec/r/pcm/c/0/0";

async function recorded(kind: number): Promise<MemoryStore> {
  const store = new MemoryStore();
  const archive = await Archive.open(store, { decoder, profile: "toy" });
  const writer = await archive.record({ id: "r", channels: 1, chunkFrames: 192_000, chunksPerShard });
  const random = new SeededRandom(8);
  const head = {
    channels: 1,
    preSkip: 312,
    inputSampleRate: 48_000,
    gainQ8: 0,
    family: 0,
    streams: 1,
    coupled: 0,
  };
  const items: PacketItem[] = [{ type: "segment", head: { ...head, mapping: Uint8Array.of(0) } }];
  for (let i = 0; i < 900; i++) {
    const data = Uint8Array.from({ length: 30 }, () => random.below(250));
    data[0] = 248;
    data[1] = kind;
    items.push({ type: "packet", data });
  }
  for (const item of items) await writer.push(item);
  await writer.close();
  return store;
}

/** Changes a chunk and mends every checksum behind it, as a forger would. */
async function forge(
  store: MemoryStore,
  number: number,
  change: (chunk: Chunk) => Partial<Chunk>,
): Promise<void> {
  const shard = (await store.get(key))!;
  const indexBytes = shardIndexBytes(chunksPerShard);
  const index = decodeShardIndex(shard.slice(-indexBytes), chunksPerShard, shard.length, key);
  const chunks: (Uint8Array | undefined)[] = index.map(
    (place) => place && shard.slice(place.offset, place.offset + place.size),
  );
  const chunk = decodeChunk(withoutChecksum(chunks[number]!, key), "toy", key);
  const packetList = [...chunkItems(chunk)].map((item) => item.data);
  chunks[number] = withChecksum(encodeChunk({ ...chunk, ...change(chunk), packetList }));
  await store.put(key, Buffer.concat(encodeShard(chunks, chunksPerShard)));
}

async function verified(store: MemoryStore) {
  const archive = await Archive.open(store, { decoder, profile: "toy" });
  return verifyRecording(store, await archive.info("r"), decoder, "decode");
}

describe("verify", () => {
  test.each(["structure", "hashes", "decode"] as const)(
    "finds nothing wrong at level %s where nothing is",
    async (level) => {
      for (const kind of [1, 254]) {
        const store = await recorded(kind);
        const archive = await Archive.open(store, { decoder, profile: "toy" });
        const report = await verifyRecording(store, await archive.info("r"), decoder, level);
        expect(report.findings).toEqual([]);
        expect(report.points).toBe(18);
      }
    },
  );

  test("detects every run-up that was lowered below what the stream needs", async () => {
    for (const number of [1, 2, 3]) {
      const store = await recorded(1);
      await forge(store, number, (chunk) => ({
        points: chunk.points.map((point, i) =>
          i === 0 ? { ...point, runUpFloat: 12, runUpInt16: 12 } : point,
        ),
      }));
      const { findings } = await verified(store);
      expect(findings.filter((each) => each.code === "archive/proof-failed")).toMatchObject([
        { chunk: number, point: 0 },
      ]);
    }
  });

  test("detects every changed byte of a stored state", async () => {
    for (let at = 0; at < 8; at++) {
      const store = await recorded(254);
      await forge(store, 2, (chunk) => {
        const state = Uint8Array.from(chunk.states.get(0)!);
        state[at]! ^= 1;
        return { states: new Map([[0, state]]) };
      });
      const codes = (await verified(store)).findings.map((each) => each.code);
      expect(codes).toContain("archive/proof-failed");
    }
  });

  test("detects a forged digest and a missing shard", async () => {
    const store = await recorded(1);
    await forge(store, 1, (chunk) => ({
      points: chunk.points.map((point, i) => (i === 2 ? { ...point, digest: point.digest ^ 1 } : point)),
    }));
    const { findings } = await verified(store);
    expect(findings).toContainEqual(
      expect.objectContaining({ code: "archive/proof-failed", chunk: 1, point: 2 }),
    );
    await store.delete(key);
    expect((await verified(store)).findings[0]).toMatchObject({ code: "archive/chunk-missing" });
  });
});
