import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { systemReason } from "@longwave/base/node";
import { StationError } from "../errors.ts";

/**
 * Claims the recordings of a stream in an archive's directory, so that two stations never write the same one. A claim whose
 * process is gone is taken over.
 *
 * @returns the function that gives the claim back
 * @throws StationError `station/archive-in-use`, `station/archive-unwritable`
 */
export async function lockArchive(directory: string, stream: string): Promise<() => Promise<void>> {
  const path = join(directory, `.${stream}.lock`);
  try {
    await mkdir(directory, { recursive: true });
    for (let attempt = 0; attempt < 2; attempt++) {
      try {
        await writeFile(path, String(process.pid), { flag: "wx" });
        return () => rm(path, { force: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      const owner = Number(await readFile(path, "utf8").catch(() => "0"));
      if (isRunning(owner)) {
        throw new StationError(
          "station/archive-in-use",
          "unavailable",
          `Another station (process ${owner}) records ${stream} into ${directory}; stop it, or choose another directory with --archive.`,
        );
      }
      await rm(path, { force: true });
    }
  } catch (cause) {
    if (cause instanceof StationError) throw cause;
    throw new StationError(
      "station/archive-unwritable",
      "unavailable",
      `The archive cannot be written to ${directory}: ${systemReason(cause)}.`,
      { cause },
    );
  }
  throw new StationError(
    "station/archive-in-use",
    "unavailable",
    `Another station has just claimed ${stream} in ${directory}.`,
  );
}

/** True for another living process. Our own number is a claim that an earlier container left. */
function isRunning(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
