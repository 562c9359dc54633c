import { link, readFile, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { StoreError } from "../object-store.ts";
import { askProcess, markedProcess, ownProcessMark } from "./process-mark.ts";
import { temporaryPath } from "./temporary-file.ts";

/** A lock whose owner cannot be asked (another machine or container, an unreadable file) is taken for left behind after this long. */
const abandonedMs = 60_000;
/** How long a lock is waited for; what is done under one takes milliseconds. */
const patienceMs = 10_000;

/**
 * An exclusive lock between processes on one machine: a file beside `path` that names its owner, put there only where none is.
 *
 * A lock whose owner is dead is taken over. Only one of several that notice it may remove it, or the slower one would remove
 * the lock that the faster one has taken meanwhile. So each of them first takes a lock on that very lock, named by its inode
 * and time: whoever holds that, and still finds the same dead lock, removes it. A process that dies in between leaves a lock
 * that is taken over in the same way.
 */
export class FileLock {
  readonly #file: string;

  private constructor(file: string) {
    this.#file = file;
  }

  /** @throws StoreError `store/busy` where a living process holds it for more than ten seconds */
  static async take(path: string): Promise<FileLock> {
    const file = join(dirname(path), `.${basename(path)}.lock`);
    const deadline = Date.now() + patienceMs;
    for (;;) {
      if (await create(file)) return new FileLock(file);
      const found = await identify(file);
      if (found === undefined) continue;
      if (found.isAbandoned) {
        await removeAbandoned(file, found.identity);
        continue;
      }
      if (Date.now() > deadline) {
        const message = `${path} is held by another writer (process ${found.owner}) for too long; try again.`;
        throw new StoreError("store/busy", "unavailable", message);
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async release(): Promise<void> {
    await rm(this.#file, { force: true });
  }
}

/**
 * Makes the lock with its owner's name in it at one stroke: a file of its own is written first and linked to the lock's
 * place. A lock made empty and named afterwards would tell nothing of an owner that dies in between.
 */
async function create(file: string): Promise<boolean> {
  const name = ownProcessMark();
  const draft = temporaryPath(dirname(file), ".lock.tmp");
  await writeFile(draft, name);
  try {
    await link(draft, file);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    if (code !== undefined && withoutLinks.has(code)) return await createAndName(file, name);
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/** What file systems answer that have no hard links. */
const withoutLinks: ReadonlySet<string> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"]);

async function createAndName(file: string, name: string): Promise<boolean> {
  try {
    await writeFile(file, name, { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return false;
  }
}

interface Found {
  readonly owner: string;
  /** Differs from that of every other lock under this name. */
  readonly identity: string;
  readonly isAbandoned: boolean;
}

/** What lies at the lock's place; undefined where it has gone. */
async function identify(file: string): Promise<Found | undefined> {
  const info = await stat(file, { bigint: true }).catch(() => undefined);
  const text = await readFile(file, "latin1").catch(() => undefined);
  if (info === undefined || text === undefined) return undefined;
  const owner = askProcess(text);
  const age = Date.now() - Number(info.mtimeMs);
  return {
    owner: markedProcess(text),
    identity: `${info.ino}-${info.mtimeNs}`,
    isAbandoned: owner === "gone" || (owner === "unknown" && age > abandonedMs),
  };
}

async function removeAbandoned(file: string, identity: string): Promise<void> {
  const right = await FileLock.take(join(dirname(file), `${basename(file).slice(1, -5)}.${identity}`));
  try {
    if ((await identify(file))?.identity === identity) await rm(file, { force: true });
  } finally {
    await right.release();
  }
}
