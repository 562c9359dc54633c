import { Archive, type PacketItem } from "@longwave/archive";
import { MemoryStore, SeededRandom } from "@longwave/base";
import { createSeekableDecoder } from "@longwave/opus";
import { opusStream, streamKinds } from "@longwave/testkit/opus-streams";
import { describe, expect, test } from "vitest";
import { type Chunk, decodeChunk, encodeChunk } from "../src/chunk-format.ts";
import { packetsOf } from "../src/packet-source.ts";
import { emptyReport } from "../src/recording-reader.ts";
import { decodeSeeds, encodeSeeds } from "../src/seed-columns.ts";
import { contents, DyingStore } from "./fixtures.ts";
import { forgeChunk } from "./forge-chunk.ts";

const kind = streamKinds.find((each) => each.name === "pauses with DTX")!;
const items: PacketItem[] = await opusStream(kind, 40);
const chunkFrames = 960_000;
const chunksPerShard = 6;
const key = "rec/r/pcm/c/0/0";

const source = { channels: 1 as const, items: () => items };
const form = { id: "r", chunkFrames, chunksPerShard };
let base: MemoryStore | undefined;

/** A store with the recording, made once and copied. */
async function recorded(): Promise<MemoryStore> {
  base ??= await imported({});
  const copy = new MemoryStore();
  for await (const { key } of base.list("")) await copy.put(key, (await base.get(key))!.slice());
  return copy;
}

async function imported(options: { overlap?: boolean }): Promise<MemoryStore> {
  const store = new MemoryStore();
  const archive = await Archive.open(store, { decoder: createSeekableDecoder });
  await archive.import(source, { ...form, ...options });
  archive.close();
  return store;
}

async function chunksOf(store: MemoryStore): Promise<Chunk[]> {
  const archive = await Archive.open(store, { decoder: createSeekableDecoder });
  const info = await archive.info("r");
  const reader = archive.reader(info);
  const chunks: Chunk[] = [];
  for (let n = 0; n * chunkFrames < info.frames; n++) chunks.push(await reader.chunk(n, emptyReport(info)));
  archive.close();
  return chunks;
}

const forge = (store: MemoryStore, number: number, change: (chunk: Chunk) => Partial<Chunk>) =>
  forgeChunk(store, { key, chunksPerShard, profile: "opus-1" }, number, change);

const bytesOf = (pcm: Float32Array) => Buffer.from(pcm.slice().buffer);
const whole = await (async () => {
  const archive = await Archive.open(await recorded(), { decoder: createSeekableDecoder });
  return archive.read("r", { from: 0, to: (await archive.info("r")).frames });
})();

async function readAll(store: MemoryStore, verify: boolean): Promise<{ fallbacks: number; wrong: number }> {
  const archive = await Archive.open(store, { decoder: createSeekableDecoder });
  let fallbacks = 0;
  let wrong = 0;
  for (let from = 24_000; from + 96_000 < whole.pcm.length; from += 144_000) {
    const { pcm, report } = await archive.read("r", { from, to: from + 48_000, verify });
    fallbacks += report.fallbacks;
    if (!bytesOf(pcm).equals(bytesOf(whole.pcm.subarray(from, from + 48_000)))) wrong++;
  }
  archive.close();
  return { fallbacks, wrong };
}

test("seeds come back from their columns, and whatever else the bytes are, they are refused or read, never more", () => {
  const random = new SeededRandom(12);
  for (let round = 0; round < 100; round++) {
    const points = new Set(Array.from({ length: random.below(12) }, () => random.below(1 << 16)));
    const seeds = new Map(
      [...points].map((point) => {
        const runUp = random.below(1 << 16);
        const lasting = Uint8Array.from({ length: random.below(400) }, () => random.below(256));
        return [point, { runUp, gathered: random.below(runUp + 1), lasting }] as const;
      }),
    );
    const bytes = encodeSeeds(seeds);
    expect(decodeSeeds(bytes, seeds.size)).toEqual(seeds);
    expect(decodeSeeds(bytes, seeds.size + 1)).toBeUndefined();
    if (bytes.length === 0) continue;
    expect(decodeSeeds(bytes.subarray(1), seeds.size)).toBeUndefined();
    bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
    const read = decodeSeeds(bytes, seeds.size);
    if (read !== undefined) expect(encodeSeeds(read)).toEqual(bytes);
  }
});

