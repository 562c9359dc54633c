// The archive's target table (docs/design/archive.md), row by row as it is measured, with peers at the same task.
// `--hours N` sets the length of the long recording (default 24), `--kills N` how often an import is killed (default 15; the
// gate takes 200), `--minutes N` the length of the files of the index classes (default 60), `--json` prints JSON at the end,
// `--require` makes a missed target the exit code.
//
// The long file repeats a minute of spoken text (SILK narrow band, 60 ms packets) with granule positions running on, the
// class files repeat one minute as well: long files for little time, in which the sound jumps where the packets begin again.
// `--stage index,access` runs some stages, each of them within five minutes; access, threads and peers need the files of index.
// `--seed N` makes other kills and flips, so that many can be done in pieces.
import { existsSync, mkdtempSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loggerKind, opusStream } from "@longwave/testkit/opus-streams";
import { measureCloseStates } from "../archive-bench/close-states.js";
import { measureExactness } from "../archive-bench/exact-slices.js";
import { measureIndex, runChild } from "../archive-bench/index-sizes.js";
import { writeOpusFile } from "../archive-bench/opus-file.js";
import { measureOverlap } from "../archive-bench/overlap.js";
import { measurePeers } from "../archive-bench/peers.js";
import { measureRandomAccess } from "../archive-bench/random-access.js";
import {
  measureBitFlips,
  measureKills,
  measureRoundTrip,
  measureThreads,
} from "../archive-bench/robustness.js";
import { spokenStream } from "../archive-bench/spoken-stream.js";
import { finishReport, report } from "../archive-bench/table.js";

const option = (name: string, otherwise: number) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? otherwise : Number(process.argv[at + 1]) || otherwise;
};
const hours = option("--hours", 24);
const minutes = option("--minutes", 60);

// Flushes of a real disk are none of the archive's doing: memory where there is enough of it.
const fast = "/dev/shm";
const hasMemory = existsSync(fast) && statfsSync(fast).bavail * statfsSync(fast).bsize > 2 ** 31;
const folder = mkdtempSync(join(hasMemory ? fast : tmpdir(), "longwave-archive-bench-"));

const music = join(folder, "CELT-music-64k-stereo");
const stages: readonly (readonly [string, () => unknown])[] = [
  ["exact", () => measureExactness(option("--slices", 10_000))],
  [
    "proofs",
    () =>
      report({
        number: "2",
        what: "lowered run-ups, changed states, forged digests: found by verify",
        target: "100 %",
        figure: "all of packages/archive/test/verify.test.ts",
      }),
  ],
  ["index", () => measureIndex(folder, minutes, "converging")],
  ["tonal", () => measureIndex(folder, minutes, "other")],
  ["access", () => measureRandomAccess(music, `${minutes} min of 64 kbit/s stereo music`, 1)],
  ["states", () => measureCloseStates(folder)],
  ["overlap", () => measureOverlap(folder)],
  ["threads", () => measureThreads(music)],
  ["peers", () => measurePeers(folder, `${music}.opus`, minutes * 60)],
  ["day", measureDay],
  ["trip", () => measureRoundTrip(folder)],
  ["flips", () => measureBitFlips(option("--flips", 200), option("--seed", 1))],
  ["kills", () => measureKills(folder, option("--kills", 15), option("--seed", 1))],
];
const stageAt = process.argv.findIndex((each) => each === "--stage" || each === "--only");
const only = stageAt < 0 ? undefined : process.argv[stageAt + 1];

try {
  for (const [name, run] of stages) {
    if (only !== undefined && !only.split(",").includes(name)) continue;
    const began = performance.now();
    await run();
    console.error(`${name}: ${((performance.now() - began) / 1000).toFixed(0)} s`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
finishReport();

/** A day of speech: memory and time of its import, then random access. */
async function measureDay(): Promise<void> {
  const file = join(folder, "day.opus");
  const items = (await spokenStream(folder, 60)) ?? (await opusStream(loggerKind, 60));
  writeOpusFile(file, items, hours * 3600 * 48_000);
  const directory = join(folder, "day");
  const { cpuMs, growthMiB } = runChild("import", directory, file);
  const title = `${hours} h of speech, 60 ms packets`;
  report({
    number: "7",
    what: `memory of the import over that of an idle process, ${title}`,
    target: "≤ 64 MiB",
    figure: `${growthMiB.toFixed(0)} MiB (${(cpuMs / 1000).toFixed(0)} s of CPU, ${((hours * 3600) / (cpuMs / 1000)).toFixed(0)} times as fast as it sounds)`,
    ok: growthMiB <= 64,
  });
  await measureRandomAccess(directory, title, hours);
}
