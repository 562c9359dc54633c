import {
  type Fingerprint,
  type Hypothesis,
  identity,
  type NoMatchReason,
  PairList,
  type Profile,
} from "@longwave/fingerprint";
import { type Calibration, defaultCalibration, falseProbability } from "./calibration.ts";
import { chanceOfVotes } from "./chance.ts";
import type { Identification, IdentifyOptions, TrackMatch } from "./identification.ts";
import { MemoryIndex } from "./memory-index.ts";
import { PostingBatch, type PostingSource } from "./posting-batch.ts";
import { postingsOf, type Query, type Stage } from "./query.ts";
import type { Segment } from "./segment.ts";
import type { TrackMetadata } from "./track.ts";
import { TrackTable } from "./track-table.ts";
import { type TrackVotes, VoteTable } from "./vote-table.ts";

/** Lists longer than this say too little for their cost; they are skipped and counted. */
const listLimit = 20_000;
/** Fewer votes are never believed. */
const minVotes = 6;
/** A contrast that needs no further stage; below it all stages are tried, so that scores stay comparable. */
const decisiveScore = 250;
const votedTracks = 64;
/**
 * In a catalog of fewer recordings the best other one says little about chance, so the best other place in the same track
 * is looked at too, unless so many of the query's hashes agree that chance is out of the question (then the other place
 * may well be a repetition).
 */
const fewRecordings = 20;
const awayFrames = 64;
const certainShare = 0.1;

/** The best alignment of a track over all hypotheses tried. */
interface Candidate extends TrackVotes {
  readonly stage: Stage["name"];
  readonly hypothesis: Hypothesis;
  /** How probable so many votes are by chance. */
  readonly chance: number;
  /** Most votes of another place in the same track; 0 where the catalog is large enough to do without. */
  readonly away: number;
}

interface Fit {
  /** First and last frame of the query, in reference time, whose hashes agree. */
  readonly start: number;
  readonly end: number;
  /** reference frame = slope * query frame + offset */
  readonly slope: number;
  readonly offset: number;
}

/** Least extent of the points of a slope: 2 s. */
const fitFrames = 62;

/** The searchable state of an open catalog: tracks, postings and the vote. */
export class Searcher {
  readonly tracks: TrackTable;
  readonly #profile: Profile;
  readonly #calibration: Calibration;
  /** Tracks below this number lie in segments, the others in memory. */
  readonly #memory = new MemoryIndex();
  readonly #sources: PostingSource[] = [this.#memory];
  readonly #votes = new VoteTable();
  readonly #batch = new PostingBatch();
  readonly #pairs = new PairList();
  #skippedHashes = 0;

  constructor(profile: Profile, calibration: Calibration = defaultCalibration) {
    this.#profile = profile;
    this.#calibration = calibration;
    this.tracks = new TrackTable(profile);
  }

  /** Postings that are not in a segment yet. */
  get memory(): MemoryIndex {
    return this.#memory;
  }

  /** Adds a segment whose tracks get the next numbers; those in `removed` are left out. Before any `add`. */
  addSegment(segment: Segment, removed: ReadonlySet<number>): void {
    this.#sources.push(segment);
    for (const [number, track] of segment.tracks.entries()) {
      this.tracks.append(removed.has(number) ? undefined : track);
    }
  }

  /** Adds a track, replacing one of the same id. */
  add(metadata: TrackMetadata, fingerprint: Fingerprint): void {
    const pairs = this.#pairs;
    postingsOf(fingerprint, pairs);
    const number = this.tracks.enroll(metadata, fingerprint, pairs.count);
    for (let i = 0; i < pairs.count; i++) this.#memory.add(pairs.hashes[i]!, number, pairs.frames[i]!);
  }

  remove(id: string): void {
    this.tracks.remove(id);
  }

  /** Tries the query's stages in order until one is significant. */
  async search(query: Query, options: IdentifyOptions): Promise<Identification> {
    if (query.hashes === 0) return { ...noAnswer("no-peaks"), queryMs: query.milliseconds };
    this.#skippedHashes = 0;
    const bestByTrack = new Map<number, Candidate>();
    let answer: Identification | undefined;
    for (const stage of query.stages) {
      options.signal?.throwIfAborted();
      for (const hypothesis of stage.hypotheses) {
        await this.#prepare(query, hypothesis, options.signal);
        this.#vote(query, stage, hypothesis, bestByTrack);
      }
      answer = this.#decide(query, bestByTrack, options);
      if (answer.match !== undefined && answer.match.score >= decisiveScore) break;
    }
    return answer!;
  }

