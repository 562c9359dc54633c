import { appendMarkPairs, type Fingerprint, identity, PairList, type ProfileId } from "@longwave/fingerprint";

/** The frames that a hash spans, where its profile writes them into it. */
export function framesSpanned(profile: ProfileId, hash: number): number | undefined {
  if (profile === "mark-v1") return hash & 63;
  return profile === "wang-v1" ? hash & 0x3fff : undefined;
}

/** The hashes under which a fingerprint is enrolled: its own, or those of the pairs of its peaks. */
export function hashesOf({ records, recordWords, profile }: Fingerprint): Uint32Array {
  if (profile !== "mark-v1") return records.filter((_, i) => i % recordWords === 0);
  const pairs = new PairList();
  appendMarkPairs(records, identity, 0, pairs);
  return pairs.hashes.slice(0, pairs.count);
}

/** How many hashes span so many frames, in ascending order of frames; empty for profiles whose hashes have no span. */
export function timeDifferences(
  fingerprint: Fingerprint,
): { readonly frames: number; readonly count: number }[] {
  const counts = new Map<number, number>();
  const add = (frames: number) => void counts.set(frames, (counts.get(frames) ?? 0) + 1);
  const { records, recordWords, profile } = fingerprint;
  if (profile === "panako-v2")
    for (let i = 0; i < records.length; i += recordWords) add(records[i + 3]! - records[i + 1]!);
  else if (profile !== "haitsma-v1")
    for (const hash of hashesOf(fingerprint)) add(framesSpanned(profile, hash)!);
  return histogram(counts);
}

/** Counts by frames, in ascending order of frames. */
export function histogram(counts: ReadonlyMap<number, number>): { frames: number; count: number }[] {
  return [...counts].sort((a, b) => a[0] - b[0]).map(([frames, count]) => ({ frames, count }));
}
