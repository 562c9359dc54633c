// The segment store at scale: postings as in the specification (4,000 tracks, hash = floor(2^22 u^2) * 2654435761 mod 2^32,
// u uniform), built, opened cold from a directory, and asked 200 queries of 300 hashes, 90 of them true.
//   npm run bench -- catalog [--postings 20000000] [--json]
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { SeededRandom } from "@longwave/base";
import { DirectoryStore } from "@longwave/base/node";
import { buildSegment, PostingBatch, Segment, VoteTable } from "@longwave/catalog";
import { verdict } from "../verdict.js";

const { values } = parseArgs({
  options: { postings: { type: "string", default: "20000000" }, json: { type: "boolean" } },
});
const trackCount = 4000;
const perTrack = Math.round(Number(values.postings) / trackCount);
const count = trackCount * perTrack;
const random = new SeededRandom(1);
const columns = {
  hashes: new Uint32Array(count),
  tracks: new Uint32Array(count),
  frames: new Uint32Array(count),
};
for (let track = 0, i = 0; track < trackCount; track++) {
  for (let k = 0; k < perTrack; k++, i++) {
    columns.hashes[i] = Math.imul(Math.floor(2 ** 22 * random.next() ** 2), 2_654_435_761) >>> 0;
    columns.tracks[i] = track;
    columns.frames[i] = 3 * k + random.below(3);
  }
}
const tracks = Array.from({ length: trackCount }, (_, i) => ({
  id: `track-${i}`,
  durationSeconds: (3 * perTrack) / 62.5,
  hashes: perTrack,
  contentHash: String(i),
}));

const say = (line: string) => {
  if (values.json !== true) console.log(line);
};
say(`${count} postings of ${trackCount} tracks, Node ${process.version}, ${process.arch}`);
const rows: Record<string, string>[] = [];
const report = (
  figure: string,
  value: number,
  digits: number,
  target?: { most?: number; least?: number },
) => {
  const isOk = target === undefined || (value <= (target.most ?? value) && value >= (target.least ?? value));
  const aim =
    target === undefined
      ? ""
      : target.most === undefined
        ? `>= ${target.least}`
        : `<= ${Number(target.most.toFixed(1))}`;
  const row = {
    figure,
    value: value.toFixed(digits),
    target: aim,
    "": target === undefined ? "" : verdict(isOk),
  };
  rows.push(row);
  say(`| ${Object.values(row).join(" | ")} |`);
};
say("| figure | value | target | |\n| --- | --- | --- | --- |");

const folder = mkdtempSync(join(tmpdir(), "longwave-segment-"));
try {
  const buildSeconds: number[] = [];
  const rounds = count > 5e7 ? 1 : 5;
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage();
    const bytes = buildSegment("wang-v1", "0".repeat(16), tracks, columns);
    const used = process.cpuUsage(before);
    buildSeconds.push((used.user + used.system) / 1e6);
    if (round === 0) writeFileSync(join(folder, "segment"), bytes);
  }
  buildSeconds.sort((a, b) => a - b);
  const store = new DirectoryStore(folder);
  const openStarted = performance.now();
  const segment = await Segment.open(store, "segment", 0);
  const openMilliseconds = performance.now() - openStarted;

  const queries = Array.from({ length: 200 }, () => {
    const track = random.below(trackCount);
    const start = random.below(perTrack - 200);
    const hashes = new Uint32Array(300);
    const frames = new Uint32Array(300);
    for (let i = 0; i < 300; i++) {
      const at = track * perTrack + start + i;
      hashes[i] =
        i < 90
          ? columns.hashes[at]!
          : Math.imul(Math.floor(2 ** 22 * random.next() ** 2), 2_654_435_761) >>> 0;
      frames[i] =
        i < 90 ? columns.frames[at]! - columns.frames[track * perTrack + start]! : random.below(600);
    }
    return { track, hashes, frames };
  });
  const batch = new PostingBatch();
  const votes = new VoteTable();
  const ask = async ({ hashes, frames }: (typeof queries)[number]) => {
    await segment.prepare(hashes);
    votes.clear();
    for (let i = 0; i < hashes.length; i++) {
      batch.count = 0;
      if (segment.collect(hashes[i]!, 1000, batch) > 1000) continue;
      for (let k = 0; k < batch.count; k++) votes.add(batch.tracks[k]!, batch.frames[k]! - frames[i]!);
    }
    return votes.best(1, 2)[0]?.track;
  };
  // A warm query neither reads nor waits: its CPU time is what it takes on a core of its own.
  const quantiles = async () => {
    let right = 0;
    const wall: number[] = [];
    const cpu: number[] = [];
    for (const query of queries) {
      const before = process.cpuUsage();
      const queryStarted = performance.now();
      if ((await ask(query)) === query.track) right++;
      wall.push(performance.now() - queryStarted);
      const { user, system } = process.cpuUsage(before);
      cpu.push((user + system) / 1000);
    }
    const mean = cpu.reduce((sum, each) => sum + each) / cpu.length;
    const at = (times: number[], rank: number) => times.sort((a, b) => a - b)[rank]!;
    return { right, p50: at(wall, 100), p95: at(wall, 190), cpu50: at(cpu, 100), cpu95: at(cpu, 190), mean };
  };
  report("bytes a posting", statSync(join(folder, "segment")).size / count, 2, { most: 5 });
  const seconds = buildSeconds[rounds >> 1]!;
  report(`load (sort and encode), million postings a CPU s, median of ${rounds}`, count / seconds / 1e6, 1, {
    least: 10,
  });
  report("cold open (header and tracks), ms", openMilliseconds, 1, { most: 20 });
  const firstStarted = performance.now();
  await ask(queries[0]!);
  report("first query after opening, with reading the directory, ms", performance.now() - firstStarted, 1);
  const cold = await quantiles();
  report("first query of each, with reading and checking its blocks, p50 ms", cold.p50, 2);
  for (let round = 0; round < 3; round++) await quantiles();
  const warm = await quantiles();
  // The targets are for 20 million postings; lists grow with the catalog.
  const isStandard = count <= 20_000_000;
  report("query of 300 hashes, p50 CPU ms", warm.cpu50, 2, isStandard ? { most: 0.6 } : undefined);
  report("query of 300 hashes, p95 CPU ms", warm.cpu95, 2, isStandard ? { most: 2 } : undefined);
  report("query of 300 hashes, mean CPU ms", warm.mean, 2);
  report("query of 300 hashes, p50 ms of wall time", warm.p50, 2);
  report("query of 300 hashes, p95 ms of wall time", warm.p95, 2);
  // What was read stays; nothing else may: a tenth and 16 MB more are the program's own.
  for (const asked of [1, 20]) {
    const child = fileURLToPath(new URL("../catalog-memory.js", import.meta.url));
    const text = execFileSync(process.execPath, ["--expose-gc", child, folder, String(asked)], {
      encoding: "utf8",
    });
    const { read, grown } = JSON.parse(text) as { read: number; grown: number };
    const figure = `resident memory after ${asked} cold queries, MB (read: ${read.toFixed(1)})`;
    report(figure, grown, 1, { most: 1.1 * read + 16 });
  }
  report("right of 200", warm.right, 0, { least: 200 });
  if (values.json === true)
    console.log(JSON.stringify({ postings: count, node: process.version, rows }, null, 2));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
