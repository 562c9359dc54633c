import { exactLog2, type Hypothesis, PairList } from "@longwave/fingerprint";
import {
  AlignmentVerifier,
  type Placement,
  type SearchExtent,
  type VerifiedPlacement,
} from "./alignment-verifier.ts";
import { type Calibration, falseProbability } from "./calibration.ts";
import { evidenceAboveChance } from "./chance-evidence.ts";
import { type Identification, type IdentifyOptions, noAnswer, type TrackMatch } from "./identification.ts";
import { fitPlacement } from "./placement-fit.ts";
import type { PostingStore } from "./posting-store.ts";
import type { Query, Stage, Verifiable } from "./query.ts";
import { scatterOf } from "./scatter.ts";
import { VoteSieve } from "./vote-sieve.ts";
import type { TrackVotes } from "./vote-table.ts";

/** Tracks that a stage hands over to verification, and of these as many as may agree better under other factors. */
const verifiedTracks = 20;
const widenedTracks = 12;
/** Fewest votes of an alignment that is worth a verification. */
const leastVotes = 2;
/** Votes that are counted for each hypothesis; a vote takes 9 bytes. */
const voteBudget = { least: 2 ** 20, perSecond: 2 ** 18, most: 2 ** 24 };
/** Nats that chance does not reach at any length: later stages are not tried. */
const decisive = 26;

/** How far from its hypothesis a stage looks: half a step of its grid on either side. */
const extents: Readonly<Record<Stage["name"], SearchExtent>> = {
  identity: { tempo: 0, pitch: 0, frames: 1.5 },
  speed: { tempo: 0.006, pitch: 0.006, frames: 2 },
  tempo: { tempo: 0.006, pitch: 0.004, frames: 2 },
  pitch: { tempo: 0.004, pitch: 0.006, frames: 2 },
  grid: { tempo: 0.03, pitch: 0.032, frames: 4 },
};

const stageHandicaps = { identity: 0, speed: 2.5, tempo: 2.5, pitch: 2.5, grid: 5 };
/** Queries are handicapped for what is beyond 10 s, frames: they have more stretches. */
const unitFrames = 312;

/** Nats by which a placement with free tempo, free pitch or both has to be better than one without. */
const freedom = { one: 2.5, both: 4.5 };

/** The best alignment of a track under one hypothesis. */
interface Voted extends TrackVotes, Hypothesis {
  readonly stage: Stage["name"];
}

/** An alignment that has been verified. */
interface Verified extends VerifiedPlacement {
  readonly track: number;
  readonly votes: number;
  readonly stage: Stage["name"];
  readonly hypothesis: Hypothesis;
  /** Evidence less the handicap of the stage and of the length, nats. */
  readonly worth: number;
  /** How far peaks lie from their moments, frames; known of the best only. */
  readonly spread?: number;
}

/**
 * The search of `mark-v1`: hashes vote for alignments, stage by stage, and the best of each stage are verified against the
 * peaks of the recording. The verification decides; votes only choose what is verified.
 */
export class VerifiedSearch {
  readonly #lookup: PostingStore;
  readonly #calibration: Calibration;
  readonly #votes = new VoteSieve();
  readonly #pairs = new PairList();
  readonly #verifier = new AlignmentVerifier();
  /** Hashes left out under the hypothesis that lost most. */
  #skippedHashes = 0;

  constructor(lookup: PostingStore, calibration: Calibration) {
    this.#lookup = lookup;
    this.#calibration = calibration;
  }

