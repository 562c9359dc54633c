import { Archive, codecName, createChunkCodec, type PacketItem } from "@longwave/archive";
import { SeededRandom } from "@longwave/base";
import { createSeekableDecoder } from "@longwave/opus";
import { opusStream, streamKinds } from "@longwave/testkit/opus-streams";
import { describe, expect, test } from "vitest";
import * as zarr from "zarrita";
import { decodeChunk } from "../src/chunk-format.ts";
import { toInt16 } from "../src/int16.ts";
import { emptyReport } from "../src/recording-reader.ts";
import { scanRecording } from "../src/scan-recording.ts";
import { portableSha256 } from "../src/sha256.ts";
import { decodeShardIndex, shardIndexBytes, withoutChecksum } from "../src/shard.ts";
import { contents, DyingStore, mixedSegment, toyDecoder, toyPacket } from "./fixtures.ts";

const chunksPerShard = 3;
const form = { id: "r", channels: 1 as const, chunkFrames: 96_000, chunksPerShard };
const items = [...mixedSegment(1, 900), ...mixedSegment(2, 700), ...mixedSegment(3, 333)];
const open = (store: DyingStore) => Archive.open(store, { decoder: toyDecoder, profile: "toy" });

async function recorded(options: { overlap?: boolean; live?: boolean } = { overlap: true }, of = items) {
  const store = new DyingStore();
  const archive = await open(store);
  const writer = await archive.record({ ...form, ...options });
  for (const item of of) await writer.push(item);
  return { store, archive, info: await writer.close() };
}

async function sound(archive: Archive): Promise<Buffer> {
  const { frames } = await archive.info("r");
  return Buffer.from((await archive.read("r", { from: 0, to: frames })).pcm.buffer);
}

const bytesOf = async (store: DyingStore) => {
  let sum = 0;
  for await (const { key, size } of store.list("rec/r/pcm/c/")) sum += key.endsWith("/0") ? size : 0;
  return sum;
};

async function indexOf(store: DyingStore, shard: number) {
  const bytes = (await store.get(`rec/r/pcm/c/${shard}/0`))!;
  const index = bytes.subarray(bytes.length - shardIndexBytes(chunksPerShard));
  return { bytes, places: decodeShardIndex(index, chunksPerShard, bytes.length, "a shard").map((p) => p!) };
}

test("chunks begin inside the one before; the store is smaller and sounds the same", async () => {
  const [apart, overlapping] = [await recorded({}), await recorded()];
  expect(Buffer.compare(await sound(overlapping.archive), await sound(apart.archive))).toBe(0);
  const { places } = await indexOf(overlapping.store, 0);
  for (const [i, place] of places.entries()) {
    if (i === 0) continue;
    expect(place.offset).toBeLessThan(places[i - 1]!.offset + places[i - 1]!.size);
    expect(place.offset).toBeGreaterThan(places[i - 1]!.offset);
  }
  const [before, after] = [apart.info.counts, overlapping.info.counts];
  expect(after.preRollBytes).toBeLessThan(0.7 * before.preRollBytes);
  expect(await bytesOf(overlapping.store)).toBeLessThan(await bytesOf(apart.store));
  expect(after.points).toBe(before.points);
  expect(after.provenPoints).toBe(before.provenPoints);
});

test("every byte of a shard is counted once", async () => {
  const { store, archive, info } = await recorded();
  const { packetBytes, preRollBytes } = info.counts;
  const scan = await scanRecording(
    archive.reader(info),
    Math.ceil(info.frames / form.chunkFrames),
    portableSha256,
  );
  expect(scan.counts).toMatchObject({ packetBytes, preRollBytes });
  expect(scan.counts.packetBytes + scan.counts.preRollBytes + scan.counts.indexBytes).toBe(
    await bytesOf(store),
  );
});

test.each(["structure", "hashes", "decode"] as const)("verify finds nothing at level %s", async (level) => {
  const { archive, info } = await recorded();
  const report = await archive.verify("r", level);
  expect([report.findings, report.points]).toEqual([[], info.counts.points]);
});

test("a chunk is one read, and none of its neighbour; neighbours come together", async () => {
  const { archive } = await recorded();
  await archive.read("r", { from: 0, to: 10 });
  const inside = await archive.read("r", { from: 96_000 + 100, to: 96_000 + 50_000 });
  expect(inside.report.requests).toBe(1);
  const fresh = await open(archive.store as DyingStore);
  const across = await fresh.read("r", { from: 100, to: 3 * 96_000 - 100 });
  // Description, shard index, three chunks at once.
  expect(across.report.requests).toBe(3);
});

