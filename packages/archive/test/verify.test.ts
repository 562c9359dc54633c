import { Archive, type PacketItem, verifyRecording } from "@longwave/archive";
import { MemoryStore, SeededRandom } from "@longwave/base";
import type { OpusHead } from "@longwave/media";
import { gunzipSync, gzipSync } from "fflate";
import { describe, expect, test } from "vitest";
import type { Chunk } from "../src/chunk-format.ts";
import { forgeChunk } from "./forge-chunk.ts";
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

const forge = (store: MemoryStore, number: number, change: (chunk: Chunk) => Partial<Chunk>) =>
  forgeChunk(store, { key, chunksPerShard, profile: "toy" }, number, change);

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

  test.each(["states", "differences"] as const)("detects every changed byte of stored %s", async (form) => {
    for (let at = 0; at < 8; at++) {
      const store = await recorded(254);
      let changed = 0;
      for (const number of [0, 1, 2]) {
        await forge(store, number, (chunk) => {
          const [point, stored] = [...chunk[form]][0] ?? [];
          if (point === undefined || stored === undefined || changed > 0) return {};
          changed++;
          const bytes = Uint8Array.from(stored instanceof Uint8Array ? stored : stored.bytes);
          bytes[at]! ^= 1;
          const value = stored instanceof Uint8Array ? bytes : { ...stored, bytes };
          return { [form]: new Map<number, unknown>([...chunk[form], [point, value]]) };
        });
      }
      expect(changed).toBe(1);
      const codes = (await verified(store)).findings.map((each) => each.code);
      expect(codes).toContain("archive/proof-failed");
    }
  });

  test("detects a seek array that is damaged, other than the chunks, or gone", async () => {
    const group = "rec/r/seek/c/0/0";
    const found = async (change: (store: MemoryStore, bytes: Uint8Array) => Promise<unknown>) => {
      const store = await recorded(1);
      await change(store, (await store.get(group))!);
      return (await verified(store)).findings.map(({ code, message }) => [
        code,
        message.includes("seek array"),
      ]);
    };
    const named = [["archive/metadata", true]];
    expect(await found((store) => store.delete(group))).toEqual(named);
    expect(await found((store) => store.put(group, Uint8Array.of(1, 2, 3)))).toEqual(named);
    const changed = (bytes: Uint8Array) => {
      const numbers = gunzipSync(bytes);
      numbers[4] = numbers[4]! ^ 1;
      return gzipSync(numbers);
    };
    expect(await found((store, bytes) => store.put(group, changed(bytes)))).toEqual(named);
    const packedOtherwise = (bytes: Uint8Array) => gzipSync(gunzipSync(bytes), { level: 1 });
    expect(await found((store, bytes) => store.put(group, packedOtherwise(bytes)))).toEqual([]);
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

describe("reading a forged index", () => {
  const from = 192_000 + 2_000;
  const range = { from, to: from + 60_000 };
  const same = (a: Float32Array, b: Float32Array) =>
    Buffer.compare(Buffer.from(a.buffer), Buffer.from(b.buffer)) === 0;

  /** What an archive nobody touched gives for `range`. */
  async function right(kind: number): Promise<Float32Array> {
    const archive = await Archive.open(await recorded(kind), { decoder, profile: "toy" });
    return (await archive.read("r", range)).pcm;
  }

  const read = async (store: MemoryStore, verify: boolean) => {
    const archive = await Archive.open(store, { decoder, profile: "toy" });
    return archive.read("r", { ...range, verify });
  };

  test("a run-up that was lowered is noticed with verify, and the sound is right all the same", async () => {
    const store = await recorded(1);
    await forge(store, 1, (chunk) => ({
      points: chunk.points.map((point) => ({ ...point, runUpFloat: 2, runUpInt16: 2 })),
    }));
    expect(same((await read(store, false)).pcm, await right(1))).toBe(false);
    const { pcm, report } = await read(store, true);
    expect(same(pcm, await right(1))).toBe(true);
    expect(report.fallbacks).toBeGreaterThan(0);
  });

  test("a forged state is noticed with verify; decoding then begins with the segment", async () => {
    const store = await recorded(254);
    await forge(store, 1, (chunk) => ({
      states: new Map([[0, new Uint8Array(chunk.states.get(0)!.length)]]),
    }));
    const { pcm, report } = await read(store, true);
    expect(same(pcm, await right(254))).toBe(true);
    expect(report.fallbacks).toBe(4);
  });

  test("a state that the decoder refuses is replaced without verify, too", async () => {
    const store = await recorded(254);
    await forge(store, 1, () => ({ states: new Map([[0, Uint8Array.of(1, 2, 3)]]) }));
    expect(same((await read(store, false)).pcm, await right(254))).toBe(true);
  });

  test("a chunk that claims fewer frames than are read is an error, not silence", async () => {
    const store = await recorded(1);
    await forge(store, 1, () => ({ validFrames: 960 }));
    const archive = await Archive.open(store, { decoder, profile: "toy" });
    for (const verify of [false, true]) {
      const read = archive.read("r", { from: 192_000 + 10_000, to: 192_000 + 10_500, verify });
      await expect(read).rejects.toMatchObject({ code: "archive/chunk-corrupt" });
    }
    await expect(archive.read("r", { from: 192_000, to: 192_000 + 960 })).resolves.toBeDefined();
    await expect(archive.read("r", { from: 0, to: 192_000 })).resolves.toBeDefined();
  });

  test.each([
    ["a loss that no decoder can conceal", { packet: 150, type: "loss", frames: 961, segment: 0 }],
    ["a loss of hours", { packet: 150, type: "loss", frames: 0xffff_ffff, segment: 0 }],
    ["a segment that nobody knows", { packet: 150, type: "segment-start", frames: 0, segment: 9 }],
  ] as const)("%s is damage of its chunk, for a read and for verify", async (_, event) => {
    const store = await recorded(1);
    await forge(store, 1, (chunk) => ({ events: [...chunk.events, event] }));
    const archive = await Archive.open(store, { decoder, profile: "toy" });
    const read = archive.read("r", { from: 192_000, to: 2 * 192_000 });
    await expect(read).rejects.toMatchObject({ code: "archive/chunk-corrupt" });
    await expect(archive.read("r", { from: 0, to: 192_000 })).resolves.toBeDefined();
    const { findings } = await verified(store);
    expect(findings).toContainEqual(expect.objectContaining({ code: "archive/chunk-corrupt", chunk: 1 }));
  });

  test("where no start gives what was proven, the read fails and says where", async () => {
    const store = await recorded(1);
    await forge(store, 1, (chunk) => ({
      points: chunk.points.map((point, i) => (i === 1 ? { ...point, digest: point.digest ^ 1 } : point)),
    }));
    await expect(read(store, true)).rejects.toMatchObject({
      code: "archive/proof-failed",
      message: expect.stringContaining(`the second at sample ${192_000 + 48_000} differs`),
    });
  });

  test("another decoder profile reads, and says that it is not exact", async () => {
    const other = (head: OpusHead) => new ToyDecoder(head, "toy-2");
    const archive = await Archive.open(await recorded(1), { decoder: other, profile: "toy-2" });
    const { report } = await archive.read("r", range);
    expect(report).toMatchObject({ exact: false, profile: "toy-2" });
    await expect(archive.read("r", { ...range, requireExact: true })).rejects.toMatchObject({
      code: "archive/proof-failed",
    });
  });
});
