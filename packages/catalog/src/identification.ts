import type { ChannelLayout, NoMatchReason } from "@longwave/fingerprint";
import type { Track } from "./track.ts";

/** Sound to identify: mono or interleaved samples at their own rate. */
export interface AudioInput {
  readonly samples: Float32Array;
  readonly sampleRate: number;
  readonly channels?: number;
}

/** A track that may contain the query. */
export interface TrackMatch {
  readonly track: Track;
  /**
   * What the decision rests on. `mark-v1`: the evidence of the verification in nats (log-likelihood ratio) above the level that
   * chance reaches for a query of this length in a catalog of this size, less the handicap of what was tried. Other profiles: contrast with the best other recording, 100 (v - u) / (u + 3) for v votes here and u there.
   */
  readonly score: number;
  /** Probability that a query that is not in the catalog gets an answer this good. */
  readonly pFalse: number;
  /** Query hashes that agree on the alignment. */
  readonly votes: number;
  /** `mark-v1`: peaks of the recording in the query's span, and those of them that the query has too. */
  readonly peaks?: number;
  readonly peakHits?: number;
  /** `mark-v1`: root mean square by which these peaks are early or late against each other, ms. */
  readonly peakSpreadMs?: number;
  readonly queryHashes: number;
  /** The best other recording. */
  readonly runnerUp: { readonly id: string; readonly votes: number } | undefined;
  /** Reference time of the start of the query; positive where the query begins inside the reference. */
  readonly offsetFrames: number;
  readonly offsetMs: number;
  /** First and last moment of the query whose hashes agree, ms from its start. */
  readonly querySpanMs: { readonly start: number; readonly end: number };
  /** The same in the reference. */
  readonly referenceSpanMs: { readonly start: number; readonly end: number };
  /** Tempo of the query relative to the reference; the query lasts 1/tempo of its part of the reference. */
  readonly tempo: number;
  /** Frequency ratio of the query to the reference, and the same in cents. */
  readonly pitch: number;
  readonly pitchCents: number;
  /** The step of the search that decided. */
  readonly stage: "identity" | "speed" | "tempo" | "pitch" | "grid";
  /** Ids of other tracks of the same recording. */
  readonly duplicates: readonly string[];
  /** Pairs (query frame, reference frame) of equal hashes of this track; only with `explain`. */
  readonly scatter?: Int32Array;
}

/** The answer to a query. No match is a normal answer and says why. */
export interface Identification {
  readonly match: TrackMatch | undefined;
  readonly reason: NoMatchReason | undefined;
  /** The best tracks, accepted or not, best first. */
  readonly candidates: readonly TrackMatch[];
  readonly queryHashes: number;
  readonly queryMs: number;
  /** Of the query's hashes, those left out because their lists are too long to tell anything: under the tempo and pitch that lost most. */
  readonly skippedHashes: number;
  /** True if a part of the catalog could not be read, so that a match may be missing. */
  readonly partial: boolean;
  /** Of a catalog in shards: how many were asked, and which of them gave no answer; their tracks were not searched. */
  readonly shards?: { readonly asked: number; readonly missing: readonly MissingShard[] };
  /** With a `layout` other than `mix`: the answer of every lane; the answer itself is that of the best. */
  readonly lanes?: readonly LaneIdentification[];
}

/** A part of a scattered catalog that gave no answer, and why. */
export interface MissingShard {
  readonly shard: string;
  readonly code: string;
  readonly message: string;
}

/** The answer for one of several channels; its probabilities allow for all that were asked. */
export interface LaneIdentification {
  /** `channel 1` and so on, `mid` or `side`. */
  readonly name: string;
  readonly match: TrackMatch | undefined;
  readonly reason: NoMatchReason | undefined;
}

/** Options of `identify`. */
export interface IdentifyOptions {
  /** Accept a match only where `pFalse` is at most this; default 1e-3. */
  readonly maxFalse?: number;
  /** Most candidates returned; default 5. */
  readonly limit?: number;
  /**
   * What is looked up of several channels: their mean (the default), `each` alone, or `mid-side`. A lane that says something
   * else than another is found where the mean hides both.
   */
  readonly layout?: ChannelLayout;
  /** Return the scatter of the best candidate. */
  readonly explain?: boolean;
  readonly signal?: AbortSignal;
}

/** The answer to a query that has nothing to look up. */
export function noAnswer(reason: NoMatchReason): Identification {
  return {
    match: undefined,
    reason,
    candidates: [],
    queryHashes: 0,
    queryMs: 0,
    skippedHashes: 0,
    partial: false,
  };
}
