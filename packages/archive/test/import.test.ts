import { Archive, type PacketItem } from "@longwave/archive";
import { StoreError } from "@longwave/base";
import { describe, expect, test } from "vitest";
import { contents, DyingStore, mixedSegment, monoHead, toyDecoder } from "./fixtures.ts";

const items = [...mixedSegment(1, 900), ...mixedSegment(2, 1400), ...mixedSegment(3, 333)];
const source = { channels: 1 as const, items: () => items };
const options = {
  id: "r",
  source: { sha256: "ab".repeat(32), name: "a.opus" },
  chunkFrames: 96_000,
  chunksPerShard: 3,
};
const open = (store: DyingStore) => Archive.open(store, { decoder: toyDecoder, profile: "toy" });

/** An item for comparison: bytes as numbers, of a head only what decoding needs. */
function plain(item: PacketItem): unknown {
  if (item.type === "packet") return { ...item, data: [...item.data] };
  return item.type === "segment" ? { preSkip: item.head.preSkip, gainQ8: item.head.gainQ8 } : item;
}

/** Losses are kept in pieces of at most 120 ms. */
function pieces(frames: number): unknown[] {
  return Array.from({ length: Math.ceil(frames / 5760) }, (_, i) => ({
    type: "loss",
    frames: Math.min(5760, frames - 5760 * i),
  }));
}

async function imported(store = new DyingStore()): Promise<DyingStore> {
  await (await open(store)).import(source, options);
  return store;
}

describe("import", () => {
  test("gives back exactly what was put in", async () => {
    const archive = await open(await imported());
    const out: unknown[] = [];
    for await (const item of archive.packets("r")) out.push(plain(item));
    expect(out).toEqual(
      items.flatMap((item) => (item.type === "loss" ? pieces(item.frames) : [plain(item)])),
    );
    expect((await archive.verify("r", "decode")).findings).toEqual([]);
  });

  test("the same file again is a duplicate, by its bytes and by its packets", async () => {
    const store = await imported();
    const before = await contents(store);
    const archive = await open(store);
    expect(await archive.import(source, { ...options, id: "again" })).toMatchObject({
      duplicate: true,
      info: { id: "r" },
    });
    expect(await contents(store)).toEqual(before);
    const renamed = { ...options, id: "other", source: { sha256: "cd".repeat(32) } };
    expect(await archive.import(source, renamed)).toMatchObject({ duplicate: true, info: { id: "r" } });
    expect((await archive.list()).map((info) => info.id)).toEqual(["r"]);
    expect(await archive.findByHash("cd".repeat(32))).toBe("r");
  });

  test("the same packets under another description: the result names what was not kept", async () => {
    const archive = await open(await imported());
    const metadata = { opusTags: { vendor: "v", comments: ["TITLE=Other"] } };
    const retagged = { ...options, id: "b", source: { sha256: "ef".repeat(32), name: "b.opus" }, metadata };
    const { duplicate, info, notKept } = await archive.import(source, {
      ...retagged,
      rawMetadata: new Map([["OpusTags", Uint8Array.of(1)]]),
    });
    expect([duplicate, info.id]).toEqual([true, "r"]);
    expect(notKept).toMatchObject({ source: { name: "b.opus" }, metadata, rawMetadata: ["OpusTags"] });
  });

  test("a stream whose hash is known at its end is found again by it", async () => {
    const archive = await open(new DyingStore());
    const { id: _, source: __, ...form } = options;
    const sourceAtEnd = () => ({ sha256: "12".repeat(32), bytes: 5 });
    const first = await archive.import(source, { ...form, id: "a", sourceAtEnd });
    expect(first.info.source).toEqual({ sha256: "12".repeat(32), bytes: 5 });
    expect(await archive.findByHash("12".repeat(32))).toBe("a");
    const again = await archive.import(source, { ...form, id: "b", sourceAtEnd });
    expect([again.duplicate, again.info.id, again.notKept]).toEqual([true, "a", undefined]);
    expect((await archive.list()).map((info) => info.id)).toEqual(["a"]);
  });

  test("of two importers of one file at once one wins", async () => {
    const store = new DyingStore();
    const results = await Promise.allSettled(
      ["a", "b"].map(async (id) => (await open(store)).import(source, { ...options, id })),
    );
    const codes = results.map((each) => (each.status === "fulfilled" ? "done" : each.reason.code)).sort();
    expect(codes).toEqual(["archive/duplicate", "done"]);
    expect(await (await open(store)).list()).toHaveLength(1);
  });

  test("a hash that is given free in the moment it was seen taken is claimed again", async () => {
    const store = new DyingStore();
    const put = store.put.bind(store);
    let refusals = 1;
    store.put = (key, bytes, condition) => {
      if (condition !== undefined && "ifAbsent" in condition && key.startsWith("by-hash/") && refusals-- > 0)
        return Promise.reject(new StoreError("store/conflict", "usage", "taken a moment ago"));
      return put(key, bytes, condition);
    };
    const { info, duplicate } = await (await open(store)).import(source, options);
    expect([info.id, duplicate]).toEqual(["r", false]);
    refusals = 100;
    const never = (await open(store)).import(
      { ...source, items: () => items.slice(1, 300) },
      {
        ...options,
        id: "s",
        source: { sha256: "cd".repeat(32) },
      },
    );
    await expect(never).rejects.toMatchObject({ code: "store/conflict" });
  });

  test("killed at any write, the store opens without a partial recording, and resuming gives the same bytes", async () => {
    const whole = await contents(await imported());
    const counting = new DyingStore();
    counting.writesLeft = 1_000_000;
    await imported(counting);
    const writes = 1_000_000 - counting.writesLeft;
    expect(writes).toBeGreaterThan(15);
    for (let killAt = 0; killAt < writes; killAt++) {
      const store = new DyingStore();
      store.writesLeft = killAt;
      await expect(imported(store)).rejects.toThrow("killed");
      store.writesLeft = Number.POSITIVE_INFINITY;
      const archive = await open(store);
      for (const info of await archive.list())
        expect((await archive.verify(info.id, "hashes")).findings).toEqual([]);
      await archive.import(source, { ...options, resume: true });
      expect(await contents(store), `killed at write ${killAt}`).toEqual(whole);
    }
  });

  test("repair removes a dead import that nobody resumes", async () => {
    const store = new DyingStore();
    store.writesLeft = 4;
    await expect(imported(store)).rejects.toThrow("killed");
    store.writesLeft = Number.POSITIVE_INFINITY;
    const archive = await open(store);
    await archive.repair({ dropParts: true });
    expect(await contents(store)).toEqual(new Map());
  });

  test("a source without sound and one with other channels are refused", async () => {
    const archive = await open(new DyingStore());
    const empty = { channels: 1 as const, items: () => [{ type: "segment" as const, head: monoHead() }] };
    await expect(archive.import(empty)).rejects.toMatchObject({ code: "archive/not-opus" });
    await expect(archive.import({ ...source, channels: 2 })).rejects.toMatchObject({
      code: "archive/append-mismatch",
    });
  });
});

