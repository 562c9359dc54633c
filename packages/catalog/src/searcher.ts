import { type Fingerprint, identity, PairList, type Profile } from "@longwave/fingerprint";
import { type Calibration, defaultCalibrationOf } from "./calibration.ts";
import { ContrastSearch } from "./contrast-search.ts";
import type { Identification, IdentifyOptions } from "./identification.ts";
import type { MemoryIndex } from "./memory-index.ts";
import { PostingLookup } from "./posting-lookup.ts";
import type { Query } from "./query.ts";
import type { Segment } from "./segment.ts";
import type { TrackMetadata } from "./track.ts";
import type { TrackTable } from "./track-table.ts";
import { VerifiedSearch } from "./verified-search.ts";
import type { TrackVotes } from "./vote-table.ts";

/** The searchable state of an open catalog: tracks, postings and the decision. */
export class Searcher {
  readonly #lookup: PostingLookup;
  readonly #byContrast: ContrastSearch;
  readonly #byVerification: VerifiedSearch;
  readonly #pairs = new PairList();

  constructor(profile: Profile, calibration: Calibration = defaultCalibrationOf(profile.id)) {
    this.#lookup = new PostingLookup(profile);
    this.#byContrast = new ContrastSearch(this.#lookup, calibration);
    this.#byVerification = new VerifiedSearch(this.#lookup, calibration);
  }

  get tracks(): TrackTable {
    return this.#lookup.tracks;
  }

  /** Postings that are not in a segment yet. */
  get memory(): MemoryIndex {
    return this.#lookup.memory;
  }

  /** Adds a segment whose tracks get the next numbers; those in `removed` are left out. Before any `add`. */
  addSegment(segment: Segment, removed: ReadonlySet<number>): void {
    this.#lookup.addSegment(segment, removed);
  }

  /** Adds a track, replacing one of the same id. */
  add(metadata: TrackMetadata, fingerprint: Fingerprint): void {
    this.#lookup.add(metadata, fingerprint);
  }

  remove(id: string): void {
    this.tracks.remove(id);
  }

  /** Records of `mark-v1` of a track whose segment has been read; undefined where there are none. */
  peaksOf(track: number): Uint32Array | undefined {
    return this.#lookup.peaksOf(track);
  }

  /** Looks a query up and decides. */
  search(query: Query, options: IdentifyOptions): Promise<Identification> {
    const { verifiable } = query;
    if (verifiable === undefined) return this.#byContrast.search(query, options);
    return this.#byVerification.search(query, verifiable, options);
  }

  /** All tracks that a query aligns with, without a decision, and how much of their time agrees. */
  alignments(query: Query): (TrackVotes & { readonly coveredSeconds: number })[] {
    const found = this.#byContrast.alignments(query);
    const seconds = this.#coveredSeconds(query, found);
    return found.map((each, i) => ({
      track: each.track,
      votes: each.votes,
      offset: each.offset,
      coveredSeconds: seconds[i]!.size,
    }));
  }

  framesToMs(frames: number): number {
    return this.#lookup.framesToMs(frames);
  }

  /** For each alignment the seconds of the query in which at least one hash agrees; every list is read once for all of them. */
  #coveredSeconds(query: Query, found: readonly TrackVotes[]): Set<number>[] {
    const pairs = this.#pairs;
    const { batch, profile } = this.#lookup;
    query.fill(identity, pairs);
    const framesPerSecond = profile.sampleRate / profile.hopSize;
    const seconds = found.map(() => new Set<number>());
    const indexOf = new Map(found.map(({ track }, i) => [track, i]));
    for (let i = 0; i < pairs.count; i++) {
      const postings = this.#lookup.load(pairs.hashes[i]!);
      const frame = pairs.frames[i]!;
      for (let k = 0; k < postings; k++) {
        const index = indexOf.get(batch.tracks[k]!);
        if (index === undefined || Math.abs(batch.frames[k]! - frame - found[index]!.offset) > 1) continue;
        seconds[index]!.add(Math.floor(frame / framesPerSecond));
      }
    }
    return seconds;
  }
}
