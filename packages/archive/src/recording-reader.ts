import { isLongwaveError, type ObjectStore } from "@longwave/base";
import type { DecoderFactory } from "@longwave/media";
import { type Chunk, decodeChunk } from "./chunk-format.ts";
import { ArchiveError } from "./errors.ts";
import { chunkKey, shardKey, tailKey } from "./layout.ts";
import { RangeDecoder, type RangeStatistics } from "./range-decoder.ts";
import { chunkLayout, type RecordingInfo, type StoredForm } from "./recording-info.ts";
import { decodeShardIndex, type InnerChunk, shardIndexBytes, withoutChecksum } from "./shard.ts";

/** Cost and quality of a read. */
export interface ReadReport extends RangeStatistics {
  profile: string;
  bytesFetched: number;
  requests: number;
}

/** Parsed chunks kept for the next read take so much at the most, or one is kept; a chunk is 20 to 200 KB. */
const keptBytes = 1 << 22;
/** What the tables of a chunk take for each packet: length, place in the bytes and on the axis, duration, skip. */
const tableBytesPerPacket = 16;
/** Neighbouring chunks that one request fetches at the most. */
const chunksPerRequest = 4;
/** Shard indexes kept; one is 6 KB stored. */
const keptIndexes = 64;
/** Four chunks of 30 s of the largest packets there are stay far under this. */
const mostFetchedBytes = 1 << 27;

/**
 * Reads samples and packets of one recording. One object serves one reader at a time; its decoder, shard indexes and last
 * chunks are kept between reads.
 */
export class RecordingReader {
  readonly info: StoredForm;
  readonly #store: ObjectStore;
  readonly #decoder: RangeDecoder;
  readonly #indexes = new Map<number, (InnerChunk | undefined)[]>();
  /** Those read last come last. */
  readonly #chunks = new Map<number, Chunk>();
  #chunkBytes = 0;

  /** @param profile of the decoder; default the recording's own */
  constructor(store: ObjectStore, info: StoredForm, create: DecoderFactory, profile: string = info.profile) {
    this.info = info;
    this.#store = store;
    this.#decoder = new RangeDecoder(info, create, profile);
  }

