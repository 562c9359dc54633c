import { createHash } from "node:crypto";
import { closeSync, fstatSync, open as openFile, read } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  checkKey,
  type ObjectInfo,
  type ObjectStore,
  type ObjectWriter,
  type PutCondition,
  requireCondition,
  StoreError,
} from "../object-store.ts";
import { FileLock } from "./file-lock.ts";
import { systemReason } from "./system-error.ts";
import { sweepTemporaryFiles, temporaryPath } from "./temporary-file.ts";

/**
 * An object store in a directory of the file system. A `put` writes a temporary file beside the target, flushes it,
 * renames it and flushes the directory: killed at any moment, the object is the old one or the new one. A conditional
 * `put` holds a lock file for the time of the check and the rename, so it is exclusive between processes on one machine.
 */
export class DirectoryStore implements ObjectStore {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  get location(): string {
    return this.directory;
  }

  async get(key: string, range?: { start: number; end: number }): Promise<Uint8Array | undefined> {
    checkKey(key);
    return withFile(join(this.directory, key), async (file) => {
      const { size } = fstatSync(file);
      const start = Math.min(range?.start ?? 0, size);
      const end = Math.max(start, Math.min(range?.end ?? size, size));
      const bytes = new Uint8Array(end - start);
      let at = 0;
      while (at < bytes.length) {
        const count = await readInto(file, bytes, at, start + at);
        if (count === 0) break;
        at += count;
      }
      return at === bytes.length ? bytes : bytes.slice(0, at);
    });
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    checkKey(key);
    const path = join(this.directory, key);
    const info = await stat(path, { bigint: true }).catch(absent);
    if (info === undefined || !info.isFile()) return undefined;
    const tag = createHash("sha256")
      .update(`${info.ino} ${info.size} ${info.mtimeNs}`)
      .digest("hex")
      .slice(0, 24);
    return { key, size: Number(info.size), etag: `"${tag}"` };
  }

  async put(key: string, bytes: Uint8Array, condition?: PutCondition): Promise<ObjectInfo> {
    checkKey(key);
    const path = join(this.directory, key);
    const temporary = temporaryPath(dirname(path));
    try {
      await mkdir(dirname(path), { recursive: true });
      const lock = condition === undefined ? undefined : await FileLock.take(path);
      try {
        if (condition !== undefined) requireCondition(key, await this.head(key), condition);
        const file = await open(temporary, "w");
        try {
          await file.writeFile(bytes);
          await makeNewerThan(path, file);
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(temporary, path);
        await syncDirectory(dirname(path));
      } finally {
        await lock?.release();
      }
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      throw asStoreError(error, key);
    }
    const info = await this.head(key);
    if (info === undefined)
      throw new StoreError("store/failed", "unavailable", `${key} vanished after it was written.`);
    return info;
  }

  /** Pieces go to a temporary file beside the target, which becomes the object when all is flushed. */
  async create(key: string): Promise<ObjectWriter> {
    checkKey(key);
    const path = join(this.directory, key);
    const temporary = temporaryPath(dirname(path));
    const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
      try {
        return await work();
      } catch (error) {
        throw asStoreError(error, key);
      }
    };
    const file = await guarded(async () => {
      await mkdir(dirname(path), { recursive: true });
      return open(temporary, "w");
    });
    let done = false;
    const drop = async () => {
      if (done) return;
      done = true;
      await file.close().catch(() => undefined);
      await rm(temporary, { force: true }).catch(() => undefined);
    };
    return {
      write: (bytes) => guarded(() => file.appendFile(bytes)),
      abort: drop,
      commit: async () => {
        try {
          await guarded(async () => {
            await makeNewerThan(path, file);
            await file.sync();
            await file.close();
            await rename(temporary, path);
            done = true;
            await syncDirectory(dirname(path));
          });
        } catch (error) {
          await drop();
          throw error;
        }
        const info = await this.head(key);
        if (info !== undefined) return info;
        throw new StoreError("store/failed", "unavailable", `${key} vanished after it was written.`);
      },
    };
  }

  async delete(key: string): Promise<void> {
    checkKey(key);
    await rm(join(this.directory, key), { force: true }).catch((error: unknown) => {
      throw asStoreError(error, key);
    });
  }

