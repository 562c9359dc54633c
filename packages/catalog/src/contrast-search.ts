import { identity, PairList } from "@longwave/fingerprint";
import { type Calibration, falseProbability } from "./calibration.ts";
import { chanceOfVotes } from "./chance.ts";
import { type Identification, type IdentifyOptions, noAnswer, type TrackMatch } from "./identification.ts";
import type { PostingStore } from "./posting-store.ts";
import type { Query } from "./query.ts";
import { scatterOf } from "./scatter.ts";
import { type TrackVotes, VoteTable } from "./vote-table.ts";

/** Fewer votes are never believed. */
const minVotes = 6;
const votedTracks = 64;
/**
 * In a catalog of fewer recordings the best other one says little about chance, so the best other place in the same track
 * is looked at too, unless so many of the query's hashes agree that chance is out of the question (then the other place
 * may well be a repetition).
 */
const fewRecordings = 20;
const awayFrames = 64;
const certainShare = 0.1;

/** The best alignment of a track. */
interface Candidate extends TrackVotes {
  /** How probable so many votes are by chance. */
  readonly chance: number;
  /** Most votes of another place in the same track; 0 where the catalog is large enough to do without. */
  readonly away: number;
}

/** The search of the profiles without hypotheses: votes, and contrast with the best other recording. */
export class ContrastSearch {
  readonly #lookup: PostingStore;
  readonly #calibration: Calibration;
  readonly #votes = new VoteTable();
  readonly #pairs = new PairList();

  constructor(lookup: PostingStore, calibration: Calibration) {
    this.#lookup = lookup;
    this.#calibration = calibration;
  }

  async search(query: Query, options: IdentifyOptions): Promise<Identification> {
    const lookup = this.#lookup;
    if (query.hashes === 0) return { ...noAnswer("no-peaks"), queryMs: query.milliseconds };
    lookup.skippedHashes = 0;
    await lookup.prepareStage?.(query, [identity], options.signal);
    query.fill(identity, this.#pairs);
    await lookup.prepare(this.#pairs, options.signal);
    return this.#decide(query, this.#candidates(query), options);
  }

  #candidates(query: Query): Candidate[] {
    const [pairs, votes, lookup] = [this.#pairs, this.#votes, this.#lookup];
    const { batch, tracks } = lookup;
    votes.clear();
    let hits = lookup.hiddenPostings;
    for (let i = 0; i < pairs.count; i++) {
      const found = lookup.load(pairs.hashes[i]!);
      const frame = pairs.frames[i]!;
      for (let k = 0; k < found; k++) votes.add(batch.tracks[k]!, batch.frames[k]! - frame);
      if (found > 0) hits += found;
    }
    const { hopSize, sampleRate } = lookup.profile;
    const queryFrames = Math.ceil((query.milliseconds * sampleRate) / (1000 * hopSize));
    const cells = tracks.frames + tracks.size * queryFrames;
    return votes.best(votedTracks, query.span).map((best) => {
      const isCertain = best.votes > certainShare * query.hashes;
      const away =
        isCertain || tracks.size >= fewRecordings
          ? 0
          : votes.bestAway(best.track, best.offset, awayFrames, query.span);
      return { ...best, chance: chanceOfVotes(best.votes, hits, cells), away };
    });
  }

  #decide(query: Query, ranked: readonly Candidate[], options: IdentifyOptions): Identification {
    const { tracks, skippedHashes, damaged } = this.#lookup;
    const candidates = tracks
      .oneOfEachRecording(ranked)
      .slice(0, options.limit ?? 5)
      .map((candidate, rank) => this.#describe(candidate, ranked, query, rank === 0));
    const outcome = {
      match: undefined,
      candidates,
      queryHashes: query.hashes,
      queryMs: query.milliseconds,
      skippedHashes,
      partial: damaged,
    };
    const [first] = candidates;
    if (first === undefined) return { ...outcome, reason: "below-threshold" };
    if (options.explain === true) {
      candidates[0] = { ...first, scatter: scatterOf(this.#lookup, ranked[0]!.track, query, identity) };
    }
    if (first.votes < minVotes) return { ...outcome, reason: "below-threshold" };
    if (first.pFalse > (options.maxFalse ?? 1e-3)) {
      return { ...outcome, reason: first.votes > 2 * minVotes ? "ambiguous" : "below-threshold" };
    }
    return { ...outcome, match: candidates[0], reason: undefined };
  }

  #describe(candidate: Candidate, ranked: readonly Candidate[], query: Query, withSpan: boolean): TrackMatch {
    const lookup = this.#lookup;
    const { tracks } = lookup;
    const track = tracks.at(candidate.track)!;
    const other = ranked.find((each) => tracks.at(each.track)!.contentHash !== track.contentHash);
    const otherVotes = other?.votes ?? 0;
    const background = Math.max(otherVotes, candidate.away);
    const score = (100 * (candidate.votes - background)) / (background + 3);
    const fit = withSpan ? this.#fit(candidate, query) : { start: 0, end: 0, offset: candidate.offset };
    const ms = (frames: number) => lookup.framesToMs(frames);
    return {
      track,
      score,
      pFalse: Math.max(candidate.chance, falseProbability(score, this.#calibration)),
      votes: candidate.votes,
      queryHashes: query.hashes,
      runnerUp: other === undefined ? undefined : { id: tracks.at(other.track)!.id, votes: otherVotes },
      offsetFrames: candidate.offset,
      offsetMs: ms(fit.offset),
      querySpanMs: { start: ms(fit.start), end: ms(fit.end) },
      referenceSpanMs: { start: ms(fit.start + fit.offset), end: ms(fit.end + fit.offset) },
      tempo: 1,
      pitch: 1,
      pitchCents: 0,
      stage: "identity",
      duplicates: tracks.duplicatesOf(track.contentHash, track.id),
    };
  }

  /** The mean offset of the (query, reference) frames whose hashes agree, and the span of the query that agrees. */
  #fit(candidate: Candidate, query: Query): { start: number; end: number; offset: number } {
    const pairs = this.#pairs;
    const { batch } = this.#lookup;
    query.fill(identity, pairs);
    let [start, end, n, sum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0];
    for (let i = 0; i < pairs.count; i++) {
      const found = this.#lookup.load(pairs.hashes[i]!);
      const frame = pairs.frames[i]!;
      for (let k = 0; k < found; k++) {
        if (batch.tracks[k] !== candidate.track) continue;
        const error = batch.frames[k]! - frame - candidate.offset;
        if (Math.abs(error) > 2) continue;
        start = Math.min(start, frame);
        end = Math.max(end, frame);
        n++;
        sum += error;
      }
    }
    if (n === 0) return { start: 0, end: 0, offset: candidate.offset };
    return { start, end, offset: candidate.offset + sum / n };
  }
}
