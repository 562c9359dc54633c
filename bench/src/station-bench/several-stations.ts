import { spawn } from "node:child_process";
import { join } from "node:path";
import { repositoryPath } from "@longwave/testkit";
import { addressOf, followEvents, isReady, sleep, stop } from "./real-time.js";
import { row } from "./rows.js";

interface Figures {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  /** Of all streams together. */
  readonly concealed: number;
  readonly dropped: number;
  readonly played: number;
}

/** So many stations in one process, in real time: what each takes of a core, and whether one costs another its sound. */
export async function runSeveral(folder: string, stations: number, seconds: number): Promise<void> {
  const program = repositoryPath("apps/cli/dist/main.js");
  const places = ["--port", "0", "--archive", join(folder, "several")];
  const args = ["station", "--stations", String(stations), "--songs", "2", ...places];
  const child = spawn(process.execPath, [program, ...args], { env: { ...process.env, NO_COLOR: "1" } });
  try {
    const url = await addressOf(child);
    const ids = Array.from({ length: stations }, (_, i) => `studio-${i + 1}`);
    const followed = ids.map((id) => followEvents(url, id));
    // The beginning also enrolls the programmes.
    for (let waited = 0; waited < 240 && !(await isReady(url)); waited++) await sleep(500);
    const first = await read(url);
    const begun = performance.now();
    await sleep(seconds * 1000);
    const last = await read(url);
    const took = (performance.now() - begun) / 1000;
    const share = (last.cpuSeconds - first.cpuSeconds) / took;
    const each = share / stations;
    row(`${stations} stations in one process, ${seconds} s`, `${(100 * share).toFixed(1)} % of a core`);
    row("each of them", `${(100 * each).toFixed(1)} % of a core`, "<= 50 %", each <= 0.5);
    row("stations that one core carries, by that", (1 / each).toFixed(1));
    const played = (last.played - first.played) / stations;
    row(
      "sound that each played meanwhile",
      `${played.toFixed(1)} of ${took.toFixed(1)} s`,
      "all of it",
      played >= took - 1,
    );
    const concealed = last.concealed - first.concealed;
    row("frames concealed meanwhile, all stations", `${concealed}`, "0", concealed === 0);
    row("frames concealed while starting, all stations", `${first.concealed}`, "0", first.concealed === 0);
    row("blocks that the archive could not take", `${last.dropped}`, "0", last.dropped === 0);
    const ends = followed.map((each) => each.end());
    const count = ends.reduce((sum, end) => sum + end.count, 0);
    const isWhole = ends.every((end) => end.isWhole && end.count > 0);
    row("events of all streams, followed over HTTP", `${count}`, "none lost", isWhole);
    const megabytes = last.residentBytes / 2 ** 20;
    row("memory of all", `${megabytes.toFixed(0)} MB`, "< 400 MB", megabytes < 400);
  } finally {
    await stop(child);
  }
}

async function read(url: string): Promise<Figures> {
  const text = await (await fetch(`${url}v1/metrics`)).text();
  const sum = (name: string) => {
    const found = [...text.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, "gm"))];
    if (found.length === 0) throw new Error(`The server has no figure ${name}.`);
    return found.reduce((total, [, value]) => total + Number(value), 0);
  };
  return {
    cpuSeconds: sum("longwave_process_cpu_seconds_total"),
    residentBytes: sum("longwave_process_resident_bytes"),
    concealed: sum("longwave_concealed_blocks_total"),
    dropped: sum("longwave_archive_dropped_blocks_total"),
    played: sum("longwave_stream_played_seconds_total"),
  };
}
