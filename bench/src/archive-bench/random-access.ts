import { gunzipSync } from "node:zlib";
import { Archive, type RecordingInfo } from "@longwave/archive";
import { type ObjectStore, SeededRandom } from "@longwave/base";
import { DirectoryStore } from "@longwave/base/node";
import { createSeekableDecoder } from "@longwave/opus";
import { CountingStore } from "./counting-store.js";
import { secondDecoder } from "./decode-second.js";
import { quantile, report } from "./table.js";

const second = 48_000;

/** One second at random places of a recording in a directory, warm and cold. */
export async function measureRandomAccess(directory: string, title: string, hours: number): Promise<void> {
  const store = new CountingStore(new DirectoryStore(directory));
  const archive = await Archive.open(store, { decoder: createSeekableDecoder });
  const info = await archive.info("r");
  const random = new SeededRandom(24);
  const place = (from: number, to: number) => Math.floor(from) + random.below(Math.floor(to - from - second));
  const decoding = await secondDecoder(archive, info);
  const bound = await packetBound(store, info);

  // Warm: every shard's index is known.
  for (let at = 0; at < info.frames; at += 3600 * second)
    await archive.read("r", { from: at, to: Math.min(info.frames, at + 100) });
  const read = async (from: number) => {
    const began = performance.now();
    const { report: cost } = await archive.read("r", { from, to: from + second });
    return {
      ms: performance.now() - began,
      packets: cost.packetsDecoded,
      excess: cost.packetsDecoded - bound(from),
    };
  };
  const readsBefore = store.reads;
  const all = [];
  // Decoding alone is measured between the reads: the machine's speed changes.
  const ratios: number[] = [];
  for (let round = 0; round < 10; round++) {
    const decodeMs = decoding.round();
    const cpuBefore = process.cpuUsage();
    for (let i = 0; i < 50; i++) all.push(await read(place(0, info.frames)));
    const cpu = process.cpuUsage(cpuBefore);
    ratios.push((cpu.user + cpu.system) / 1000 / 50 / decodeMs);
  }
  decoding.close();
  const warm = (store.reads - readsBefore) / all.length;
  const times = all.map((each) => each.ms);
  const packets = all.map((each) => each.packets);
  report({
    number: "4",
    what: `1 s at a random place, ${title}: median / p95`,
    target: "≤ 25 / 60 ms",
    figure: `${quantile(times, 0.5).toFixed(1)} / ${quantile(times, 0.95).toFixed(1)} ms`,
    ok: quantile(times, 0.5) <= 25 && quantile(times, 0.95) <= 60,
  });
  report({
    number: "4",
    what: `sample frames a second that this gives, ${title}`,
    target: "≥ 1.9 M (floor 50,000)",
    figure: `${(second / 1000 / quantile(times, 0.5)).toFixed(1)} M`,
    ok: second / quantile(times, 0.5) >= 1900,
  });
  report({
    number: "4",
    what: `packets decoded for 1 s, ${title}: mean / p95 / most`,
    target: "≤ those of the second + 1 + k for each read",
    figure: `${(packets.reduce((a, b) => a + b) / packets.length).toFixed(0)} / ${quantile(packets, 0.95)} / ${Math.max(...packets)}; ${all.filter((each) => each.excess > 0).length} of ${all.length} over`,
    ok: all.every((each) => each.excess <= 0),
  });
  report({
    number: "5",
    what: `1 s at a random place ÷ decoding its packets alone, ${title} (CPU time, median of 10 rounds)`,
    target: "≤ 3",
    figure: quantile(ratios, 0.5).toFixed(2),
    ok: quantile(ratios, 0.5) <= 3,
  });
  if (hours > 1) {
    const first: number[] = [];
    const last: number[] = [];
    for (let i = 0; i < 300; i++) {
      first.push((await read(place(0, info.frames / hours))).ms);
      last.push((await read(place(info.frames * (1 - 1 / hours), info.frames))).ms);
    }
    const ratio = quantile(last, 0.5) / quantile(first, 0.5);
    report({
      number: "5",
      what: `last hour ÷ first hour, ${title} (medians)`,
      target: "0.8 to 1.2",
      figure: ratio.toFixed(2),
      ok: ratio >= 0.8 && ratio <= 1.2,
    });
  }
  const cold: number[] = [];
  for (let i = 0; i < 100; i++) {
    const before = store.reads;
    const fresh = await Archive.open(store, { decoder: createSeekableDecoder });
    const from = place(0, info.frames);
    await fresh.read("r", { from, to: from + second });
    fresh.close();
    cold.push(store.reads - before);
  }
  report({
    number: "6",
    what: `reads of the store for 1 s, ${title}: cold (most of 100) / warm (mean of ${all.length})`,
    target: "≤ 4 / 1.2",
    figure: `${Math.max(...cold)} / ${warm.toFixed(2)}`,
    ok: Math.max(...cold) <= 4 && warm <= 1.2,
  });
  const chunkStart = info.chunkFrames * Math.floor(info.frames / info.chunkFrames / 2);
  const beforeMany = store.reads;
  for (let i = 0; i < 100; i++) {
    const from = chunkStart + random.below(info.chunkFrames - second);
    await archive.read("r", { from, to: from + second });
  }
  report({
    number: "6",
    what: `reads of the store for 100 slices of one chunk, ${title}`,
    target: "1",
    figure: String(store.reads - beforeMany),
    ok: store.reads - beforeMany <= 1,
  });
  archive.close();
}

/**
 * How many packets a second at `from` may cost by the recording's own index (the `seek` array): from the nearest point with a
 * run-up or a state, in every chunk that it touches.
 */
async function packetBound(store: ObjectStore, info: RecordingInfo): Promise<(from: number) => number> {
  const groups: Uint32Array[] = [];
  const metadata = JSON.parse(Buffer.from((await store.get("rec/r/seek/zarr.json"))!).toString());
  const columns: number = metadata.chunk_grid.configuration.chunk_shape[1];
  for (let i = 0; i * columns < metadata.shape[1]; i++) {
    const bytes = gunzipSync((await store.get(`rec/r/seek/c/0/${i}`))!);
    groups.push(new Uint32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)));
  }
  const value = (row: number, point: number) =>
    groups[Math.floor(point / columns)]![row * columns + (point % columns)]!;
  const framesPerPacket = Math.round(info.frames / info.packets / 120) * 120;
  const pointsPerChunk = info.chunkFrames / info.pointFrames;
  return (from) => {
    let bound = 0;
    for (let at = from; at < from + second; ) {
      const chunkEnd = (Math.floor(at / info.chunkFrames) + 1) * info.chunkFrames;
      const stop = Math.min(from + second, chunkEnd);
      let point = Math.floor(at / info.pointFrames);
      const head = Math.floor(point / pointsPerChunk) * pointsPerChunk;
      const isStart = (p: number) => (value(6, p) & 0xffff) !== 0xffff || (value(7, p) & 2) !== 0;
      while (point > head && !isStart(point)) point--;
      const runUp = (value(7, point) & 2) !== 0 ? 0 : value(6, point) & 0xffff;
      bound += runUp + Math.ceil((stop - point * info.pointFrames) / framesPerPacket) + 1;
      at = stop;
    }
    return bound;
  };
}
