import type { ObjectStore } from "@longwave/base";
import type { DecoderFactory } from "@longwave/media";
import { type Chunk, decodeChunk } from "./chunk-format.ts";
import { decodeChunkRange, type ReadStatistics, type SampleSink } from "./chunk-reader.ts";
import { SegmentDecoder } from "./decode-run.ts";
import { ArchiveError } from "./errors.ts";
import { shardKey, tailKey } from "./layout.ts";
import type { RecordingInfo } from "./recording-info.ts";
import { SegmentTable } from "./segment-table.ts";
import { decodeShardIndex, type InnerChunk, shardIndexBytes, withoutChecksum } from "./shard.ts";

/** Cost and quality of a read. */
export interface ReadReport extends ReadStatistics {
  profile: string;
  bytesFetched: number;
  requests: number;
}

/** Parsed chunks kept for the next read; a chunk is 20 to 200 KB. */
const keptChunks = 4;

/**
 * Reads samples and packets of one recording. One object serves one reader at a time; its decoder, shard indexes and last
 * chunks are kept between reads.
 */
export class RecordingReader {
  readonly info: RecordingInfo;
  readonly #store: ObjectStore;
  readonly #decoder: SegmentDecoder;
  readonly #segments: SegmentTable;
  readonly #indexes = new Map<number, (InnerChunk | undefined)[]>();
  readonly #chunks = new Map<number, Chunk>();

  constructor(store: ObjectStore, info: RecordingInfo, create: DecoderFactory) {
    this.info = info;
    this.#store = store;
    this.#decoder = new SegmentDecoder(create, info.profile, info.channels);
    this.#segments = new SegmentTable(info.segments, info.channels);
  }

  /**
   * Decodes `[start, end)` into `into` (interleaved, at least `(end - start) * channels` values).
   * @throws ArchiveError `archive/range`, `archive/chunk-corrupt`, `archive/chunk-missing`
   */
  async read(
    start: number,
    end: number,
    into: Float32Array,
    report: ReadReport,
    signal?: AbortSignal,
  ): Promise<void> {
    const { chunkFrames, channels } = this.info;
    checkSampleRange(this.info, start, end);
    for (let at = start; at < end; ) {
      const number = Math.floor(at / chunkFrames);
      const stop = Math.min(end, (number + 1) * chunkFrames);
      const chunk = await this.chunk(number, report, signal);
      this.decodeRange(chunk, at, stop, report, (pcm, from, to, sample) => {
        into.set(pcm.subarray(from * channels, to * channels), (sample - start) * channels);
      });
      at = stop;
    }
  }

  /** Decodes a range inside one chunk, from the best exact place on or from the chunk's head. */
  decodeRange(
    chunk: Chunk,
    start: number,
    end: number,
    statistics: ReadStatistics,
    sink: SampleSink,
    forceChunkHead = false,
  ): void {
    const options = { pointFrames: this.info.pointFrames, forceChunkHead };
    decodeChunkRange(chunk, this.#decoder, this.#segments, { start, end }, sink, statistics, options);
  }

  /** A parsed, checked chunk. */
  async chunk(number: number, report: ReadReport, signal?: AbortSignal): Promise<Chunk> {
    const kept = this.#chunks.get(number);
    if (kept !== undefined) {
      this.#chunks.delete(number);
      this.#chunks.set(number, kept);
      return kept;
    }
    const where = `Chunk ${number} of recording ${this.info.id}`;
    const stored = await this.#fetchChunk(number, where, report, signal);
    const chunk = decodeChunk(withoutChecksum(stored, where), this.info.profile, where);
    if (chunk.channels !== this.info.channels || chunk.firstSample !== number * this.info.chunkFrames) {
      throw new ArchiveError("archive/chunk-corrupt", `${where} belongs to another place; run repair.`);
    }
    if (this.#chunks.size >= keptChunks) this.#chunks.delete(this.#chunks.keys().next().value!);
    this.#chunks.set(number, chunk);
    return chunk;
  }

  /** A chunk as stored, its checksum included. */
  storedChunk(number: number): Promise<Uint8Array> {
    return this.#fetchChunk(number, `Chunk ${number} of recording ${this.info.id}`, emptyReport(this.info));
  }

  async #fetchChunk(
    number: number,
    where: string,
    report: ReadReport,
    signal?: AbortSignal,
  ): Promise<Uint8Array> {
    const { chunksPerShard, sealedShards, id } = this.info;
    const shard = Math.floor(number / chunksPerShard);
    const missing = (key: string) =>
      new ArchiveError(
        "archive/chunk-missing",
        `${where} is missing (${key}); restore it from a copy or run repair.`,
      );
    if (shard >= sealedShards) {
      const key = tailKey(id, number);
      report.requests++;
      const bytes = await this.#store.get(key, undefined, signal);
      if (bytes === undefined) throw missing(key);
      report.bytesFetched += bytes.length;
      return bytes;
    }
    const key = shardKey(id, shard);
    const index = await this.#index(shard, key, missing, report, signal);
    const place = index[number % chunksPerShard];
    if (place === undefined) throw missing(key);
    report.requests++;
    const bytes = await this.#store.get(key, { start: place.offset, end: place.offset + place.size }, signal);
    if (bytes === undefined) throw missing(key);
    report.bytesFetched += bytes.length;
    return bytes;
  }

  async #index(
    shard: number,
    key: string,
    missing: (key: string) => ArchiveError,
    report: ReadReport,
    signal?: AbortSignal,
  ): Promise<(InnerChunk | undefined)[]> {
    const kept = this.#indexes.get(shard);
    if (kept !== undefined) return kept;
    const size = shardIndexBytes(this.info.chunksPerShard);
    report.requests += 2;
    const head = await this.#store.head(key, signal);
    if (head === undefined) throw missing(key);
    const bytes = await this.#store.get(
      key,
      { start: Math.max(0, head.size - size), end: head.size },
      signal,
    );
    if (bytes === undefined) throw missing(key);
    report.bytesFetched += bytes.length;
    const index = decodeShardIndex(bytes, this.info.chunksPerShard, head.size, key);
    this.#indexes.set(shard, index);
    return index;
  }

  close(): void {
    this.#decoder.close();
    this.#chunks.clear();
    this.#indexes.clear();
  }
}

/** Throws `archive/range` unless `[start, end)` lies in the recording. */
export function checkSampleRange(info: RecordingInfo, start: number, end: number): void {
  const whole = Number.isSafeInteger(start) && Number.isSafeInteger(end);
  if (whole && start >= 0 && end >= start && end <= info.frames) return;
  throw new ArchiveError(
    "archive/range",
    `[${start}, ${end}) is not in recording ${info.id}; its samples are [0, ${info.frames}).`,
  );
}

/** A report with nothing in it yet. */
export function emptyReport(info: RecordingInfo): ReadReport {
  return { exact: true, profile: info.profile, packetsDecoded: 0, bytesFetched: 0, requests: 0 };
}
