import { readFile } from "node:fs/promises";
import { Archive, type PacketItem, ZipStore } from "@longwave/archive";
import { MemoryStore, type ObjectStore, SeededRandom } from "@longwave/base";
import { createSeekableDecoder } from "@longwave/opus";
import { opusStream, streamKinds } from "@longwave/testkit/opus-streams";
import { describe, expect, test } from "vitest";
import { type Chunk, decodeChunk, encodeChunk } from "../src/chunk-format.ts";
import { packetsOf } from "../src/packet-source.ts";
import { emptyReport } from "../src/recording-reader.ts";
import type { StateDifference } from "../src/state-difference.ts";
import { contents, DyingStore } from "./fixtures.ts";
import { forgeChunk } from "./forge-chunk.ts";

const kind = streamKinds.find((each) => each.name === "SILK organ")!;
const items: PacketItem[] = await opusStream(kind, 26);
const source = { channels: 1 as const, items: () => items };
const form = { chunkFrames: 240_000, chunksPerShard: 6 };
const forged = { key: "rec/r/pcm/c/0/0", chunksPerShard: 6, profile: "opus-1" };
const open = (store: ObjectStore) => Archive.open(store, { decoder: createSeekableDecoder });

let base: MemoryStore | undefined;

/** A store with the recording, made once and copied. */
async function recorded(): Promise<MemoryStore> {
  if (base === undefined) {
    base = new MemoryStore();
    const archive = await open(base);
    await archive.import(source, { id: "r", ...form });
    archive.close();
  }
  const copy = new MemoryStore();
  for await (const { key } of base.list("")) await copy.put(key, (await base.get(key))!.slice());
  return copy;
}

async function chunkOf(store: ObjectStore, number: number): Promise<Chunk> {
  const archive = await open(store);
  const info = await archive.info("r");
  const chunk = await archive.reader(info).chunk(number, emptyReport(info));
  archive.close();
  return chunk;
}

const bytesOf = (pcm: Float32Array) => Buffer.from(pcm.slice().buffer);

/** Half a second of every one and a half, one behind the other. */
async function readAll(store: ObjectStore, verify: boolean): Promise<{ fallbacks: number; pcm: Buffer }> {
  const archive = await open(store);
  let fallbacks = 0;
  const pcm: Buffer[] = [];
  for (let from = 12_000; from + 24_000 < 25 * 48_000; from += 72_000) {
    const read = await archive.read("r", { from, to: from + 24_000, verify });
    fallbacks += read.report.fallbacks;
    pcm.push(bytesOf(read.pcm));
  }
  archive.close();
  return { fallbacks, pcm: Buffer.concat(pcm) };
}

async function codesOf(store: ObjectStore): Promise<string[]> {
  const archive = await open(store);
  const { findings } = await archive.verify("r", "decode");
  archive.close();
  return findings.map((each) => each.code);
}

/** Forges chunk 3, every difference of it. */
async function forgedStore(change: (difference: StateDifference) => StateDifference): Promise<MemoryStore> {
  const store = await recorded();
  await forgeChunk(store, forged, 3, (chunk) => ({
    differences: new Map([...chunk.differences].map(([point, difference]) => [point, change(difference)])),
  }));
  return store;
}

