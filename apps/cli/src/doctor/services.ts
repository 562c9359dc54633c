import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { Archive } from "@longwave/archive";
import { openStore } from "@longwave/archive/node";
import { isLongwaveError } from "@longwave/base";
import { systemReason } from "@longwave/base/node";
import { createSeekableDecoder } from "@longwave/opus";
import { isNats } from "../id/nats-place.ts";
import { countTracks, openCatalog, openSearchable } from "../id/open-catalog.ts";
import { countsLine } from "../jobs/format.ts";
import type { JobsSettings } from "../jobs/jobs-settings.ts";
import { openJobQueue } from "../jobs/open-job-queue.ts";
import type { Finding } from "./finding.ts";

/** Opens the catalog and says how much is in it. */
export function catalogFinding(place: string): Promise<Finding> {
  return finding("catalog", async () => {
    if (isNats(place)) {
      await using matchers = await openSearchable(place);
      return `matchers answer, profile ${matchers.profile}`;
    }
    await using opened = await openCatalog(place, { readOnly: true }).catch((error: Error) => {
      if (!isLongwaveError(error, "catalog/missing") || !/^https?:/.test(place)) throw error;
      // 403 is what private buckets say of an object that is not there.
      throw new Error(`${error.message} Or the server does not let it be read.`, { cause: error });
    });
    const hashes = "postings" in opened ? `${opened.postings} hashes, ` : "";
    return `${await countTracks(opened)} recordings, ${hashes}profile ${opened.profile}`;
  });
}

/** Reads the root of the archive; writes nothing. */
export function archiveFinding(place: string): Promise<Finding> {
  return finding("archive", async () => {
    const { store, close } = await openStore(place);
    try {
      const isNew = (await store.head("zarr.json")) === undefined;
      const archive = await Archive.open(store, { decoder: createSeekableDecoder });
      archive.close();
      if (!/^[a-z0-9]+:\/\//.test(place)) await requireWritable(place);
      return isNew ? `nothing is there yet; the first recording begins it` : "can be read";
    } finally {
      await close();
    }
  });
}

/** Opens the queue of jobs and counts them. */
export function jobsFinding(settings: JobsSettings): Promise<Finding> {
  return finding("jobs", async () => {
    const queue = await openJobQueue(settings);
    try {
      return countsLine(await queue.counts());
    } finally {
      await queue.close();
    }
  });
}

async function finding(name: string, look: () => Promise<string>): Promise<Finding> {
  try {
    return { name, state: "good", says: await look() };
  } catch (error) {
    return { name, state: "bad", says: (error as Error).message };
  }
}

/** The directory, or the nearest one above it that is there. @throws Error in words */
async function requireWritable(directory: string): Promise<void> {
  for (let each = resolve(directory); ; each = dirname(each)) {
    try {
      return await access(each, constants.W_OK | constants.X_OK);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "ENOENT" && each !== dirname(each)) continue;
      throw new Error(`${each} cannot be written: ${systemReason(cause)}.`, { cause });
    }
  }
}
