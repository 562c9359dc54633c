import type { Fingerprint, Profile } from "@longwave/fingerprint";
import { type Calibration, defaultCalibrationOf } from "./calibration.ts";
import { ContrastSearch } from "./contrast-search.ts";
import type { Identification, IdentifyOptions } from "./identification.ts";
import type { MemoryIndex } from "./memory-index.ts";
import { PostingLookup } from "./posting-lookup.ts";
import type { Query } from "./query.ts";
import type { Segment } from "./segment.ts";
import type { TrackMetadata } from "./track.ts";
import { TrackAligner } from "./track-aligner.ts";
import type { TrackTable } from "./track-table.ts";
import { VerifiedSearch } from "./verified-search.ts";

/** The searchable state of an open catalog: tracks, postings and the decision. */
export class Searcher {
  readonly #lookup: PostingLookup;
  readonly #byContrast: ContrastSearch;
  readonly #byVerification: VerifiedSearch;

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

  /** How whole tracks lie against each other. */
  aligner(): TrackAligner {
    return new TrackAligner(this.#lookup);
  }

  framesToMs(frames: number): number {
    return this.#lookup.framesToMs(frames);
  }
}
