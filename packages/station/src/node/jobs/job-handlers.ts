import type { Archive, RecordingInfo } from "@longwave/archive";
import { openAudioInput } from "@longwave/archive/node";
import { type Clock, isLongwaveError, type Random, sleepUs } from "@longwave/base";
import type { AudioInput, Catalog, Enrollment } from "@longwave/catalog";
import { decodeAudioFile } from "@longwave/media/node";
import { OpusEncoder } from "@longwave/opus";
import { StationError } from "../../errors.ts";
import type { Job, JobHandler, JobResult } from "../../jobs/index.ts";
import { fileDecoders } from "../file-decoders.ts";
import { hashFile } from "./job-requests.ts";

/**
 * Imports a job's file into `archive`. The archive knows files by their hash: one that is there already is left alone, and the import of
 * a worker that died is gone on with.
 */
export function importHandler(archive: Archive): JobHandler {
  return async (job, signal) => {
    const input = await openAudioInput(job.source, {
      encoder: ({ channels, bitrateBps }) => new OpusEncoder({ channels, bitrateBps }),
      acceptLossy: job.lossy === true,
      signal,
    }).catch(failReading(job));
    requireSameContent(job, input.source.sha256);
    try {
      const { info, duplicate } = await archive.import(await input.open(), {
        source: input.source,
        metadata: input.metadata,
        rawMetadata: input.rawMetadata,
        anchors: input.anchors,
        start: input.start,
        resume: true,
        signal,
      });
      return imported(info, duplicate);
    } catch (error) {
      const twin = await finishedTwin(archive, job);
      if (twin !== undefined) return imported(twin, true);
      if (job.attempts === 1 || !isLongwaveError(error) || !collisions.has(error.code)) throw error;
      const { message } = error;
      throw new StationError("station/job-collided", "unavailable", message, { cause: error });
    }
  };
}

/**
 * What an import meets where the worker that lost the job is still at it (its machine was stopped for longer than the lease): both write
 * the same objects, and one finds what the other has finished or begun. Tried again it comes out right.
 */
const collisions: ReadonlySet<string> = new Set([
  "archive/options",
  "archive/metadata",
  "archive/duplicate",
  "archive/not-found",
  "archive/chunk-missing",
  "archive/chunk-corrupt",
]);

function imported({ id, frames }: RecordingInfo, duplicate: boolean): JobResult {
  return { recording: id, duplicate, seconds: Math.round(frames / 48) / 1000 };
}

/** The recording of this very file, where another worker has finished it meanwhile. */
async function finishedTwin(archive: Archive, { sha256 }: Job): Promise<RecordingInfo | undefined> {
  try {
    const id = await archive.findByHash(sha256);
    return id === undefined ? undefined : await archive.info(id);
  } catch {
    // The error that brought us here says more.
    return undefined;
  }
}

/** What an enrollment needs of a catalog, in a directory or a database. */
export interface EnrollTarget {
  readonly extract: Catalog["extract"];
  readonly enroll: Catalog["enroll"];
}

/** How often an enrollment is tried again that others' enrollments got in the way of. */
const mostCollisions = 30;

/** Enrolls a job's file in `catalog`; the same sound under the same id changes nothing. */
export function enrollHandler(catalog: EnrollTarget, clock: Clock, random: Random): JobHandler {
  return async (job, signal) => {
    requireSameContent(job, await hashFile(job.source));
    const { pcm, sampleRate, channels } = await decodeAudioFile(job.source, { decoders: fileDecoders });
    const sound: AudioInput = { samples: pcm, sampleRate, channels };
    const fingerprint = catalog.extract(sound, signal);
    const enroll = () =>
      catalog.enroll(job.track!, fingerprint, job.replace === true ? { replace: true } : {});
    const { track, status } = await amongOthers(enroll, clock, random, signal);
    return { track: track.id, status, hashes: track.hashes };
  };
}

/** Workers that write one catalog at once overtake each other: whoever was overtaken waits for a random moment. */
async function amongOthers(
  enroll: () => Promise<Enrollment>,
  clock: Clock,
  random: Random,
  signal: AbortSignal,
): Promise<Enrollment> {
  for (let collisions = 0; ; collisions++) {
    try {
      return await enroll();
    } catch (error) {
      if (!isLongwaveError(error, "catalog/locked") || collisions === mostCollisions) throw error;
      await sleepUs(clock, 1000 * (10 + random.below(100)), signal);
    }
  }
}

function requireSameContent(job: Job, sha256: string | undefined): void {
  if (sha256 === job.sha256) return;
  throw new StationError(
    "station/source-changed",
    "malformed",
    `${job.source} holds other content than when the job was added; add it again.`,
  );
}

/** A file that is not there may come back (a network drive): its job is tried again. */
function failReading(job: Job): (error: unknown) => never {
  return (cause) => {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (isLongwaveError(cause) || code === undefined) throw cause;
    throw new StationError("station/unreadable", "unavailable", `${job.source} cannot be read: ${message}.`, {
      cause,
    });
  };
}
