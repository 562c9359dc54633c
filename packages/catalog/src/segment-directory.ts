import { crc32c } from "@longwave/base";
import { CatalogError } from "./errors.ts";
import { PlaceTable } from "./place-table.ts";
import { riceParameter } from "./posting-codec.ts";
import { corruptSegment, type SegmentLayout } from "./segment-format.ts";

/** Where everything lies in a segment's body: what stands between its track table and the body. */
export class SegmentDirectory {
  /** CRC32C of every block of the body. */
  readonly sums: Uint32Array;
  readonly places: PlaceTable;
  /** Rice parameter of the differences between the hashes of a bucket. */
  readonly gapParameter: number;
  readonly #layout: SegmentLayout;
  readonly #peakEnds: Uint32Array;
  readonly #buckets: Uint32Array;
  /** Bits of a hash below those that number its bucket. */
  readonly #lowBits: number;

  /**
   * @param bytes the part of the segment from `layout.sumsStart` to `layout.postingsStart`
   * @throws CatalogError `catalog/corrupt`, `catalog/version`
   */
  constructor(key: string, layout: SegmentLayout, bytes: Uint8Array) {
    if (bytes.length !== layout.postingsStart - layout.sumsStart) throw corruptSegment(key, "it ends early");
    const sumBytes = bytes.subarray(0, layout.directoryStart - layout.sumsStart);
    const directoryBytes = bytes.subarray(sumBytes.length);
    if (crc32c(sumBytes) !== layout.sumsCrc || crc32c(directoryBytes) !== layout.directoryCrc) {
      throw corruptSegment(key, "the checksum of its directory does not agree");
    }
    if (new Uint8Array(Uint32Array.of(1).buffer)[0] !== 1) {
      throw new CatalogError("catalog/version", "Segments are read on little-endian machines only.");
    }
    const directory = words(directoryBytes);
    const { tracks } = layout;
    this.#layout = layout;
    this.sums = words(sumBytes);
    this.places = new PlaceTable(directory.subarray(0, tracks));
    this.#peakEnds = directory.subarray(tracks, 2 * tracks);
    this.#buckets = directory.subarray(2 * tracks);
    this.gapParameter = riceParameter(2 ** layout.hashBits, layout.distinctHashes);
    this.#lowBits = layout.hashBits - layout.directoryBits;
  }

  get bucketCount(): number {
    return this.#buckets.length - 1;
  }

  /** Hashes that share a bucket. */
  get bucketSize(): number {
    return 2 ** this.#lowBits;
  }

  bucketOf(hash: number): number {
    return this.#lowBits === 32 ? 0 : hash >>> this.#lowBits;
  }

  /** Offset of a bucket in the body; its end is the start of the next. */
  startOf(bucket: number): number {
    return this.#buckets[bucket]!;
  }

  /** Where the peaks of a track of this segment lie in the body. */
  peakRange(track: number): [start: number, end: number] {
    const { postingBytes } = this.#layout;
    const start = track === 0 ? 0 : this.#peakEnds[track - 1]!;
    return [postingBytes + start, postingBytes + this.#peakEnds[track]!];
  }
}

/** The same bytes as words, copied where they do not lie on whole words. */
function words(bytes: Uint8Array): Uint32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4);
}
