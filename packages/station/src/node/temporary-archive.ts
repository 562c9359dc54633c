import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isForsaken } from "./stream-claim.ts";

const prefix = "longwave-archive-";
/** Says that the folder may be removed: somebody's own archive may have such a name too. */
const marker = ".temporary";
/** Holders that cannot be asked, and folders that nobody has claimed yet, are left alone for so long. */
const patienceMs = 3_600_000;

/** Makes a folder for an archive that goes when its station does. */
export async function makeTemporaryArchive(parent: string = tmpdir()): Promise<string> {
  const folder = await mkdtemp(join(parent, prefix));
  await writeFile(join(folder, marker), "");
  return folder;
}

/**
 * Removes the temporary archives of stations that were killed.
 * @returns how many there were
 */
export async function sweepTemporaryArchives(parent: string = tmpdir()): Promise<number> {
  let swept = 0;
  const entries = await readdir(parent, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (!entry.isDirectory() || !entry.name.startsWith(prefix)) continue;
    const folder = join(parent, entry.name);
    try {
      const ageMs = Date.now() - (await stat(join(folder, marker))).mtimeMs;
      if (!((await isForsaken(folder, patienceMs)) ?? ageMs > patienceMs)) continue;
      await rm(folder, { recursive: true, force: true });
      swept++;
    } catch {
      // None of ours, somebody else's, or being removed by another.
    }
  }
  return swept;
}
