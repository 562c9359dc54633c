import { crc32c } from "./crc32c.ts";
import {
  checkKey,
  type ObjectInfo,
  type ObjectStore,
  type ObjectWriter,
  type PutCondition,
  requireCondition,
  StoreError,
} from "./object-store.ts";

/** What is used of the platform's Web Locks (`navigator.locks`). */
export interface StoreLocks {
  request<T>(name: string, work: () => Promise<T>): Promise<T>;
}

/** What is used of a `FileSystemDirectoryHandle`. */
export interface OpfsDirectory {
  readonly name: string;
  getDirectoryHandle(name: string, options?: { create?: boolean }): Promise<OpfsDirectory>;
  getFileHandle(name: string, options?: { create?: boolean }): Promise<OpfsFile>;
  removeEntry(name: string): Promise<void>;
  entries(): AsyncIterable<[string, (OpfsDirectory | OpfsFile) & { readonly kind: "file" | "directory" }]>;
}

/** What is used of a `FileSystemFileHandle`. */
export interface OpfsFile {
  getFile(): Promise<Blob>;
  createWritable(): Promise<OpfsWritable>;
}

/** What is used of a `FileSystemWritableFileStream`: it writes a copy that takes the file's place at `close`. */
export interface OpfsWritable {
  write(part: { type: "write"; position: number; data: Uint8Array<ArrayBuffer> }): Promise<void>;
  close(): Promise<void>;
  abort(): Promise<void>;
}

/** Where an {@link OpfsStore} is. */
export interface OpfsStoreOptions {
  /** Default: the platform's origin private file system. */
  readonly root?: OpfsDirectory;
  /** Folder below the root, made where it is absent; default `longwave`. */
  readonly folder?: string;
  /** Default: `navigator.locks`, which keeps tabs and workers of a page apart. */
  readonly locks?: StoreLocks;
}

/*
 * A file holds a header of 16 bytes and the object: magic "LWOB", CRC32C of the object, a count of the writes of this key (u64), all
 * little-endian. The header makes the etag, and a file without it (made, but never closed) is no object.
 */
const magic = 0x424f574c;
const headerLength = 16;
/** How often a file is looked for again that was replaced while it was read. */
const readAttempts = 5;

/** An object's file, and what its header says. */
interface StoredFile {
  readonly file: Blob;
  readonly info: ObjectInfo;
  readonly writes: number;
}

/**
 * An object store in the browser's origin private file system: a catalog or an archive that a page keeps, reads in ranges and writes
 * atomically (the platform writes a copy and puts it in place when closed). Several tabs and workers may share it. Needs
 * `createWritable` (Chromium, Firefox 111, Safari 26) and a secure context.
 *
 * @example
 * const catalog = await Catalog.open(await OpfsStore.open({ folder: "catalog" }));
 */
export class OpfsStore implements ObjectStore {
  readonly location: string;
  readonly #root: OpfsDirectory;
  readonly #locks: StoreLocks;

  private constructor(root: OpfsDirectory, location: string, locks: StoreLocks) {
    this.#root = root;
    this.location = location;
    this.#locks = locks;
  }

  /** @throws StoreError `store/unsupported` where the platform has no such file system */
  static async open(options: OpfsStoreOptions = {}): Promise<OpfsStore> {
    const platform = (globalThis as { navigator?: Platform }).navigator;
    const locks = options.locks ?? platform?.locks;
    const root = options.root ?? (await platform?.storage?.getDirectory?.());
    if (root === undefined || locks === undefined) {
      throw new StoreError(
        "store/unsupported",
        "unsupported",
        "This platform has no origin private file system; open the page over https or on localhost.",
      );
    }
    const folder = options.folder ?? "longwave";
    checkKey(folder);
    return new OpfsStore(await folderOf(root, folder.split("/"), true), `opfs:${folder}`, locks);
  }

