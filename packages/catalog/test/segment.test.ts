import { MemoryStore, SeededRandom } from "@longwave/base";
import { describe, expect, test } from "vitest";
import { PostingBatch } from "../src/posting-batch.ts";
import { Segment } from "../src/segment.ts";
import { buildSegment } from "../src/segment-builder.ts";
import { blockLength, parseSegmentHeader } from "../src/segment-format.ts";
import type { Track } from "../src/track.ts";

const configHash = "0123456789abcdef";

/** Random postings with some very frequent hashes and some at the borders of 32 bits. */
function randomColumns(seed: number, count: number, trackCount: number, hashBits: number) {
  const random = new SeededRandom(seed);
  const postings = Array.from({ length: count }, () => {
    const kind = random.below(10);
    const hash =
      kind === 0
        ? 7
        : kind === 1
          ? 2 ** hashBits - 1 - random.below(3)
          : random.below(2 ** hashBits / 64) * 64;
    const frame = kind === 2 ? 0xffff_ffff - random.below(2) : random.below(50_000);
    return { hash, track: random.below(trackCount), frame };
  });
  postings.sort((a, b) => a.track - b.track || a.frame - b.frame);
  return {
    postings,
    columns: {
      hashes: Uint32Array.from(postings, (each) => each.hash),
      tracks: Uint32Array.from(postings, (each) => each.track),
      frames: Uint32Array.from(postings, (each) => each.frame),
    },
  };
}

const tracksOf = (count: number): Track[] =>
  Array.from({ length: count }, (_, i) => ({
    id: `t${i}`,
    durationSeconds: 60,
    hashes: 1,
    contentHash: `${i}`,
  }));

async function stored(bytes: Uint8Array, firstTrack = 0) {
  const store = new MemoryStore();
  await store.put("segment", bytes);
  return { store, segment: await Segment.open(store, "segment", firstTrack) };
}

async function list(segment: Segment, hash: number): Promise<string[]> {
  const batch = new PostingBatch();
  await segment.prepare(Uint32Array.of(hash));
  const count = segment.collect(hash, 1e9, batch);
  expect(batch.count).toBe(count);
  return Array.from({ length: count }, (_, i) => `${batch.tracks[i]} ${batch.frames[i]}`);
}

describe("Segment", () => {
  test.each([
    ["wang-v1", 32, 5000],
    ["mark-v1", 22, 5000],
    ["wang-v1", 32, 3],
    ["mark-v1", 22, 0],
  ] as const)("of %s (%d bits) gives back %d postings", async (profile, bits, count) => {
    const { postings, columns } = randomColumns(count + bits, count, 40, bits);
    const { segment } = await stored(buildSegment(profile, configHash, tracksOf(40), columns), 100);
    for (const hash of new Set([...postings.map((each) => each.hash), 0, 5, 2 ** bits - 1])) {
      const expected = postings
        .filter((each) => each.hash === hash)
        .map((each) => `${each.track + 100} ${each.frame}`);
      expect(await list(segment, hash)).toEqual(expected);
    }
  });

  test("leaves out lists above the limit and says how long they are", async () => {
    const { postings, columns } = randomColumns(1, 3000, 10, 22);
    const { segment } = await stored(buildSegment("mark-v1", configHash, tracksOf(10), columns));
    await segment.prepare(Uint32Array.of(7));
    const batch = new PostingBatch();
    expect(segment.collect(7, 10, batch)).toBe(postings.filter((each) => each.hash === 7).length);
    expect(batch.count).toBe(0);
  });

  test("reads only the blocks that a look-up needs", async () => {
    const { columns } = randomColumns(2, 60_000, 10, 22);
    const bytes = buildSegment("mark-v1", configHash, tracksOf(10), columns);
    const store = new MemoryStore();
    await store.put("segment", bytes);
    let read = 0;
    const get = store.get.bind(store);
    store.get = async (key, range) => {
      const part = await get(key, range);
      read += part?.length ?? 0;
      return part;
    };
    const readBy = async (work: Promise<unknown>) => {
      read = 0;
      await work;
      return read;
    };
    const opening = Segment.open(store, "segment", 0);
    const layout = parseSegmentHeader("segment", bytes);
    expect(await readBy(opening)).toBe(layout.sumsStart);
    const segment = await opening;
    const index = layout.postingsStart - layout.sumsStart;
    const first = await readBy(segment.prepare(Uint32Array.of(7)));
    expect(first).toBeGreaterThan(index);
    expect(first).toBeLessThanOrEqual(index + 3 * blockLength);
    expect(await readBy(segment.prepare(Uint32Array.of(7)))).toBe(0);
    expect(await readBy(segment.prepare(Uint32Array.of(2 ** 22 - 1)))).toBeLessThanOrEqual(2 * blockLength);
    expect(bytes.length).toBeGreaterThan(8 * blockLength);
  });

  test("finds damage in every region: header and directory refuse, a block is left out", async () => {
    const { columns } = randomColumns(3, 30_000, 10, 22);
    const bytes = buildSegment("mark-v1", configHash, tracksOf(10), columns);
    const { segment } = await stored(bytes);
    const random = new SeededRandom(4);
    for (let i = 0; i < 200; i++) {
      const broken = bytes.slice();
      const at = i < 100 ? random.below(segment.layout.postingsStart) : random.below(bytes.length);
      broken[at]! ^= 1 << random.below(8);
      const store = new MemoryStore();
      await store.put("segment", broken);
      const opened = await Segment.open(store, "segment", 0).catch((error) => error.code as string);
      const { sumsStart, postingsStart } = segment.layout;
      if (at < sumsStart) {
        expect(["catalog/corrupt", "catalog/version"]).toContain(opened);
        continue;
      }
      const damaged = (opened as Segment).readAll();
      if (at < postingsStart) await expect(damaged).rejects.toMatchObject({ code: "catalog/corrupt" });
      else {
        expect(await damaged).toEqual([Math.floor((at - postingsStart) / blockLength)]);
        expect((opened as Segment).damaged).toBe(true);
      }
    }
  });

  test("refuses every truncation", async () => {
    const { columns } = randomColumns(5, 500, 3, 22);
    const bytes = buildSegment("mark-v1", configHash, tracksOf(3), columns);
    for (let length = 0; length < bytes.length; length += 11) {
      const store = new MemoryStore();
      await store.put("segment", bytes.slice(0, length));
      const code = await Segment.open(store, "segment", 0).then(
        () => "opened",
        (error) => error.code,
      );
      expect(code).toBe("catalog/corrupt");
    }
  });
});
