import { crc32c } from "@longwave/base";
import type { ProfileId } from "@longwave/fingerprint";
import { CatalogError } from "./errors.ts";
import {
  blockLength,
  hashBitsOf,
  segmentHeaderLength,
  segmentMagic,
  segmentVersion,
} from "./segment-format.ts";
import type { Track } from "./track.ts";
import { varintLength } from "./varint.ts";

/** Postings in order of (track, frame), one entry of each array a posting. */
export interface PostingColumns {
  readonly hashes: Uint32Array;
  readonly tracks: Uint32Array;
  readonly frames: Uint32Array;
}

const maxDirectoryBits = 20;
/** Postings that a bucket holds on average: a look-up decodes half of them. */
const postingsPerBucket = 16;

/**
 * Builds a segment. The columns are sorted by hash with a stable radix sort (so that postings of a hash stay in order of
 * track and frame) and coded as differences.
 * @throws CatalogError `catalog/write-failed` where the postings exceed the 4 GiB of a segment
 */
export function buildSegment(
  profile: ProfileId,
  configHash: string,
  tracks: readonly Track[],
  columns: PostingColumns,
): Uint8Array {
  const hashBits = hashBitsOf(profile);
  const count = columns.hashes.length;
  const directoryBits = directoryBitsFor(count, hashBits);
  const order = sortByHash(columns.hashes, hashBits);
  const { postingBytes, distinctHashes } = measure(columns, order, directoryBits, hashBits);
  const table = new TextEncoder().encode(JSON.stringify(tracks));
  const blocks = Math.ceil(postingBytes / blockLength);
  const sumsStart = segmentHeaderLength + table.length;
  const directoryStart = sumsStart + 4 * blocks;
  const postingsStart = directoryStart + 4 * (2 ** directoryBits + 1);
  if (postingsStart + postingBytes >= 2 ** 32) {
    throw new CatalogError("catalog/write-failed", "A segment holds at most 4 GiB; compact less at once.");
  }
  const bytes = new Uint8Array(postingsStart + postingBytes);
  const view = new DataView(bytes.buffer);
  bytes.set(table, segmentHeaderLength);
  encode(columns, order, directoryBits, hashBits, view, directoryStart, bytes.subarray(postingsStart));
  for (let block = 0; block < blocks; block++) {
    const start = postingsStart + block * blockLength;
    const end = Math.min(bytes.length, start + blockLength);
    view.setUint32(sumsStart + 4 * block, crc32c(bytes, start, end), true);
  }
  view.setUint32(0, segmentMagic, true);
  view.setUint16(4, segmentVersion, true);
  bytes[6] = hashBits;
  bytes[7] = directoryBits;
  view.setUint32(8, tracks.length, true);
  view.setUint32(12, count, true);
  view.setUint32(16, distinctHashes, true);
  view.setUint32(20, table.length, true);
  view.setUint32(24, postingBytes, true);
  for (let i = 0; i < 8; i++) bytes[28 + i] = Number.parseInt(configHash.slice(2 * i, 2 * i + 2), 16);
  bytes.set(new TextEncoder().encode(profile).subarray(0, 32), 36);
  view.setUint32(68, crc32c(bytes, segmentHeaderLength, sumsStart), true);
  view.setUint32(72, crc32c(bytes, directoryStart, postingsStart), true);
  view.setUint32(76, crc32c(bytes, sumsStart, directoryStart), true);
  view.setUint32(segmentHeaderLength - 4, crc32c(bytes, 0, segmentHeaderLength - 4), true);
  return bytes;
}

function directoryBitsFor(postings: number, hashBits: number): number {
  let bits = 4;
  while (bits < maxDirectoryBits && postings / 2 ** bits > postingsPerBucket) bits++;
  return Math.min(bits, hashBits);
}

/** Positions in order of hash, stable: least significant digit first, 11 bits a pass. */
function sortByHash(hashes: Uint32Array, hashBits: number): Uint32Array {
  const count = hashes.length;
  let from = new Uint32Array(count);
  let to = new Uint32Array(count);
  for (let i = 0; i < count; i++) from[i] = i;
  const starts = new Uint32Array(2048);
  for (let shift = 0; shift < hashBits; shift += 11) {
    starts.fill(0);
    for (let i = 0; i < count; i++) starts[(hashes[i]! >>> shift) & 2047]!++;
    let sum = 0;
    for (let digit = 0; digit < 2048; digit++) {
      const size = starts[digit]!;
      starts[digit] = sum;
      sum += size;
    }
    for (let i = 0; i < count; i++) {
      const position = from[i]!;
      to[starts[(hashes[position]! >>> shift) & 2047]!++] = position;
    }
    [from, to] = [to, from];
  }
  return from;
}

/** First position behind the run of equal hashes that begins at `start`. */
function runEnd(hashes: Uint32Array, order: Uint32Array, start: number): number {
  const hash = hashes[order[start]!]!;
  let end = start + 1;
  while (end < order.length && hashes[order[end]!] === hash) end++;
  return end;
}

function measure(columns: PostingColumns, order: Uint32Array, directoryBits: number, hashBits: number) {
  const { hashes, tracks, frames } = columns;
  const lowBits = hashBits - directoryBits;
  let postingBytes = 0;
  let distinctHashes = 0;
  let bucket = -1;
  let previousHash = 0;
  for (let start = 0; start < order.length; ) {
    const end = runEnd(hashes, order, start);
    const hash = hashes[order[start]!]!;
    if (bucketOf(hash, lowBits) !== bucket) {
      bucket = bucketOf(hash, lowBits);
      previousHash = bucket * 2 ** lowBits;
    }
    postingBytes += varintLength(hash - previousHash) + varintLength(end - start);
    previousHash = hash;
    distinctHashes++;
    let track = 0;
    let frame = 0;
    for (let i = start; i < end; i++) {
      const at = order[i]!;
      if (tracks[at] !== track) frame = 0;
      postingBytes += varintLength(tracks[at]! - track) + varintLength(frames[at]! - frame);
      track = tracks[at]!;
      frame = frames[at]!;
    }
    start = end;
  }
  return { postingBytes, distinctHashes };
}

function bucketOf(hash: number, lowBits: number): number {
  return lowBits === 32 ? 0 : hash >>> lowBits;
}

function encode(
  columns: PostingColumns,
  order: Uint32Array,
  directoryBits: number,
  hashBits: number,
  view: DataView,
  directoryStart: number,
  out: Uint8Array,
): void {
  const { hashes, tracks, frames } = columns;
  const lowBits = hashBits - directoryBits;
  const buckets = 2 ** directoryBits;
  let at = 0;
  const write = (value: number) => {
    let rest = value;
    while (rest >= 128) {
      out[at++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    out[at++] = rest;
  };
  let bucket = -1;
  let previousHash = 0;
  for (let start = 0; start < order.length; ) {
    const end = runEnd(hashes, order, start);
    const hash = hashes[order[start]!]!;
    const own = bucketOf(hash, lowBits);
    if (own !== bucket) {
      while (bucket < own) view.setUint32(directoryStart + 4 * ++bucket, at, true);
      previousHash = own * 2 ** lowBits;
    }
    write(hash - previousHash);
    write(end - start);
    previousHash = hash;
    let track = 0;
    let frame = 0;
    for (let i = start; i < end; i++) {
      const position = order[i]!;
      if (tracks[position] !== track) frame = 0;
      write(tracks[position]! - track);
      write(frames[position]! - frame);
      track = tracks[position]!;
      frame = frames[position]!;
    }
    start = end;
  }
  while (bucket < buckets) view.setUint32(directoryStart + 4 * ++bucket, at, true);
}