  /** Makes the lists that a hypothesis needs available; nothing to do once they are in memory. */
  async #prepare(query: Query, hypothesis: Hypothesis, signal?: AbortSignal): Promise<void> {
    if (this.#sources.length === 1) return;
    query.fill(hypothesis, this.#pairs);
    const hashes = this.#pairs.hashes.slice(0, this.#pairs.count).sort();
    await Promise.all(this.#sources.map((source) => source.prepare(hashes, signal)));
  }

  /** All tracks that a query aligns with, without a decision, and how much of their time agrees. */
  alignments(query: Query): (TrackVotes & { readonly coveredSeconds: number })[] {
    const bestByTrack = new Map<number, Candidate>();
    this.#vote(query, query.stages[0]!, identity, bestByTrack);
    return [...bestByTrack.values()].map(({ track, votes, offset }) => {
      const coveredSeconds = this.#coveredSeconds(query, track, offset);
      return { track, votes, offset, coveredSeconds };
    });
  }

  framesToMs(frames: number): number {
    return Math.round((frames * this.#profile.hopSize * 1000) / this.#profile.sampleRate);
  }

  /** Seconds of the query in which at least one hash agrees on the alignment. */
  #coveredSeconds(query: Query, track: number, offset: number): number {
    const pairs = this.#pairs;
    query.fill(identity, pairs);
    const framesPerSecond = this.#profile.sampleRate / this.#profile.hopSize;
    const seconds = new Set<number>();
    for (let i = 0; i < pairs.count; i++) {
      const found = this.#postingsOf(pairs.hashes[i]!);
      for (let k = 0; k < found; k++) {
        if (this.#batch.tracks[k] !== track) continue;
        if (Math.abs(this.#batch.frames[k]! - pairs.frames[i]! - offset) > 1) continue;
        seconds.add(Math.floor(pairs.frames[i]! / framesPerSecond));
      }
    }
    return seconds.size;
  }

  #vote(query: Query, stage: Stage, hypothesis: Hypothesis, bestByTrack: Map<number, Candidate>): void {
    const pairs = this.#pairs;
    query.fill(hypothesis, pairs);
    const votes = this.#votes;
    votes.clear();
    let hits = 0;
    for (let i = 0; i < pairs.count; i++) {
      const found = this.#postingsOf(pairs.hashes[i]!);
      if (found < 0) {
        this.#skippedHashes++;
        continue;
      }
      hits += found;
      const frame = pairs.frames[i]!;
      for (let k = 0; k < found; k++) votes.add(this.#batch.tracks[k]!, this.#batch.frames[k]! - frame);
    }
    const queryFrames = Math.ceil(
      (query.milliseconds * this.#profile.sampleRate) / (1000 * this.#profile.hopSize),
    );
    const cells = this.tracks.frames + this.tracks.size * queryFrames;
    for (const best of votes.best(votedTracks, query.span)) {
      const known = bestByTrack.get(best.track);
      if (known !== undefined && known.votes >= best.votes) continue;
      const chance = chanceOfVotes(best.votes, hits, cells);
      const isCertain = best.votes > certainShare * query.hashes;
      const away =
        isCertain || this.tracks.size >= fewRecordings
          ? 0
          : votes.bestAway(best.track, best.offset, awayFrames, query.span);
      bestByTrack.set(best.track, { ...best, stage: stage.name, hypothesis, chance, away });
    }
  }

  #decide(
    query: Query,
    bestByTrack: ReadonlyMap<number, Candidate>,
    options: IdentifyOptions,
  ): Identification {
    const ranked = [...bestByTrack.values()].sort((a, b) => b.votes - a.votes || a.track - b.track);
    const candidates = this.#oneOfEachRecording(ranked)
      .slice(0, options.limit ?? 5)
      .map((candidate, rank) => this.#describe(candidate, ranked, query, rank === 0));
    const outcome = {
      match: undefined,
      candidates,
      queryHashes: query.hashes,
      queryMs: query.milliseconds,
      skippedHashes: this.#skippedHashes,
      partial: this.#sources.some((source) => source.damaged),
    };
    const [first] = candidates;
    if (first === undefined) return { ...outcome, reason: "below-threshold" };
    if (options.explain === true) candidates[0] = { ...first, scatter: this.#scatter(ranked[0]!, query) };
    if (first.votes < minVotes) return { ...outcome, reason: "below-threshold" };
    if (first.pFalse > (options.maxFalse ?? 1e-3)) {
      return { ...outcome, reason: first.votes > 2 * minVotes ? "ambiguous" : "below-threshold" };
    }
    return { ...outcome, match: candidates[0], reason: undefined };
  }

  /** Loads the list of `hash` without removed tracks into the batch; -1 where it is too long. */
  #postingsOf(hash: number): number {
    const batch = this.#batch;
    batch.count = 0;
    let total = 0;
    for (const source of this.#sources) {
      total += source.collect(hash, listLimit, batch);
      if (total > listLimit) return -1;
    }
    let kept = 0;
    for (let i = 0; i < batch.count; i++) {
      if (this.tracks.at(batch.tracks[i]!) === undefined) continue;
      batch.tracks[kept] = batch.tracks[i]!;
      batch.frames[kept++] = batch.frames[i]!;
    }
    return kept;
  }

  /** The best track of every recording: tracks of equal content are one recording. */
  #oneOfEachRecording(ranked: readonly Candidate[]): Candidate[] {
    const seen = new Set<string>();
    return ranked.filter(({ track }) => {
      const { contentHash } = this.tracks.at(track)!;
      if (seen.has(contentHash)) return false;
      seen.add(contentHash);
      return true;
    });
  }

  #describe(candidate: Candidate, ranked: readonly Candidate[], query: Query, withSpan: boolean): TrackMatch {
    const track = this.tracks.at(candidate.track)!;
    const isOther = (each: Candidate) => this.tracks.at(each.track)!.contentHash !== track.contentHash;
    const other = ranked.find(isOther);
    const otherVotes = other?.votes ?? 0;
    const background = Math.max(otherVotes, candidate.away);
    const score = (100 * (candidate.votes - background)) / (background + 3);
    const { hopSize, sampleRate } = this.#profile;
    const { tempo, pitch } = candidate.hypothesis;
    const fit = withSpan
      ? this.#fit(candidate, query)
      : { start: 0, end: 0, slope: 1, offset: candidate.offset };
    const ms = (frames: number) => Math.round((frames * hopSize * 1000) / sampleRate);
    return {
      track,
      score,
      pFalse: Math.max(candidate.chance, falseProbability(score, this.#calibration)),
      votes: candidate.votes,
      queryHashes: query.hashes,
      runnerUp: other === undefined ? undefined : { id: this.tracks.at(other.track)!.id, votes: otherVotes },
      offsetFrames: candidate.offset,
      offsetMs: ms(fit.offset),
      querySpanMs: { start: ms(fit.start / tempo), end: ms(fit.end / tempo) },
      referenceSpanMs: {
        start: ms(fit.start * fit.slope + fit.offset),
        end: ms(fit.end * fit.slope + fit.offset),
      },
      tempo: tempo * fit.slope,
      pitch: 1 / pitch,
      pitchCents: centsOf(1 / pitch),
      stage: candidate.stage,
      duplicates: this.tracks.duplicatesOf(track.contentHash, track.id),
    };
  }

  /**
   * The line through the (query, reference) frames whose hashes agree, by least squares: it is finer than a frame, and its
   * slope corrects the tempo of the hypothesis. Also the span of the query (in reference time) that agrees.
   */
  #fit(candidate: Candidate, query: Query): Fit {
    const pairs = this.#pairs;
    query.fill(candidate.hypothesis, pairs);
    const fit = {
      start: Number.POSITIVE_INFINITY,
      end: Number.NEGATIVE_INFINITY,
      slope: 1,
      offset: candidate.offset,
    };
    let [n, sumX, sumY, sumXX, sumXY] = [0, 0, 0, 0, 0];
    for (let i = 0; i < pairs.count; i++) {
      const found = this.#postingsOf(pairs.hashes[i]!);
      const frame = pairs.frames[i]!;
      for (let k = 0; k < found; k++) {
        if (this.#batch.tracks[k] !== candidate.track) continue;
        const error = this.#batch.frames[k]! - frame - candidate.offset;
        if (Math.abs(error) > 2) continue;
        fit.start = Math.min(fit.start, frame);
        fit.end = Math.max(fit.end, frame);
        n++;
        sumX += frame;
        sumY += error;
        sumXX += frame * frame;
        sumXY += frame * error;
      }
    }
    if (n === 0) return { ...fit, start: 0, end: 0 };
    const spread = sumXX - (sumX * sumX) / n;
    // A slope needs points that lie apart; else the mean error alone corrects the offset.
    const canTilt = n >= 20 && fit.end - fit.start >= fitFrames && candidate.stage !== "identity";
    const tilt = canTilt ? (sumXY - (sumX * sumY) / n) / spread : 0;
    return { ...fit, slope: 1 + tilt, offset: candidate.offset + (sumY - tilt * sumX) / n };
  }

  #scatter(candidate: Candidate, query: Query): Int32Array {
    const pairs = this.#pairs;
    query.fill(candidate.hypothesis, pairs);
    const points: number[] = [];
    for (let i = 0; i < pairs.count; i++) {
      const found = this.#postingsOf(pairs.hashes[i]!);
      for (let k = 0; k < found; k++) {
        if (this.#batch.tracks[k] === candidate.track) points.push(pairs.frames[i]!, this.#batch.frames[k]!);
      }
    }
    return Int32Array.from(points);
  }
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

/** 1200 log2(ratio), to a hundredth of a cent, by the series of the logarithm: ratios here lie within 20 % of 1. */
function centsOf(ratio: number): number {
  const s = (ratio - 1) / (ratio + 1);
  let sum = 0;
  for (let n = 15; n >= 1; n -= 2) sum = sum * s * s + 1 / n;
  return Math.round(((2 * s * sum) / Math.LN2) * 120_000) / 100;
}