  async sweep(prefixes: readonly string[], options: { readonly alone?: boolean } = {}): Promise<number> {
    let swept = 0;
    for (const prefix of prefixes) swept += await sweepTemporaryFiles(join(this.directory, prefix), options);
    return swept;
  }

  async *list(prefix: string): AsyncIterable<ObjectInfo> {
    for await (const key of this.#keysBelow("", prefix)) {
      const info = await this.head(key);
      if (info !== undefined) yield info;
    }
  }

  /** Keys below `folder` ("" or "a/b/") in ascending order; only folders that can hold the prefix are read. */
  async *#keysBelow(folder: string, prefix: string): AsyncIterable<string> {
    const entries =
      (await readdir(join(this.directory, folder), { withFileTypes: true }).catch(absent)) ?? [];
    const names = entries
      .filter((entry) => entry.isDirectory() || (entry.isFile() && !/^\..*\.(tmp|lock)$/.test(entry.name)))
      // "a.b" comes before "a/b" and after "a": a folder is ordered with its slash.
      .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
      .sort((a, b) => (a < b ? -1 : 1));
    for (const name of names) {
      const key = folder + name;
      if (!name.endsWith("/")) {
        if (key.startsWith(prefix)) yield key;
      } else if (key.startsWith(prefix) || prefix.startsWith(key)) yield* this.#keysBelow(key, prefix);
    }
  }
}

/**
 * Moves the file's modification time behind that of what it replaces. The etag depends on it: inodes are used again, and the
 * clock of a file system may stand still for milliseconds.
 */
async function makeNewerThan(path: string, file: FileHandle): Promise<void> {
  const previous = await stat(path, { bigint: true }).catch(absent);
  if (previous === undefined) return;
  const { atimeMs, mtimeNs } = await file.stat({ bigint: true });
  if (mtimeNs > previous.mtimeNs) return;
  // Seconds as a double still tell microseconds apart.
  await file.utimes(Number(atimeMs) / 1000, Number(previous.mtimeNs / 1000n + 2n) / 1e6);
}

/**
 * Descriptors instead of file handles, and no thread for what the system answers at once: a read of a few kilobytes costs half as
 * much.
 */
async function withFile<T>(path: string, use: (file: number) => Promise<T>): Promise<T | undefined> {
  let file: number;
  try {
    file = await openForReading(path);
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw asStoreError(error, path);
  }
  try {
    return await use(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EISDIR") return undefined;
    throw asStoreError(error, path);
  } finally {
    closeSync(file);
  }
}

function openForReading(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    openFile(path, "r", (error, file) => (error === null ? resolve(file) : reject(error)));
  });
}

/** Fills `bytes` from `at` on, as far as one call of the system goes; returns how far. */
function readInto(file: number, bytes: Uint8Array, at: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(file, bytes, at, bytes.length - at, position, (error, count) =>
      error === null ? resolve(count) : reject(error),
    );
  });
}

async function syncDirectory(path: string): Promise<void> {
  // Windows cannot open a directory; there the rename alone is what the system offers.
  const directory = await open(path, "r").catch(() => undefined);
  if (directory === undefined) return;
  await directory.sync().catch(() => undefined);
  await directory.close();
}

function isAbsence(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === "ENOENT" || code === "ENOTDIR";
}

function absent(error: unknown): undefined {
  if (isAbsence(error)) return undefined;
  throw asStoreError(error, "");
}

function asStoreError(error: unknown, key: string): unknown {
  if (error instanceof StoreError) return error;
  const code = (error as NodeJS.ErrnoException).code ?? "";
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") {
    const where = (error as NodeJS.ErrnoException).path ?? key;
    const what = code === "EROFS" ? "The file system is read-only" : "No permission";
    const message = `${what} (${where}); change its permissions or name another directory.`;
    return new StoreError("store/read-only", "unavailable", message, { cause: error });
  }
  return new StoreError(
    "store/failed",
    "unavailable",
    `The store failed on ${key}: ${systemReason(error)}.`,
    {
      cause: error,
    },
  );
}
