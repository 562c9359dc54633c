import { hostname } from "node:os";
import { Archive } from "@longwave/archive";
import { nodeSha256, openStore } from "@longwave/archive/node";
import { createSeekableDecoder } from "@longwave/opus";

/** What the library wants said: warnings go to standard error. */
function tell(level: string, message: string): void {
  if (level === "warn" || level === "error") process.stderr.write(`longwave: ${message}\n`);
}

/** Opens the archive that the user named, for the time of `use`. */
export async function withArchive<T>(
  name: string,
  use: (archive: Archive) => Promise<T>,
  options: { mustExist?: boolean; newId?: () => string } = {},
): Promise<T> {
  const { store, close } = await openStore(name, options);
  try {
    const archive = await Archive.open(store, {
      decoder: createSeekableDecoder,
      sha256: nodeSha256,
      hooks: { log: (level, message) => tell(level, message) },
      owner: `process ${process.pid} on ${hostname()}`,
      ...(options.newId && { newId: options.newId }),
    });
    try {
      return await use(archive);
    } finally {
      archive.close();
    }
  } finally {
    await close();
  }
}