  async get(key: string, range?: { start: number; end: number }): Promise<Uint8Array | undefined> {
    checkKey(key);
    // A file that is replaced while it is read cannot be read on: then the new one is.
    for (let attempt = 1; ; attempt++) {
      try {
        const object = await this.#read(key);
        if (object === undefined) return undefined;
        const { size } = object.info;
        const start = Math.min(range?.start ?? 0, size);
        const end = Math.max(start, Math.min(range?.end ?? size, size));
        const part = object.file.slice(headerLength + start, headerLength + end);
        return new Uint8Array(await part.arrayBuffer());
      } catch (error) {
        if (attempt === readAttempts || (error as Error).name !== "NotReadableError")
          throw asStoreError(error, key);
      }
    }
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    checkKey(key);
    return guarded(key, async () => (await this.#read(key))?.info);
  }

  async put(key: string, bytes: Uint8Array, condition?: PutCondition): Promise<ObjectInfo> {
    // The caller may change its bytes while this waits.
    const copy = new Uint8Array(bytes);
    return this.#exclusively(key, async () => {
      requireCondition(key, (await this.#read(key))?.info, condition);
      const writer = await this.#write(key);
      try {
        await writer.write(copy);
        return await writer.commit();
      } catch (error) {
        await writer.abort();
        throw error;
      }
    });
  }

  /** Pieces go to the platform's copy, which becomes the object with `commit`. */
  async create(key: string): Promise<ObjectWriter> {
    checkKey(key);
    const writer = await guarded(key, () => this.#write(key));
    return {
      write: (bytes) => guarded(key, () => writer.write(new Uint8Array(bytes))),
      commit: () => this.#exclusively(key, () => writer.commit()),
      abort: () => writer.abort(),
    };
  }

  async delete(key: string): Promise<void> {
    await this.#exclusively(key, async () => {
      const parts = key.split("/");
      const name = parts.pop()!;
      const folder = await absentAs(undefined, () => folderOf(this.#root, parts, false));
      await absentAs(undefined, async () => folder?.removeEntry(name));
    });
  }

  async *list(prefix: string): AsyncIterable<ObjectInfo> {
    for await (const key of this.#keysBelow(this.#root, "", prefix)) {
      const info = await this.head(key);
      if (info !== undefined) yield info;
    }
  }

  async *#keysBelow(folder: OpfsDirectory, path: string, prefix: string): AsyncIterable<string> {
    const found = new Map<string, OpfsDirectory | undefined>();
    for await (const [name, handle] of folder.entries()) {
      if (handle.kind === "directory") found.set(`${name}/`, handle as OpfsDirectory);
      else found.set(name, undefined);
    }
    // "a.b" comes before "a/b" and after "a": a folder is ordered with its slash.
    for (const name of [...found.keys()].sort()) {
      const key = path + name;
      const below = found.get(name);
      if (below === undefined) {
        if (key.startsWith(prefix)) yield key;
      } else if (key.startsWith(prefix) || prefix.startsWith(key)) yield* this.#keysBelow(below, key, prefix);
    }
  }

  /** The file of an object and what its header says; undefined where there is none. */
  async #read(key: string): Promise<StoredFile | undefined> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#readNow(key);
      } catch (error) {
        // Replaced between finding the file and reading its header.
        if (attempt === readAttempts || (error as Error).name !== "NotReadableError") throw error;
      }
    }
  }

  async #readNow(key: string): Promise<StoredFile | undefined> {
    const parts = key.split("/");
    const name = parts.pop()!;
    const file = await absentAs(undefined, async () => {
      const folder = await folderOf(this.#root, parts, false);
      return (await folder.getFileHandle(name)).getFile();
    });
    if (file === undefined || file.size < headerLength) return undefined;
    const header = new DataView(await file.slice(0, headerLength).arrayBuffer());
    if (header.getUint32(0, true) !== magic) return undefined;
    const writes = Number(header.getBigUint64(8, true));
    const etag = `"${writes}-${header.getUint32(4, true).toString(16)}"`;
    return { file, writes, info: { key, size: file.size - headerLength, etag } };
  }

  async #write(key: string): Promise<ObjectWriter> {
    const parts = key.split("/");
    const name = parts.pop()!;
    const folder = await folderOf(this.#root, parts, true);
    const stream = await (await folder.getFileHandle(name, { create: true })).createWritable();
    let [size, crc, done] = [0, 0, false];
    return {
      write: async (bytes) => {
        await stream.write({
          type: "write",
          position: headerLength + size,
          data: bytes as Uint8Array<ArrayBuffer>,
        });
        size += bytes.length;
        crc = crc32c(bytes, 0, bytes.length, crc);
      },
      commit: async () => {
        const header = new DataView(new ArrayBuffer(headerLength));
        const writes = ((await this.#read(key))?.writes ?? 0) + 1;
        header.setUint32(0, magic, true);
        header.setUint32(4, crc, true);
        header.setBigUint64(8, BigInt(writes), true);
        await stream.write({ type: "write", position: 0, data: new Uint8Array(header.buffer) });
        done = true;
        await stream.close();
        return { key, size, etag: `"${writes}-${crc.toString(16)}"` };
      },
      abort: async () => {
        if (done) return;
        done = true;
        await stream.abort().catch(() => undefined);
        // The file itself may have been made for this writer alone.
        if ((await this.#read(key)) === undefined) await folder.removeEntry(name).catch(() => undefined);
      },
    };
  }

  #exclusively<T>(key: string, work: () => Promise<T>): Promise<T> {
    checkKey(key);
    return guarded(key, () => this.#locks.request(`longwave ${this.location}/${key}`, work));
  }
}

interface Platform {
  readonly locks?: StoreLocks;
  readonly storage?: { getDirectory?(): Promise<OpfsDirectory> };
}

async function folderOf(
  root: OpfsDirectory,
  parts: readonly string[],
  create: boolean,
): Promise<OpfsDirectory> {
  let folder = root;
  for (const part of parts) folder = await folder.getDirectoryHandle(part, { create });
  return folder;
}

/** The result of `work`, or `otherwise` where the platform says that there is no such file or folder. */
async function absentAs<T, U>(otherwise: U, work: () => Promise<T>): Promise<T | U> {
  try {
    return await work();
  } catch (error) {
    const { name } = error as Error;
    if (name === "NotFoundError" || name === "TypeMismatchError") return otherwise;
    throw error;
  }
}

async function guarded<T>(key: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asStoreError(error, key);
  }
}

function asStoreError(error: unknown, key: string): unknown {
  if (error instanceof StoreError) return error;
  const { name, message } = error as Error;
  const reason =
    name === "QuotaExceededError"
      ? "the storage of this site is full; delete something, or ask for more with navigator.storage.persist()"
      : `${name}: ${message}`;
  return new StoreError("store/failed", "unavailable", `The store failed on ${key}: ${reason}.`, {
    cause: error,
  });
}
