import { crc32c } from "@longwave/base";
import type { ProfileId } from "@longwave/fingerprint";
import { BitWriter } from "./bit-stream.ts";
import { CatalogError } from "./errors.ts";
import { encodePeaks } from "./peak-codec.ts";
import { PlaceTable } from "./place-table.ts";
import { putGamma, putPlaces, putRice, riceBound, riceParameter } from "./posting-codec.ts";
import {
  blockLength,
  hashBitsOf,
  longList,
  partsOf,
  segmentHeaderLength,
  segmentMagic,
  segmentVersion,
} from "./segment-format.ts";
import { type Places, type PostingColumns, sortByHash } from "./sort-by-hash.ts";
import type { Track } from "./track.ts";

const maxDirectoryBits = 20;
/** Postings that a bucket holds on average: a look-up passes half of them. */
const postingsPerBucket = 20;

/**
 * Builds a segment. The columns are sorted by hash with a stable radix sort (so that postings of a hash stay in order of
 * track and frame) and coded as differences.
 * @param peaks for `mark-v1`, the records of each track, against which candidates are verified
 * @throws CatalogError `catalog/write-failed` where the postings exceed the 4 GiB of a segment
 */
export function buildSegment(
  profile: ProfileId,
  configHash: string,
  tracks: readonly Track[],
  columns: PostingColumns,
  peaks: readonly Uint32Array[] = [],
): Uint8Array {
  const hashBits = hashBitsOf(profile);
  const count = columns.hashes.length;
  const directoryBits = directoryBitsFor(count, hashBits);
  const lastFrames = lastFramesOf(columns, tracks.length);
  const places = new PlaceTable(lastFrames);
  const encoded = encode(columns, places, directoryBits, hashBits);
  const coded = encodePeaks(peaks.length === tracks.length ? peaks : []);
  const table = paddedTable(tracks);
  const postingBytes = encoded.bytes.length;
  const bodyBytes = postingBytes + coded.bytes.length;
  const parts = partsOf(table.length, tracks.length, directoryBits, bodyBytes);
  const { sumsStart, directoryStart, postingsStart, end } = parts;
  if (end >= 2 ** 32) {
    throw new CatalogError("catalog/write-failed", "A segment holds at most 4 GiB; compact less at once.");
  }
  const bytes = new Uint8Array(end);
  const view = new DataView(bytes.buffer);
  bytes.set(table, segmentHeaderLength);
  let at = directoryStart;
  const putWords = (words: Uint32Array) => {
    for (let i = 0; i < words.length; i++, at += 4) view.setUint32(at, words[i]!, true);
  };
  putWords(lastFrames);
  // Without peaks all ends are 0.
  putWords(coded.ends.length === tracks.length ? coded.ends : new Uint32Array(tracks.length));
  putWords(encoded.directory);
  bytes.set(encoded.bytes, postingsStart);
  bytes.set(coded.bytes, postingsStart + postingBytes);
  for (let start = postingsStart, sumAt = sumsStart; start < end; start += blockLength, sumAt += 4) {
    view.setUint32(sumAt, crc32c(bytes, start, Math.min(end, start + blockLength)), true);
  }
  view.setUint32(0, segmentMagic, true);
  view.setUint16(4, segmentVersion, true);
  bytes[6] = hashBits;
  bytes[7] = directoryBits;
  view.setUint32(8, tracks.length, true);
  view.setUint32(12, count, true);
  view.setUint32(16, encoded.distinctHashes, true);
  view.setUint32(20, table.length, true);
  view.setUint32(24, postingBytes, true);
  for (let i = 0; i < 8; i++) bytes[28 + i] = Number.parseInt(configHash.slice(2 * i, 2 * i + 2), 16);
  bytes.set(new TextEncoder().encode(profile).subarray(0, 32), 36);
  view.setUint32(68, crc32c(bytes, segmentHeaderLength, sumsStart), true);
  view.setUint32(72, crc32c(bytes, directoryStart, postingsStart), true);
  view.setUint32(76, crc32c(bytes, sumsStart, directoryStart), true);
  view.setUint32(80, coded.bytes.length, true);
  view.setUint32(segmentHeaderLength - 4, crc32c(bytes, 0, segmentHeaderLength - 4), true);
  return bytes;
}

