import type { QueryTruth } from "../corpus/corpus.js";
import type { StoredQuery } from "../corpus/query-store.js";

/** A recording that a system names for a query. */
export interface Candidate {
  readonly id: string;
  /** Larger where the system is surer; only its order counts. Thresholds are set on it. */
  readonly confidence: number;
  /** What the system says of the chance of a false accept, where it says so. */
  readonly pFalse?: number;
  readonly offsetMs?: number;
  readonly tempo?: number;
  readonly pitchCents?: number;
  readonly stage?: string;
  readonly score?: number;
}

/** What a system answers to one query. */
export interface Answer {
  /** True if the system itself, with its own rule, calls the first candidate a match. */
  readonly accepted: boolean;
  /** Best first. */
  readonly candidates: readonly Candidate[];
}

/** A query, the truth about it, and what was answered. */
export interface Outcome extends QueryTruth, Answer {
  readonly set: StoredQuery["set"];
  /** Time that the answer took, the mean of those that were asked at once. */
  readonly milliseconds: number;
}

/** One that is asked: a catalog of ours, or a peer. */
export interface RobustnessSystem {
  /** As in `--systems`. */
  readonly name: string;
  /** What it was asked about: recordings, hours, postings. */
  readonly description: string;
  /** One answer for each query, in their order. */
  ask(queries: readonly StoredQuery[]): Answer[] | Promise<Answer[]>;
}
