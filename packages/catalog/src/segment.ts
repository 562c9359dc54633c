import { crc32c, type ObjectStore } from "@longwave/base";
import type { PostingBatch, PostingSource } from "./posting-batch.ts";
import {
  blockLength,
  corruptSegment,
  parseSegmentHeader,
  parseTrackTable,
  type SegmentLayout,
  segmentHeaderLength,
} from "./segment-format.ts";
import type { Track } from "./track.ts";
import { VarintReader } from "./varint.ts";

/** Blocks read in one request where they lie side by side or nearly so. */
const maxBlocksPerRead = 64;
const unread = 0;
const good = 1;
const bad = 2;

/**
 * An immutable segment, read block by block as look-ups need it: from a file, from memory or by HTTP range requests. A block
 * whose checksum does not agree is left out and reported; the others stay searchable.
 */
export class Segment implements PostingSource {
  readonly key: string;
  readonly layout: SegmentLayout;
  readonly tracks: readonly Track[];
  /** Number of the segment's track 0 in the catalog. */
  readonly firstTrack: number;
  readonly #store: ObjectStore;
  readonly #sums: Uint32Array;
  readonly #directory: Uint32Array;
  /** The postings; zeros (which cost no memory until written) where a block has not been read. */
  readonly #postings: Uint8Array;
  readonly #states: Uint8Array;
  readonly #reader: VarintReader;
  #unreadBlocks: number;
  #badBlocks = 0;

  private constructor(
    store: ObjectStore,
    key: string,
    layout: SegmentLayout,
    tracks: readonly Track[],
    firstTrack: number,
    sums: Uint32Array,
    directory: Uint32Array,
  ) {
    this.#store = store;
    this.key = key;
    this.layout = layout;
    this.tracks = tracks;
    this.firstTrack = firstTrack;
    this.#sums = sums;
    this.#directory = directory;
    this.#postings = new Uint8Array(layout.end - layout.postingsStart);
    this.#states = new Uint8Array(sums.length);
    this.#unreadBlocks = sums.length;
    this.#reader = new VarintReader(this.#postings, 0, 0);
  }

  /**
   * Reads header, tracks and directory; no postings yet.
   * @throws CatalogError `catalog/missing`, `catalog/corrupt`, `catalog/version`
   */
  static async open(
    store: ObjectStore,
    key: string,
    firstTrack: number,
    signal?: AbortSignal,
  ): Promise<Segment> {
    const header = await store.get(key, { start: 0, end: segmentHeaderLength }, signal);
    if (header === undefined) throw corruptSegment(key, "it is missing");
    const layout = parseSegmentHeader(key, header);
    // The size is checked before the parts that the header promises are read or allocated.
    const info = await store.head(key, signal);
    if (info !== undefined && info.size !== layout.end) {
      throw corruptSegment(key, `it has ${info.size} bytes instead of ${layout.end}`);
    }
    const rest = await store.get(key, { start: layout.tableStart, end: layout.postingsStart }, signal);
    if (rest === undefined || rest.length !== layout.postingsStart - layout.tableStart) {
      throw corruptSegment(key, "it ends early");
    }
    const part = (start: number, end: number) =>
      rest.subarray(start - layout.tableStart, end - layout.tableStart);
    const tracks = parseTrackTable(key, part(layout.tableStart, layout.sumsStart), layout);
    const sums = part(layout.sumsStart, layout.directoryStart);
    const directory = part(layout.directoryStart, layout.postingsStart);
    if (crc32c(sums) !== layout.sumsCrc || crc32c(directory) !== layout.directoryCrc) {
      throw corruptSegment(key, "the checksum of its directory does not agree");
    }
    return new Segment(store, key, layout, tracks, firstTrack, words(sums), words(directory));
  }

  /** True if a block that was needed is damaged or could not be read. */
  get damaged(): boolean {
    return this.#badBlocks > 0;
  }

