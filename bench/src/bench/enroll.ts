// `longwave id enroll` over a large directory: short files, killed half-way, resumed, and opened again.
//   npm run bench -- enroll [--files 10000] [--seconds 3] [--json]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { DirectoryStore } from "@longwave/base/node";
import { Catalog, verifyCatalog } from "@longwave/catalog";
import { encodeWav } from "@longwave/media";
import { song } from "../corpus/song.ts";
import { verdict } from "../verdict.js";

const { values } = parseArgs({
  options: {
    files: { type: "string", default: "10000" },
    seconds: { type: "string", default: "3" },
    json: { type: "boolean" },
  },
});
const files = Number(values.files);
const seconds = Number(values.seconds);
const sampleRate = 8000;
const program = fileURLToPath(new URL("../../../apps/cli/dist/main.js", import.meta.url));
/** Resident memory may grow by so much from a tenth of the files to the end: the catalog's own index, and pages that the collector keeps. */
const mostGrowthMb = 128;

const rows: Record<string, string>[] = [];
const say = (line: string) => {
  if (values.json !== true) console.log(line);
};
const report = (figure: string, value: string, target = "", isOk?: boolean) => {
  const row = { figure, value, target, "": isOk === undefined ? "" : verdict(isOk) };
  rows.push(row);
  say(`| ${Object.values(row).join(" | ")} |`);
};

const home = mkdtempSync(join(tmpdir(), "longwave-enroll-"));
const library = join(home, "library");
const place = join(home, "catalog");

/** Cuts of a few long pieces, each at a place of its own. */
function writeFiles(): void {
  const pieces = Array.from({ length: 20 }, (_, seed) => song({ seed, seconds: 60, sampleRate }));
  mkdirSync(library);
  for (let i = 0; i < files; i++) {
    const piece = pieces[i % pieces.length]!;
    const start = Math.floor((i / files) * (piece.length - seconds * sampleRate));
    const samples = piece.subarray(start, start + seconds * sampleRate);
    const bytes = encodeWav(samples, { sampleRate, channels: 1, encoding: "s16" });
    writeFileSync(join(library, `${String(i).padStart(6, "0")}.wav`), bytes);
  }
}

/** Resident memory of a process in MB; undefined where the system does not tell. */
function residentMb(pid: number): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+)/.exec(text)?.[1]) / 1024;
  } catch {
    return undefined;
  }
}

/** Runs the command; with `killAfter` until so many files are told. @returns memory at tenths of the files, and the summary */
async function enroll(args: readonly string[], killAfter = Number.POSITIVE_INFINITY) {
  const child = spawn(
    process.execPath,
    [program, "id", "enroll", library, "--catalog", place, "--json", ...args],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const memory: number[] = [];
  let told = 0;
  let summary: Record<string, number> | undefined;
  for await (const line of createInterface(child.stdout)) {
    const event = JSON.parse(line) as { summary?: Record<string, number> };
    if (event.summary !== undefined) summary = event.summary;
    else if (++told % Math.ceil(files / 10) === 0) {
      memory.push(Math.round(residentMb(child.pid!) ?? Number.NaN));
      say(`${told} files, ${memory.at(-1)} MB`);
    }
    if (told === killAfter) {
      child.kill("SIGKILL");
      break;
    }
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return { memory, told, summary, code: child.exitCode };
}

try {
  say(`${files} files of ${seconds} s, Node ${process.version}, ${process.arch}`);
  writeFiles();
  say("| figure | value | target | |\n| --- | --- | --- | --- |");
  const half = Math.floor(files / 2);
  const started = performance.now();
  const first = await enroll([], half);
  const firstSeconds = (performance.now() - started) / 1000;
  report("files a second, journal and fsync included", (half / firstSeconds).toFixed(0));
  const openedAt = performance.now();
  const left = await Catalog.open(new DirectoryStore(place), { readOnly: true });
  report("open after SIGKILL half-way, ms", (performance.now() - openedAt).toFixed(0));
  report("tracks after SIGKILL", String(left.size), `>= ${half}`, left.size >= half);
  const resumedAt = performance.now();
  const second = await enroll(["--resume"]);
  const { added = 0, unchanged = 0, failed = 0, tracks = 0 } = second.summary ?? {};
  report("--resume: seconds", ((performance.now() - resumedAt) / 1000).toFixed(1));
  report(
    "tracks in the end",
    `${tracks} (${added} added, ${unchanged} skipped, ${failed} failed)`,
    `= ${files}`,
    tracks === files,
  );
  report("resident memory at each tenth, MB", [...first.memory, ...second.memory].join(" "));
  const growth = Math.max(...second.memory) - second.memory[0]!;
  report(
    "growth within the resumed half, MB",
    growth.toFixed(0),
    `<= ${mostGrowthMb}`,
    growth <= mostGrowthMb,
  );
  const verified = await verifyCatalog(new DirectoryStore(place));
  report("verify", verified.ok ? "sound" : verified.problems.slice(0, 3).join(" "), "sound", verified.ok);
  if (values.json === true)
    console.log(JSON.stringify({ files, seconds, node: process.version, rows }, null, 2));
} finally {
  rmSync(home, { recursive: true, force: true });
}
