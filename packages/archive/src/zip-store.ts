import { checkKey, type ObjectInfo, type ObjectStore, StoreError } from "@longwave/base";
import { inflateSync } from "fflate";
import { ArchiveError } from "./errors.ts";

/** Bytes that can be read at random: a file, a blob, an object in a store. */
export interface RandomAccess {
  readonly size: number;
  read(start: number, end: number): Promise<Uint8Array>;
}

interface Entry {
  readonly offset: number;
  readonly compressed: number;
  readonly size: number;
  readonly method: number;
  readonly crc: number;
}

const maxDirectoryBytes = 64 * 1024 * 1024;
const maxEntryBytes = 512 * 1024 * 1024;

/**
 * A read-only object store in a ZIP file (APPNOTE 6.3, with ZIP64), stored or deflated entries. Ranges of stored entries read
 * just those bytes, so an archive zipped without compression keeps its random access.
 */
export class ZipStore implements ObjectStore {
  readonly #file: RandomAccess;
  readonly #entries: ReadonlyMap<string, Entry>;

  private constructor(file: RandomAccess, entries: ReadonlyMap<string, Entry>) {
    this.#file = file;
    this.#entries = entries;
  }

  /** @throws ArchiveError `archive/metadata` where it is no readable ZIP file, `archive/limit` */
  static async open(file: RandomAccess): Promise<ZipStore> {
    // The end record is 22 bytes with a comment of at most 65,535 behind it.
    const tailStart = Math.max(0, file.size - 22 - 65_535);
    const tail = await file.read(tailStart, file.size);
    const view = new DataView(tail.buffer, tail.byteOffset, tail.length);
    let end = tail.length - 22;
    while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end--;
    if (end < 0) throw damaged("there is no end record");
    let count = view.getUint16(end + 10, true);
    let size = view.getUint32(end + 12, true);
    let offset = view.getUint32(end + 16, true);
    if (end >= 20 && view.getUint32(end - 20, true) === 0x07064b50) {
      const at = Number(view.getBigUint64(end - 20 + 8, true));
      if (!Number.isSafeInteger(at) || at + 56 > file.size) throw damaged("its ZIP64 record lies outside");
      const record = await file.read(at, at + 56);
      const wide = new DataView(record.buffer, record.byteOffset, record.length);
      if (record.length < 56 || wide.getUint32(0, true) !== 0x06064b50)
        throw damaged("its ZIP64 record is missing");
      count = Number(wide.getBigUint64(32, true));
      size = Number(wide.getBigUint64(40, true));
      offset = Number(wide.getBigUint64(48, true));
    }
    if (size > maxDirectoryBytes)
      throw new ArchiveError("archive/limit", `The ZIP directory takes ${size} bytes.`);
    if (!Number.isSafeInteger(offset) || offset + size > file.size)
      throw damaged("its directory lies outside");
    const directory = await file.read(offset, offset + size);
    return new ZipStore(file, parseDirectory(directory, count));
  }

  async get(key: string, range?: { start: number; end: number }): Promise<Uint8Array | undefined> {
    checkKey(key);
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    const header = await this.#file.read(entry.offset, entry.offset + 30);
    const view = new DataView(header.buffer, header.byteOffset, header.length);
    if (header.length < 30 || view.getUint32(0, true) !== 0x04034b50)
      throw damaged(`${key} has no local header`);
    const data = entry.offset + 30 + view.getUint16(26, true) + view.getUint16(28, true);
    if (entry.method === 0) {
      const start = Math.min(range?.start ?? 0, entry.size);
      const end = Math.max(start, Math.min(range?.end ?? entry.size, entry.size));
      return this.#file.read(data + start, data + end);
    }
    if (entry.method !== 8) {
      throw new ArchiveError(
        "archive/version",
        `${key} is packed with ZIP method ${entry.method}; store or deflate it.`,
      );
    }
    if (entry.size > maxEntryBytes)
      throw new ArchiveError("archive/limit", `${key} unpacks to ${entry.size} bytes.`);
    const packed = await this.#file.read(data, data + entry.compressed);
    let whole: Uint8Array;
    try {
      whole = inflateSync(packed, { out: new Uint8Array(entry.size) });
    } catch (cause) {
      throw new ArchiveError("archive/metadata", `${key} does not unpack.`, { cause });
    }
    if (whole.length !== entry.size)
      throw damaged(`${key} unpacks to ${whole.length} bytes, not ${entry.size}`);
    return range === undefined ? whole : whole.slice(range.start, range.end);
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    checkKey(key);
    const entry = this.#entries.get(key);
    return entry && { key, size: entry.size, etag: `"${entry.crc.toString(16)}"` };
  }

  put(key: string): Promise<ObjectInfo> {
    return Promise.reject(
      new StoreError("store/read-only", "unavailable", `${key} cannot be written into a ZIP file.`),
    );
  }

  delete(key: string): Promise<void> {
    return Promise.reject(
      new StoreError("store/read-only", "unavailable", `${key} cannot be deleted from a ZIP file.`),
    );
  }

  async *list(prefix: string): AsyncIterable<ObjectInfo> {
    for (const key of [...this.#entries.keys()].sort()) {
      if (!key.startsWith(prefix)) continue;
      const info = await this.head(key);
      if (info !== undefined) yield info;
    }
  }
}

function parseDirectory(bytes: Uint8Array, count: number): Map<string, Entry> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const text = new TextDecoder();
  const entries = new Map<string, Entry>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== 0x02014b50)
      throw damaged("its directory is cut short");
    const nameBytes = view.getUint16(at + 28, true);
    const extraBytes = view.getUint16(at + 30, true);
    const next = at + 46 + nameBytes + extraBytes + view.getUint16(at + 32, true);
    if (next > bytes.length) throw damaged("its directory is cut short");
    const name = text.decode(bytes.subarray(at + 46, at + 46 + nameBytes));
    const fields = [
      view.getUint32(at + 24, true),
      view.getUint32(at + 20, true),
      view.getUint32(at + 42, true),
    ];
    widen(view, at + 46 + nameBytes, extraBytes, fields);
    const [size, compressed, offset] = fields as [number, number, number];
    if (!name.endsWith("/")) {
      const method = view.getUint16(at + 10, true);
      entries.set(name, { offset, compressed, size, method, crc: view.getUint32(at + 16, true) });
    }
    at = next;
  }
  return entries;
}

/** Replaces fields that are all ones by the 64-bit values of the ZIP64 extra field (id 1), in order. */
function widen(view: DataView, start: number, length: number, fields: number[]): void {
  for (let at = start; at + 4 <= start + length; ) {
    const id = view.getUint16(at, true);
    const end = at + 4 + view.getUint16(at + 2, true);
    if (id === 1) {
      let from = at + 4;
      for (let i = 0; i < fields.length && from + 8 <= Math.min(end, start + length); i++) {
        if (fields[i] !== 0xffff_ffff) continue;
        fields[i] = Number(view.getBigUint64(from, true));
        from += 8;
      }
    }
    at = end;
  }
}

function damaged(reason: string): ArchiveError {
  return new ArchiveError("archive/metadata", `The ZIP file cannot be read: ${reason}.`);
}
