import type { Fingerprint } from "./fingerprint.ts";

/** Why two recordings, or a query and a catalog, do not match. */
export type NoMatchReason = "silence" | "too-short" | "no-peaks" | "below-threshold" | "ambiguous" | "budget";

/** The query was found in the reference. */
export interface PairMatch {
  readonly matched: true;
  /** Rule of the profile, higher is better; share of the query that agrees. */
  readonly score: number;
  /** How far the best alignment stands out of the others. */
  readonly prominence: number;
  /** Query hashes that agree on the alignment. */
  readonly votes: number;
  readonly queryHashes: number;
  /** Reference time of the query's first frame; positive where the query begins inside the reference. */
  readonly offsetFrames: number;
  readonly offsetMs: number;
  /** Tempo of the query relative to the reference; the query lasts 1/tempo of its part of the reference. */
  readonly tempo: number;
}

/** The query was not found; a normal answer. */
export interface PairMiss {
  readonly matched: false;
  readonly reason: NoMatchReason;
  readonly score: number;
  readonly prominence: number;
  readonly votes: number;
  readonly queryHashes: number;
}

export type PairResult = PairMatch | PairMiss;

/** A miss with what was found. */
export function miss(reason: NoMatchReason, queryHashes: number, found: Partial<PairMiss> = {}): PairMiss {
  return { matched: false, reason, score: 0, prominence: 0, votes: 0, queryHashes, ...found };
}

/** True if the frame rates agree to a thousandth, so that frames can be compared. */
export function sameFrameRate(a: Fingerprint, b: Fingerprint): boolean {
  const left = a.sampleRate * b.hopSize;
  const right = b.sampleRate * a.hopSize;
  return Math.abs(left - right) <= 1e-3 * Math.max(left, right);
}
