import { durationSeconds, type Fingerprint, type Profile, recordCount } from "@longwave/fingerprint";
import { chanceOfVotes } from "./chance.ts";
import { contentHashOf } from "./content-hash.ts";
import type { Identification, IdentifyOptions, TrackMatch } from "./identification.ts";
import { MemoryIndex } from "./memory-index.ts";
import { PostingBatch } from "./posting-batch.ts";
import type { Track, TrackMetadata } from "./track.ts";
import { type TrackVotes, VoteTable } from "./vote-table.ts";

/** Lists longer than this say too little for their cost; they are skipped and counted. */
const listLimit = 20_000;
const minVotes = 5;
/** Least contrast with the best other recording. */
const minScore = 120;
const votedTracks = 64;

/** The searchable state of an open catalog: tracks, postings and the vote. */
export class Searcher {
  readonly #profile: Profile;
  readonly #index = new MemoryIndex();
  /** By track number; undefined where removed. */
  readonly #tracks: (Track | undefined)[] = [];
  readonly #numberById = new Map<string, number>();
  readonly #votes = new VoteTable();
  readonly #batch = new PostingBatch();
  #postings = 0;
  #totalFrames = 0;

  constructor(profile: Profile) {
    this.#profile = profile;
  }

  get size(): number {
    return this.#numberById.size;
  }

  get postings(): number {
    return this.#postings;
  }

  tracks(): readonly Track[] {
    return this.#tracks.filter((track) => track !== undefined);
  }

  get(id: string): Track | undefined {
    const number = this.#numberById.get(id);
    return number === undefined ? undefined : this.#tracks[number];
  }

  /** Ids of the tracks with this content, other than `except`. */
  duplicatesOf(contentHash: string, except: string): string[] {
    return this.tracks()
      .filter((track) => track.contentHash === contentHash && track.id !== except)
      .map((track) => track.id);
  }

  /** Adds a track, replacing one of the same id. */
  add(metadata: TrackMetadata, fingerprint: Fingerprint): void {
    this.remove(metadata.id);
    const number = this.#tracks.length;
    const { records, recordWords } = fingerprint;
    for (let i = 0; i < records.length; i += recordWords)
      this.#index.add(records[i]!, number, records[i + 1]!);
    const track: Track = {
      ...metadata,
      durationSeconds: durationSeconds(fingerprint),
      hashes: recordCount(fingerprint),
      contentHash: contentHashOf(fingerprint),
    };
    this.#tracks.push(track);
    this.#numberById.set(metadata.id, number);
    this.#postings += track.hashes;
    this.#totalFrames += this.#framesOf(track);
  }

  remove(id: string): void {
    const number = this.#numberById.get(id);
    if (number === undefined) return;
    const track = this.#tracks[number]!;
    this.#numberById.delete(id);
    this.#tracks[number] = undefined;
    this.#postings -= track.hashes;
    this.#totalFrames -= this.#framesOf(track);
  }

  /** Votes over `count` records (hash, frame, ...). */
  async search(
    records: Uint32Array,
    count: number,
    queryMs: number,
    options: IdentifyOptions,
  ): Promise<Identification> {
    const empty = { candidates: [], queryHashes: count, queryMs, skippedHashes: 0, partial: false };
    if (count === 0) return { ...empty, match: undefined, reason: "no-peaks" };
    const words = this.#profile.recordWords;
    await this.#index.prepare();
    options.signal?.throwIfAborted();
    const votes = this.#votes;
    votes.clear();
    let hits = 0;
    let skippedHashes = 0;
    for (let i = 0; i < count; i++) {
      const found = this.#postingsOf(records[i * words]!);
      if (found < 0) {
        skippedHashes++;
        continue;
      }
      hits += found;
      const frame = records[i * words + 1]!;
      for (let k = 0; k < found; k++) votes.add(this.#batch.tracks[k]!, this.#batch.frames[k]! - frame);
    }
    const best = votes.best(votedTracks);
    const queryFrames = Math.ceil((queryMs * this.#profile.sampleRate) / (1000 * this.#profile.hopSize));
    const cells = this.#totalFrames + this.size * queryFrames;
    const limit = options.limit ?? 5;
    const candidates = this.#groups(best)
      .slice(0, limit)
      .map((group) => this.#describe(group, best, count, hits, cells));
    const [first] = candidates;
    const outcome = { ...empty, candidates, skippedHashes };
    if (first === undefined) return { ...outcome, match: undefined, reason: "below-threshold" };
    if (options.explain === true) {
      candidates[0] = { ...first, scatter: this.#scatter(first, records, count) };
    }
    if (first.votes < minVotes || first.pFalse > (options.maxFalse ?? 1e-3)) {
      return { ...outcome, match: undefined, reason: "below-threshold" };
    }
    if (first.score < minScore) return { ...outcome, match: undefined, reason: "ambiguous" };
    return { ...outcome, match: candidates[0], reason: undefined };
  }

  /** Loads the list of `hash` without removed tracks into the batch; -1 where it is too long. */
  #postingsOf(hash: number): number {
    const batch = this.#batch;
    batch.count = 0;
    if (this.#index.collect(hash, listLimit, batch) > listLimit) return -1;
    let kept = 0;
    for (let i = 0; i < batch.count; i++) {
      if (this.#tracks[batch.tracks[i]!] === undefined) continue;
      batch.tracks[kept] = batch.tracks[i]!;
      batch.frames[kept++] = batch.frames[i]!;
    }
    return kept;
  }

  /** The best track of every recording: tracks of equal content are one recording. */
  #groups(best: readonly TrackVotes[]): TrackVotes[] {
    const seen = new Set<string>();
    return best.filter(({ track }) => {
      const { contentHash } = this.#tracks[track]!;
      if (seen.has(contentHash)) return false;
      seen.add(contentHash);
      return true;
    });
  }

  #describe(
    group: TrackVotes,
    best: readonly TrackVotes[],
    queryHashes: number,
    hits: number,
    cells: number,
  ): TrackMatch {
    const track = this.#tracks[group.track]!;
    const other = best.find((each) => this.#tracks[each.track]!.contentHash !== track.contentHash);
    const runnerUpVotes = other?.votes ?? 0;
    const { hopSize, sampleRate } = this.#profile;
    return {
      track,
      score: (100 * (group.votes - runnerUpVotes)) / (runnerUpVotes + 3),
      pFalse: chanceOfVotes(group.votes, hits, cells),
      votes: group.votes,
      queryHashes,
      runnerUp: other === undefined ? undefined : { id: this.#tracks[other.track]!.id, votes: other.votes },
      offsetFrames: group.offset,
      offsetMs: Math.round((group.offset * hopSize * 1000) / sampleRate),
      tempo: 1,
      pitch: 1,
      pitchCents: 0,
      stage: "identity",
      duplicates: this.duplicatesOf(track.contentHash, track.id),
    };
  }

  #scatter(match: TrackMatch, records: Uint32Array, count: number): Int32Array {
    const words = this.#profile.recordWords;
    const number = this.#numberById.get(match.track.id)!;
    const points: number[] = [];
    for (let i = 0; i < count; i++) {
      const found = this.#postingsOf(records[i * words]!);
      for (let k = 0; k < found; k++) {
        if (this.#batch.tracks[k] !== number) continue;
        points.push(records[i * words + 1]!, this.#batch.frames[k]!);
      }
    }
    return Int32Array.from(points);
  }

  #framesOf(track: Track): number {
    return Math.ceil((track.durationSeconds * this.#profile.sampleRate) / this.#profile.hopSize);
  }
}
