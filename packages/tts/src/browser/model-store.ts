import { TtsError } from "../errors.ts";
import { type ByteSource, MemoryByteSource } from "../model/byte-source.ts";

/** What is used of a synchronous handle, which the types of pages do not know: it exists in workers only. */
interface SyncHandle {
  read(target: Uint8Array, options: { at: number }): number;
  write(bytes: Uint8Array, options: { at: number }): number;
  truncate(size: number): void;
  getSize(): number;
  flush(): void;
  close(): void;
}

type Handle = FileSystemFileHandle & {
  createSyncAccessHandle(options?: { mode: "read-only" | "readwrite" }): Promise<SyncHandle>;
};

/** A stored file, open for reading; close it when loading is done. */
export interface StoredFile extends ByteSource {
  close(): void;
}

/** What is known of a stored file, in a small file beside it. */
interface Entry {
  readonly url: string;
  /** The server's name of this version; a transfer goes on only with the same. */
  readonly etag: string | null;
  readonly bytes: number | null;
  readonly isWhole: boolean;
}

export interface FetchOptions {
  /** Largest file in bytes; default 4 GiB. */
  readonly maxBytes?: number;
  readonly onProgress?: (done: number, total: number | undefined) => void;
}

const defaultMaxBytes = 4 * 2 ** 30;

/**
 * Files of a model in the origin's private file system (OPFS), for workers: a file is fetched once, a transfer that broke off goes on where it
 * ended, and reading goes straight from the disk to where the kernels use it, without a copy in the page's memory.
 *
 * The browser may throw stored files away when its disk is full; `navigator.storage.persist()`, asked by the page, forbids it.
 */
export class ModelStore {
  readonly #folder: FileSystemDirectoryHandle | undefined;

  private constructor(folder: FileSystemDirectoryHandle | undefined) {
    this.#folder = folder;
  }

  /**
   * @param name folder in the origin's file system; undefined, or where there is no such file system: a store that keeps nothing and reads
   * into memory
   */
  static async open(name: string | undefined): Promise<ModelStore> {
    if (name === undefined) return new ModelStore(undefined);
    try {
      const root = await navigator.storage.getDirectory();
      return new ModelStore(await root.getDirectoryHandle(name, { create: true }));
    } catch {
      // Private windows and old browsers have none.
      return new ModelStore(undefined);
    }
  }

  /** True if files outlive the page. */
  get isKept(): boolean {
    return this.#folder !== undefined;
  }

