import type { Hypothesis, PairList, Profile } from "@longwave/fingerprint";
import type { PostingBatch } from "./posting-batch.ts";
import type { Query } from "./query.ts";
import type { Track } from "./track.ts";

/** The tracks of a catalog by number, as far as a search asks for them. */
export interface TrackDirectory {
  /** Tracks that are enrolled, and the frames of all of them. */
  readonly size: number;
  readonly frames: number;
  /** The track of a number; undefined where it was removed. */
  at(number: number): Track | undefined;
  /** Ids of the tracks with this content, other than `except`. */
  duplicatesOf(contentHash: string, except: string): string[];
  /** The first of each recording in a ranked list: tracks of equal content are one recording. */
  oneOfEachRecording<T extends { readonly track: number }>(ranked: readonly T[]): T[];
}

/**
 * Where a search finds postings and peaks: our own segments ({@link PostingLookup}) or another engine. What is asynchronous comes
 * first (`prepare...`); then the search looks up without waiting.
 */
export interface PostingStore {
  readonly profile: Profile;
  readonly tracks: TrackDirectory;
  /** Postings that the last `load` found. */
  readonly batch: PostingBatch;
  /** Lists that were too long since it was last set to 0. */
  skippedHashes: number;
  /** Postings of the prepared hashes that `load` does not show, because an engine has left out tracks with fewer votes. */
  readonly hiddenPostings: number;
  /** True if a part that was needed is damaged or could not be read. */
  readonly damaged: boolean;
  /** Called before the hypotheses of a stage are tried, for stores that answer them all at once. */
  prepareStage?(query: Query, hypotheses: readonly Hypothesis[], signal?: AbortSignal): Promise<void>;
  /** Makes the lists of hashes available to `load`. */
  prepare(pairs: PairList, signal?: AbortSignal): Promise<void>;
  /** Makes the peaks of tracks available to `peaksOf`. */
  preparePeaks(tracks: readonly number[], signal?: AbortSignal): Promise<void>;
  /** Records of `mark-v1` of a track; undefined where they could not be read. */
  peaksOf(track: number): Uint32Array | undefined;
  /** Loads the list of `hash` without removed tracks into the batch; how many there are, or -1 where it is too long. */
  load(hash: number, limit?: number): number;
  framesToMs(frames: number): number;
}