  /**
   * Decodes `[start, end)` into `into` (interleaved, at least `(end - start) * channels` values).
   * The range must lie in the recording.
   * @throws ArchiveError `archive/chunk-corrupt`, `archive/chunk-missing`, `archive/proof-failed`
   */
  async read(
    start: number,
    end: number,
    into: Float32Array,
    report: ReadReport,
    options: { readonly signal?: AbortSignal; readonly verify?: boolean } = {},
  ): Promise<void> {
    const { chunkFrames, channels } = this.info;
    const { signal } = options;
    for (let at = start; at < end; ) {
      const number = Math.floor(at / chunkFrames);
      const stop = Math.min(end, (number + 1) * chunkFrames);
      const chunk = await this.chunk(number, report, signal, Math.floor((end - 1) / chunkFrames));
      if (chunk.firstSample + chunk.validFrames < stop) {
        throw new ArchiveError(
          "archive/chunk-corrupt",
          `${this.#nameOf(number)} ends after ${chunk.validFrames} frames, before sample ${stop}; run repair.`,
        );
      }
      await this.#decoder.decode(
        chunk,
        { start: at, end: stop },
        report,
        (pcm, from, to, sample) =>
          into.set(pcm.subarray(from * channels, to * channels), (sample - start) * channels),
        options.verify === true,
        (other) => this.chunk(other, report, signal),
      );
      at = stop;
    }
  }

  /**
   * A parsed, checked chunk.
   * @param until chunks up to this one will be asked for next: neighbours come with the same request
   */
  async chunk(
    number: number,
    report: ReadReport,
    signal?: AbortSignal,
    until: number = number,
  ): Promise<Chunk> {
    const kept = this.#chunks.get(number);
    if (kept !== undefined) {
      this.#chunks.delete(number);
      this.#chunks.set(number, kept);
      return kept;
    }
    const wanted = Math.min(until, number + chunksPerRequest - 1);
    const stored = await this.#fetch(number, wanted, report, signal);
    const chunk = this.#parse(number, stored[0]!);
    for (const [i, bytes] of stored.entries()) {
      // A neighbour that is damaged is reported when it is its turn.
      const parsed = i === 0 ? chunk : this.#parseQuietly(number + i, bytes);
      if (parsed !== undefined) this.#keep(number + i, parsed);
    }
    return chunk;
  }

  #keep(number: number, chunk: Chunk): void {
    // Another read may have fetched it meanwhile.
    const before = this.#chunks.get(number);
    if (before !== undefined) this.#chunkBytes -= memoryOf(before);
    this.#chunks.delete(number);
    this.#chunks.set(number, chunk);
    this.#chunkBytes += memoryOf(chunk);
    for (const [oldest, kept] of this.#chunks) {
      if (this.#chunkBytes <= keptBytes || this.#chunks.size === 1) break;
      this.#chunks.delete(oldest);
      this.#chunkBytes -= memoryOf(kept);
    }
  }

  #parse(number: number, stored: Uint8Array): Chunk {
    const where = this.#nameOf(number);
    const chunk = decodeChunk(
      withoutChecksum(stored, where),
      this.info.profile,
      where,
      chunkLayout(this.info),
    );
    if (chunk.channels !== this.info.channels || chunk.firstSample !== number * this.info.chunkFrames) {
      throw new ArchiveError("archive/chunk-corrupt", `${where} belongs to another place; run repair.`);
    }
    return chunk;
  }

  #parseQuietly(number: number, stored: Uint8Array): Chunk | undefined {
    try {
      return this.#parse(number, stored);
    } catch (error) {
      if (isLongwaveError(error)) return undefined;
      throw error;
    }
  }

  #nameOf(number: number): string {
    return `Chunk ${number} of recording ${this.info.id}`;
  }

  /** Where the chunks of a sealed shard lie. */
  async places(shard: number, report: ReadReport, signal?: AbortSignal): Promise<(InnerChunk | undefined)[]> {
    const kept = this.#indexes.get(shard);
    if (kept !== undefined) return kept;
    const { chunksPerShard, shardBytes, id } = this.info;
    const key = shardKey(id, shard);
    const size = shardBytes[shard]!;
    report.requests++;
    const start = Math.max(0, size - shardIndexBytes(chunksPerShard));
    const bytes = await this.#store.get(key, { start, end: size }, signal);
    if (bytes === undefined) throw this.#missing(shard * chunksPerShard, key);
    report.bytesFetched += bytes.length;
    const index = decodeShardIndex(bytes, chunksPerShard, size, key);
    if (this.#indexes.size >= keptIndexes) this.#indexes.delete(this.#indexes.keys().next().value!);
    this.#indexes.set(shard, index);
    return index;
  }

  /** The stored bytes of chunk `first` and of those up to `last` that lie right behind it, or over its end. */
  async #fetch(first: number, last: number, report: ReadReport, signal?: AbortSignal): Promise<Uint8Array[]> {
    const { chunksPerShard, sealedShards, id, v2Twin } = this.info;
    const shard = Math.floor(first / chunksPerShard);
    if (v2Twin === true || shard >= sealedShards) {
      const key = v2Twin === true ? chunkKey(id, first) : tailKey(id, first);
      report.requests++;
      const bytes = await this.#store.get(key, undefined, signal);
      if (bytes === undefined) throw this.#missing(first, key);
      report.bytesFetched += bytes.length;
      return [bytes];
    }
    const key = shardKey(id, shard);
    const index = await this.places(shard, report, signal);
    const places: InnerChunk[] = [];
    for (let number = first; number <= last && Math.floor(number / chunksPerShard) === shard; number++) {
      const place = index[number % chunksPerShard];
      const before = places.at(-1);
      if (place === undefined || this.#chunks.has(number)) break;
      if (before !== undefined && !goesOn(before, place)) break;
      places.push(place);
    }
    if (places.length === 0) throw this.#missing(first, key);
    const start = places[0]!.offset;
    const end = places.at(-1)!.offset + places.at(-1)!.size;
    if (end - start > mostFetchedBytes) {
      throw new ArchiveError("archive/limit", `${this.#nameOf(first)} claims ${end - start} bytes.`);
    }
    report.requests++;
    const bytes = await this.#store.get(key, { start, end }, signal);
    if (bytes === undefined) throw this.#missing(first, key);
    report.bytesFetched += bytes.length;
    return places.map((place) => bytes.subarray(place.offset - start, place.offset - start + place.size));
  }

  #missing(number: number, key: string): ArchiveError {
    return new ArchiveError(
      "archive/chunk-missing",
      `${this.#nameOf(number)} is missing (${key}); restore it from a copy or run repair.`,
    );
  }

  close(): void {
    this.#decoder.close();
    this.#chunks.clear();
    this.#chunkBytes = 0;
    this.#indexes.clear();
  }
}

/** What keeping a chunk takes, about: its bytes and its tables. */
function memoryOf({ storedBytes, sharedBytes, lengths }: Chunk): number {
  return storedBytes + sharedBytes + tableBytesPerPacket * lengths.length;
}

/** Whether `next` begins inside `before` or right behind it, and ends later. */
function goesOn(before: InnerChunk, next: InnerChunk): boolean {
  const end = before.offset + before.size;
  return next.offset >= before.offset && next.offset <= end && next.offset + next.size >= end;
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
export function emptyReport(info: Pick<RecordingInfo, "profile">): ReadReport {
  return {
    exact: true,
    profile: info.profile,
    packetsDecoded: 0,
    fallbacks: 0,
    bytesFetched: 0,
    requests: 0,
  };
}