describe("append", () => {
  test.each([true, false])("continues with a new segment, exact throughout (live: %s)", async (live) => {
    const store = new DyingStore();
    const archive = await open(store);
    const first = await archive.record({ id: "r", channels: 1, chunkFrames: 96_000, chunksPerShard: 3 });
    for (const item of mixedSegment(1, 517)) await first.push(item);
    await first.close();
    const second = await archive.append("r", { live });
    for (const item of mixedSegment(2, 700)) await second.push(item);
    const info = await second.close();
    const third = await archive.append("r", { live });
    for (const item of mixedSegment(3, 50)) await third.push(item);
    await third.close();
    expect(info.segments).toHaveLength(2);
    const report = await archive.verify("r", "decode");
    expect(report.findings).toEqual([]);
    const at = info.segments[1]!.firstSample;
    const { pcm } = await archive.read("r", { from: at - 5000, to: at + 5000 });
    const alone = await open(new DyingStore());
    const writer = await alone.record({ id: "s", channels: 1, chunkFrames: 96_000 });
    for (const item of mixedSegment(2, 700)) await writer.push(item);
    await writer.close();
    expect(pcm.subarray(5000)).toEqual((await alone.read("s", { from: 0, to: 5000 })).pcm);
  });

  test("a live recording whose writer died keeps what was published", async () => {
    for (let killAt = 12; killAt < 120; killAt += 9) {
      const store = new DyingStore();
      store.writesLeft = killAt;
      const archive = await open(store);
      const writer = await archive.record({
        id: "r",
        channels: 1,
        chunkFrames: 96_000,
        chunksPerShard: 3,
        live: true,
      });
      const feed = async () => {
        for (const item of mixedSegment(1, 3000)) await writer.push(item);
      };
      await expect(feed()).rejects.toThrow("killed");
      store.writesLeft = Number.POSITIVE_INFINITY;
      const again = await open(store);
      const published = (await again.info("r")).frames;
      await again.repair();
      const info = await again.info("r");
      expect(info.state).toBe("complete");
      expect(info.frames).toBeGreaterThanOrEqual(published);
      expect((await again.verify("r", "decode")).findings).toEqual([]);
      const clip = await again.read("r", { from: 0, to: info.frames });
      expect(clip.pcm.length).toBe(info.frames);
    }
  });
});
