import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore } from "@longwave/archive/node";
import type { Clock } from "@longwave/base";
import { StationArchive } from "../archive/station-archive.ts";
import { WriteBehindStore } from "../archive/write-behind-store.ts";
import { lockArchive } from "./archive-lock.ts";

export interface OpenStationArchiveOptions {
  /** A directory, or `s3://bucket/prefix`; default a folder for temporary files, removed at the end. */
  readonly directory?: string;
  /** Streams that will be recorded. */
  readonly streams: readonly string[];
  readonly clock: Clock;
  /** How long recordings are kept, in microseconds; default: for ever, in a temporary folder 6 h. */
  readonly keepUs?: number;
}

const temporaryKeepUs = 6 * 3600e6;

/** Opens the archive of the stations of a process. @throws StationError, ArchiveError, StoreError */
export async function openStationArchive(
  options: OpenStationArchiveOptions,
): Promise<{ archive: StationArchive; close(): Promise<void> }> {
  const { clock, streams } = options;
  const isTemporary = options.directory === undefined;
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), "longwave-archive-")));
  const unlock: (() => Promise<void>)[] = [];
  const release = async () => {
    for (const each of unlock) await each();
    if (isTemporary) await rm(directory, { recursive: true, force: true });
  };
  const keepUs = options.keepUs ?? (isTemporary ? temporaryKeepUs : undefined);
  try {
    const isRemote = directory.startsWith("s3://");
    if (!isRemote) for (const stream of streams) unlock.push(await lockArchive(directory, stream));
    const { store, close } = await openStore(directory);
    unlock.push(close);
    // A service over a network may be away for a while; a disk that is full is better said at once.
    const behind = isRemote ? new WriteBehindStore(store, { clock }) : undefined;
    const archive = await StationArchive.open(behind ?? store, {
      clock,
      place: isTemporary ? "a temporary folder" : directory,
      isTemporary,
      ...(behind !== undefined && { delivery: behind }),
      // Two machines may share a remote archive: there the leases of the recordings decide.
      ownsStreams: !isRemote,
      ...(keepUs !== undefined && { keepUs }),
    });
    return {
      archive,
      close: async () => {
        archive.close();
        try {
          await behind?.close();
        } finally {
          await release();
        }
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}