/** JSON with spaces behind it, so that what follows lies on whole words. */
function paddedTable(tracks: readonly Track[]): Uint8Array {
  const json = JSON.stringify(tracks);
  const table = new TextEncoder().encode(json);
  const padded = new Uint8Array(4 * Math.ceil(table.length / 4)).fill(0x20);
  padded.set(table);
  return padded;
}

function directoryBitsFor(postings: number, hashBits: number): number {
  let bits = 4;
  while (bits < maxDirectoryBits && postings / 2 ** bits > postingsPerBucket) bits++;
  return Math.min(bits, hashBits);
}

function lastFramesOf({ tracks, frames }: PostingColumns, count: number): Uint32Array {
  const last = new Uint32Array(count);
  for (let i = 0; i < tracks.length; i++) {
    if (frames[i]! > last[tracks[i]!]!) last[tracks[i]!] = frames[i]!;
  }
  return last;
}

interface Encoded {
  readonly bytes: Uint8Array;
  readonly directory: Uint32Array;
  readonly distinctHashes: number;
}

function encode(
  columns: PostingColumns,
  table: PlaceTable,
  directoryBits: number,
  hashBits: number,
): Encoded {
  const { hashes, places, isAscending } = sortByHash(columns, table.starts, hashBits);
  const count = hashes.length;
  const buckets = 2 ** directoryBits;
  const bucketSize = 2 ** (hashBits - directoryBits);
  const directory = new Uint32Array(buckets + 1);
  const writer = new BitWriter(count + 1024);
  let distinctHashes = 0;
  for (let i = 0; i < count; i++) if (i === 0 || hashes[i] !== hashes[i - 1]) distinctHashes++;
  const gapParameter = riceParameter(2 ** hashBits, distinctHashes);
  const parameters = Uint8Array.from({ length: 64 }, (_, size) => riceParameter(table.universe, size));
  let start = 0;
  for (let bucket = 0; bucket < buckets; bucket++) {
    directory[bucket] = writer.bytes;
    if (writer.bytes > 2 ** 32 - 2 ** 24) throw tooLarge();
    const top = (bucket + 1) * bucketSize;
    let end = start;
    let inBucket = 0;
    while (end < count && hashes[end]! < top) {
      if (end === start || hashes[end] !== hashes[end - 1]) inBucket++;
      end++;
    }
    if (inBucket === 0) continue;
    // Room for the longest codes keeps the checks out of the inner loops.
    writer.reserve(64 + inBucket * (riceBound + 128) + (end - start) * riceBound);
    putGamma(writer, inBucket + 1);
    let next = bucket * bucketSize;
    for (; start < end; ) {
      const hash = hashes[start]!;
      let stop = start + 1;
      while (stop < end && hashes[stop] === hash) stop++;
      putRice(writer, hash - next, gapParameter);
      next = hash + 1;
      if (!isAscending) places.subarray(start, stop).sort();
      const k = parameters[stop - start] ?? riceParameter(table.universe, stop - start);
      putList(writer, places, start, stop, k);
      start = stop;
    }
    writer.align();
  }
  directory[buckets] = writer.bytes;
  return {
    bytes: new Uint8Array(writer.words.buffer, 0, writer.bytes),
    directory,
    distinctHashes,
  };
}

function putList(writer: BitWriter, places: Places, start: number, stop: number, k: number): void {
  const count = stop - start;
  putGamma(writer, count);
  if (count >= longList) writer.put(lengthOf(places, start, stop, k), 32);
  putPlaces(writer, places, start, stop, k);
}

/** Bits that the Rice codes of a list take. */
function lengthOf(places: Places, start: number, stop: number, k: number): number {
  let bits = 0;
  let previous = 0;
  const unit = 2 ** k;
  for (let i = start; i < stop; i++) {
    const quotient = Math.floor((places[i]! - previous) / unit);
    bits += quotient < 16 ? quotient + 1 + k : riceBound;
    previous = places[i]!;
  }
  if (bits >= 2 ** 32) throw tooLarge();
  return bits;
}

function tooLarge(): CatalogError {
  return new CatalogError("catalog/write-failed", "A segment holds at most 4 GiB; compact less at once.");
}