describe("pauses with comfort noise", () => {
  test("have a start every second or so, for a few words each, and every one of them holds", async () => {
    const store = await recorded();
    const chunks = await chunksOf(store);
    const seeds = chunks.flatMap((chunk) => [...chunk.seeds.values()]);
    expect(seeds.length).toBeGreaterThan(12);
    const withoutNoise = seeds.filter((seed) => seed.gathered > 0);
    expect(Math.max(...withoutNoise.map((seed) => seed.lasting.length))).toBeLessThan(60);
    expect(await readAll(store, true)).toEqual({ fallbacks: 0, wrong: 0 });
    const archive = await Archive.open(store, { decoder: createSeekableDecoder });
    expect((await archive.verify("r", "decode")).findings).toEqual([]);
    archive.close();
  });

  test("go on exactly from a seeded start over the border of a chunk, whatever follows", async () => {
    const archive = await Archive.open(await recorded(), { decoder: createSeekableDecoder });
    const random = new SeededRandom(3);
    for (let round = 0; round < 4; round++) {
      let from = 5 * 48_000 + random.below(96_000);
      for (; from < whole.pcm.length - 200_000; from += 96_000) {
        const { pcm } = await archive.read("r", { from, to: from + 96_000 });
        expect(bytesOf(pcm).equals(bytesOf(whole.pcm.subarray(from, from + 96_000)))).toBe(true);
      }
    }
    archive.close();
  });

  test("have the same starts where chunks overlap, and behind an append", async () => {
    const apart = (await chunksOf(await recorded())).map((chunk) => [...chunk.seeds]);
    const store = await imported({ overlap: true });
    expect((await chunksOf(store)).map((chunk) => [...chunk.seeds])).toEqual(apart);
    expect(await readAll(store, true)).toEqual({ fallbacks: 0, wrong: 0 });
    const archive = await Archive.open(store, { decoder: createSeekableDecoder });
    const writer = await archive.append("r");
    for (const item of items.slice(0, 600)) await writer.push(item);
    await writer.close();
    expect((await archive.verify("r", "decode")).findings).toEqual([]);
    archive.close();
  });

  // In chunks of 3 s a search for a seed is under way at a border that reaches back further than any run-up.
  test.each([
    [480_000, 48_000, [4, 6, 8]],
    [144_000, 24_000, [5, 9, 12, 15, 18, 22, 27, 31]],
  ])(
    "an import in chunks of %d killed at any write gives the same bytes when it is resumed",
    async (chunkFrames, pointFrames, kills) => {
      const whole = new DyingStore();
      const importInto = async (store: DyingStore, resume: boolean) => {
        const archive = await Archive.open(store, { decoder: createSeekableDecoder });
        const name = { name: "pauses.opus", sha256: "ab".repeat(32), container: "ogg" };
        await archive.import(source, {
          ...form,
          chunksPerShard: 1,
          chunkFrames,
          pointFrames,
          source: name,
          resume,
        });
        archive.close();
      };
      await importInto(whole, false);
      const wanted = await contents(whole);
      const check = await Archive.open(whole, { decoder: createSeekableDecoder });
      expect((await check.verify("r", "decode")).findings).toEqual([]);
      check.close();
      for (const writes of kills) {
        const store = new DyingStore();
        store.writesLeft = writes;
        await expect(importInto(store, false)).rejects.toThrow();
        store.writesLeft = Number.POSITIVE_INFINITY;
        await importInto(store, true);
        expect(await contents(store)).toEqual(wanted);
      }
    },
  );

  test("a changed or foreign seed is found by verify, and verified reads give the right sound all the same", async () => {
    // Not the type of the last frame and the count of losses: the packet sent in a pause overwrites them, and most of their values serve.
    for (const at of [0, 3, 9, 12, 13, 17, 37]) {
      const store = await recorded();
      await forge(store, 1, (chunk) => ({
        seeds: new Map(
          [...chunk.seeds].map(([point, seed]) => {
            const lasting = Uint8Array.from(seed.lasting);
            lasting[at]! ^= 0x15;
            return [point, { ...seed, lasting }];
          }),
        ),
      }));
      const archive = await Archive.open(store, { decoder: createSeekableDecoder });
      const codes = (await archive.verify("r", "decode")).findings.map((each) => each.code);
      archive.close();
      expect(codes, `byte ${at}`).toContain("archive/proof-failed");
      expect((await readAll(store, true)).wrong).toBe(0);
    }
  });

  test("a seed that the decoder refuses, or a run-up that begins in front of the chunk, is replaced without verify, too", async () => {
    for (const forged of [{ lasting: Uint8Array.of(9, 9, 9) }, { runUp: 0xffff, gathered: 3 }]) {
      const store = await recorded();
      await forge(store, 1, (chunk) => ({
        seeds: new Map([...chunk.seeds].map(([point, seed]) => [point, { ...seed, ...forged }])),
      }));
      const { fallbacks, wrong } = await readAll(store, false);
      expect([fallbacks > 0, wrong]).toEqual([true, 0]);
    }
  });

  test("programs that know older chunks refuse them, and a chunk with more gathered than run up is damaged", async () => {
    const store = await recorded();
    const chunk = (await chunksOf(store))[1]!;
    const packetList = Array.from(packetsOf(chunk), (item) => item.data);
    const encoded = encodeChunk({ ...chunk, packetList });
    // Compression 4 is the newest of the versions before.
    expect(encoded[6]).toBe(5);
    expect(
      encodeChunk({ ...chunk, packetList, seeds: new Map(), differences: new Map(), states: new Map() })[6],
    ).toBe(3);
    const [point, seed] = [...chunk.seeds][0]!;
    const seeds = new Map([[point, { ...seed, gathered: seed.runUp + 1 }]]);
    const broken = encodeChunk({ ...chunk, packetList, seeds });
    expect(() => decodeChunk(broken, "opus-1", "it")).toThrow(/damaged \(tables\)/);
  });
});
