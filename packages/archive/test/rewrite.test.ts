import { Archive } from "@longwave/archive";
import { isFullSweep } from "@longwave/testkit";
import { describe, expect, test } from "vitest";
import { contents, DyingStore, mixedSegment, toyDecoder } from "./fixtures.ts";

const options = { chunkFrames: 96_000, chunksPerShard: 3 };
const open = (store: DyingStore) => Archive.open(store, { decoder: toyDecoder, profile: "toy" });
const rawMetadata = new Map([["guan", Uint8Array.of(1, 2, 3)]]);

/** A recording that was appended to, so that its shard holds bytes nobody asks for. */
async function appended(): Promise<DyingStore> {
  const store = new DyingStore();
  const archive = await open(store);
  const source = { channels: 1 as const, items: () => mixedSegment(1, 517) };
  await archive.import(source, { ...options, id: "r", rawMetadata, startTimeNs: 5n, source: { name: "a" } });
  const writer = await archive.append("r");
  for (const item of mixedSegment(2, 300)) await writer.push(item);
  await writer.close();
  return store;
}

async function sound(store: DyingStore) {
  const archive = await open(store);
  const { frames } = await archive.info("r");
  return Buffer.from((await archive.read("r", { from: 0, to: frames })).pcm.buffer);
}

describe("rewrite", () => {
  test("gives the same sound from fewer bytes; description and raw metadata stay", async () => {
    const store = await appended();
    const before = await sound(store);
    const old = await (await open(store)).info("r");
    const info = await (await open(store)).rewrite("r");
    expect(Buffer.compare(await sound(store), before)).toBe(0);
    expect(info.shardBytes.reduce((a, b) => a + b)).toBeLessThan(old.shardBytes.reduce((a, b) => a + b));
    const { source, anchors, metadata, rawMetadata: raw, packetsSha256 } = old;
    expect(info).toMatchObject({ source, anchors, metadata, rawMetadata: raw, packetsSha256 });
    expect((await (await open(store)).verify("r", "decode")).findings).toEqual([]);
  });

  test("killed at any write, repair leaves the old recording or the new one, whole", async () => {
    const done = await appended();
    await (await open(done)).rewrite("r");
    const wanted = await contents(done);
    const before = await sound(await appended());
    let finished = 0;
    for (let kill = 0; kill < 40; kill += isFullSweep ? 1 : 3) {
      const store = await appended();
      const untouched = await contents(store);
      store.writesLeft = kill;
      const killed = await (await open(store)).rewrite("r").then(
        () => false,
        () => true,
      );
      store.writesLeft = Number.POSITIVE_INFINITY;
      await (await open(store)).repair();
      const found = await contents(store);
      expect([untouched, wanted]).toContainEqual(found);
      if (!killed) finished++;
      expect(Buffer.compare(await sound(store), before)).toBe(0);
    }
    expect(finished).toBeGreaterThan(0);
  });
});

test("a range of wall-clock time over a gap is its pieces with their times", async () => {
  const archive = await open(new DyingStore());
  const writer = await archive.record({ ...options, id: "r", channels: 1, startTimeNs: 0n });
  for (const item of mixedSegment(1, 100)) await writer.push(item);
  const first = writer.frames;
  writer.anchor(60_000_000_000n);
  for (const item of mixedSegment(2, 100)) await writer.push(item);
  const info = await writer.close();
  const range = { from: { unixNs: 1_000_000_000n }, to: { unixNs: 61_000_000_000n } };
  await expect(archive.read("r", range)).rejects.toMatchObject({ code: "archive/gap", kind: "usage" });
  expect(await archive.rangesBetween("r", range.from.unixNs, range.to.unixNs)).toEqual([
    { start: 48_000, end: first, startNs: 1_000_000_000n },
    { start: first, end: first + 48_000, startNs: 60_000_000_000n },
  ]);
  expect(info.frames).toBeGreaterThan(first + 48_000);
});