test("the packets come back once each, as they were recorded", async () => {
  const { archive } = await recorded();
  const apart = await recorded({});
  const list = async (from: Archive) => {
    const out: PacketItem[] = [];
    for await (const item of from.packets("r")) out.push(item.type === "packet" ? { ...item } : item);
    return out;
  };
  expect(await list(archive)).toEqual(await list(apart.archive));
});

test("stock zarrita reads it", async () => {
  const { store, archive, info } = await recorded();
  const readable = {
    get: (key: string) => store.get(key.slice(1)),
    async getRange(key: string, range: { offset: number; length: number } | { suffixLength: number }) {
      const size = (await store.head(key.slice(1)))?.size ?? 0;
      const start = "offset" in range ? range.offset : Math.max(0, size - range.suffixLength);
      return store.get(key.slice(1), { start, end: "offset" in range ? start + range.length : size });
    },
  };
  zarr.registry.set(codecName, async () => createChunkCodec(toyDecoder) as never);
  const array = await zarr.open.v3(zarr.root(readable).resolve("/rec/r/pcm"), { kind: "array" });
  for (const from of [0, 95_000, 96_000, 280_000, info.frames - 60_000]) {
    const to = Math.min(info.frames, from + 60_000);
    const slice = await zarr.get(array, [zarr.slice(from, to), null]);
    const { pcm } = await archive.read("r", { from, to });
    expect([...(slice.data as Int16Array)]).toEqual([...Int16Array.from(pcm, toInt16)]);
  }
});

test("a flipped bit costs the chunks that hold it: two where packets are shared, one elsewhere", async () => {
  const random = new SeededRandom(3);
  const packets: PacketItem[] = [items[0]!];
  for (let i = 0; i < 290; i++) packets.push(toyPacket(random));
  const { store, archive, info } = await recorded({ overlap: true }, packets);
  const { bytes, places } = await indexOf(store, 0);
  const whole = await sound(archive);
  const seen = new Set<number>();
  const from = new Array<number>(places.length).fill(0).map((_, i) => 96_000 * i);
  for (let i = 0; i < 150; i++) {
    const at = random.below(places.at(-1)!.offset + places.at(-1)!.size);
    const flipped = bytes.slice();
    flipped[at]! ^= 1 << random.below(8);
    await store.put("rec/r/pcm/c/0/0", flipped);
    const reader = await open(store);
    let lost = 0;
    for (const [number, place] of places.entries()) {
      const isInside = at >= place.offset && at < place.offset + place.size;
      const end = Math.min(info.frames, from[number]! + 96_000);
      const read = reader.read("r", { from: from[number]!, to: end });
      if (isInside) {
        lost++;
        await expect(read).rejects.toMatchObject({ code: "archive/chunk-corrupt" });
      } else {
        const { pcm } = await read;
        expect(Buffer.compare(Buffer.from(pcm.buffer), whole.subarray(4 * from[number]!, 4 * end))).toBe(0);
      }
    }
    seen.add(lost);
  }
  expect([...seen].sort()).toEqual([1, 2]);
});

test("programs that know version 1 alone refuse it", async () => {
  const { store, info } = await recorded();
  expect(info.version).toBe(2);
  const metadata = JSON.parse(new TextDecoder().decode(await store.get("rec/r/pcm/zarr.json")));
  expect(metadata.codecs[0].configuration.codecs[0].configuration.format).toBe(2);
  const { bytes, places } = await indexOf(store, 0);
  const chunk = bytes.subarray(places[1]!.offset, places[1]!.offset + places[1]!.size);
  const read = () => decodeChunk(withoutChecksum(chunk, "it"), "toy", "it", "apart");
  expect(read).toThrow(expect.objectContaining({ code: "archive/chunk-corrupt" }));
  const codec = { format: 3, profile: "toy", segments: [] };
  expect(() => createChunkCodec(toyDecoder).fromConfig(codec, { shape: [96_000, 1] })).toThrow(
    expect.objectContaining({ code: "archive/version" }),
  );
});

test("it cannot be had together with the twin for Zarr version 2", async () => {
  const archive = await open(new DyingStore());
  const refused = archive.record({ ...form, overlap: true, v2Twin: true });
  await expect(refused).rejects.toMatchObject({ code: "archive/options", kind: "usage" });
});

