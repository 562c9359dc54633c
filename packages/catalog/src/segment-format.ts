import { crc32c } from "@longwave/base";
import { type ProfileId, profileOf } from "@longwave/fingerprint";
import { CatalogError } from "./errors.ts";
import type { Track } from "./track.ts";

/*
 * Segment, version 2, little-endian; an immutable object (docs/design/catalog.md):
 *   header, 128 bytes: magic "LWSG", u16 version, u8 hash bits, u8 directory bits, u32 tracks, u32 postings, u32 distinct
 *     hashes, u32 bytes of the track table, u32 bytes of the postings, config hash 8, profile name 32 (zero padded),
 *     u32 CRC32C each of track table, directory and block sums, u32 bytes of the peaks, zeros, u32 CRC32C of the header
 *   track table: JSON array of tracks, padded with spaces to a multiple of 4
 *   block sums: u32 CRC32C of every 16 KiB of the body
 *   directory: u32 last frame of each track, u32 end of each track's peaks in the peaks, u32 offset into the postings for
 *     each of 2^directoryBits buckets, and the end
 *   body: the postings, bucket after bucket, then the peaks of the tracks one after the other
 * Bits are coded as in posting-codec.ts. A bucket holds the hashes that share their top directoryBits, ascending: gamma of
 * their number + 1, then for each hash Rice of the difference to the one before, less one, gamma of the length n of its list, 32
 * bits with the length of the list in bits where n is 64 or more, and Rice codes of the differences between the places of its
 * postings; the bucket is padded to a byte. A place is the posting's frame plus (last frame + 1) of each track before its own.
 * Peaks of a track: gamma of their number + 1, then for each Rice(1) of the frames since the one before and 12 bits of its
 * frequency in 1/8 bin; padded to a byte.
 */
export const segmentMagic = 0x4753574c;
export const segmentVersion = 2;
export const segmentHeaderLength = 128;
/** Bytes of the body under one checksum; the unit of reading. */
export const blockLength = 16_384;
/** Lists this long can be skipped at once. */
export const longList = 64;

/** What a segment's header says, and where its parts lie. */
export interface SegmentLayout {
  readonly profile: ProfileId;
  readonly configHash: string;
  readonly hashBits: number;
  readonly directoryBits: number;
  readonly tracks: number;
  readonly postings: number;
  readonly distinctHashes: number;
  readonly tableStart: number;
  readonly sumsStart: number;
  readonly directoryStart: number;
  /** Where the body begins. */
  readonly postingsStart: number;
  readonly postingBytes: number;
  readonly peakBytes: number;
  readonly end: number;
  readonly tableCrc: number;
  readonly sumsCrc: number;
  readonly directoryCrc: number;
}

/** Bits of the hashes of a profile. */
export function hashBitsOf(profile: ProfileId): number {
  return profile === "mark-v1" ? 22 : 32;
}

/** Where the parts lie that follow a track table of `tableBytes`. */
export function partsOf(
  tableBytes: number,
  tracks: number,
  directoryBits: number,
  bodyBytes: number,
): { sumsStart: number; directoryStart: number; postingsStart: number; end: number } {
  const sumsStart = segmentHeaderLength + tableBytes;
  const directoryStart = sumsStart + 4 * Math.ceil(bodyBytes / blockLength);
  const postingsStart = directoryStart + 4 * (2 * tracks + 2 ** directoryBits + 1);
  return { sumsStart, directoryStart, postingsStart, end: postingsStart + bodyBytes };
}

/** @throws CatalogError `catalog/corrupt`, `catalog/version` */
export function parseSegmentHeader(key: string, bytes: Uint8Array): SegmentLayout {
  const fail = (what: string) => corruptSegment(key, what);
  if (bytes.length < segmentHeaderLength) throw fail("it ends inside its header");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== segmentMagic) throw fail("it does not begin with LWSG");
  if (view.getUint16(4, true) !== segmentVersion) {
    throw new CatalogError(
      "catalog/version",
      `${key} has format version ${view.getUint16(4, true)}; this program reads ${segmentVersion}. ` +
        "Update the program, or enroll the recordings again where the catalog is older.",
    );
  }
  const crcAt = segmentHeaderLength - 4;
  if (crc32c(bytes, 0, crcAt) !== view.getUint32(crcAt, true))
    throw fail("the checksum of its header does not agree");
  const name = new TextDecoder().decode(bytes.subarray(36, 68)).replace(/\0+$/, "");
  const profile = profileOf(name).id;
  let configHash = "";
  for (let i = 28; i < 36; i++) configHash += bytes[i]!.toString(16).padStart(2, "0");
  const [hashBits, directoryBits] = [bytes[6]!, bytes[7]!];
  const tracks = view.getUint32(8, true);
  const tableBytes = view.getUint32(20, true);
  if (hashBits !== hashBitsOf(profile) || directoryBits > Math.min(hashBits, 24) || tableBytes % 4 !== 0)
    throw fail("its header is wrong");
  const postingBytes = view.getUint32(24, true);
  const peakBytes = view.getUint32(80, true);
  return {
    profile,
    configHash,
    hashBits,
    directoryBits,
    tracks,
    postings: view.getUint32(12, true),
    distinctHashes: view.getUint32(16, true),
    tableStart: segmentHeaderLength,
    ...partsOf(tableBytes, tracks, directoryBits, postingBytes + peakBytes),
    postingBytes,
    peakBytes,
    tableCrc: view.getUint32(68, true),
    directoryCrc: view.getUint32(72, true),
    sumsCrc: view.getUint32(76, true),
  };
}

/** The error of a damaged segment. */
export function corruptSegment(key: string, what: string): CatalogError {
  return new CatalogError(
    "catalog/corrupt",
    `${key} is damaged: ${what}. Restore it from a copy of the catalog.`,
  );
}

/** Reads the track table of a segment. @throws CatalogError `catalog/corrupt` */
export function parseTrackTable(key: string, bytes: Uint8Array, layout: SegmentLayout): Track[] {
  if (crc32c(bytes) !== layout.tableCrc)
    throw corruptSegment(key, "the checksum of its track table does not agree");
  let tracks: unknown;
  try {
    tracks = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw corruptSegment(key, (error as Error).message);
  }
  if (!Array.isArray(tracks) || tracks.length !== layout.tracks)
    throw corruptSegment(key, "its tracks do not add up");
  if (!tracks.every(isTrack)) throw corruptSegment(key, "one of its tracks has no id, length or content");
  return tracks;
}

function isTrack(value: unknown): value is Track {
  if (typeof value !== "object" || value === null) return false;
  const { id, durationSeconds, hashes, contentHash } = value as Partial<Track>;
  return (
    typeof id === "string" &&
    typeof contentHash === "string" &&
    Number.isFinite(durationSeconds) &&
    Number.isFinite(hashes)
  );
}
