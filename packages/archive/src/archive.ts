import { type Hooks, isLongwaveError, type ObjectStore } from "@longwave/base";
import type { DecoderFactory } from "@longwave/media";
import { appendStart } from "./append-start.ts";
import { checkRoot, listedRecordings } from "./check-root.ts";
import { ArchiveError, asWriteFailure } from "./errors.ts";
import type { ImportJournal } from "./import-journal.ts";
import {
  type ImportOptions,
  type ImportResult,
  type ImportSource,
  importRecording,
} from "./import-recording.ts";
import { toInt16 } from "./int16.ts";
import { hashKey, partKey, recordingKey, recordingPrefix, rootKey, rootMetadata } from "./layout.ts";
import { Lease } from "./lease.ts";
import { readOriginal, storeOriginal } from "./original.ts";
import type { PacketItem } from "./packet-item.ts";
import { type ReadManyOptions, readInOrder } from "./read-many.ts";
import {
  type ArchivePosition,
  type ReadOptions,
  type ReadRequest,
  requestBytes,
  type SampleForm,
} from "./read-request.ts";
import type { RecordOptions } from "./record-options.ts";
import { recordedPackets } from "./recorded-packets.ts";
import { parseRecording, type RecordingInfo, type StoredForm } from "./recording-info.ts";
import { checkSampleRange, emptyReport, type ReadReport, RecordingReader } from "./recording-reader.ts";
import { RecordingWriter, type RecordingWriterOptions } from "./recording-writer.ts";
import { finishLive, type RepairReport, repairStore } from "./repair.ts";
import { resolveRange, timeAxis } from "./resolve-range.ts";
import { rewriteRecording } from "./rewrite-recording.ts";
import { collectSeek, type RunUpSummary, SeekArray, summarizeRunUps } from "./seek-array.ts";
import { portableSha256, type Sha256Factory } from "./sha256.ts";
import { withAnchors } from "./time-anchors.ts";
import type { TimedRange } from "./time-axis.ts";
import { type VerifyLevel, type VerifyReport, verifyRecording } from "./verify.ts";

export interface ArchiveOptions {
  /** Makes decoders; proofs and reads are exact for its profile. */
  readonly decoder: DecoderFactory;
  /** Decoder profile for new recordings; default `opus-1`. */
  readonly profile?: string;
  /** Makes identifiers for new recordings: 1 to 64 letters, digits, `-` and `_`, unique and preferably ascending in time. */
  readonly newId?: () => string;
  /** Hashes of files, packets and shards; default JavaScript, the platform's own is many times faster. */
  readonly sha256?: Sha256Factory;
  /** Says who writes, in the lease of a recording; default "a writer". */
  readonly owner?: string;
  readonly hooks?: Hooks;
}

/** Decoded samples and how they were come by. */
export interface Clip<Form extends SampleForm = "float32"> {
  readonly id: string;
  /** First sample frame. */
  readonly start: number;
  readonly channels: number;
  readonly sampleRate: 48000;
  /** Interleaved; the caller's. */
  readonly pcm: Form extends "int16" ? Int16Array : Float32Array;
  readonly report: Readonly<ReadReport>;
}

/**
 * An archive of Opus recordings in an object store. Any range of samples comes back bit-identical to the decode of the whole
 * recording by the same profile.
 *
 * @example
 * const archive = await Archive.open(store, { decoder: createSeekableDecoder });
 * const clip = await archive.read(id, { from: 90 * 48000, to: 100 * 48000 });
 */
export class Archive {
  readonly store: ObjectStore;
  readonly #options: ArchiveOptions;
  readonly #readers = new Map<string, RecordingReader>();
  /** What was last read of each recording's metadata. */
  readonly #infos = new Map<string, RecordingInfo>();
  #idCount = 0;

  private constructor(store: ObjectStore, options: ArchiveOptions) {
    this.store = store;
    this.#options = options;
  }

