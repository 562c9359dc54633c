import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { threadId } from "node:worker_threads";

/** A write lasts seconds; what was not touched for so long and belongs to no living process was left behind. */
const abandonedMs = 60_000;
/** So old a file was left behind, whoever has its process number now. */
const forgottenMs = 86_400_000;

const pattern = /^\.(\d+)-[\d-]+(\.lock)?\.tmp$/;
let count = 0;

/** Path of a temporary file that nobody else writes: neither another store of this process nor another of its threads. */
export function temporaryPath(directory: string, ending: ".tmp" | ".lock.tmp" = ".tmp"): string {
  return join(directory, `.${process.pid}-${threadId}-${count++}${ending}`);
}

/**
 * Deletes the temporary files of `directory` (not of folders in it) whose writers were killed. Those of a process on another machine
 * are taken for alive while they are written.
 * @returns how many there were
 */
export async function sweepTemporaryFiles(directory: string): Promise<number> {
  const names = await readdir(directory).catch(() => []);
  let swept = 0;
  for (const name of names) {
    const writer = pattern.exec(name)?.[1];
    if (writer === undefined) continue;
    const path = join(directory, name);
    const info = await stat(path).catch(() => undefined);
    if (info?.isFile() !== true) continue;
    const age = Date.now() - info.mtimeMs;
    if (age < abandonedMs || (age < forgottenMs && isAlive(Number(writer)))) continue;
    await rm(path, { force: true }).then(
      () => swept++,
      () => undefined,
    );
  }
  return swept;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and is somebody else's.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
