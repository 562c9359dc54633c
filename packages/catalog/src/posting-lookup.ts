import type { Fingerprint, Profile } from "@longwave/fingerprint";
import { PairList } from "@longwave/fingerprint";
import { MemoryIndex } from "./memory-index.ts";
import { PostingBatch, type PostingSource } from "./posting-batch.ts";
import type { PostingStore } from "./posting-store.ts";
import { postingsOf } from "./query.ts";
import type { Segment } from "./segment.ts";
import type { TrackMetadata } from "./track.ts";
import { TrackTable } from "./track-table.ts";

/** Lists longer than this say too little for their cost; they are skipped and counted. */
export const longestList = 20_000;

/** The postings and peaks of an open catalog: its segments and what is in memory, without the removed tracks. */
export class PostingLookup implements PostingStore {
  readonly profile: Profile;
  readonly tracks: TrackTable;
  readonly memory: MemoryIndex = new MemoryIndex();
  /** Postings that the last `load` found. */
  readonly batch: PostingBatch = new PostingBatch();
  /** Lists that were too long since it was last set to 0. */
  skippedHashes = 0;
  readonly hiddenPostings = 0;
  readonly #sources: PostingSource[] = [this.memory];
  readonly #pairs = new PairList();

  constructor(profile: Profile) {
    this.profile = profile;
    this.tracks = new TrackTable(profile);
  }

  /** True if a part that was needed is damaged or could not be read. */
  get damaged(): boolean {
    return this.#sources.some((source) => source.damaged);
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
    for (let i = 0; i < pairs.count; i++) this.memory.add(pairs.hashes[i]!, number, pairs.frames[i]!);
    if (fingerprint.profile === "mark-v1") this.memory.addPeaks(number, fingerprint.records);
  }

  /** Makes the lists of hashes available; nothing to do once they are in memory. */
  async prepare(pairs: PairList, signal?: AbortSignal): Promise<void> {
    if (this.#sources.length === 1) return;
    const hashes = pairs.hashes.slice(0, pairs.count).sort();
    await Promise.all(this.#sources.map((source) => source.prepare(hashes, signal)));
  }

  async preparePeaks(tracks: readonly number[], signal?: AbortSignal): Promise<void> {
    await Promise.all(this.#sources.map((source) => source.preparePeaks(tracks, signal)));
  }

  /** Records of `mark-v1` of a track; undefined where they could not be read. */
  peaksOf(track: number): Uint32Array | undefined {
    for (const source of this.#sources) {
      const peaks = source.peaksOf(track);
      if (peaks !== undefined) return peaks;
    }
    return undefined;
  }

  /** Loads the list of `hash` without removed tracks into the batch; how many there are, or -1 where it is too long. */
  load(hash: number, limit: number = longestList): number {
    const { batch, tracks } = this;
    batch.count = 0;
    let total = 0;
    for (const source of this.#sources) {
      total += source.collect(hash, limit, batch);
      if (total > limit) {
        this.skippedHashes++;
        return -1;
      }
    }
    let kept = 0;
    for (let i = 0; i < batch.count; i++) {
      if (tracks.at(batch.tracks[i]!) === undefined) continue;
      batch.tracks[kept] = batch.tracks[i]!;
      batch.frames[kept++] = batch.frames[i]!;
    }
    return kept;
  }

  /** How many postings the list of `hash` has, those of removed tracks included. */
  lengthOf(hash: number): number {
    // A limit that no list keeps: nothing is decoded.
    return this.#sources.reduce((sum, source) => sum + source.collect(hash, -1, this.batch), 0);
  }

  framesToMs(frames: number): number {
    return Math.round((frames * this.profile.hopSize * 1000) / this.profile.sampleRate);
  }
}
