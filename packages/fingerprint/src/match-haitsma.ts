import type { Fingerprint } from "./fingerprint.ts";
import { miss, type PairResult, sameFrameRate } from "./pair-match.ts";

/** Shortest overlap, in frames, on which a bit error rate means something: 3.3 s. */
const leastOverlap = 256;
const mostErrors = 0.35;
/** A reference longer than this is searched at the places where words are equal, a shorter one everywhere. */
const exhaustiveFrames = 512;
/** Candidates compared in full; the places hit by most equal words come first. */
const maxCandidates = 4096;
const sampledDifferences = 40;

/**
 * Finds `query` in `reference` by the smallest bit error rate over all overlaps, both of profile `haitsma-v1`. Never throws on
 * empty or degenerate fingerprints.
 */
export function matchHaitsma(query: Fingerprint, reference: Fingerprint): PairResult {
  const a = wordsOf(query);
  const b = wordsOf(reference);
  if (a.length === 0 || b.length === 0) return miss("no-peaks", a.length);
  if (!sameFrameRate(query, reference)) return miss("below-threshold", a.length);
  if (Math.min(a.length, b.length) < leastOverlap) return miss("too-short", a.length);
  if (isConstant(a)) return miss("silence", a.length);
  const candidates = b.length > exhaustiveFrames ? candidatesByWords(a, b) : allDifferences(a, b);
  let [bestRate, bestDifference, bestBits] = [1, 0, 0];
  for (const difference of candidates) {
    const { rate, frames } = errorRate(a, b, difference, bestRate);
    if (frames < leastOverlap || rate >= bestRate) continue;
    [bestRate, bestDifference, bestBits] = [rate, difference, frames];
  }
  const found = {
    score: 1 - bestRate,
    prominence: typicalRate(a, b) / Math.max(bestRate, 1 / 32 / leastOverlap),
    votes: bestBits,
  };
  if (bestRate > mostErrors) return miss("below-threshold", a.length, found);
  const offsetMs = Math.round((bestDifference * query.hopSize * 1000) / query.sampleRate);
  return { matched: true, ...found, queryHashes: a.length, offsetFrames: bestDifference, offsetMs, tempo: 1 };
}

function wordsOf(fingerprint: Fingerprint): Uint32Array {
  const { records, recordWords } = fingerprint;
  return Uint32Array.from({ length: records.length / recordWords }, (_, i) => records[i * recordWords]!);
}

function isConstant(words: Uint32Array): boolean {
  return words.every((word) => word === words[0]);
}

/** Differences (reference frame minus query frame) with enough overlap. */
function* allDifferences(a: Uint32Array, b: Uint32Array): Generator<number> {
  for (let d = leastOverlap - a.length; d <= b.length - leastOverlap; d++) yield d;
}

/** Differences at which words are equal, or equal but for one bit, most frequent first. */
function candidatesByWords(a: Uint32Array, b: Uint32Array): number[] {
  const places = new Map<number, number[]>();
  for (const [i, word] of b.entries()) {
    const list = places.get(word);
    if (list === undefined) places.set(word, [i]);
    else if (list.length < 100) list.push(i);
  }
  const hits = new Map<number, number>();
  const vote = (word: number, i: number) => {
    for (const place of places.get(word) ?? []) hits.set(place - i, (hits.get(place - i) ?? 0) + 1);
  };
  for (const [i, word] of a.entries()) {
    vote(word, i);
    for (let bit = 0; bit < 32; bit++) vote((word ^ (1 << bit)) >>> 0, i);
  }
  return [...hits]
    .sort((x, y) => y[1] - x[1] || x[0] - y[0])
    .slice(0, maxCandidates)
    .map(([difference]) => difference);
}

/** Share of differing bits over the overlap; stops early, with a rate of 1, once `bound` cannot be reached any more. */
function errorRate(
  a: Uint32Array,
  b: Uint32Array,
  difference: number,
  bound: number,
): { rate: number; frames: number } {
  const start = Math.max(0, -difference);
  const end = Math.min(a.length, b.length - difference);
  const frames = end - start;
  if (frames < leastOverlap) return { rate: 1, frames };
  const mostBits = bound * frames * 32;
  let bits = 0;
  for (let i = start; i < end; i++) {
    bits += populationCount(a[i]! ^ b[i + difference]!);
    if (bits > mostBits) return { rate: 1, frames };
  }
  return { rate: bits / (frames * 32), frames };
}

/** Median error rate of places spread over all differences: what chance looks like here. */
function typicalRate(a: Uint32Array, b: Uint32Array): number {
  const first = leastOverlap - a.length;
  const span = b.length - leastOverlap - first;
  const rates: number[] = [];
  for (let i = 0; i < sampledDifferences; i++) {
    const { rate } = errorRate(a, b, first + Math.floor((span * i) / (sampledDifferences - 1)), 1);
    rates.push(rate);
  }
  return rates.sort((x, y) => x - y)[sampledDifferences >> 1]!;
}

function populationCount(word: number): number {
  let x = word - ((word >>> 1) & 0x5555_5555);
  x = (x & 0x3333_3333) + ((x >>> 2) & 0x3333_3333);
  return Math.imul((x + (x >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}
