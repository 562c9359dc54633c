import { Segment } from "@longwave/catalog";
import { profileOf } from "@longwave/fingerprint";
import { printResult } from "../output.ts";
import { clockTime } from "./format.ts";
import { hexDump } from "./hex-dump.ts";
import { longestLists } from "./longest-lists.ts";
import { framesSpanned, histogram } from "./time-differences.ts";

/** Bytes of a segment's header. */
const headerBytes = 128;

/** A segment file of a catalog: its header, its tracks, and how its hashes lie over lists and time. */
export function inspectSegment(path: string, bytes: Uint8Array, json: boolean): void {
  const segment = Segment.fromBytes(path, bytes);
  const counts = new Map<number, number>();
  const perMinute: number[] = [];
  const spans = new Map<number, number>();
  const { profile, configHash, hashBits, directoryBits, postings, distinctHashes, end } = segment.layout;
  const { sampleRate, hopSize } = profileOf(profile);
  segment.visit((hash, _, frame) => {
    counts.set(hash, (counts.get(hash) ?? 0) + 1);
    const span = framesSpanned(profile, hash);
    if (span !== undefined) spans.set(span, (spans.get(span) ?? 0) + 1);
    const minute = Math.floor((frame * hopSize) / sampleRate / 60);
    while (perMinute.length <= minute) perMinute.push(0);
    perMinute[minute]!++;
  });
  const { tracks } = segment;
  const seconds = tracks.reduce((sum, { durationSeconds }) => sum + durationSeconds, 0);
  const lists = longestLists(counts);
  const report = {
    path,
    profile,
    configHash,
    hashBits,
    directoryBits,
    postings,
    distinctHashes,
    bytes: end,
    hashesPerSecond: postings / Math.max(1, seconds),
    perMinute,
    differences: histogram(spans),
    tracks,
    lists,
  };
  printResult(json, report, () => [
    `segment ${path}: profile ${profile}, config ${configHash}, ${end} bytes`,
    `${tracks.length} tracks, ${postings} hashes, ${distinctHashes} of them distinct, ${(end / Math.max(1, postings)).toFixed(2)} bytes each`,
    `${hashBits}-bit hashes in 2^${directoryBits} buckets`,
    `${report.hashesPerSecond.toFixed(1)} hashes a second; by minute of the tracks: ${perMinute.slice(0, 60).join(" ")}${perMinute.length > 60 ? " ..." : ""}`,
    ...(spans.size === 0
      ? []
      : [
          `frames spanned x hashes: ${report.differences.map(({ frames, count }) => `${frames} x ${count}`).join(", ")}`,
        ]),
    `longest lists: ${lists.map(({ hash, count }) => `${hash} x ${count}`).join(", ")}`,
    ...tracks.map(
      ({ id, durationSeconds, hashes }) => `  ${id}  ${clockTime(durationSeconds * 1000)}  ${hashes} hashes`,
    ),
    "header:",
    ...hexDump(bytes.subarray(0, headerBytes)),
  ]);
}
