import { crc32c, type ObjectStore } from "@longwave/base";
import { BitReader } from "./bit-stream.ts";
import { CatalogError } from "./errors.ts";
import { decodePeaks } from "./peak-codec.ts";
import { PlaceTable } from "./place-table.ts";
import type { PostingBatch, PostingSource } from "./posting-batch.ts";
import { riceParameter, takeGamma, takePlaces, takeRice } from "./posting-codec.ts";
import {
  blockLength,
  corruptSegment,
  longList,
  parseSegmentHeader,
  parseTrackTable,
  type SegmentLayout,
  segmentHeaderLength,
} from "./segment-format.ts";
import type { Track } from "./track.ts";

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
  /** Undefined where all bytes are there. */
  readonly #store: ObjectStore | undefined;
  readonly #sums: Uint32Array;
  readonly #peakEnds: Uint32Array;
  readonly #directory: Uint32Array;
  readonly #places: PlaceTable;
  readonly #gapParameter: number;
  /** Postings and peaks; zeros (which cost no memory until written) where a block has not been read. */
  readonly #body: Uint8Array;
  readonly #states: Uint8Array;
  readonly #reader: BitReader;
  #listPlaces = new Float64Array(1024);
  #unreadBlocks: number;
  #badBlocks = 0;

  /** @param rest track table, block sums and directory, not checked yet */
  private constructor(
    store: ObjectStore | undefined,
    key: string,
    layout: SegmentLayout,
    firstTrack: number,
    rest: Uint8Array,
  ) {
    const part = (start: number, end: number) =>
      rest.subarray(start - layout.tableStart, end - layout.tableStart);
    const tracks = parseTrackTable(key, part(layout.tableStart, layout.sumsStart), layout);
    const sumBytes = part(layout.sumsStart, layout.directoryStart);
    const directoryBytes = part(layout.directoryStart, layout.postingsStart);
    if (crc32c(sumBytes) !== layout.sumsCrc || crc32c(directoryBytes) !== layout.directoryCrc) {
      throw corruptSegment(key, "the checksum of its directory does not agree");
    }
    if (new Uint8Array(Uint32Array.of(1).buffer)[0] !== 1) {
      throw new CatalogError("catalog/version", "Segments are read on little-endian machines only.");
    }
    const directory = words(directoryBytes);
    const { tracks: count } = layout;
    this.#store = store;
    this.key = key;
    this.layout = layout;
    this.tracks = tracks;
    this.firstTrack = firstTrack;
    this.#sums = words(sumBytes);
    this.#places = new PlaceTable(directory.subarray(0, count));
    this.#peakEnds = directory.subarray(count, 2 * count);
    this.#directory = directory.subarray(2 * count);
    this.#gapParameter = riceParameter(2 ** layout.hashBits, layout.distinctHashes);
    const body = new Uint32Array(Math.ceil((layout.end - layout.postingsStart) / 4) + 2);
    this.#body = new Uint8Array(body.buffer, 0, layout.end - layout.postingsStart);
    this.#states = new Uint8Array(this.#sums.length);
    this.#unreadBlocks = this.#sums.length;
    this.#reader = new BitReader(body);
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
    return new Segment(store, key, layout, firstTrack, rest);
  }

  /**
   * A segment whose bytes are all there; every block is checked.
   * @throws CatalogError as `open`
   */
  static fromBytes(key: string, bytes: Uint8Array, firstTrack = 0): Segment {
    const layout = parseSegmentHeader(key, bytes);
    if (bytes.length !== layout.end) {
      throw corruptSegment(key, `it has ${bytes.length} bytes instead of ${layout.end}`);
    }
    const rest = bytes.subarray(layout.tableStart, layout.postingsStart);
    const segment = new Segment(undefined, key, layout, firstTrack, rest);
    segment.#accept(0, segment.#sums.length, bytes.subarray(layout.postingsStart));
    return segment;
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
      this.#want(wanted, this.#directory[bucket]!, this.#directory[bucket + 1]!);
    }
    await this.#read(wanted, signal);
  }

  async preparePeaks(tracks: readonly number[], signal?: AbortSignal): Promise<void> {
    if (this.#unreadBlocks === 0) return;
    const wanted = new Set<number>();
    for (const track of tracks) {
      if (track < this.firstTrack || track >= this.firstTrack + this.tracks.length) continue;
      this.#want(wanted, ...this.#peakRange(track - this.firstTrack));
    }
    await this.#read(wanted, signal);
  }

  peaksOf(track: number): Uint32Array | undefined {
    const own = track - this.firstTrack;
    if (own < 0 || own >= this.tracks.length) return undefined;
    const [start, end] = this.#peakRange(own);
    if (start >= end || !this.#isGood(start, end)) return undefined;
    return decodePeaks(this.#body.subarray(start, end));
  }

  /** Reads all blocks; numbers of the damaged ones. */
  async readAll(signal?: AbortSignal): Promise<number[]> {
    await this.#read(new Set(this.#states.keys()), signal);
    return [...this.#states.keys()].filter((block) => this.#states[block] === bad);
  }

  collect(hash: number, limit: number, into: PostingBatch): number {
    const bucket = this.#bucketOf(hash);
    const start = this.#directory[bucket]!;
    const end = this.#directory[bucket + 1]!;
    if (start >= end || !this.#isGood(start, end)) return 0;
    const reader = this.#reader;
    reader.seek(start, end);
    let next = bucket * 2 ** (this.layout.hashBits - this.layout.directoryBits);
    for (let left = takeGamma(reader) - 1; left > 0 && !reader.failed; left--) {
      const own = next + takeRice(reader, this.#gapParameter);
      if (own > hash) return 0;
      const count = takeGamma(reader);
      if (own === hash) {
        if (count > limit) return count;
        this.#append(count, into);
        return count;
      }
      this.#pass(count);
      next = own + 1;
    }
    return 0;
  }

  /**
   * Visits all postings of all readable buckets in order of hash; call `readAll` first.
   * @returns false where a bucket is malformed although its checksum agrees
   */
  visit(each: (hash: number, track: number, frame: number) => void): boolean {
    const { directoryBits, hashBits } = this.layout;
    const reader = this.#reader;
    const { starts, universe } = this.#places;
    for (let bucket = 0; bucket < 2 ** directoryBits; bucket++) {
      const [start, end] = [this.#directory[bucket]!, this.#directory[bucket + 1]!];
      if (start >= end || !this.#isGood(start, end)) continue;
      reader.seek(start, end);
      let next = bucket * 2 ** (hashBits - directoryBits);
      for (let left = takeGamma(reader) - 1; left > 0 && !reader.failed; left--) {
        const hash = next + takeRice(reader, this.#gapParameter);
        next = hash + 1;
        const count = takeGamma(reader);
        const k = riceParameter(universe, count);
        if (count >= longList) reader.skip(32);
        let place = 0;
        for (let i = 0; i < count && !reader.failed; i++) {
          place += takeRice(reader, k);
          if (place >= universe) return false;
          const track = this.#places.trackAt(place);
          each(hash, track, place - starts[track]!);
        }
      }
      if (reader.failed) return false;
    }
    return true;
  }

  #append(count: number, into: PostingBatch): void {
    const reader = this.#reader;
    const places = this.#places;
    const { starts, universe } = places;
    const k = riceParameter(universe, count);
    if (count >= longList) reader.skip(32);
    into.reserve(into.count + count);
    const { tracks, frames } = into;
    if (count > this.#listPlaces.length) this.#listPlaces = new Float64Array(2 * count);
    const list = this.#listPlaces;
    const found = takePlaces(reader, k, count, universe, list);
    let at = into.count;
    let track = 0;
    for (let i = 0; i < found; i++) {
      const place = list[i]!;
      if (place >= starts[track + 1]!) track = places.trackAt(place);
      tracks[at] = this.firstTrack + track;
      frames[at++] = place - starts[track]!;
    }
    into.count = at;
  }

  /** Moves on over a list. */
  #pass(count: number): void {
    const reader = this.#reader;
    if (count >= longList) {
      reader.skip(reader.take(32));
      return;
    }
    const k = riceParameter(this.#places.universe, count);
    for (let i = 0; i < count; i++) takeRice(reader, k);
  }

  /** Where the peaks of a track of this segment lie in the body. */
  #peakRange(track: number): [number, number] {
    const { postingBytes } = this.layout;
    const start = track === 0 ? 0 : this.#peakEnds[track - 1]!;
    return [postingBytes + start, postingBytes + this.#peakEnds[track]!];
  }

  #want(blocks: Set<number>, start: number, end: number): void {
    if (start >= end || end > this.#body.length) return;
    const last = Math.floor((end - 1) / blockLength);
    for (let block = Math.floor(start / blockLength); block <= last; block++) {
      if (this.#states[block] === unread) blocks.add(block);
    }
  }

  #bucketOf(hash: number): number {
    const lowBits = this.layout.hashBits - this.layout.directoryBits;
    return lowBits === 32 ? 0 : hash >>> lowBits;
  }

  #isGood(start: number, end: number): boolean {
    if (end > this.#body.length) return false;
    if (this.#unreadBlocks === 0 && this.#badBlocks === 0) return true;
    const last = Math.floor((end - 1) / blockLength);
    for (let block = Math.floor(start / blockLength); block <= last; block++) {
      if (this.#states[block] !== good) return false;
    }
    return true;
  }

  async #read(wanted: ReadonlySet<number>, signal?: AbortSignal): Promise<void> {
    const blocks = [...wanted].filter((block) => this.#states[block] === unread).sort((a, b) => a - b);
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
    this.#accept(first, count, await this.#store?.get(this.key, range, signal));
  }

  /** Takes `count` blocks, as far as they are there, and checks their sums. */
  #accept(first: number, count: number, bytes: Uint8Array | undefined): void {
    for (let block = first; block < first + count; block++) {
      if (this.#states[block] !== unread) continue;
      const at = (block - first) * blockLength;
      const expected = Math.min(blockLength, this.#body.length - block * blockLength);
      const piece = bytes?.subarray(at, at + expected);
      const isGood = piece?.length === expected && crc32c(piece) === this.#sums[block];
      if (isGood) this.#body.set(piece, block * blockLength);
      else this.#badBlocks++;
      this.#states[block] = isGood ? good : bad;
      this.#unreadBlocks--;
    }
  }
}

/** The same bytes as words, copied where they do not lie on whole words. */
function words(bytes: Uint8Array): Uint32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4);
}
