import { isLongwaveError, type ObjectStore } from "@longwave/base";
import { opusPacketFrames } from "@longwave/media";
import { ArchiveError, asWriteFailure } from "./errors.ts";
import { decodeJournal } from "./import-journal.ts";
import { hashKey, partKey } from "./layout.ts";
import type { PacketItem } from "./packet-item.ts";
import type { RecordOptions } from "./record-options.ts";
import type { OriginalInfo, RecordingInfo, SourceInfo } from "./recording-info.ts";
import type { RecordingWriter, RecordingWriterOptions } from "./recording-writer.ts";

/** The parts of an archive that an import needs. */
export interface ImportTarget {
  readonly store: ObjectStore;
  info(id: string): Promise<RecordingInfo>;
  record(
    options: RecordOptions,
    internal: Pick<RecordingWriterOptions, "journal" | "resume">,
  ): Promise<RecordingWriter>;
  discard(id: string): Promise<void>;
  /** Stores a recording's source file beside it. */
  keepOriginal(id: string, file: AsyncIterable<Uint8Array>): Promise<OriginalInfo>;
}

/** Something to import: a demuxed file, the output of an encoder. Iterated once; again from its start to resume. */
export interface ImportSource {
  readonly channels: 1 | 2;
  /** After the last item: the input ended in the middle of something. */
  readonly truncated?: boolean;
  items(): AsyncIterable<PacketItem> | Iterable<PacketItem>;
}

export interface ImportOptions extends Omit<RecordOptions, "channels" | "live"> {
  /** Go on with an import of the same source that was interrupted. */
  readonly resume?: boolean;
  /** Refuse an input that is cut off, instead of keeping what there is and saying so. */
  readonly strict?: boolean;
  /** Keep the source's bytes as they are as well: called once, after the packets were taken. */
  readonly original?: () => AsyncIterable<Uint8Array>;
  /** What is known of the source only behind its last item: size and hash of a stream that is read once. */
  readonly sourceAtEnd?: () => SourceInfo;
  readonly signal?: AbortSignal;
  /** Called after every chunk with the sample frames so far. */
  readonly onProgress?: (frames: number) => void;
}

export interface ImportResult {
  readonly info: RecordingInfo;
  /** The same file or the same packets were there already; nothing was written. */
  readonly duplicate: boolean;
  /** The same packets were there, but in a file with another description: what of this one was not taken over. */
  readonly notKept?: NotKept;
}

/** A description that an import left aside, for its packets were there already under another one. */
export interface NotKept {
  readonly source: SourceInfo;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Names of raw metadata. */
  readonly rawMetadata: readonly string[];
}

/**
 * Imports a source. With `source.sha256` the file's hash is claimed first, so that of two importers of one file one wins and the
 * other gets the winner's recording.
 * @throws ArchiveError `archive/duplicate` while another importer has the file, `archive/not-opus` for an empty source
 */
export async function importRecording(
  archive: ImportTarget,
  newId: () => string,
  source: ImportSource,
  options: ImportOptions,
): Promise<ImportResult> {
  try {
    return await importNow(archive, newId, source, options);
  } catch (error) {
    throw asWriteFailure(error);
  }
}

async function importNow(
  archive: ImportTarget,
  newId: () => string,
  source: ImportSource,
  options: ImportOptions,
): Promise<ImportResult> {
  let sha256 = options.source?.sha256;
  let id = options.id ?? newId();
  let resumes = false;
  if (sha256 !== undefined) {
    const winner = await claim(archive.store, sha256, id);
    if (winner !== undefined) {
      const existing = await existingRecording(archive, winner);
      if (existing !== undefined) {
        // Killed between its last two writes, an import leaves its journal beside the whole recording.
        if (options.resume === true && existing.state === "complete")
          await archive.store.delete(partKey(winner));
        return { info: existing, duplicate: true };
      }
      if (options.resume !== true) {
        throw new ArchiveError(
          "archive/duplicate",
          `This file is being imported as ${winner}; if that import died, import it again with resume.`,
        );
      }
      id = winner;
      resumes = true;
    }
  }
  const part = resumes ? await archive.store.get(partKey(id)) : undefined;
  const resume = part === undefined ? undefined : decodeJournal(part, partKey(id));
  const { resume: _, strict: __, original, sourceAtEnd, signal, onProgress, ...recordOptions } = options;
  const items = peekable(source.items());
  let writer: RecordingWriter;
  try {
    const chunkFrames = options.chunkFrames ?? (await chooseChunkFrames(items));
    writer = await archive.record(
      { ...recordOptions, chunkFrames, id, channels: source.channels },
      // Chunks of their own are simply written again; shards go on behind the last whole one.
      { journal: options.v2Twin !== true, ...(resume === undefined ? {} : { resume }) },
    );
  } catch (error) {
    // Wrong options or a source without a beginning: nothing is written yet, and the file is free again.
    if (!resumes && sha256 !== undefined && isLongwaveError(error) && error.kind !== "unavailable")
      await archive.store.delete(hashKey(sha256));
    throw error;
  }
  try {
    let settled: Promise<void> | undefined;
    for await (const item of items) {
      signal?.throwIfAborted();
      // Most packets write nothing: then push gives the promise that was waited for already.
      const written = writer.push(item);
      if (written !== settled) await written;
      settled = written;
      onProgress?.(writer.frames);
    }
    if (source.truncated === true) {
      if (options.strict === true) {
        throw new ArchiveError(
          "archive/truncated",
          "The input is cut off; import it without strict to keep what there is.",
        );
      }
      writer.amendSource({ truncated: true });
    }
    const late = sourceAtEnd?.();
    if (late !== undefined) {
      writer.amendSource(late);
      if (late.sha256 !== undefined) {
        const winner = await claim(archive.store, late.sha256, id);
        if (winner === undefined) sha256 = late.sha256;
        else {
          const existing = await existingRecording(archive, winner);
          if (existing !== undefined) return await dropped(archive, writer, existing, options);
        }
      }
    }
    if (writer.frames > 0 && original !== undefined)
      writer.amendSource({ original: await archive.keepOriginal(id, original()) });
    if (writer.frames === 0)
      throw new ArchiveError("archive/not-opus", "There is no sound in the source; nothing was imported.");
  } catch (error) {
    writer.abandon();
    // What failed for the source's sake will not go better by resuming: give the file free again.
    if (isLongwaveError(error) && error.kind !== "unavailable") {
      await archive.discard(id);
      if (sha256 !== undefined) await archive.store.delete(hashKey(sha256));
    }
    throw error;
  }
  const packets = writer.info("complete").packetsSha256;
  const twin = await claim(archive.store, packets, id);
  if (twin !== undefined && twin !== id) {
    const existing = await existingRecording(archive, twin);
    if (existing !== undefined) {
      if (sha256 !== undefined)
        await archive.store.put(hashKey(sha256), new TextEncoder().encode(`${twin}\n`));
      return await dropped(archive, writer, existing, options);
    }
    await archive.store.put(hashKey(packets), new TextEncoder().encode(`${id}\n`));
  }
  return { info: await writer.close(), duplicate: false };
}

