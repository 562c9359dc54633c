import { Archive, type PacketItem } from "@longwave/archive";
import { MemoryStore, SeededRandom } from "@longwave/base";
import type { OpusHead } from "@longwave/media";
import { describe, expect, test } from "vitest";
import { SegmentDecoder } from "../src/decode-run.ts";
import { ToyDecoder } from "./toy-decoder.ts";

const decoder = (head: OpusHead, profile: string) => new ToyDecoder(head, profile);

function head(preSkip: number, gainQ8 = 0): OpusHead {
  return {
    channels: 1,
    preSkip,
    inputSampleRate: 48_000,
    gainQ8,
    family: 0,
    streams: 1,
    coupled: 0,
    mapping: Uint8Array.of(0),
  };
}

/** What the sequential decode of the items gives: the definition of "exact". */
function sequential(items: readonly PacketItem[]): Float32Array {
  const run = new SegmentDecoder(decoder, "toy", 1);
  const pieces: Float32Array[] = [];
  let skip = 0;
  let lastFrames = 960;
  for (const item of items) {
    if (item.type === "segment") {
      run.start(item.head);
      skip = item.head.preSkip;
      continue;
    }
    const toc = item.type === "packet" ? item.data[0]! : 0;
    const frames = item.type === "loss" ? item.frames : toc === 255 ? lastFrames : 960;
    run.decode(item.type === "packet" ? item.data : undefined, frames, item.type === "loss");
    lastFrames = frames;
    const cut = Math.min(skip, frames);
    skip -= cut;
    const trim = item.type === "packet" ? (item.trimEnd ?? 0) : 0;
    pieces.push(run.pcm.slice(cut, Math.max(cut, frames - trim)));
  }
  const all = new Float32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** Bit equality; a deep comparison of a million floats would take seconds. */
function sameBits(a: Float32Array, b: Float32Array): boolean {
  return Buffer.compare(new Uint8Array(a.buffer), new Uint8Array(b.buffer)) === 0;
}

/** A 20 ms packet of the toy format. `kind`: 1 ordinary, 253 forget, 254 remember for ever, 255 refused. */
function packet(random: SeededRandom, kind = 1): PacketItem {
  const data = Uint8Array.from({ length: 20 + random.below(60) }, () => random.below(256));
  data[0] = 31 << 3;
  data[1] = kind;
  return { type: "packet", data };
}

const kinds: Record<string, (random: SeededRandom) => PacketItem[]> = {
  ordinary: (random) => [
    { type: "segment", head: head(312) },
    ...Array.from({ length: 3000 }, () => packet(random)),
  ],
  "never converging": (random) => [
    { type: "segment", head: head(312) },
    ...Array.from({ length: 2000 }, () => packet(random, 254)),
  ],
  "losses and silence": (random) => [
    { type: "segment", head: head(312) },
    ...Array.from({ length: 2500 }, (): PacketItem => {
      const roll = random.below(40);
      if (roll === 0) return { type: "loss", frames: 960 * (1 + random.below(4)) };
      if (roll === 1) return { type: "packet", data: Uint8Array.of(31 << 3) };
      return packet(random);
    }),
  ],
  "malformed packets": (random) => [
    { type: "segment", head: head(312) },
    ...Array.from({ length: 1500 }, () => packet(random, random.below(50) === 0 ? 255 : 1)),
  ],
  "several segments with gains, long pre-skip and end trim": (random) =>
    [0, 1, 2, 3].flatMap((segment): PacketItem[] => {
      const items = Array.from({ length: 700 + 13 * segment }, () => packet(random, segment === 2 ? 254 : 1));
      const last = items.at(-1)!;
      if (last.type === "packet") items[items.length - 1] = { ...last, trimEnd: 500 };
      return [{ type: "segment", head: head(2500 + segment, 100 * segment) }, ...items];
    }),
  short: (random) => [{ type: "segment", head: head(312) }, packet(random), packet(random)],
};

async function recorded(items: readonly PacketItem[], store = new MemoryStore()) {
  const archive = await Archive.open(store, { decoder, profile: "toy" });
  const writer = await archive.record({ id: "r", channels: 1, chunkFrames: 96_000 * 2, chunksPerShard: 5 });
  for (const item of items) await writer.push(item);
  return { archive, store, info: await writer.close() };
}

describe.each(Object.entries(kinds))("a recording: %s", (_, make) => {
  const items = make(new SeededRandom(7));
  const expected = sequential(items);

  test("has the length of the sequential decode", async () => {
    expect((await recorded(items)).info.frames).toBe(expected.length);
  });

  test("pieces in order equal the sequential decode, whatever conceals behind a start that is proven without that", async () => {
    const { archive } = await recorded(items);
    for (const [first, piece] of [
      [0, 20_011],
      [150_001, 48_000],
      [100_000, 250_000],
    ] as const) {
      for (let from = first; from < expected.length; from += piece) {
        const to = Math.min(expected.length, from + piece);
        const { pcm } = await archive.read("r", { from, to });
        expect(sameBits(pcm, expected.slice(from, to)), `[${from}, ${to})`).toBe(true);
      }
    }
  });

  test("every slice equals the sequential decode, at borders and at random places", async () => {
    const { archive } = await recorded(items);
    const random = new SeededRandom(99);
    const places: [number, number][] = [
      [0, Math.min(1, expected.length)],
      [expected.length, expected.length],
    ];
    for (let i = 0; i < 300; i++) {
      const start = random.below(expected.length);
      places.push([start, Math.min(expected.length, start + random.below(100_000))]);
    }
    for (let border = 48_000; border < expected.length; border += 48_000) {
      for (const near of [-1, 0, 1])
        places.push([border + near, Math.min(expected.length, border + near + 960)]);
    }
    for (const [from, to] of places) {
      const { pcm } = await archive.read("r", { from, to });
      expect(sameBits(pcm, expected.slice(from, to)), `[${from}, ${to})`).toBe(true);
    }
  });
});

test("a range that begins where the last one ended goes on without a run-up, over borders of chunks too", async () => {
  const items = kinds["ordinary"]!(new SeededRandom(2));
  const expected = sequential(items);
  const { archive, info } = await recorded(items);
  const piece = 33_333;
  let decoded = 0;
  for (let from = 0; from < info.frames; from += piece) {
    const to = Math.min(info.frames, from + piece);
    const { pcm, report } = await archive.read("r", { from, to });
    expect(sameBits(pcm, expected.slice(from, to))).toBe(true);
    decoded += report.packetsDecoded;
  }
  expect(decoded).toBe(info.packets);
});

test("an ordinary stream needs no checkpoint, and nearly every point has a short proven run-up", async () => {
  const { info } = await recorded(kinds["ordinary"]!(new SeededRandom(1)));
  expect(info.counts.checkpoints).toBe(0);
  expect(info.counts.provenPoints).toBeGreaterThan(0.9 * info.counts.points);
  expect(info.counts.maxRunUp).toBeLessThanOrEqual(96);
});

test("a stream that never converges gets a checkpoint a chunk", async () => {
  const { info } = await recorded(kinds["never converging"]!(new SeededRandom(1)));
  expect(info.counts.checkpoints).toBeGreaterThanOrEqual(8);
});

test("states as close as they are asked for shorten the way to any place", async () => {
  const items = kinds["never converging"]!(new SeededRandom(1));
  const expected = sequential(items);
  const archive = await Archive.open(new MemoryStore(), { decoder, profile: "toy" });
  const form = { id: "r", channels: 1, chunkFrames: 480_000, checkpointFrames: 96_000 } as const;
  const writer = await archive.record(form);
  for (const item of items) await writer.push(item);
  const info = await writer.close();
  // The start of the recording stands for one.
  expect(info.counts.checkpoints).toBe(Math.ceil(expected.length / 96_000) - 1);
  for (let from = 0; from < expected.length - 960; from += 31_007) {
    const { pcm, report } = await archive.read("r", { from, to: from + 960 });
    expect(sameBits(pcm, expected.slice(from, from + 960))).toBe(true);
    expect(report.packetsDecoded).toBeLessThanOrEqual(96_000 / 960 + info.counts.maxRunUp + 2);
  }
  expect((await archive.verify("r", "decode")).findings).toEqual([]);
  const impossible = archive.record({ ...form, id: "s", checkpointFrames: 47_999 });
  await expect(impossible).rejects.toMatchObject({ code: "archive/options" });
});

test("the same items give the same bytes", async () => {
  const items = kinds["losses and silence"]!(new SeededRandom(3));
  const a = await recorded(items);
  const b = await recorded(items);
  for await (const object of a.store.list("")) {
    expect(await b.store.get(object.key), object.key).toEqual(await a.store.get(object.key));
  }
});

test("a live recording is readable up to the last publication while it is written", async () => {
  const items = kinds["ordinary"]!(new SeededRandom(5));
  const expected = sequential(items);
  const store = new MemoryStore();
  const archive = await Archive.open(store, { decoder, profile: "toy" });
  const other = await Archive.open(store, { decoder, profile: "toy" });
  const writer = await archive.record({
    id: "live",
    channels: 1,
    chunkFrames: 96_000,
    chunksPerShard: 4,
    live: true,
  });
  for (const [i, item] of items.entries()) {
    await writer.push(item);
    if (i % 317 !== 100) continue;
    const info = await other.info("live");
    expect(info.state).toBe("recording");
    expect(writer.frames - info.frames).toBeLessThan(48_000 + 960);
    const from = Math.max(0, info.frames - 60_000);
    const { pcm } = await other.read("live", { from, to: info.frames });
    expect(sameBits(pcm, expected.slice(from, info.frames))).toBe(true);
  }
  const info = await writer.close();
  expect(info).toMatchObject({ state: "complete", frames: expected.length });
  const leftovers = [];
  for await (const object of store.list("rec/live/tail/")) leftovers.push(object.key);
  expect(leftovers).toEqual([]);
});

test("a range outside is refused with the valid one; an empty range costs nothing", async () => {
  const { archive, info } = await recorded(kinds["short"]!(new SeededRandom(1)));
  await expect(archive.read("r", { from: 0, to: info.frames + 1 })).rejects.toMatchObject({
    code: "archive/range",
  });
  await expect(archive.read("r", { from: 5, to: 4 })).rejects.toMatchObject({ code: "archive/range" });
  const { report, pcm } = await archive.read("r", { from: 5, to: 5 });
  expect([report.requests, pcm.length]).toEqual([0, 0]);
});

test("every flipped bit of a shard is noticed, and other chunks stay readable", async () => {
  const items = kinds["ordinary"]!(new SeededRandom(11)).slice(0, 1000);
  const expected = sequential(items);
  const { store } = await recorded(items);
  const random = new SeededRandom(4);
  const key = "rec/r/pcm/c/0/0";
  const good = (await store.get(key))!;
  for (let round = 0; round < 60; round++) {
    const bad = good.slice();
    bad[random.below(bad.length)]! ^= 1 << random.below(8);
    await store.put(key, bad);
    const archive = await Archive.open(store, { decoder, profile: "toy" });
    let noticed = 0;
    for (let chunk = 0; chunk * 192_000 < expected.length; chunk++) {
      const from = chunk * 192_000;
      const to = Math.min(expected.length, from + 192_000);
      try {
        const { pcm } = await archive.read("r", { from, to });
        expect(sameBits(pcm, expected.slice(from, to))).toBe(true);
      } catch (error) {
        expect(error).toMatchObject({ code: "archive/chunk-corrupt" });
        noticed++;
      }
    }
    expect(noticed).toBeGreaterThanOrEqual(1);
  }
});
