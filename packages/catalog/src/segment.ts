import type { ObjectStore } from "@longwave/base";
import { BitReader } from "./bit-stream.ts";
import { CatalogError } from "./errors.ts";
import { decodePeaks } from "./peak-codec.ts";
import type { PostingBatch, PostingSource } from "./posting-batch.ts";
import { riceParameter, takeGamma, takePlaces, takeRice } from "./posting-codec.ts";
import { SegmentBody } from "./segment-body.ts";
import { SegmentDirectory } from "./segment-directory.ts";
import {
  corruptSegment,
  longList,
  parseSegmentHeader,
  parseTrackTable,
  type SegmentLayout,
  segmentHeaderLength,
} from "./segment-format.ts";
import type { Track } from "./track.ts";

/** What look-ups need beside the tracks; read at the first of them. */
interface SegmentParts {
  readonly directory: SegmentDirectory;
  readonly body: SegmentBody;
  readonly reader: BitReader;
}

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
  #parts: SegmentParts | undefined;
  #listPlaces = new Float64Array(1024);
  readonly #touched = new Uint32Array(1);

  /** @param table the track table, not checked yet */
  private constructor(
    store: ObjectStore | undefined,
    key: string,
    layout: SegmentLayout,
    firstTrack: number,
    table: Uint8Array,
  ) {
    this.#store = store;
    this.key = key;
    this.layout = layout;
    this.tracks = parseTrackTable(key, table, layout);
    this.firstTrack = firstTrack;
  }

  /**
   * Reads header and tracks; the directory and the blocks follow when a look-up needs them.
   * @throws CatalogError `catalog/missing`, `catalog/corrupt`, `catalog/version`
   */
  static async open(
    store: ObjectStore,
    key: string,
    firstTrack: number,
    signal?: AbortSignal,
  ): Promise<Segment> {
    const [header, info] = await Promise.all([
      store.get(key, { start: 0, end: segmentHeaderLength }, signal),
      store.head(key, signal),
    ]);
    if (header === undefined) {
      throw new CatalogError(
        "catalog/missing",
        `${key} is missing although the manifest names it; restore it from a copy of the catalog.`,
      );
    }
    const layout = parseSegmentHeader(key, header);
    // The size is checked before the parts that the header promises are read or allocated.
    if (info !== undefined && info.size !== layout.end) {
      throw corruptSegment(key, `it has ${info.size} bytes instead of ${layout.end}`);
    }
    const table = await store.get(key, { start: layout.tableStart, end: layout.sumsStart }, signal);
    if (table?.length !== layout.sumsStart - layout.tableStart) throw corruptSegment(key, "it ends early");
    return new Segment(store, key, layout, firstTrack, table);
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
    const table = bytes.subarray(layout.tableStart, layout.sumsStart);
    const segment = new Segment(undefined, key, layout, firstTrack, table);
    const { directory, body } = segment.#take(bytes.subarray(layout.sumsStart, layout.postingsStart));
    body.accept(0, directory.sums.length, bytes.subarray(layout.postingsStart));
    return segment;
  }

  /** True if a block that was needed is damaged or could not be read. */
  get damaged(): boolean {
    return this.#parts?.body.damaged === true;
  }

  /** @throws CatalogError `catalog/corrupt` where the directory is damaged */
  async prepare(hashes: Uint32Array, signal?: AbortSignal): Promise<void> {
    const { directory, body } = this.#parts ?? (await this.#load(signal));
    if (body.isRead) {
      this.#touch(hashes);
      return;
    }
    const wanted = new Set<number>();
    for (const hash of hashes) {
      const bucket = directory.bucketOf(hash);
      body.want(wanted, directory.startOf(bucket), directory.startOf(bucket + 1));
    }
    await body.read(this.#store, this.key, wanted, signal);
  }

  /** @throws CatalogError `catalog/corrupt` where the directory is damaged */
  async preparePeaks(tracks: readonly number[], signal?: AbortSignal): Promise<void> {
    const { directory, body } = this.#parts ?? (await this.#load(signal));
    if (body.isRead) return;
    const wanted = new Set<number>();
    for (const track of tracks) {
      if (track < this.firstTrack || track >= this.firstTrack + this.tracks.length) continue;
      body.want(wanted, ...directory.peakRange(track - this.firstTrack));
    }
    await body.read(this.#store, this.key, wanted, signal);
  }

  peaksOf(track: number): Uint32Array | undefined {
    const own = track - this.firstTrack;
    if (this.#parts === undefined || own < 0 || own >= this.tracks.length) return undefined;
    const { directory, body } = this.#parts;
    const [start, end] = directory.peakRange(own);
    if (start >= end || !body.isGood(start, end)) return undefined;
    return decodePeaks(body.bytes.subarray(start, end));
  }

  /**
   * Reads directory and all blocks; numbers of the damaged blocks.
   * @throws CatalogError `catalog/corrupt` where the directory is damaged
   */
  async readAll(signal?: AbortSignal): Promise<number[]> {
    const { body } = this.#parts ?? (await this.#load(signal));
    return body.readAll(this.#store, this.key, signal);
  }

  collect(hash: number, limit: number, into: PostingBatch): number {
    if (this.#parts === undefined) return 0;
    const { directory, body, reader } = this.#parts;
    const bucket = directory.bucketOf(hash);
    const start = directory.startOf(bucket);
    const end = directory.startOf(bucket + 1);
    if (start >= end || !body.isGood(start, end)) return 0;
    reader.seek(start, end);
    let next = bucket * directory.bucketSize;
    for (let left = takeGamma(reader) - 1; left > 0 && !reader.failed; left--) {
      const own = next + takeRice(reader, directory.gapParameter);
      if (own > hash) return 0;
      const count = takeGamma(reader);
      if (own === hash) {
        if (count <= limit) this.#append(this.#parts, count, into);
        return count;
      }
      this.#pass(this.#parts, count);
      next = own + 1;
    }
    return 0;
  }

  /**
   * Visits all postings of all readable buckets in order of hash; call `readAll` first.
   * @returns false where a bucket is malformed although its checksum agrees
   */
  visit(each: (hash: number, track: number, frame: number) => void): boolean {
    if (this.#parts === undefined) return true;
    const { directory, body, reader } = this.#parts;
    const { starts, universe } = directory.places;
    for (let bucket = 0; bucket < directory.bucketCount; bucket++) {
      const [start, end] = [directory.startOf(bucket), directory.startOf(bucket + 1)];
      if (start >= end || !body.isGood(start, end)) continue;
      reader.seek(start, end);
      let next = bucket * directory.bucketSize;
      for (let left = takeGamma(reader) - 1; left > 0 && !reader.failed; left--) {
        const hash = next + takeRice(reader, directory.gapParameter);
        next = hash + 1;
        const count = takeGamma(reader);
        const k = riceParameter(universe, count);
        if (count >= longList) reader.skip(32);
        let place = 0;
        for (let i = 0; i < count && !reader.failed; i++) {
          place += takeRice(reader, k);
          if (place >= universe) return false;
          const track = directory.places.trackAt(place);
          each(hash, track, place - starts[track]!);
        }
      }
      if (reader.failed) return false;
    }
    return true;
  }

  #append({ directory, reader }: SegmentParts, count: number, into: PostingBatch): void {
    const { places } = directory;
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
  #pass({ directory, reader }: SegmentParts, count: number): void {
    if (count >= longList) {
      reader.skip(reader.take(32));
      return;
    }
    const k = riceParameter(directory.places.universe, count);
    for (let i = 0; i < count; i++) takeRice(reader, k);
  }

  /** Reads the directory. */
  async #load(signal: AbortSignal | undefined): Promise<SegmentParts> {
    const range = { start: this.layout.sumsStart, end: this.layout.postingsStart };
    const bytes = await this.#store?.get(this.key, range, signal);
    return this.#parts ?? this.#take(bytes ?? new Uint8Array(0));
  }

  #take(bytes: Uint8Array): SegmentParts {
    const directory = new SegmentDirectory(this.key, this.layout, bytes);
    const body = new SegmentBody(this.layout, directory.sums);
    this.#parts = { directory, body, reader: new BitReader(body.words) };
    return this.#parts;
  }

  /**
   * Looks at the first words of all buckets, one right after the other: the processor fetches many lines of memory at a
   * time, where the look-ups that follow would wait for each. This takes a third off a query of 300 hashes.
   */
  #touch(hashes: Uint32Array): void {
    const { directory, body } = this.#parts!;
    const { words } = body;
    let sum = 0;
    for (let i = 0; i < hashes.length; i++) sum ^= directory.startOf(directory.bucketOf(hashes[i]!));
    for (let i = 0; i < hashes.length; i++) {
      const word = directory.startOf(directory.bucketOf(hashes[i]!)) >>> 2;
      sum ^= words[word]! ^ (words[word + 16] ?? 0);
    }
    // Kept, so that the loads are not optimised away.
    this.#touched[0] = sum;
  }
}
