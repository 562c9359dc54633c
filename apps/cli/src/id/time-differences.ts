import { appendMarkPairs, type Fingerprint, identity, PairList } from "@longwave/fingerprint";

/** How many hashes span so many frames, in ascending order of frames; empty for profiles whose hashes have no span. */
export function timeDifferences(
  fingerprint: Fingerprint,
): { readonly frames: number; readonly count: number }[] {
  const counts = new Map<number, number>();
  const add = (frames: number) => void counts.set(frames, (counts.get(frames) ?? 0) + 1);
  const { records, recordWords, profile } = fingerprint;
  if (profile === "mark-v1") {
    // Records are peaks: the hashes under which they are enrolled carry the frames between two of them in their low 6 bits.
    const pairs = new PairList();
    appendMarkPairs(records, identity, 0, pairs);
    for (let i = 0; i < pairs.count; i++) add(pairs.hashes[i]! & 63);
  } else if (profile === "wang-v1") {
    for (let i = 0; i < records.length; i += recordWords) add(records[i]! & 0x3fff);
  } else if (profile === "panako-v2") {
    for (let i = 0; i < records.length; i += recordWords) add(records[i + 3]! - records[i + 1]!);
  }
  return [...counts].sort((a, b) => a[0] - b[0]).map(([frames, count]) => ({ frames, count }));
}