  async search(query: Query, verifiable: Verifiable, options: IdentifyOptions): Promise<Identification> {
    const lookup = this.#lookup;
    if (query.hashes === 0) return { ...noAnswer("no-peaks"), queryMs: query.milliseconds };
    this.#skippedHashes = 0;
    const best = new Map<number, Verified>();
    const kept: Voted[] = [];
    for (const stage of query.stages) {
      options.signal?.throwIfAborted();
      const voted = await this.#vote(query, stage, options.signal);
      await this.#verify(voted, extents[stage.name], stage.name, verifiable, best, options.signal);
      if ([...best.values()].some(({ worth }) => worth >= decisive)) break;
      kept.push(...voted);
      if (stage !== query.stages.at(-1)) continue;
      // Tempo and pitch at once: around what the axes found.
      kept.sort((a, b) => b.votes - a.votes || a.track - b.track);
      await this.#verify(
        kept.slice(0, widenedTracks),
        extents.grid,
        "grid",
        verifiable,
        best,
        options.signal,
      );
    }
    const ranked = [...best.values()].sort((a, b) => b.worth - a.worth || a.track - b.track);
    // The scatter wants the lists of the hypothesis that won, which a later stage has replaced.
    if (options.explain === true && ranked[0] !== undefined) {
      await lookup.prepareStage?.(query, [ranked[0].hypothesis], options.signal);
    }
    return this.#decide(query, verifiable, ranked, options);
  }

  /** The best alignment of each track over the hypotheses of a stage, most votes first. */
  async #vote(query: Query, stage: Stage, signal?: AbortSignal): Promise<Voted[]> {
    const [pairs, votes, lookup] = [this.#pairs, this.#votes, this.#lookup];
    const bestByTrack = new Map<number, Voted>();
    await lookup.prepareStage?.(query, stage.hypotheses, signal);
    for (const hypothesis of stage.hypotheses) {
      query.fill(hypothesis, pairs);
      await lookup.prepare(pairs, signal);
      votes.clear(voteBudgetOf(query));
      lookup.skippedHashes = 0;
      const { batch } = lookup;
      for (let i = 0; i < pairs.count; i++) {
        const found = lookup.load(pairs.hashes[i]!, votes.listLimit);
        if (found > 0) votes.add(batch.tracks, batch.frames, found, pairs.frames[i]!);
      }
      this.#skippedHashes = Math.max(this.#skippedHashes, lookup.skippedHashes + votes.shedLists);
      for (const best of votes.best(verifiedTracks, query.span)) {
        const known = bestByTrack.get(best.track);
        if (best.votes < leastVotes || (known !== undefined && known.votes >= best.votes)) continue;
        bestByTrack.set(best.track, { ...best, ...hypothesis, stage: stage.name });
      }
    }
    const all = [...bestByTrack.values()].sort((a, b) => b.votes - a.votes || a.track - b.track);
    return all.slice(0, verifiedTracks);
  }

  async #verify(
    voted: readonly Voted[],
    extent: SearchExtent,
    stage: Stage["name"],
    verifiable: Verifiable,
    best: Map<number, Verified>,
    signal?: AbortSignal,
  ): Promise<void> {
    if (voted.length === 0) return;
    await this.#lookup.preparePeaks(
      voted.map(({ track }) => track),
      signal,
    );
    this.#verifier.begin(verifiable.evidence());
    for (const { track, votes, tempo, pitch, offset } of voted) {
      const peaks = this.#lookup.peaksOf(track);
      if (peaks === undefined) continue;
      // Votes compare starts of windows, placements their centres, and the query's rows count from its first frame.
      const from = { tempo, pitch, offset: offset + 2 - 2 * tempo + tempo * verifiable.firstFrame };
      const found = this.#verifier.search(peaks, from, extent);
      if (found === undefined) continue;
      const worth = found.evidence - handicapOf(stage, verifiable);
      const known = best.get(track);
      if (known !== undefined && known.worth >= worth) continue;
      best.set(track, { ...found, track, votes, stage, hypothesis: { tempo, pitch }, worth });
    }
  }

  #decide(
    query: Query,
    verifiable: Verifiable,
    ranked: readonly Verified[],
    options: IdentifyOptions,
  ): Identification {
    const { tracks, damaged } = this.#lookup;
    // Another tempo or pitch can make more hashes of the same peaks.
    const skippedHashes = Math.min(query.hashes, this.#skippedHashes);
    const candidates = tracks
      .oneOfEachRecording(ranked)
      .slice(0, options.limit ?? 5)
      .map((candidate, rank) =>
        this.#describe(
          rank === 0 ? this.#polished(candidate, verifiable) : candidate,
          ranked,
          query,
          verifiable,
        ),
      );
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
      const { track, hypothesis } = ranked[0]!;
      candidates[0] = { ...first, scatter: scatterOf(this.#lookup, track, query, hypothesis) };
    }
    if (first.pFalse > (options.maxFalse ?? 1e-3)) return { ...outcome, reason: "below-threshold" };
    return { ...outcome, match: candidates[0], reason: undefined };
  }

  /**
   * The same alignment with offset, tempo and pitch as the sound says them: neighbours of the hypothesis are tried, and simpler
   * explanations are preferred unless a freer one is worth its freedom. The worth stays, so that all scores mean the same.
   */
  #polished(candidate: Verified, verifiable: Verifiable): Verified {
    const peaks = this.#lookup.peaksOf(candidate.track)!;
    const evidence = verifiable.evidence();
    const middle = evidence.rows / (2 * evidence.rowsPerFrame) + 2;
    const place = (tempo: number, pitch: number): Placement => ({
      tempo,
      pitch,
      offset: candidate.offset + (candidate.tempo - tempo) * middle,
    });
    const { tempo: tempoReach, pitch: pitchReach, frames } = extents.grid;
    const { tempo, pitch } = candidate;
    const tries: [Placement, SearchExtent, number][] = [
      [place(tempo, pitch), extents.grid, freedom.both],
      [place(tempo, 1), { tempo: tempoReach, pitch: 0, frames }, freedom.one],
      [place(1, pitch), { tempo: 0, pitch: pitchReach, frames }, freedom.one],
      [place(1, 1), { tempo: 0, pitch: 0, frames }, 0],
    ];
    let best: VerifiedPlacement = candidate;
    let most = Number.NEGATIVE_INFINITY;
    for (const [from, extent, price] of tries) {
      const found = this.#verifier.search(peaks, from, extent);
      if (found === undefined || found.evidence - price <= most) continue;
      best = found;
      most = found.evidence - price;
    }
    return { ...candidate, ...best, ...fitPlacement(evidence, best.hits, best) };
  }

  #describe(
    candidate: Verified,
    ranked: readonly Verified[],
    query: Query,
    { firstFrame }: Verifiable,
  ): TrackMatch {
    const lookup = this.#lookup;
    const { tracks } = lookup;
    const track = tracks.at(candidate.track)!;
    const other = ranked.find((each) => tracks.at(each.track)!.contentHash !== track.contentHash);
    const { tempo, pitch, offset, hits } = candidate;
    const score = evidenceAboveChance(candidate.worth, query.milliseconds / 1000, tracks.frames);
    // Hits are starts of windows; the sound that they stand for lies two frames later.
    const [firstHit, lastHit] = hits.length === 0 ? [0, 0] : [hits[0]!.frame + 2, hits.at(-1)!.frame + 2];
    const ms = (frames: number) => lookup.framesToMs(frames);
    const atStart = offset - tempo * firstFrame;
    return {
      track,
      score,
      pFalse: falseProbability(score, this.#calibration),
      votes: candidate.votes,
      peaks: candidate.peaks,
      peakHits: hits.length,
      ...(candidate.spread !== undefined && { peakSpreadMs: lookup.framesToMs(candidate.spread) }),
      queryHashes: query.hashes,
      runnerUp: other === undefined ? undefined : { id: tracks.at(other.track)!.id, votes: other.votes },
      offsetFrames: Math.round(atStart),
      offsetMs: ms(atStart),
      querySpanMs: { start: ms((firstHit - atStart) / tempo), end: ms((lastHit - atStart) / tempo) },
      referenceSpanMs: { start: ms(firstHit), end: ms(lastHit) },
      tempo,
      pitch: 1 / pitch,
      pitchCents: centsOf(1 / pitch),
      stage: candidate.stage,
      duplicates: tracks.duplicatesOf(track.contentHash, track.id),
    };
  }
}

