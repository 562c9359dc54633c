/** A growing list of postings, reused from query to query. */
export class PostingBatch {
  tracks: Uint32Array = new Uint32Array(256);
  frames: Uint32Array = new Uint32Array(256);
  count = 0;

  add(track: number, frame: number): void {
    if (this.count === this.tracks.length) this.reserve(this.count + 1);
    this.tracks[this.count] = track;
    this.frames[this.count++] = frame;
  }

  /** Makes room for `count` postings in all. */
  reserve(count: number): void {
    if (count <= this.tracks.length) return;
    const capacity = Math.max(count, this.tracks.length * 2);
    const tracks = new Uint32Array(capacity);
    const frames = new Uint32Array(capacity);
    tracks.set(this.tracks.subarray(0, this.count));
    frames.set(this.frames.subarray(0, this.count));
    this.tracks = tracks;
    this.frames = frames;
  }
}

/** Where postings come from: the memory index or a segment. */
export interface PostingSource {
  /** Makes the lists of `hashes` (ascending, distinct) available to `collect`; may read from a store. */
  prepare(hashes: Uint32Array, signal?: AbortSignal): Promise<void>;
  /** Makes the peaks of those of `tracks` that it holds available to `peaksOf`. */
  preparePeaks(tracks: readonly number[], signal?: AbortSignal): Promise<void>;
  /** Records of `mark-v1` of a track; undefined where it does not hold them. */
  peaksOf(track: number): Uint32Array | undefined;
  /** True if a part that was asked for is damaged or could not be read. */
  readonly damaged: boolean;
  /**
   * Appends the postings of `hash` to `into`, or, where there are more than `limit`, appends none.
   * @returns how many postings the list has
   */
  collect(hash: number, limit: number, into: PostingBatch): number;
}
