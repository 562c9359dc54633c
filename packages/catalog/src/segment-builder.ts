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
  const encoded = encode(columns, sortByHash(columns.hashes, hashBits), directoryBits, hashBits);
  const { distinctHashes } = encoded;
  const postingBytes = encoded.bytes.length;
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
  for (const [i, offset] of encoded.directory.entries()) view.setUint32(directoryStart + 4 * i, offset, true);
  bytes.set(encoded.bytes, postingsStart);
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

interface Sorted {
  readonly hashes: Uint32Array;
  /** Where the posting lies in the columns. */
  readonly positions: Uint32Array;
}

/** Hashes in ascending order with their positions, stable: least significant digit first, 11 bits a pass. */
function sortByHash(hashes: Uint32Array, hashBits: number): Sorted {
  const count = hashes.length;
  let keys = hashes.slice();
  let positions = new Uint32Array(count);
  let nextKeys = new Uint32Array(count);
  let nextPositions = new Uint32Array(count);
  for (let i = 0; i < count; i++) positions[i] = i;
  const starts = new Uint32Array(2048);
  for (let shift = 0; shift < hashBits; shift += 11) {
    starts.fill(0);
    for (let i = 0; i < count; i++) starts[(keys[i]! >>> shift) & 2047]!++;
    let sum = 0;
    for (let digit = 0; digit < 2048; digit++) {
      const size = starts[digit]!;
      starts[digit] = sum;
      sum += size;
    }
    for (let i = 0; i < count; i++) {
      const key = keys[i]!;
      const to = starts[(key >>> shift) & 2047]!++;
      nextKeys[to] = key;
      nextPositions[to] = positions[i]!;
    }
    [keys, nextKeys] = [nextKeys, keys];
    [positions, nextPositions] = [nextPositions, positions];
  }
  return { hashes: keys, positions };
}

interface Encoded {
  readonly bytes: Uint8Array;
  readonly directory: Uint32Array;
  readonly distinctHashes: number;
}

/** Longest entry: hash, count, track and frame of 5 bytes each. */
const longestEntry = 20;

function encode(
  { tracks, frames }: PostingColumns,
  sorted: Sorted,
  directoryBits: number,
  hashBits: number,
): Encoded {
  const { hashes, positions } = sorted;
  const count = hashes.length;
  const lowBits = hashBits - directoryBits;
  const buckets = 2 ** directoryBits;
  const directory = new Uint32Array(buckets + 1);
  let out = new Uint8Array(6 * count + 1024);
  let at = 0;
  let bucket = -1;
  let previousHash = 0;
  let distinctHashes = 0;
  for (let start = 0; start < count; ) {
    const hash = hashes[start]!;
    let end = start + 1;
    while (end < count && hashes[end] === hash) end++;
    // Growing before each list keeps the check out of the inner loop.
    if (at + (end - start) * longestEntry > out.length) {
      const larger = new Uint8Array(Math.max(2 * out.length, at + (end - start) * longestEntry));
      larger.set(out);
      out = larger;
    }
    const own = lowBits === 32 ? 0 : hash >>> lowBits;
    if (own !== bucket) {
      while (bucket < own) directory[++bucket] = at;
      previousHash = own * 2 ** lowBits;
    }
    at = putVarint(out, at, hash - previousHash);
    at = putVarint(out, at, end - start);
    previousHash = hash;
    distinctHashes++;
    let track = 0;
    let frame = 0;
    for (let i = start; i < end; i++) {
      const position = positions[i]!;
      const nextTrack = tracks[position]!;
      const nextFrame = frames[position]!;
      if (nextTrack !== track) frame = 0;
      at = putVarint(out, at, nextTrack - track);
      at = putVarint(out, at, nextFrame - frame);
      track = nextTrack;
      frame = nextFrame;
    }
    start = end;
  }
  while (bucket < buckets) directory[++bucket] = at;
  return { bytes: out.subarray(0, at), directory, distinctHashes };
}

function putVarint(out: Uint8Array, at: number, value: number): number {
  while (value >= 128) {
    out[at++] = (value & 127) | 128;
    value >>>= 7;
  }
  out[at++] = value;
  return at;
}