  async prepare(hashes: Uint32Array, signal?: AbortSignal): Promise<void> {
    if (this.#unreadBlocks === 0) return;
    const wanted = new Set<number>();
    for (const hash of hashes) {
      const bucket = this.#bucketOf(hash);
      const [start, end] = [this.#directory[bucket]!, this.#directory[bucket + 1]!];
      if (start >= end) continue;
      const last = Math.floor((end - 1) / blockLength);
      for (let block = Math.floor(start / blockLength); block <= last; block++) {
        if (this.#states[block] === unread) wanted.add(block);
      }
    }
    await this.#read(
      [...wanted].sort((a, b) => a - b),
      signal,
    );
  }

  /** Reads all blocks; numbers of the damaged ones. */
  async readAll(signal?: AbortSignal): Promise<number[]> {
    await this.#read(
      [...this.#states.keys()].filter((block) => this.#states[block] === unread),
      signal,
    );
    return [...this.#states.keys()].filter((block) => this.#states[block] === bad);
  }

  collect(hash: number, limit: number, into: PostingBatch): number {
    const bucket = this.#bucketOf(hash);
    const start = this.#directory[bucket]!;
    const end = this.#directory[bucket + 1]!;
    if (start >= end || !this.#isGood(start, end)) return 0;
    const reader = this.#reader;
    reader.at = start;
    reader.end = end;
    let current = bucket * 2 ** (this.layout.hashBits - this.layout.directoryBits);
    while (reader.at < end) {
      current += reader.next();
      const count = reader.next();
      if (current > hash) return 0;
      if (current === hash && count > limit) return count;
      if (current === hash) {
        this.#append(count, into);
        return count;
      }
      for (let i = 2 * count; i > 0 && reader.at < end; i--) reader.next();
    }
    return 0;
  }

  /**
   * Visits all postings of all readable buckets in order of hash; call `readAll` first.
   * @returns false where a bucket is malformed although its checksum agrees
   */
  visit(each: (hash: number, track: number, frame: number) => void): boolean {
    const { directoryBits, hashBits } = this.layout;
    const reader = new VarintReader(this.#postings, 0, 0);
    for (let bucket = 0; bucket < 2 ** directoryBits; bucket++) {
      const [start, end] = [this.#directory[bucket]!, this.#directory[bucket + 1]!];
      if (start >= end || !this.#isGood(start, end)) continue;
      reader.at = start;
      reader.end = end;
      let hash = bucket * 2 ** (hashBits - directoryBits);
      while (reader.at < end) {
        hash += reader.next();
        const count = reader.next();
        let track = 0;
        let frame = 0;
        for (let i = 0; i < count && reader.at < end; i++) {
          const step = reader.next();
          if (step > 0) frame = 0;
          track += step;
          frame += reader.next();
          if (track >= this.tracks.length) return false;
          each(hash, track, frame);
        }
      }
    }
    return !reader.failed;
  }

  #append(count: number, into: PostingBatch): void {
    const reader = this.#reader;
    let track = 0;
    let frame = 0;
    for (let i = 0; i < count && reader.at < reader.end; i++) {
      const step = reader.next();
      if (step > 0) frame = 0;
      track += step;
      frame += reader.next();
      if (track < this.tracks.length) into.add(this.firstTrack + track, frame);
    }
  }

  #bucketOf(hash: number): number {
    const lowBits = this.layout.hashBits - this.layout.directoryBits;
    return lowBits === 32 ? 0 : hash >>> lowBits;
  }

  #isGood(start: number, end: number): boolean {
    if (this.#unreadBlocks === 0 && this.#badBlocks === 0) return true;
    const last = Math.floor((end - 1) / blockLength);
    for (let block = Math.floor(start / blockLength); block <= last; block++) {
      if (this.#states[block] !== good) return false;
    }
    return end <= this.#postings.length;
  }

  async #read(blocks: readonly number[], signal?: AbortSignal): Promise<void> {
    for (let i = 0; i < blocks.length; ) {
      let count = 1;
      while (count < maxBlocksPerRead && blocks[i + count] === blocks[i]! + count) count++;
      await this.#readRun(blocks[i]!, count, signal);
      i += count;
    }
  }

  async #readRun(first: number, count: number, signal?: AbortSignal): Promise<void> {
    const { postingsStart, end } = this.layout;
    const start = postingsStart + first * blockLength;
    const range = { start, end: Math.min(end, start + count * blockLength) };
    const bytes = await this.#store.get(this.key, range, signal);
    for (let block = first; block < first + count; block++) {
      if (this.#states[block] !== unread) continue;
      const at = (block - first) * blockLength;
      const expected = Math.min(blockLength, this.#postings.length - block * blockLength);
      const piece = bytes?.subarray(at, at + expected);
      const isGood = piece?.length === expected && crc32c(piece) === this.#sums[block];
      if (isGood) this.#postings.set(piece, block * blockLength);
      else this.#badBlocks++;
      this.#states[block] = isGood ? good : bad;
      this.#unreadBlocks--;
    }
  }
}

function words(bytes: Uint8Array): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Uint32Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(4 * i, true));
}
