import type { Fingerprint } from "./fingerprint.ts";
import { HashIndex } from "./hash-index.ts";
import { miss, type PairResult, sameFrameRate } from "./pair-match.ts";

/** Reference hashes with more postings than this say too little and are dropped. */
const postingLimit = 100;
const binLimit = 10_000_000;
const minVotes = 5;
const minProminence = 5;
const minScore = 0.15;

/**
 * Finds `query` in `reference` by a histogram of the time differences of equal hashes, both of profile `wang-v1`. Never
 * throws on empty or degenerate fingerprints.
 */
export function matchWang(query: Fingerprint, reference: Fingerprint): PairResult {
  const queryCount = query.records.length / 2;
  if (queryCount === 0 || reference.records.length === 0) return miss("no-peaks", queryCount);
  if (!sameFrameRate(query, reference)) return miss("below-threshold", queryCount);
  const index = new HashIndex(reference.records, 2);
  const queryLast = query.records[query.records.length - 1]!;
  const referenceLast = reference.records[reference.records.length - 1]!;
  // Bin 0 is the difference -queryLast; one empty bin on either side spares the box its border cases.
  const bins = queryLast + referenceLast + 3;
  if (bins > binLimit) return miss("budget", queryCount);
  const histogram = new Uint32Array(bins);
  const zero = queryLast + 1;
  forEachVote(
    query.records,
    reference.records,
    index,
    (_, difference) => void histogram[difference + zero]!++,
  );
  const peak = findPlateau(histogram);
  const offsetFrames = peak.at - zero;
  let agreeing = 0;
  let lastRecord = -1;
  forEachVote(query.records, reference.records, index, (record, difference) => {
    if (record === lastRecord || Math.abs(difference - offsetFrames) > 1) return;
    lastRecord = record;
    agreeing++;
  });
  const score = agreeing / queryCount;
  const found = { score, prominence: peak.prominence, votes: peak.height };
  if (peak.height < minVotes || peak.prominence < minProminence || score < minScore) {
    return miss("below-threshold", queryCount, found);
  }
  const offsetMs = Math.round((offsetFrames * query.hopSize * 1000) / query.sampleRate);
  return { matched: true, ...found, queryHashes: queryCount, offsetFrames, offsetMs, tempo: 1 };
}

function forEachVote(
  query: Uint32Array,
  reference: Uint32Array,
  index: HashIndex,
  vote: (queryRecord: number, difference: number) => void,
): void {
  for (let i = 0; i < query.length; i += 2) {
    const hash = query[i]!;
    const start = index.lowerBound(hash);
    const end = index.runEnd(start, hash);
    if (end - start > postingLimit) continue;
    for (let k = start; k < end; k++) {
      vote(i, reference[index.order[k]! * 2 + 1]! - query[i + 1]!);
    }
  }
}

/** The middle of the first highest plateau of sums over three neighbouring bins, and how far it stands out. */
function findPlateau(histogram: Uint32Array): { at: number; height: number; prominence: number } {
  let height = 0;
  let first = 1;
  let last = 1;
  let total = 0;
  for (let i = 1; i + 1 < histogram.length; i++) {
    const sum = histogram[i - 1]! + histogram[i]! + histogram[i + 1]!;
    total += sum;
    if (sum > height) {
      height = sum;
      first = i;
      last = i;
    } else if (sum === height && last === i - 1) last = i;
  }
  const others = Math.max(1, histogram.length - 3);
  const prominence = height / ((total - height) / others + 1);
  return { at: (first + last) >> 1, height, prominence };
}
