import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { systemReason } from "@longwave/base/node";
import { StationError } from "../errors.ts";
import type { StationEvent } from "../event-log.ts";
import { type Airing, airingsCsv, PlayReport } from "../play-report.ts";
import type { Station } from "../station.ts";

/**
 * Writes what a station heard into a directory, a file a day: `<stream>-2026-01-31.csv` and `.json`. After a restart it goes on in
 * today's file. A disk that is full is reported in the station's log and tried again with the next change.
 *
 * @returns the function that writes what is still open and stops
 * @throws StationError `station/report-unwritable`
 */
export async function writeDailyReport(station: Station, directory: string): Promise<() => Promise<void>> {
  const originMs = Date.now() - station.log.ageUs / 1000;
  const report = new PlayReport(station.id, (atUs) => originMs + atUs / 1000);
  const pathOf = (day: string, extension: string) => join(directory, `${station.id}-${day}.${extension}`);
  const today = new Date().toISOString().slice(0, 10);
  await mkdir(directory, { recursive: true }).catch((cause: unknown) => {
    const message = `The report cannot be written to ${directory}: ${systemReason(cause)}.`;
    throw new StationError("station/report-unwritable", "unavailable", message, { cause });
  });
  report.restore(today, await storedAirings(pathOf(today, "json")));
  let writing = Promise.resolve();
  const write = async (day: string) => {
    const airings = report.airings(day);
    const files = {
      csv: airingsCsv(airings),
      json: `${JSON.stringify({ stream: station.id, day, airings }, null, 2)}\n`,
    };
    for (const [extension, text] of Object.entries(files)) {
      const temporary = `${pathOf(day, extension)}.tmp`;
      await writeFile(temporary, text);
      await rename(temporary, pathOf(day, extension));
    }
  };
  const take = (event: StationEvent) => {
    const day = report.take(event);
    if (day === undefined) return;
    writing = writing.then(() =>
      write(day).catch((error: Error) => {
        station.log.append({ type: "report.failed", reason: error.message });
      }),
    );
  };
  for (const event of station.log.since(-1)) take(event);
  const stop = station.log.subscribe(take);
  return async () => {
    await writing;
    stop();
  };
}

async function storedAirings(path: string): Promise<Airing[]> {
  try {
    const stored = JSON.parse(await readFile(path, "utf8")) as { airings?: Airing[] };
    return Array.isArray(stored.airings) ? stored.airings : [];
  } catch {
    // None yet, or one that was damaged: the day begins anew, the old file is replaced with the next airing.
    return [];
  }
}
