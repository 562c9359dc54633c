import { Segment } from "@longwave/catalog";
import { printResult } from "../output.ts";
import { clockTime } from "./format.ts";

/** Longest lists that are shown. */
const shownLists = 5;

/** A segment file of a catalog: its header, its tracks, and the hashes with the longest lists. */
export function inspectSegment(path: string, bytes: Uint8Array, json: boolean): void {
  const segment = Segment.fromBytes(path, bytes);
  const counts = new Map<number, number>();
  segment.visit((hash) => void counts.set(hash, (counts.get(hash) ?? 0) + 1));
  const lists = [...counts]
    .sort((a, b) => b[1] - a[1] || a[0] - b[0])
    .slice(0, shownLists)
    .map(([hash, count]) => ({ hash: hash.toString(16).padStart(8, "0"), count }));
  const { profile, configHash, hashBits, directoryBits, postings, distinctHashes, end } = segment.layout;
  const { tracks } = segment;
  const report = {
    path,
    profile,
    configHash,
    hashBits,
    directoryBits,
    postings,
    distinctHashes,
    bytes: end,
    tracks,
    lists,
  };
  printResult(json, report, () => [
    `segment ${path}: profile ${profile}, config ${configHash}, ${end} bytes`,
    `${tracks.length} tracks, ${postings} hashes, ${distinctHashes} of them distinct, ${(end / postings).toFixed(2)} bytes each`,
    `${hashBits}-bit hashes in 2^${directoryBits} buckets`,
    `longest lists: ${lists.map(({ hash, count }) => `${hash} x ${count}`).join(", ")}`,
    ...tracks.map(
      ({ id, durationSeconds, hashes }) => `  ${id}  ${clockTime(durationSeconds * 1000)}  ${hashes} hashes`,
    ),
  ]);
}
