import { access, constants, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { systemReason } from "@longwave/base/node";
import { StationError } from "../errors.ts";
import type { StationEvent } from "../event-log.ts";
import { type Airing, airingsCsv, PlayReport } from "../play-report.ts";
import type { Station } from "../station.ts";

/**
 * Writes what a station heard into a directory, a file a day: `<stream>-2026-01-31.csv` and `.json`. After a restart it goes on in
 * today's file; one that is damaged is set aside. A disk that is full is reported in the station's log and tried again with the next change.
 *
 * @returns the function that writes what is still open and stops
 * @throws StationError `station/report-unwritable`
 */
export async function writeDailyReport(station: Station, directory: string): Promise<() => Promise<void>> {
  const originMs = Date.now() - station.log.ageUs / 1000;
  const report = new PlayReport(station.id, (atUs) => originMs + atUs / 1000);
  const pathOf = (day: string, extension: string) => join(directory, `${station.id}-${day}.${extension}`);
  const today = new Date().toISOString().slice(0, 10);
  try {
    await mkdir(directory, { recursive: true });
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
    const stored = await readFile(pathOf(today, "json"), "utf8").catch(absent);
    const airings = stored === undefined ? [] : storedAirings(stored);
    if (airings !== undefined) report.restore(today, airings);
    else {
      const ending = `${Math.floor(Date.now() / 1000)}.damaged`;
      for (const extension of ["csv", "json"]) {
        await rename(pathOf(today, extension), pathOf(today, `${extension}.${ending}`)).catch(absent);
      }
      const reason = `${pathOf(today, "json")} is kept as .${ending}, and the day's report begins anew.`;
      station.log.append({ type: "report.damaged", reason });
    }
  } catch (cause) {
    const message = `The report cannot be written to ${directory}: ${systemReason(cause)}.`;
    throw new StationError("station/report-unwritable", "unavailable", message, { cause });
  }
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

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}

/** The airings in a day's file; undefined where it is damaged. */
function storedAirings(text: string): Airing[] | undefined {
  try {
    const { airings } = JSON.parse(text) as { airings?: unknown };
    return Array.isArray(airings) && airings.every(isAiring) ? airings : undefined;
  } catch {
    return undefined;
  }
}

function isAiring(value: unknown): value is Airing {
  if (typeof value !== "object" || value === null) return false;
  const { startedAt, endedAt, stream, track, title, seconds, votes, pFalse } = value as Record<
    string,
    unknown
  >;
  return (
    [startedAt, endedAt].every((time) => typeof time === "string" && !Number.isNaN(Date.parse(time))) &&
    [stream, track, title].every((text) => typeof text === "string") &&
    [seconds, votes, pFalse].every((number) => typeof number === "number")
  );
}