/** Gives up a recording whose packets are there already, and tells what of its description goes with it. */
async function dropped(
  archive: ImportTarget,
  writer: RecordingWriter,
  existing: RecordingInfo,
  options: ImportOptions,
): Promise<ImportResult> {
  const { source, metadata } = writer.info("complete");
  writer.abandon();
  await archive.discard(writer.id);
  const rawMetadata = [...(options.rawMetadata?.keys() ?? [])];
  const isSame =
    JSON.stringify(metadata) === JSON.stringify(existing.metadata) &&
    rawMetadata.every((name) => existing.rawMetadata.includes(name));
  return {
    info: existing,
    duplicate: true,
    ...(isSame ? {} : { notKept: { source, metadata, rawMetadata } }),
  };
}

/** Streams below this rate get long chunks: what a chunk costs is the same for few bytes as for many. */
const longChunksBelowBps = 40_000;

/** 10 s, or 30 s where the first seconds are thin. */
async function chooseChunkFrames(items: Peekable): Promise<number> {
  let bytes = 0;
  let frames = 0;
  for (const item of await items.peek(500)) {
    if (item.type !== "packet") continue;
    bytes += item.data.length;
    frames += opusPacketFrames(item.data);
  }
  return frames > 0 && (bytes * 8 * 48_000) / frames < longChunksBelowBps ? 1_440_000 : 480_000;
}

interface Peekable extends AsyncIterable<PacketItem> {
  /** The first items, up to `count`, without consuming them. Call it before iterating. */
  peek(count: number): Promise<readonly PacketItem[]>;
}

function peekable(source: AsyncIterable<PacketItem> | Iterable<PacketItem>): Peekable {
  const iterator =
    Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  const first: PacketItem[] = [];
  return {
    async peek(count) {
      while (first.length < count) {
        const step = await iterator.next();
        if (step.done) break;
        first.push(step.value);
      }
      return first;
    },
    // No generator: one more of them for every packet is felt.
    [Symbol.asyncIterator]() {
      let taken = 0;
      return {
        next() {
          const value = first[taken++];
          return value === undefined
            ? Promise.resolve(iterator.next())
            : Promise.resolve({ done: false, value });
        },
        async return() {
          await iterator.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

/** How often a hash is claimed that others take and give free again meanwhile. */
const claimAttempts = 3;

/** Claims a hash for a recording; returns the one that had it already. */
async function claim(store: ObjectStore, sha256: string, id: string): Promise<string | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      await store.put(hashKey(sha256), new TextEncoder().encode(`${id}\n`), { ifAbsent: true });
      return undefined;
    } catch (error) {
      if (!isLongwaveError(error, "store/conflict")) throw error;
      const winner = new TextDecoder().decode(await store.get(hashKey(sha256))).trim();
      if (winner !== "") return winner;
      // The winner has just failed and given the hash free again.
      if (attempt === claimAttempts) throw error;
    }
  }
}

async function existingRecording(archive: ImportTarget, id: string): Promise<RecordingInfo | undefined> {
  try {
    return await archive.info(id);
  } catch (error) {
    if (isLongwaveError(error, "archive/not-found")) return undefined;
    throw error;
  }
}
