// Duplicates among tracks of one repeated beat, the hardest that a library can hold, and among songs of which every fifth is there twice.
//   npm run bench -- dedup [--tracks 20] [--seconds 60] [--json]
import { parseArgs } from "node:util";
import { MemoryStore } from "@longwave/base";
import { Catalog } from "@longwave/catalog";
import type { ProfileId } from "@longwave/fingerprint";
import { song } from "../corpus/song.ts";
import { verdict } from "../verdict.js";

const { values } = parseArgs({
  options: {
    tracks: { type: "string", default: "20" },
    seconds: { type: "string", default: "60" },
    json: { type: "boolean" },
  },
});
const tracks = Number(values.tracks);
const seconds = Number(values.seconds);
const sampleRate = 8000;
/** Twice as many tracks take twice the votes; more than three times would be their square. */
const mostGrowth = 3;

/** One beat over and over, each track from another place in it. */
function loop(start: number): Float32Array {
  const beat = song({ seed: 7, seconds: 1, sampleRate }).subarray(0, sampleRate / 2);
  return Float32Array.from({ length: seconds * sampleRate }, (_, i) => beat[(i + 37 * start) % beat.length]!);
}

/** CPU seconds of a dedup, and how many groups and pairs there are. */
async function measured(profile: ProfileId, count: number, soundOf: (track: number) => Float32Array) {
  const catalog = await Catalog.open(new MemoryStore(), { profile });
  for (let i = 0; i < count; i++) {
    await catalog.enroll({ id: String(i).padStart(5, "0") }, { samples: soundOf(i), sampleRate });
  }
  const before = process.cpuUsage();
  const groups = await catalog.dedup();
  const { user, system } = process.cpuUsage(before);
  return {
    cpuSeconds: (user + system) / 1e6,
    groups: groups.length,
    pairs: groups.reduce((sum, group) => sum + group.pairs.length, 0),
  };
}

const rows: Record<string, string>[] = [];
const report = (figure: string, value: string, target = "", isOk?: boolean) => {
  const row = { figure, value, target, "": isOk === undefined ? "" : verdict(isOk) };
  rows.push(row);
  if (values.json !== true) console.log(`| ${Object.values(row).join(" | ")} |`);
};

if (values.json !== true) console.log("| figure | value | target | |\n| --- | --- | --- | --- |");
for (const profile of ["wang-v1", "mark-v1"] as const) {
  const half = await measured(profile, tracks / 2, loop);
  const whole = await measured(profile, tracks, loop);
  report(`${profile}: ${tracks / 2} loops, CPU s`, half.cpuSeconds.toFixed(2));
  report(`${profile}: ${tracks} loops, CPU s`, whole.cpuSeconds.toFixed(2));
  const growth = whole.cpuSeconds / half.cpuSeconds;
  report(`${profile}: growth`, growth.toFixed(2), `<= ${mostGrowth}`, growth <= mostGrowth);
  const all = (tracks * (tracks - 1)) / 2;
  const isWhole = whole.groups === 1 && whole.pairs === all;
  report(`${profile}: groups, pairs of loops`, `${whole.groups}, ${whole.pairs}`, `1, ${all}`, isWhole);
}
const twice = Math.floor(tracks / 5);
const songs = await measured("wang-v1", tracks, (i) =>
  song({ seed: i % (tracks - twice), seconds, sampleRate }),
);
report(`wang-v1: ${tracks} songs, CPU s`, songs.cpuSeconds.toFixed(2));
report("wang-v1: groups of songs", `${songs.groups}`, `${twice}`, songs.groups === twice);
if (values.json === true) console.log(JSON.stringify(rows));
process.exitCode = rows.some((row) => row[""] === "MISSED") ? 1 : 0;
