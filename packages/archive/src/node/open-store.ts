import { open, stat } from "node:fs/promises";
import { HttpStore, type ObjectStore } from "@longwave/base";
import { DirectoryStore } from "@longwave/base/node";
import { ArchiveError } from "../errors.ts";
import { ZipStore } from "../zip-store.ts";

/**
 * The store behind a name: a directory (made by the first write), a `.zip` file or an `http(s)://` address (both read
 * only). Close it when done.
 * @throws ArchiveError `archive/not-found` with `mustExist` where nothing is there
 */
export async function openStore(
  name: string,
  options: { mustExist?: boolean } = {},
): Promise<{ store: ObjectStore; close(): Promise<void> }> {
  if (/^https?:\/\//.test(name)) return { store: new HttpStore(name), close: async () => undefined };
  const info = await stat(name).catch(() => undefined);
  if (info === undefined && options.mustExist === true) {
    throw new ArchiveError("archive/not-found", `There is no archive at ${name}; import something first.`);
  }
  if (info?.isFile()) {
    const file = await open(name);
    const read = async (start: number, end: number) => {
      const bytes = new Uint8Array(Math.max(0, end - start));
      const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
      return bytes.subarray(0, bytesRead);
    };
    try {
      return { store: await ZipStore.open({ size: info.size, read }), close: () => file.close() };
    } catch (error) {
      await file.close();
      throw error;
    }
  }
  return { store: new DirectoryStore(name), close: async () => undefined };
}
