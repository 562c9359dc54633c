import { join } from "node:path";
import { DirectoryStore } from "@longwave/base/node";
import { runVirtualStation, type StationEvent } from "@longwave/station";
import { cpuMs, megabytes, memoryRow, row } from "./rows.js";
import { verifyArchive } from "./verify-archive.js";

/** What a run without `--hours` may take. */
const budgetMs = 60_000;

/** A station in virtual time: no event lost, no frame concealed, memory flat, every archived second exact. */
export async function runVirtually(folder: string, wantedHours: number | undefined): Promise<void> {
  const hours = wantedHours ?? (await affordableHours());
  const store = new DirectoryStore(join(folder, "archive"));
  const events: StationEvent[] = [];
  const memory: number[] = [];
  let nextReportUs = 3600e6;
  const cpuBefore = cpuMs();
  const before = performance.now();
  await runVirtualStation({
    seed: 7,
    songs: 8,
    durationUs: Math.round(hours * 3.6e9),
    archiveStore: store,
    onEvent: (event) => {
      events.push(event);
      if (event.type === "match.held") memory.push(process.memoryUsage.rss());
      if (event.atUs < nextReportUs) return;
      nextReportUs += 3600e6;
      const cpu = ((cpuMs() - cpuBefore) / 1000).toFixed(0);
      const rss = megabytes(memory.at(-1) ?? 0).toFixed(0);
      process.stderr.write(
        `  ${(event.atUs / 3600e6).toFixed(1)} h: ${events.length} events, ${rss} MB, ${cpu} s of CPU\n`,
      );
    },
  });
  const cpuSeconds = (cpuMs() - cpuBefore) / 1000;
  const tookSeconds = (performance.now() - before) / 1000;
  row(
    "virtual station",
    `${hours.toFixed(2)} h in ${tookSeconds.toFixed(0)} s, ${((hours * 3600) / cpuSeconds).toFixed(0)} x real time of one core`,
  );
  const isWhole = events.every((event, i) => event.seq === i);
  row("events, numbered without a gap", `${events.length}`, "none lost", isWhole);
  const concealed = events.reduce(
    (sum, event) => sum + (event.type === "sound.concealed" ? event.blocks : 0),
    0,
  );
  row("frames concealed, default links", `${concealed}`, "0", concealed === 0);
  reportDelays(events);
  memoryRow("memory of the virtual run", memory);
  await verifyArchive("archive of the virtual run", store, hours * 3600);
}

async function affordableHours(): Promise<number> {
  const seconds = 30;
  const before = performance.now();
  await runVirtualStation({ seed: 7, songs: 2, durationUs: seconds * 1e6, onEvent: () => {} });
  const speed = (seconds * 1000) / (performance.now() - before);
  return Math.min(24, (budgetMs * speed) / 3.6e6);
}

/** From a song's first sample in the studio to its name. The last one of a run may be cut off before it is known. */
function reportDelays(events: readonly StationEvent[]): void {
  const delays: number[] = [];
  let unknown = 0;
  let songs = 0;
  for (const [at, song] of events.entries()) {
    if (song.type !== "programme.started" || song.item !== "song") continue;
    songs++;
    let entered: StationEvent | undefined;
    for (let i = at + 1; i < events.length && entered === undefined; i++) {
      const event = events[i]!;
      if (event.type === "programme.started" && event.item === "song") break;
      if (event.type === "match.entered" && event.track === song.id) entered = event;
    }
    if (entered === undefined) unknown++;
    else delays.push((entered.atUs - song.atUs) / 1e6);
  }
  delays.sort((a, b) => a - b);
  const worst = delays.at(-1) ?? Number.POSITIVE_INFINITY;
  row(
    "capture to identified, median / worst",
    `${delays[delays.length >> 1]?.toFixed(2)} / ${worst.toFixed(2)} s of ${songs} songs, ${unknown} cut off`,
    "<= 5 s",
    worst <= 5 && unknown <= 1,
  );
}