  /**
   * Opens an archive; an empty store becomes one with the first recording. Damaged root metadata, which are a cache, are told to
   * `hooks.log`. @throws ArchiveError `archive/version`, `archive/metadata` for a store of something else
   */
  static async open(store: ObjectStore, options: ArchiveOptions): Promise<Archive> {
    await checkRoot(store, (message) => options.hooks?.log?.("warn", message));
    return new Archive(store, options);
  }

  /**
   * All recordings, oldest identifier first, those being written included. With `onDamaged` a recording whose metadata cannot
   * be read is told and left out. Of a store that cannot list (a web server) they are those of the last consolidation.
   * @throws ArchiveError `archive/metadata`, `archive/version` without `onDamaged`
   */
  async list(
    signal?: AbortSignal,
    onDamaged?: (id: string, error: ArchiveError) => void,
  ): Promise<RecordingInfo[]> {
    const infos: RecordingInfo[] = [];
    try {
      await this.#listObjects(infos, signal, onDamaged);
    } catch (error) {
      if (!isLongwaveError(error, "store/cannot-list")) throw error;
      return listedRecordings(this.store, onDamaged);
    }
    return infos;
  }

  async #listObjects(
    infos: RecordingInfo[],
    signal?: AbortSignal,
    onDamaged?: (id: string, error: ArchiveError) => void,
  ): Promise<void> {
    for await (const object of this.store.list("rec/", signal)) {
      const id = /^rec\/([\w-]{1,64})\/zarr\.json$/.exec(object.key)?.[1];
      if (id === undefined) continue;
      try {
        infos.push(await this.info(id));
      } catch (error) {
        if (onDamaged === undefined || !(error instanceof ArchiveError)) throw error;
        onDamaged(id, error);
      }
    }
  }

  /** What is known of a recording. @throws ArchiveError `archive/not-found`, `archive/metadata`, `archive/version` */
  async info(id: string): Promise<RecordingInfo> {
    checkId(id);
    const bytes = await this.store.get(recordingKey(id));
    if (bytes === undefined) {
      this.#infos.delete(id);
      throw new ArchiveError(
        "archive/not-found",
        `There is no recording ${id} in this archive; list shows what there is.`,
      );
    }
    const info = await withAnchors(this.store, parseRecording(bytes, recordingKey(id)));
    if (this.#infos.size >= keptInfos) this.#infos.delete(this.#infos.keys().next().value!);
    this.#infos.set(id, info);
    return info;
  }

  /**
   * Reads samples; an empty range costs nothing. Metadata and shard indexes are kept between reads and looked up again
   * where they turn out to be old. Errors: see RecordingReader.read.
   */
  async read<Form extends SampleForm = "float32">(
    id: string,
    options: ReadOptions & { readonly as?: Form },
  ): Promise<Clip<Form>> {
    const requestsBefore = { requests: 0 };
    const { info, start, end } = await this.#locate(id, options, requestsBefore);
    const pcm = new Float32Array((end - start) * info.channels);
    const report = emptyReport({ profile: this.#profile });
    report.requests = requestsBefore.requests;
    if (end > start) await this.#readInto(info, start, end, pcm, report, options);
    if (options.requireExact === true && !report.exact) {
      throw new ArchiveError(
        "archive/proof-failed",
        `Samples [${start}, ${end}) of ${id} cannot be proven exact; run verify.`,
      );
    }
    const samples = options.as === "int16" ? Int16Array.from(pcm, toInt16) : pcm;
    const { channels } = info;
    return { id, start, channels, sampleRate: 48_000, pcm: samples as Clip<Form>["pcm"], report };
  }

  /** The samples that positions mean: numbers as they are, wall-clock times through the recording's time axis. */
  async rangeOf(
    id: string,
    range: { readonly from: ArchivePosition; readonly to: ArchivePosition },
  ): Promise<{ start: number; end: number }> {
    const { start, end } = await this.#locate(id, range, { requests: 0 });
    return { start, end };
  }

  /**
   * The stretches of samples that a range of wall-clock time means: several where the recording has gaps, none where it was
   * silent. Read each of them.
   */
  async rangesBetween(id: string, fromNs: bigint, toNs: bigint): Promise<TimedRange[]> {
    return timeAxis(await this.info(id)).rangesBetween(fromNs, toNs);
  }

  /** Reads several ranges, in the order of the requests; a few at a time, bounded in memory. */
  readMany(
    requests: Iterable<ReadRequest> | AsyncIterable<ReadRequest>,
    options: ReadManyOptions = {},
  ): AsyncIterable<Clip> {
    const { signal } = options;
    return readInOrder(
      requests,
      ({ id, ...rest }) => this.read(id, { ...rest, as: "float32", ...(signal && { signal }) }),
      requestBytes,
      options,
    );
  }

  /** Starts a recording. */
  record(
    options: RecordOptions,
    internal: Pick<RecordingWriterOptions, "journal" | "resume"> = {},
  ): Promise<RecordingWriter> {
    return writing(() => this.#recordIn(this.store, options, internal));
  }

  async #recordIn(
    store: ObjectStore,
    options: RecordOptions,
    internal: Pick<RecordingWriterOptions, "journal" | "resume"> = {},
  ): Promise<RecordingWriter> {
    const id = options.id ?? this.#newId();
    checkId(id);
    if ((await store.head(recordingKey(id))) !== undefined) {
      throw new ArchiveError(
        "archive/options",
        `There already is a recording ${id}; choose another identifier.`,
      );
    }
    const startNs = options.startTimeNs;
    if (options.v2Twin === true && options.live) {
      throw new ArchiveError("archive/options", "A live recording cannot have a twin for Zarr version 2.");
    }
    if (options.v2Twin === true && options.overlap === true) {
      throw new ArchiveError(
        "archive/options",
        "Chunks that are objects of their own cannot overlap; choose the twin for Zarr version 2 or overlapping run-ups.",
      );
    }
    const lease = options.live ? await this.#lease(id, options.takeOver === true) : undefined;
    const live = options.live === true ? { publishFrames: 48_000 } : options.live || undefined;
    const chunkFrames = options.chunkFrames ?? 480_000;
    const form: RecordingForm = {
      id,
      profile: this.#profile,
      channels: options.channels,
      chunkFrames,
      chunksPerShard: options.chunksPerShard ?? Math.max(1, Math.floor(hourFrames / chunkFrames)),
      pointFrames: options.pointFrames ?? 48_000,
      ...(options.checkpointFrames !== undefined && { checkpointFrames: options.checkpointFrames }),
      ...((internal.resume ?? options).overlap === true && { overlap: true }),
    };
    const { resume } = internal;
    return new RecordingWriter(store, {
      ...form,
      decoder: this.#options.decoder,
      sha256: this.#sha256,
      ...(options.source === undefined ? {} : { source: options.source }),
      ...(startNs === undefined
        ? { anchors: options.anchors ?? [] }
        : {
            anchors: [{ sample: 0, unixNs: startNs.toString() }],
            start: { source: "user", zoneAssumed: false },
          }),
      ...(options.start === undefined ? {} : { start: options.start }),
      ...(options.metadata === undefined ? {} : { metadata: options.metadata }),
      ...(options.rawMetadata === undefined ? {} : { rawMetadata: options.rawMetadata }),
      ...(live === undefined ? {} : { live }),
      ...(lease === undefined ? {} : { lease }),
      ...(options.v2Twin === true ? { v2Twin: true } : {}),
      ...(resume === undefined ? {} : { seek: await this.#seekOf(form, resume) }),
      ...internal,
    });
  }

  /** The seek points of the shards that an interrupted import has written. */
  async #seekOf(form: RecordingForm, journal: ImportJournal): Promise<SeekArray> {
    const { shardBytes, shardSha256, checkpoint } = journal;
    const sealed = { ...form, shardBytes, shardSha256, sealedShards: shardBytes.length };
    const reader = new RecordingReader(
      this.store,
      { ...sealed, segments: checkpoint.segments },
      this.#options.decoder,
    );
    try {
      return await collectSeek(reader, sealed.sealedShards * form.chunksPerShard);
    } finally {
      reader.close();
    }
  }

  /** Imports a source without re-encoding; see importRecording. */
  import(source: ImportSource, options: ImportOptions = {}): Promise<ImportResult> {
    const target = {
      store: this.store,
      info: (id: string) => this.info(id),
      record: (...parameters: Parameters<Archive["record"]>) => this.record(...parameters),
      discard: (id: string) => this.discard(id),
      keepOriginal: (id: string, file: AsyncIterable<Uint8Array>) =>
        storeOriginal(this.store, id, file, this.#sha256),
    };
    return importRecording(target, () => this.#newId(), source, options);
  }

  /**
   * The source file of a recording as it was, where the import kept it; its hash is checked on the way.
   * @throws ArchiveError `archive/not-found` where it was not kept, `archive/chunk-missing`, `archive/chunk-corrupt`
   */
  async *original(id: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const { original } = (await this.info(id)).source;
    if (original === undefined) {
      throw new ArchiveError(
        "archive/not-found",
        `The original file of ${id} was not kept when it was imported.`,
      );
    }
    yield* readOriginal(this.store, id, original, this.#sha256, signal);
  }

  /**
   * Continues a recording with a new segment: push a segment item first. A live recording whose writer died is finished
   * first.
   * @throws ArchiveError `archive/lease` while another writer has the recording, `archive/append-mismatch`
   */
  append(id: string, options: Pick<RecordOptions, "live" | "takeOver"> = {}): Promise<RecordingWriter> {
    return writing(() => this.#append(id, options));
  }

  async #append(id: string, options: Pick<RecordOptions, "live" | "takeOver">): Promise<RecordingWriter> {
    await this.info(id);
    const lease = await this.#lease(id, options.takeOver === true);
    try {
      let info = await this.info(id);
      if (info.state === "recording") info = await finishLive(this.store, info, this.#sha256);
      const live = options.live === true ? { publishFrames: 48_000 } : options.live || undefined;
      const { chunkFrames, chunksPerShard, pointFrames, channels, profile, source, metadata, start } = info;
      const writer = new RecordingWriter(this.store, {
        ...{ decoder: this.#options.decoder, sha256: this.#sha256, id, profile, channels },
        ...{ chunkFrames, chunksPerShard, pointFrames, source, metadata, lease },
        ...(start === undefined ? {} : { start }),
        ...(info.checkpointFrames !== undefined && { checkpointFrames: info.checkpointFrames }),
        append: await appendStart(info, this.reader(info)),
        seek: await this.#storedSeek(info),
        ...(info.v2Twin === true ? { v2Twin: true } : {}),
        ...(info.overlap === true ? { overlap: true } : {}),
        ...(live === undefined ? {} : { live }),
      });
      try {
        await writer.begin();
      } catch (error) {
        // A shard that was begun holds a file open.
        writer.abandon();
        throw error;
      }
      return writer;
    } catch (error) {
      await lease.release();
      throw error;
    }
  }

  /** The seek points of a recording, from their array, or from the chunks where that is missing. */
  async #storedSeek(info: RecordingInfo): Promise<SeekArray> {
    const points = Math.ceil(info.frames / info.pointFrames);
    const chunks = Math.ceil(info.frames / info.chunkFrames);
    return (await SeekArray.load(this.store, info.id, points)) ?? collectSeek(this.reader(info), chunks);
  }

  #lease(id: string, takeOver: boolean): Promise<Lease> {
    return Lease.take(this.store, id, this.#options.owner ?? "a writer", takeOver);
  }

  get #profile(): string {
    return this.#options.profile ?? "opus-1";
  }

  get #sha256(): Sha256Factory {
    return this.#options.sha256 ?? portableSha256;
  }

  /** The recording's packets as they were recorded, for export. */
  async *packets(id: string, signal?: AbortSignal): AsyncIterable<PacketItem> {
    const info = await this.info(id);
    yield* recordedPackets(info, (number) => this.reader(info).chunk(number, emptyReport(info), signal));
  }

  /** Removes what an import that came to nothing has written. */
  async discard(id: string): Promise<void> {
    await this.store.delete(partKey(id));
    for await (const object of this.store.list(recordingPrefix(id))) await this.store.delete(object.key);
  }

  /** Brings the store in order after crashes; see repairStore. */
  repair(options?: { dropParts?: boolean; finishLive?: boolean }): Promise<RepairReport> {
    return writing(() => repairStore(this.store, { ...options, sha256: this.#sha256 }));
  }

  /**
   * Proves a complete recording anew with the decoder at hand and drops bytes that nobody asks for any more; see
   * rewriteRecording.
   * @throws ArchiveError `archive/options` while it is being written, `archive/chunk-corrupt`, `archive/lease`
   */
  rewrite(id: string): Promise<RecordingInfo> {
    return writing(() => this.#rewrite(id));
  }

  async #rewrite(id: string): Promise<RecordingInfo> {
    const lease = await this.#lease(id, false);
    try {
      const info = await this.info(id);
      const { channels, chunkFrames, chunksPerShard, pointFrames, v2Twin } = info;
      const form = {
        id,
        channels: channels as 1 | 2,
        chunkFrames,
        chunksPerShard,
        pointFrames,
        v2Twin: v2Twin === true,
        overlap: info.overlap === true,
        ...(info.checkpointFrames !== undefined && { checkpointFrames: info.checkpointFrames }),
      };
      await rewriteRecording(this.store, info, this.packets(id), (store) => this.#recordIn(store, form));
      return await this.info(id);
    } finally {
      await lease.release();
    }
  }

  /** How long the run-ups of a complete recording are, by its seek array; undefined where that is missing or damaged. */
  async runUps(id: string): Promise<RunUpSummary | undefined> {
    const info = await this.info(id);
    return summarizeRunUps(this.store, id, Math.ceil(info.frames / info.pointFrames));
  }

  /** Checks a recording; see verifyRecording. */
  async verify(id: string, level: VerifyLevel, signal?: AbortSignal): Promise<VerifyReport> {
    const info = await this.info(id);
    return verifyRecording(this.store, info, this.#options.decoder, level, signal, this.#sha256);
  }

  /** The identifier of the recording with this content hash, or undefined. One look-up, never a scan. */
  async findByHash(sha256: string): Promise<string | undefined> {
    const bytes = await this.store.get(hashKey(sha256));
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes).trim();
  }

  /** Writes the root group with the list of recordings, for readers that want the whole catalog in one request. */
  async consolidate(): Promise<void> {
    const metadata = rootMetadata(await this.list(undefined, () => {}));
    await writing(() => this.store.put(rootKey, metadata));
  }

  /** Removes a recording: its metadata first, so that it disappears at once, then its data. */
  async remove(id: string): Promise<void> {
    const info = await this.info(id);
    await writing(() => this.#remove(id, info));
  }

  async #remove(id: string, info: RecordingInfo): Promise<void> {
    this.#readers.get(id)?.close();
    this.#readers.delete(id);
    this.#infos.delete(id);
    await this.store.delete(recordingKey(id));
    if (info.source.sha256 !== undefined) await this.store.delete(hashKey(info.source.sha256));
    await this.store.delete(hashKey(info.packetsSha256));
    for await (const object of this.store.list(recordingPrefix(id))) await this.store.delete(object.key);
  }

  close(): void {
    for (const reader of this.#readers.values()) reader.close();
    this.#readers.clear();
  }

  /** A reader for this state of the recording; kept while the metadata stays the same. */
  reader(info: RecordingInfo): RecordingReader {
    const kept = this.#readers.get(info.id);
    if (kept !== undefined && sameStorage(kept.info, info)) return kept;
    kept?.close();
    if (this.#readers.size >= 16) {
      const oldest = this.#readers.keys().next().value!;
      this.#readers.get(oldest)!.close();
      this.#readers.delete(oldest);
    }
    const reader = new RecordingReader(this.store, info, this.#options.decoder, this.#profile);
    this.#readers.set(info.id, reader);
    return reader;
  }

  /** The samples that are meant, by the kept metadata where that tells. */
  async #locate(
    id: string,
    range: { readonly from: ArchivePosition; readonly to: ArchivePosition },
    cost: { requests: number },
  ): Promise<{ info: RecordingInfo; start: number; end: number }> {
    checkId(id);
    const kept = this.#infos.get(id);
    if (kept !== undefined) {
      // A recording that grows may know more about a wall-clock time by now, or reach further.
      const isNumeric = typeof range.from === "number" && typeof range.to === "number";
      const reaches = isNumeric && (range.to as number) <= kept.frames;
      if (reaches || (kept.state === "complete" && !isNumeric)) {
        const resolved = resolveRange(kept, range);
        checkSampleRange(kept, resolved.start, resolved.end);
        return { info: kept, ...resolved };
      }
    }
    cost.requests++;
    const info = await this.info(id);
    const resolved = resolveRange(info, range);
    checkSampleRange(info, resolved.start, resolved.end);
    return { info, ...resolved };
  }

  async #readInto(
    info: RecordingInfo,
    start: number,
    end: number,
    pcm: Float32Array,
    report: ReadReport,
    options: Pick<ReadOptions, "signal" | "verify">,
  ): Promise<void> {
    try {
      await this.reader(info).read(start, end, pcm, report, options);
    } catch (error) {
      // The recording may have grown, been appended to or removed since its metadata was read.
      const isStale =
        isLongwaveError(error, "archive/chunk-missing") || isLongwaveError(error, "archive/chunk-corrupt");
      if (!isStale) throw error;
      report.requests++;
      const fresh = await this.info(info.id);
      if (sameStorage(fresh, info)) throw error;
      await this.reader(fresh).read(start, end, pcm, report, options);
    }
  }

  #newId(): string {
    return this.#options.newId?.() ?? `recording-${++this.#idCount}`;
  }
}

/** What the store refuses to take becomes `archive/write-failed`. */
async function writing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asWriteFailure(error);
  }
}

/** How a recording is laid out. */
type RecordingForm = Pick<
  RecordingInfo,
  | "id"
  | "profile"
  | "channels"
  | "chunkFrames"
  | "chunksPerShard"
  | "pointFrames"
  | "checkpointFrames"
  | "overlap"
>;

/** A shard is an hour unless told otherwise. */
const hourFrames = 3600 * 48_000;
/** Metadata of so many recordings is kept. */
const keptInfos = 256;

/** Whether two descriptions of a recording speak of the same objects. */
function sameStorage(a: StoredForm, b: StoredForm): boolean {
  return (
    a.frames === b.frames &&
    a.sealedShards === b.sealedShards &&
    a.shardBytes.at(-1) === b.shardBytes.at(-1) &&
    a.shardSha256.at(-1) === b.shardSha256.at(-1)
  );
}

function checkId(id: string): void {
  if (!/^[\w-]{1,64}$/.test(id)) {
    throw new ArchiveError(
      "archive/not-found",
      `${JSON.stringify(id)} is no recording identifier: use letters, digits, - and _.`,
    );
  }
}