describe("a sustained sound", () => {
  test("has a state at nearly every point, in front of the packet before, for a tenth of a state's bytes", async () => {
    const store = await recorded();
    const differences = (await Promise.all([2, 3, 4].map((n) => chunkOf(store, n)))).flatMap((chunk) => [
      ...chunk.differences.values(),
    ]);
    expect(differences.length).toBeGreaterThan(11);
    expect(differences.every(({ coded, settle, whole }) => coded === true && settle === 1 && !whole)).toBe(
      true,
    );
    expect(differences.reduce((sum, { bytes }) => sum + bytes.length, 0) / differences.length).toBeLessThan(
      150,
    );
    expect(await codesOf(store)).toEqual([]);
  });

  test("is refused by programs that know older chunks, and the forms of a later version by this one", async () => {
    const chunk = await chunkOf(await recorded(), 3);
    const packetList = Array.from(packetsOf(chunk), (item) => item.data);
    const encoded = encodeChunk({ ...chunk, packetList });
    // Compression 5 is the newest of the versions before.
    expect(encoded[6]).toBe(6);
    const { storedBytes: _, ...again } = decodeChunk(encoded, "opus-1", "it");
    const { storedBytes: __, ...wanted } = chunk;
    expect(again).toEqual(wanted);
    const [point, difference] = [...chunk.differences][0]!;
    for (const broken of [{ settle: difference.runUp + 1 }, { runUp: 0x1_0000 }]) {
      const differences = new Map([[point, { ...difference, ...broken }]]);
      const bytes = encodeChunk({ ...chunk, packetList, differences });
      expect(() => decodeChunk(bytes, "opus-1", "it")).toThrow(/damaged \(tables\)/);
    }
  });

  test("gives the same sound where a state was forged, and verify tells that it was", async () => {
    const right = (await readAll(await recorded(), false)).pcm;
    const random = new SeededRandom(8);
    const changed = (difference: StateDifference): StateDifference => {
      const bytes = Uint8Array.from(difference.bytes);
      bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
      return { ...difference, bytes };
    };
    for (const change of [changed, changed, changed]) {
      const store = await forgedStore(change);
      expect(await codesOf(store)).toContain("archive/proof-failed");
      expect((await readAll(store, true)).pcm.equals(right)).toBe(true);
    }
    // What the decoder's own checksum or the code refuses is noticed without verify, too.
    for (const change of [
      (difference: StateDifference) => ({ ...difference, bytes: difference.bytes.slice(0, -2) }),
      (difference: StateDifference) => ({ ...difference, runUp: 0xffff }),
      changed,
    ]) {
      const { fallbacks, pcm } = await readAll(await forgedStore(change), false);
      expect(fallbacks).toBeGreaterThan(0);
      expect(pcm.equals(right)).toBe(true);
    }
  });

  test("an import killed at any write gives the same bytes when it is resumed", async () => {
    const importInto = async (store: DyingStore, resume: boolean) => {
      const archive = await open(store);
      const name = { name: "organ.opus", sha256: "cd".repeat(32), container: "ogg" };
      await archive.import(source, { id: "r", ...form, chunksPerShard: 1, source: name, resume });
      archive.close();
    };
    const whole = new DyingStore();
    await importInto(whole, false);
    const wanted = await contents(whole);
    for (const writes of [5, 8, 9, 11]) {
      const store = new DyingStore();
      store.writesLeft = writes;
      await expect(importInto(store, false)).rejects.toThrow();
      store.writesLeft = Number.POSITIVE_INFINITY;
      await importInto(store, true);
      expect(await contents(store)).toEqual(wanted);
    }
  });
});

// Made by the version of 2026-11-22 (76b8276): an import of 14 s of "SILK organ" with chunks of 5 s, zipped.
test("a store whose differences are not coded, as the version before wrote it, is read and verified as ever", async () => {
  const bytes = new Uint8Array(await readFile(new URL("differences-by-planes.zip", import.meta.url)));
  const store = await ZipStore.open({ size: bytes.length, read: async (a, b) => bytes.slice(a, b) });
  const chunks = await Promise.all([0, 1, 2].map((number) => chunkOf(store, number)));
  const differences = chunks.flatMap((chunk) => [...chunk.differences.values()]);
  expect(differences.length).toBe(2);
  expect(differences.every(({ coded, settle }) => coded === undefined && settle === undefined)).toBe(true);
  expect(await codesOf(store)).toEqual([]);
  const archive = await open(store);
  const { frames } = await archive.info("r");
  const whole = await archive.read("r", { from: 0, to: frames });
  for (let from = 24_000; from + 48_000 < frames; from += 77_777) {
    const { pcm, report } = await archive.read("r", { from, to: from + 48_000 });
    expect([report.exact, report.fallbacks]).toEqual([true, 0]);
    expect(bytesOf(pcm).equals(bytesOf(whole.pcm.subarray(from, from + 48_000)))).toBe(true);
  }
  archive.close();
});
