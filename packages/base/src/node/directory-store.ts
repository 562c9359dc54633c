import { createHash } from "node:crypto";
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

/**
 * An object store in a directory of the file system. A `put` writes a temporary file beside the target, flushes it,
 * renames it and flushes the directory: killed at any moment, the object is the old one or the new one. A conditional
 * `put` holds a lock file for the time of the check and the rename, so it is exclusive between processes on one machine.
 */
export class DirectoryStore implements ObjectStore {
  readonly directory: string;
  #temporaryCount = 0;

  constructor(directory: string) {
    this.directory = directory;
  }

  async get(key: string, range?: { start: number; end: number }): Promise<Uint8Array | undefined> {
    checkKey(key);
    return withFile(join(this.directory, key), async (file) => {
      const size = (await file.stat()).size;
      const start = Math.min(range?.start ?? 0, size);
      const end = Math.max(start, Math.min(range?.end ?? size, size));
      const bytes = new Uint8Array(end - start);
      let at = 0;
      while (at < bytes.length) {
        const { bytesRead } = await file.read(bytes, at, bytes.length - at, start + at);
        if (bytesRead === 0) break;
        at += bytesRead;
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
    const temporary = join(dirname(path), `.${process.pid}-${this.#temporaryCount++}.tmp`);
    try {
      await mkdir(dirname(path), { recursive: true });
      const lock = condition === undefined ? undefined : await takeLock(path);
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
        if (lock !== undefined) await rm(lock, { force: true });
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
    const temporary = join(dirname(path), `.${process.pid}-${this.#temporaryCount++}.tmp`);
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

  async *list(prefix: string): AsyncIterable<ObjectInfo> {
    const names =
      (await readdir(this.directory, { recursive: true, withFileTypes: true }).catch(absent)) ?? [];
    const keys: string[] = [];
    for (const entry of names) {
      if (!entry.isFile() || /^\..*\.(tmp|lock)$/.test(entry.name)) continue;
      const folder = (entry.parentPath ?? entry.path).slice(this.directory.length).replaceAll("\\", "/");
      const key = `${folder}/${entry.name}`.replace(/^\/+/, "");
      if (key.startsWith(prefix)) keys.push(key);
    }
    for (const key of keys.sort((a, b) => (a < b ? -1 : 1))) {
      const info = await this.head(key);
      if (info !== undefined) yield info;
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

async function withFile<T>(path: string, use: (file: FileHandle) => Promise<T>): Promise<T | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw asStoreError(error, path);
  }
  try {
    return await use(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EISDIR") return undefined;
    throw error;
  } finally {
    await file.close();
  }
}

/** Locks older than this belong to a process that died while it held one; a conditional put takes milliseconds. */
const staleLockMs = 10_000;

async function takeLock(path: string): Promise<string> {
  const lock = join(dirname(path), `.${path.slice(dirname(path).length + 1)}.lock`);
  for (let attempt = 0; attempt < 2000; attempt++) {
    try {
      await (await open(lock, "wx")).close();
      return lock;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const age = await stat(lock).then(
      (info) => Date.now() - info.mtimeMs,
      () => 0,
    );
    if (age > staleLockMs) await rm(lock, { force: true });
    else await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new StoreError("store/conflict", "unavailable", `${path} is held by another writer for too long.`);
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
    return new StoreError("store/read-only", "unavailable", `No permission to write ${key}.`, {
      cause: error,
    });
  }
  const reason = code === "ENOSPC" ? "the disk is full" : (error as Error).message;
  return new StoreError("store/failed", "unavailable", `The store failed on ${key}: ${reason}.`, {
    cause: error,
  });
}
