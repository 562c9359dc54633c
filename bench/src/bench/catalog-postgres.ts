// A catalog in PostgreSQL beside one in segments: the same tracks, the same queries, in one run. Postings as in the specification (hash =
// floor(2^22 u^2) * 2654435761 mod 2^32, u uniform), queries of 300 hashes of which 90 are true.
// Above two million postings the tables are filled as a restored dump fills them: one sorted insert, then `analyze`.
//   npm run bench -- catalog-postgres [--postings 1000000] [--json]
import { parseArgs } from "node:util";
import { MemoryStore, SeededRandom } from "@longwave/base";
import { Catalog } from "@longwave/catalog";
import { PostgresCatalog, postgresClient } from "@longwave/catalog/postgres";
import { createStream, type Fingerprint } from "@longwave/fingerprint";
import { postgresPrograms, startPostgres } from "@longwave/testkit";
import postgres from "postgres";
import { fillTables } from "../fill-tables.js";

const { values } = parseArgs({
  options: { postings: { type: "string", default: "1000000" }, json: { type: "boolean" } },
});
const perTrack = 5000;
const trackCount = Math.max(10, Math.round(Number(values.postings) / perTrack));
const queryCount = 100;
const random = new SeededRandom(1);
const { configHash } = createStream("wang-v1");
const programs = postgresPrograms();
if (programs === undefined) {
  console.log("PostgreSQL is not installed (apt install postgresql): nothing to measure.");
  process.exit(0);
}

const anyHash = () => Math.imul(Math.floor(2 ** 22 * random.next() ** 2), 2_654_435_761) >>> 0;
function fingerprintOf(records: Uint32Array, frames: number): Fingerprint {
  const sourceLength = frames * 128 + 1024;
  return {
    profile: "wang-v1",
    configHash,
    sampleRate: 8000,
    hopSize: 128,
    sourceLength,
    recordWords: 2,
    records,
  };
}
const tracks = Array.from({ length: trackCount }, () => {
  const records = new Uint32Array(2 * perTrack);
  for (let k = 0; k < perTrack; k++) records.set([anyHash(), 3 * k + random.below(3)], 2 * k);
  return fingerprintOf(records, 3 * perTrack);
});
const queries = Array.from({ length: queryCount }, () => {
  const track = random.below(trackCount);
  const start = random.below(perTrack - 300);
  const first = tracks[track]!.records[2 * start + 1]!;
  const pairs = Array.from({ length: 300 }, (_, i) => {
    const at = 2 * (start + i);
    return i < 90
      ? [tracks[track]!.records[at]!, tracks[track]!.records[at + 1]! - first]
      : [anyHash(), random.below(900)];
  }).sort((a, b) => a[1]! - b[1]! || a[0]! - b[0]!);
  return { id: `t${track}`, fingerprint: fingerprintOf(Uint32Array.from(pairs.flat()), 900) };
});

const say = (line: string) => {
  if (values.json !== true) console.log(line);
};
say(
  `${trackCount * perTrack} postings of ${trackCount} tracks, ${queryCount} queries, Node ${process.version}, ${process.arch}`,
);
const rows: Record<string, string>[] = [];
const report = (figure: string, segments: number, tables: number, digits: number) => {
  const row = {
    figure,
    segments: segments.toFixed(digits),
    PostgreSQL: tables.toFixed(digits),
    ratio: (tables / segments).toFixed(1),
  };
  rows.push(row);
  say(`| ${Object.values(row).join(" | ")} |`);
};
say("| figure | segments | PostgreSQL | ratio |\n| --- | --- | --- | --- |");

const server = await startPostgres(programs);
const sql = postgres({
  host: server.socketFolder,
  user: server.user,
  database: "postgres",
  max: 4,
  onnotice: () => {},
});
try {
  const inSegments = await Catalog.open(new MemoryStore(), { profile: "wang-v1" });
  const inTables = await PostgresCatalog.open(postgresClient(sql), { profile: "wang-v1" });
  const isLarge = trackCount * perTrack > 2_000_000;
  const loadSeconds: number[] = [];
  for (const catalog of [inSegments, inTables]) {
    const before = performance.now();
    if (isLarge && catalog === inTables) await fillTables(sql, tracks, say);
    else {
      for (const [i, track] of tracks.entries()) await catalog.enroll({ id: `t${i}` }, track);
      await catalog.compact();
    }
    loadSeconds.push((performance.now() - before) / 1000);
    say(`loaded in ${loadSeconds.at(-1)!.toFixed(0)} s`);
  }
  await sql.unsafe(isLarge ? "analyze longwave.postings" : "vacuum full analyze longwave.postings");
  const [size] = await sql.unsafe("select pg_total_relation_size('longwave.postings')::float8 as bytes");
  const count = trackCount * perTrack;
  report(
    isLarge
      ? "enrol and compact / bulk insert, thousand postings a second"
      : "enrol and compact, thousand postings a second",
    count / loadSeconds[0]! / 1000,
    count / loadSeconds[1]! / 1000,
    0,
  );
  report("bytes a posting", inSegments.storage.segmentBytes / count, Number(size!["bytes"]) / count, 2);
  const times: number[][] = [];
  const right: number[] = [];
  let answers = "";
  for (const catalog of [inSegments, inTables]) {
    for (const { fingerprint } of queries.slice(0, 20)) await catalog.identify(fingerprint);
    const each: number[] = [];
    let found = 0;
    let told = "";
    for (const { id, fingerprint } of queries) {
      const before = performance.now();
      const { candidates } = await catalog.identify(fingerprint);
      each.push(performance.now() - before);
      if (candidates[0]?.track.id === id) found++;
      told += `${candidates[0]?.track.id} ${candidates[0]?.offsetFrames} ${candidates[0]?.votes};`;
    }
    times.push(each.sort((a, b) => a - b));
    right.push(found);
    if (answers !== "" && answers !== told) throw new Error("segments and tables answer differently");
    answers = told;
  }
  const at = (share: number) => Math.floor(share * queryCount);
  report("query of 300 hashes, p50 ms", times[0]![at(0.5)]!, times[1]![at(0.5)]!, 2);
  report("query of 300 hashes, p95 ms", times[0]![at(0.95)]!, times[1]![at(0.95)]!, 2);
  report(`right of ${queryCount}`, right[0]!, right[1]!, 0);
  if (values.json === true)
    console.log(JSON.stringify({ postings: count, node: process.version, rows }, null, 2));
} finally {
  await sql.end({ timeout: 5 });
  await server.close();
}
