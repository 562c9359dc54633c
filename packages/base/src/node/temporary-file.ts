import { readdir, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { threadId } from "node:worker_threads";
import { crc32c } from "../crc32c.ts";
import { ownProcessMark } from "./process-mark.ts";

/** A write lasts seconds; what was not touched for so long and belongs to no living process was left behind. */
const abandonedMs = 60_000;
/** So old a file was left behind, whoever has its process number now. */
const forgottenMs = 86_400_000;

const pattern = /^\.(\d+)-[\d-]+(\.lock)?\.tmp$/;
/** Two containers on one volume may have the same process number. */
const salt = crc32c(new TextEncoder().encode(ownProcessMark()));
let count = 0;

/** Path of a temporary file that nobody else writes: neither another process or container nor another store or thread of this one. */
export function temporaryPath(directory: string, ending: ".tmp" | ".lock.tmp" = ".tmp"): string {
  return join(directory, `.${process.pid}-${salt}-${threadId}-${count++}${ending}`);
}

/**
 * Deletes the temporary files of `directory` whose writers were killed. Those of a process on another machine are taken for alive while they
 * are written. With `alone` all of them go, also in folders: nobody else writes there.
 * @returns how many there were
 */
export async function sweepTemporaryFiles(
  directory: string,
  { alone = false }: { readonly alone?: boolean } = {},
): Promise<number> {
  const names = await readdir(directory, { recursive: alone }).catch(() => []);
  let swept = 0;
  for (const name of names) {
    const writer = pattern.exec(basename(name))?.[1];
    if (writer === undefined) continue;
    const path = join(directory, name);
    const info = await stat(path).catch(() => undefined);
    if (info?.isFile() !== true) continue;
    const age = Date.now() - info.mtimeMs;
    const isLeft = age >= forgottenMs || (age >= abandonedMs && !isAlive(Number(writer)));
    if (!alone && !isLeft) continue;
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
