import { rm } from "node:fs/promises";
import { openStore } from "@longwave/archive/node";
import type { Clock } from "@longwave/base";
import { StationArchive } from "../archive/station-archive.ts";
import { WriteBehindStore } from "../archive/write-behind-store.ts";
import { requireArchivePlace } from "./archive-place.ts";
import { StreamClaim } from "./stream-claim.ts";
import { makeTemporaryArchive, sweepTemporaryArchives } from "./temporary-archive.ts";

export interface OpenStationArchiveOptions {
  /** A directory, or `s3://bucket/prefix`; default a folder for temporary files, removed at the end. */
  readonly directory?: string;
  /** Streams that will be recorded. */
  readonly streams: readonly string[];
  readonly clock: Clock;
  /** How long recordings are kept, in microseconds; default: for ever, in a temporary folder 6 h. */
  readonly keepUs?: number;
  /** Time between two signs of life for other stations that want to record here; default 2 s. */
  readonly beatMs?: number;
}

const temporaryKeepUs = 6 * 3600e6;

/**
 * Opens the archive of the stations of a process, and claims their streams where it is a directory.
 * @throws StationError `station/archive-in-use`, `station/archive-unwritable`, `station/bad-option`; ArchiveError, StoreError
 */
export async function openStationArchive(
  options: OpenStationArchiveOptions,
): Promise<{ archive: StationArchive; close(): Promise<void> }> {
  const { clock, streams } = options;
  const isTemporary = options.directory === undefined;
  if (options.directory !== undefined) requireArchivePlace(options.directory);
  else void sweepTemporaryArchives();
  const directory = options.directory ?? (await makeTemporaryArchive());
  const unlock: (() => Promise<void>)[] = [];
  const release = async () => {
    for (const each of unlock) await each();
    if (isTemporary) await rm(directory, { recursive: true, force: true });
  };
  const keepUs = options.keepUs ?? (isTemporary ? temporaryKeepUs : undefined);
  try {
    const isRemote = directory.startsWith("s3://");
    let archive: StationArchive | undefined;
    for (const stream of isRemote ? [] : streams) {
      const onLost = (reason: string) => archive?.lose(stream, reason);
      const claim = await StreamClaim.take(directory, stream, {
        onLost,
        ...(options.beatMs !== undefined && { beatMs: options.beatMs }),
      });
      unlock.push(() => claim.release());
    }
    const { store, close } = await openStore(directory);
    unlock.push(close);
    // A service over a network may be away for a while; a disk that is full is better said at once.
    const behind = isRemote ? new WriteBehindStore(store, { clock }) : undefined;
    archive = await StationArchive.open(behind ?? store, {
      clock,
      place: isTemporary ? "a temporary folder" : directory,
      isTemporary,
      ...(behind !== undefined && { delivery: behind }),
      // Two machines may share a remote archive: there the leases of the recordings decide.
      ownsStreams: !isRemote,
      ...(keepUs !== undefined && { keepUs }),
    });
    const opened = archive;
    return {
      archive: opened,
      close: async () => {
        opened.close();
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
