import type { Fingerprint } from "./fingerprint.ts";
import { HashIndex } from "./hash-index.ts";
import { miss, type PairResult, sameFrameRate } from "./pair-match.ts";

const postingLimit = 100;
const slowest = 0.8;
const fastest = 1.25;
const scaleBins = 24;
const binWidth = (fastest - slowest) / scaleBins;
const minVotes = 5;
const minProminence = 5;
const minScore = 0.15;
const inlierFrames = 2;
const maxTries = 128;
const cellLimit = 10_000_000;

/** An agreement of a hash: anchor frames in query and reference, and the ratio of the spans of their triplets. */
interface Pair {
  readonly record: number;
  readonly query: number;
  readonly reference: number;
  readonly scale: number;
}

/**
 * Finds `query` in `reference`, both of profile `panako-v2`, by votes for (time scale, offset), then by the line through
 * most of them. Never throws on empty or degenerate fingerprints.
 */
export function matchPanako(query: Fingerprint, reference: Fingerprint): PairResult {
  const queryHashes = query.records.length / 4;
  if (queryHashes === 0 || reference.records.length === 0) return miss("no-peaks", queryHashes);
  if (!sameFrameRate(query, reference)) return miss("below-threshold", queryHashes);
  const pairs = agreements(query.records, reference.records);
  const peak = bestCell(pairs);
  if (peak === undefined) return miss("below-threshold", queryHashes);
  const found = { prominence: peak.prominence, votes: peak.votes };
  if (peak.votes < minVotes || peak.prominence < minProminence)
    return miss("below-threshold", queryHashes, found);
  const line = bestLine(peak.pairs);
  const score = line.inliers / queryHashes;
  if (score < minScore) return miss("below-threshold", queryHashes, { ...found, score });
  const offsetMs = Math.round((line.offset * query.hopSize * 1000) / query.sampleRate);
  return {
    matched: true,
    score,
    ...found,
    queryHashes,
    offsetFrames: Math.round(line.offset),
    offsetMs,
    tempo: Math.min(2, Math.max(0.5, line.scale)),
  };
}

function agreements(query: Uint32Array, reference: Uint32Array): Pair[] {
  const index = new HashIndex(reference, 4);
  const pairs: Pair[] = [];
  for (let i = 0; i < query.length; i += 4) {
    const hash = query[i]!;
    const start = index.lowerBound(hash);
    const end = index.runEnd(start, hash);
    if (end - start > postingLimit) continue;
    const querySpan = Math.max(1, query[i + 3]! - query[i + 1]!);
    for (let k = start; k < end; k++) {
      const at = index.order[k]! * 4;
      const scale = (reference[at + 3]! - reference[at + 1]!) / querySpan;
      if (scale < slowest - binWidth / 2 || scale > fastest + binWidth / 2) continue;
      pairs.push({ record: i, query: query[i + 1]!, reference: reference[at + 1]!, scale });
    }
  }
  return pairs;
}

function scaleBin(scale: number): number {
  return Math.min(scaleBins - 1, Math.max(0, Math.floor((scale - slowest) / binWidth)));
}

/** The cell (with its neighbours in scale and offset) that most pairs fall into. */
function bestCell(pairs: readonly Pair[]): { votes: number; prominence: number; pairs: Pair[] } | undefined {
  if (pairs.length === 0) return undefined;
  const offsets = pairs.map(({ query, reference, scale }) => Math.round(reference - scale * query));
  const lowest = offsets.reduce((least, offset) => Math.min(least, offset), Number.POSITIVE_INFINITY) - 1;
  const width =
    offsets.reduce((most, offset) => Math.max(most, offset), Number.NEGATIVE_INFINITY) + 2 - lowest;
  if (width * scaleBins > cellLimit) return undefined;
  const cells = new Uint32Array((scaleBins + 2) * width);
  const cellOf = (i: number) => (scaleBin(pairs[i]!.scale) + 1) * width + offsets[i]! - lowest;
  for (let i = 0; i < pairs.length; i++) cells[cellOf(i)]!++;
  let [votes, best] = [0, 0];
  for (let i = 0; i < pairs.length; i++) {
    const cell = cellOf(i);
    let sum = 0;
    for (const row of [-width, 0, width]) for (let d = -1; d <= 1; d++) sum += cells[cell + row + d]!;
    if (sum > votes || (sum === votes && cell < best)) [votes, best] = [sum, cell];
  }
  const near = (i: number) => {
    const rows = Math.abs(Math.floor(cellOf(i) / width) - Math.floor(best / width));
    return rows <= 1 && Math.abs((cellOf(i) % width) - (best % width)) <= 1;
  };
  const others = (pairs.length * 9 - votes) / (scaleBins * width);
  return { votes, prominence: votes / (Math.max(0, others) + 1), pairs: pairs.filter((_, i) => near(i)) };
}

/** The line reference = scale * query + offset with most inliers, by random pairs of anchors (RANSAC), seeded. */
function bestLine(pairs: readonly Pair[]): { scale: number; offset: number; inliers: number } {
  let state = (Math.imul(pairs.length, 2_654_435_761) | 1) >>> 0;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % pairs.length;
  };
  const first = pairs[0]!;
  let best = { scale: 1, offset: first.reference - first.query, inliers: 0 };
  const consider = (scale: number, offset: number) => {
    const records = new Set<number>();
    for (const pair of pairs) {
      if (Math.abs(pair.reference - scale * pair.query - offset) <= inlierFrames) records.add(pair.record);
    }
    if (records.size > best.inliers) best = { scale, offset, inliers: records.size };
  };
  consider(best.scale, best.offset);
  const tries = Math.min(maxTries, 4 * pairs.length);
  for (let i = 0; i < tries; i++) {
    const [a, b] = [pairs[next()]!, pairs[next()]!];
    if (a.query === b.query) continue;
    const scale = (b.reference - a.reference) / (b.query - a.query);
    if (scale >= slowest && scale <= fastest) consider(scale, a.reference - scale * a.query);
  }
  return best;
}
