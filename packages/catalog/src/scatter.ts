import { type Hypothesis, PairList } from "@longwave/fingerprint";
import type { PostingStore } from "./posting-store.ts";
import type { Query } from "./query.ts";

/** Pairs (query frame in reference time, reference frame) of equal hashes in a track: a line where they belong together. */
export function scatterOf(
  lookup: PostingStore,
  track: number,
  query: Query,
  hypothesis: Hypothesis,
): Int32Array {
  const pairs = new PairList();
  query.fill(hypothesis, pairs);
  const points: number[] = [];
  for (let i = 0; i < pairs.count; i++) {
    const found = lookup.load(pairs.hashes[i]!);
    for (let k = 0; k < found; k++) {
      if (lookup.batch.tracks[k] === track) points.push(pairs.frames[i]!, lookup.batch.frames[k]!);
    }
  }
  return Int32Array.from(points);
}