  /**
   * The file at an address, fetched if it is not here.
   * @throws TtsError `tts/download-failed`
   */
  async get(url: string, options: FetchOptions = {}): Promise<StoredFile> {
    if (this.#folder === undefined) return fromMemory(await fetchAll(url, options));
    const key = await keyOf(url);
    const entry = await this.#readEntry(key);
    const handle = (await this.#folder.getFileHandle(key, { create: true })) as Handle;
    if (!(entry?.isWhole === true && (await handle.getFile()).size === entry.bytes)) {
      let target: SyncHandle;
      try {
        target = await handle.createSyncAccessHandle();
      } catch {
        // Another tab is fetching it.
        return fromMemory(await fetchAll(url, options));
      }
      try {
        await this.#fetch(url, key, entry, target, options);
      } finally {
        target.close();
      }
    }
    return openForReading(handle);
  }

  /** The bytes of a small file. @throws TtsError `tts/download-failed` */
  async bytes(url: string, options: FetchOptions = {}): Promise<Uint8Array> {
    const file = await this.get(url, options);
    try {
      const bytes = new Uint8Array(file.byteLength);
      file.readInto(bytes, 0);
      return bytes;
    } finally {
      file.close();
    }
  }

  /** Deletes everything that is stored. */
  async clear(): Promise<void> {
    if (this.#folder === undefined) return;
    for await (const name of this.#folder.keys()) await this.#folder.removeEntry(name);
  }

  async #fetch(
    url: string,
    key: string,
    before: Entry | undefined,
    target: SyncHandle,
    { maxBytes = defaultMaxBytes, onProgress }: FetchOptions,
  ): Promise<void> {
    const start = before?.url === url && before.etag !== null ? target.getSize() : 0;
    const headers: Record<string, string> = {};
    if (start > 0) {
      headers["range"] = `bytes=${start}-`;
      headers["if-range"] = before!.etag!;
    }
    const response = await request(url, headers);
    const isRest = response.status === 206;
    let done = isRest ? start : 0;
    target.truncate(done);
    const length = Number(response.headers.get("content-length") ?? Number.NaN);
    const isEncoded = response.headers.get("content-encoding") !== null;
    const total = Number.isFinite(length) && !isEncoded ? done + length : undefined;
    // A weak name does not promise the same bytes.
    const etag = response.headers.get("etag");
    const strong = etag?.startsWith('"') ? etag : null;
    await this.#writeEntry(key, { url, etag: strong, bytes: null, isWhole: false });
    const reader = response.body!.getReader();
    try {
      for (;;) {
        if (Math.max(done, total ?? 0) > maxBytes) {
          throw new TtsError("tts/download-failed", `${url} is larger than ${maxBytes} bytes.`);
        }
        const piece = await reader.read();
        if (piece.done) break;
        target.write(piece.value, { at: done });
        done += piece.value.length;
        onProgress?.(done, total);
      }
    } catch (cause) {
      await reader.cancel().catch(() => {});
      if (cause instanceof TtsError) throw cause;
      throw new TtsError(
        "tts/download-failed",
        `${url} broke off after ${done} bytes; open it again to go on.`,
        {
          cause,
        },
      );
    }
    target.flush();
    if (total !== undefined && done !== total) {
      throw new TtsError("tts/download-failed", `${url} gave ${done} of ${total} bytes.`);
    }
    await this.#writeEntry(key, { url, etag: strong, bytes: done, isWhole: true });
  }

  async #readEntry(key: string): Promise<Entry | undefined> {
    try {
      const handle = await this.#folder!.getFileHandle(`${key}.json`);
      return JSON.parse(await (await handle.getFile()).text()) as Entry;
    } catch {
      return undefined;
    }
  }

  async #writeEntry(key: string, entry: Entry): Promise<void> {
    const handle = (await this.#folder!.getFileHandle(`${key}.json`, { create: true })) as Handle;
    const file = await handle.createSyncAccessHandle();
    try {
      file.truncate(0);
      file.write(new TextEncoder().encode(JSON.stringify(entry)), { at: 0 });
      file.flush();
    } finally {
      file.close();
    }
  }
}

async function openForReading(handle: Handle): Promise<StoredFile> {
  let file: SyncHandle;
  try {
    file = await handle.createSyncAccessHandle({ mode: "read-only" });
  } catch {
    // Another tab reads it, and the browser knows no shared reading.
    return fromMemory(new Uint8Array(await (await handle.getFile()).arrayBuffer()));
  }
  const byteLength = file.getSize();
  return {
    byteLength,
    readInto(target, offset) {
      if (offset < 0 || offset + target.length > byteLength) {
        throw new RangeError(`Bytes ${offset}..${offset + target.length} are outside ${byteLength}.`);
      }
      for (let done = 0; done < target.length; ) {
        const count = file.read(target.subarray(done), { at: offset + done });
        if (count === 0) throw new RangeError(`The file ended at byte ${offset + done}.`);
        done += count;
      }
    },
    close: () => file.close(),
  };
}

function fromMemory(bytes: Uint8Array): StoredFile {
  const source = new MemoryByteSource(bytes);
  return {
    byteLength: source.byteLength,
    readInto: (target, offset) => source.readInto(target, offset),
    close: () => {},
  };
}

async function fetchAll(
  url: string,
  { maxBytes = defaultMaxBytes, onProgress }: FetchOptions,
): Promise<Uint8Array> {
  const response = await request(url, {});
  if (Number(response.headers.get("content-length") ?? 0) > maxBytes) {
    throw new TtsError("tts/download-failed", `${url} is larger than ${maxBytes} bytes.`);
  }
  try {
    const bytes = new Uint8Array(await response.arrayBuffer());
    onProgress?.(bytes.length, bytes.length);
    return bytes;
  } catch (cause) {
    throw new TtsError("tts/download-failed", `${url} broke off.`, { cause });
  }
}

async function request(url: string, headers: Record<string, string>): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { headers });
  } catch (cause) {
    throw new TtsError("tts/download-failed", `${url} cannot be reached.`, { cause });
  }
  if (response.ok && response.body !== null) return response;
  throw new TtsError("tts/download-failed", `${url} answered ${response.status}.`);
}

/** Addresses hold characters that file names may not. */
async function keyOf(url: string): Promise<string> {
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(url)));
  return [...sum.subarray(0, 16)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