describe("an import", () => {
  const source = { channels: 1 as const, items: () => items };
  const options = { ...form, source: { sha256: "ab".repeat(32) } };

  test("killed at any write, resuming gives the same bytes, asked for overlap again or not", async () => {
    const imported = async (store: DyingStore) => {
      await (await open(store)).import(source, { ...options, overlap: true });
      return store;
    };
    const whole = await contents(await imported(new DyingStore()));
    const counting = new DyingStore();
    counting.writesLeft = 1_000_000;
    await imported(counting);
    const writes = 1_000_000 - counting.writesLeft;
    let journals = 0;
    for (let killAt = 1; killAt < writes; killAt += 2) {
      const store = new DyingStore();
      store.writesLeft = killAt;
      await expect(imported(store)).rejects.toThrow("killed");
      store.writesLeft = Number.POSITIVE_INFINITY;
      const archive = await open(store);
      const hasJournal = (await store.head("parts/r.json")) !== undefined;
      if (hasJournal) journals++;
      await archive.import(source, { ...options, resume: true, overlap: !hasJournal });
      await archive.repair();
      expect(await contents(store), `killed at write ${killAt}`).toEqual(whole);
    }
    expect(journals).toBeGreaterThan(2);
  });
});

test.each([true, false])("an append goes on like that (live: %s), and a rewrite", async (live) => {
  const { store, archive } = await recorded({ overlap: true }, mixedSegment(1, 517));
  for (const [seed, count] of [
    [2, 700],
    [3, 50],
  ] as const) {
    const writer = await archive.append("r", { live });
    for (const item of mixedSegment(seed, count)) await writer.push(item);
    await writer.close();
  }
  const info = await archive.info("r");
  expect([info.version, info.overlap, info.segments.length]).toEqual([2, true, 3]);
  expect((await archive.verify("r", "decode")).findings).toEqual([]);
  const before = await sound(archive);
  const bytes = await bytesOf(store);
  const again = await archive.rewrite("r");
  expect(again.overlap).toBe(true);
  expect(await bytesOf(store)).toBeLessThan(bytes);
  expect(Buffer.compare(await sound(archive), before)).toBe(0);
  expect((await archive.verify("r", "decode")).findings).toEqual([]);
});

test("a live recording whose writer died keeps what was published", async () => {
  for (const killAt of [20, 33, 47, 80]) {
    const store = new DyingStore();
    const archive = await open(store);
    store.writesLeft = killAt;
    const writer = await archive.record({ ...form, overlap: true, live: true });
    const feed = async () => {
      for (const item of mixedSegment(1, 3000)) await writer.push(item);
    };
    await expect(feed()).rejects.toThrow("killed");
    store.writesLeft = Number.POSITIVE_INFINITY;
    const again = await open(store);
    const published = (await again.info("r")).frames;
    await again.repair();
    const info = await again.info("r");
    expect([info.state, info.overlap]).toEqual(["complete", true]);
    expect(info.frames).toBeGreaterThanOrEqual(published);
    expect((await again.verify("r", "decode")).findings).toEqual([]);
    for (let number = 0; number * form.chunkFrames < info.frames; number++)
      await again.reader(info).chunk(number, emptyReport(info));
  }
});

test.each(["CELT music 64k stereo", "SILK speech wide band"])("%s: slices are exact", async (name) => {
  const kind = streamKinds.find((each) => each.name === name)!;
  const packets = await opusStream(kind, 8);
  const clips: Buffer[][] = [];
  for (const overlap of [false, true]) {
    const archive = await Archive.open(new DyingStore(), { decoder: createSeekableDecoder });
    const writer = await archive.record({ ...form, channels: kind.channels, overlap });
    for (const item of packets) await writer.push(item);
    const { frames } = await writer.close();
    const random = new SeededRandom(7);
    const all = (await archive.read("r", { from: 0, to: frames })).pcm;
    const read: Buffer[] = [];
    for (let i = 0; i < 12; i++) {
      const from = random.below(frames - 10_000);
      const { pcm } = await archive.read("r", { from, to: from + 10_000 });
      read.push(Buffer.from(pcm.buffer));
      const { channels } = kind;
      const wanted = all.slice(from * channels, (from + 10_000) * channels);
      expect(Buffer.compare(read.at(-1)!, Buffer.from(wanted.buffer))).toBe(0);
    }
    clips.push(read);
    archive.close();
  }
  expect(clips[0]!.every((clip, i) => Buffer.compare(clip, clips[1]![i]!) === 0)).toBe(true);
});