/**
 * Votes of a hypothesis that are counted, so that a search takes bounded time and memory in a catalog of any size. The queries of
 * 3 to 10 s against 1,000 h of docs/benchmarks.md have fewer; beyond, the longest lists are left out and counted.
 */
function voteBudgetOf({ milliseconds }: Query): number {
  const { least, perSecond, most } = voteBudget;
  return Math.min(most, Math.max(least, Math.ceil((perSecond * milliseconds) / 1000)));
}

/** Nats that an alignment has to show beyond its evidence: later stages try more, and longer queries have more stretches. */
function handicapOf(stage: Stage["name"], verifiable: Verifiable): number {
  const { rows, rowsPerFrame } = verifiable.evidence();
  const length = Math.LN2 * exactLog2(Math.max(1, rows / (rowsPerFrame * unitFrames)));
  return length + stageHandicaps[stage];
}

/** 1200 log2(ratio), to a hundredth of a cent, by the series of the logarithm: ratios here lie within 20 % of 1. */
function centsOf(ratio: number): number {
  const s = (ratio - 1) / (ratio + 1);
  let sum = 0;
  for (let n = 15; n >= 1; n -= 2) sum = sum * s * s + 1 / n;
  return Math.round(((2 * s * sum) / Math.LN2) * 120_000) / 100;
}
