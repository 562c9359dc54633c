/** The best alignment of one track. */
export interface TrackVotes {
  readonly track: number;
  /** Postings that agree on `offset` within a frame on either side. */
  readonly votes: number;
  /** Reference frame minus query frame. */
  readonly offset: number;
}

/**
 * Counts votes for (track, time difference) in an open-addressing table that is reused from query to query. Clearing costs
 * nothing: cells carry the number of the query that wrote them.
 */
export class VoteTable {
  #tracks = new Uint32Array(1 << 14);
  #offsets = new Int32Array(1 << 14);
  #counts = new Uint32Array(1 << 14);
  #stamps = new Uint32Array(1 << 14);
  #stamp = 0;
  #used = new Uint32Array(1 << 13);
  #usedCount = 0;

  /** Cells that hold votes. */
  get cells(): number {
    return this.#usedCount;
  }

  clear(): void {
    this.#usedCount = 0;
    if (++this.#stamp === 2 ** 32) {
      this.#stamps.fill(0);
      this.#stamp = 1;
    }
  }

  add(track: number, offset: number): void {
    const slot = this.#slotOf(track, offset);
    if (this.#stamps[slot] === this.#stamp) {
      this.#counts[slot]!++;
      return;
    }
    this.#stamps[slot] = this.#stamp;
    this.#tracks[slot] = track;
    this.#offsets[slot] = offset;
    this.#counts[slot] = 1;
    this.#used[this.#usedCount++] = slot;
    if (this.#usedCount === this.#used.length) this.#grow();
  }

  /** Votes of one cell. */
  countOf(track: number, offset: number): number {
    const slot = this.#slotOf(track, offset);
    return this.#stamps[slot] === this.#stamp ? this.#counts[slot]! : 0;
  }

  /**
   * The best alignment of every track that has votes, most votes first (then lowest track number), at most `limit`. With
   * `span` 2 the votes of the next frame count too, with 3 those of the frames on either side, because the analysis grids
   * of query and reference differ.
   */
  best(limit: number, span: 2 | 3): TrackVotes[] {
    const bestByTrack = new Map<number, TrackVotes & { own: number }>();
    for (let i = 0; i < this.#usedCount; i++) {
      const slot = this.#used[i]!;
      const track = this.#tracks[slot]!;
      const offset = this.#offsets[slot]!;
      const own = this.#counts[slot]!;
      const votes =
        own + this.countOf(track, offset + 1) + (span === 3 ? this.countOf(track, offset - 1) : 0);
      const best = bestByTrack.get(track);
      const better =
        best === undefined ||
        votes > best.votes ||
        (votes === best.votes && (own > best.own || (own === best.own && offset < best.offset)));
      if (better) bestByTrack.set(track, { track, votes, offset, own });
    }
    const all = [...bestByTrack.values()].sort((a, b) => b.votes - a.votes || a.track - b.track);
    return all.slice(0, limit).map(({ track, votes, offset }) => ({ track, votes, offset }));
  }

  /** Most votes of an alignment of `track` that lies more than `distance` frames from `offset`. */
  bestAway(track: number, offset: number, distance: number, span: 2 | 3): number {
    let best = 0;
    for (let i = 0; i < this.#usedCount; i++) {
      const slot = this.#used[i]!;
      const other = this.#offsets[slot]!;
      if (this.#tracks[slot] !== track || Math.abs(other - offset) <= distance) continue;
      const votes =
        this.#counts[slot]! +
        this.countOf(track, other + 1) +
        (span === 3 ? this.countOf(track, other - 1) : 0);
      best = Math.max(best, votes);
    }
    return best;
  }

  #slotOf(track: number, offset: number): number {
    const mask = this.#tracks.length - 1;
    let slot = (Math.imul(track + 1, 0x9e3779b1) ^ Math.imul(offset, 0x85ebca6b)) >>> 0;
    slot = (slot ^ (slot >>> 15)) & mask;
    while (
      this.#stamps[slot] === this.#stamp &&
      (this.#tracks[slot] !== track || this.#offsets[slot] !== offset)
    ) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #grow(): void {
    const [tracks, offsets, counts, used] = [this.#tracks, this.#offsets, this.#counts, this.#used];
    const size = tracks.length * 2;
    this.#tracks = new Uint32Array(size);
    this.#offsets = new Int32Array(size);
    this.#counts = new Uint32Array(size);
    this.#stamps = new Uint32Array(size);
    this.#used = new Uint32Array(size / 2);
    for (let i = 0; i < this.#usedCount; i++) {
      const from = used[i]!;
      const slot = this.#slotOf(tracks[from]!, offsets[from]!);
      this.#stamps[slot] = this.#stamp;
      this.#tracks[slot] = tracks[from]!;
      this.#offsets[slot] = offsets[from]!;
      this.#counts[slot] = counts[from]!;
      this.#used[i] = slot;
    }
  }
}
