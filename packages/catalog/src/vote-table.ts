/** The best alignment of one track. */
export interface TrackVotes {
  readonly track: number;
  /** Postings that agree on `offset` within a frame on either side. */
  readonly votes: number;
  /** Reference frame minus query frame. */
  readonly offset: number;
}

/** Words of a cell: track, offset, count, and the number of the query that wrote it. Side by side: one cache line. */
const cellWords = 4;
const minimumCells = 1 << 14;

/**
 * Counts votes for (track, time difference) in an open-addressing table that is reused from query to query. Clearing costs
 * nothing: cells carry the number of the query that wrote them.
 */
export class VoteTable {
  #cells = new Int32Array(minimumCells * cellWords);
  #mask = minimumCells - 1;
  #stamp = 0;
  #used = new Uint32Array(minimumCells / 2);
  #usedCount = 0;
  #most = 0;
  /** Per track: where its best alignment stands in `#best...`, valid where the stamp agrees. */
  #trackStamps = new Int32Array(64);
  #trackVotes = new Int32Array(64);
  #trackOwn = new Int32Array(64);
  #trackOffsets = new Int32Array(64);
  #bestStamp = 0;

  /** Cells that hold votes. */
  get cells(): number {
    return this.#usedCount;
  }

  clear(): void {
    this.#usedCount = 0;
    this.#most = 0;
    if (++this.#stamp === 2 ** 31 - 1) {
      this.#cells.fill(0);
      this.#stamp = 1;
    }
  }

  add(track: number, offset: number): void {
    const at = this.#find(track, offset);
    const cells = this.#cells;
    if (cells[at + 3] === this.#stamp) {
      const count = cells[at + 2]! + 1;
      cells[at + 2] = count;
      if (count > this.#most) this.#most = count;
      return;
    }
    cells[at] = track;
    cells[at + 1] = offset;
    cells[at + 2] = 1;
    cells[at + 3] = this.#stamp;
    if (this.#most === 0) this.#most = 1;
    this.#used[this.#usedCount++] = at;
    if (this.#usedCount === this.#used.length) this.#grow();
  }

  /** Votes of one cell. */
  countOf(track: number, offset: number): number {
    const at = this.#find(track, offset);
    return this.#cells[at + 3] === this.#stamp ? this.#cells[at + 2]! : 0;
  }

  /**
   * The best alignment of every track that has votes, most votes first (then lowest track number), at most `limit`. With
   * `span` 2 the votes of the next frame count too, with 3 those of the frames on either side, because the analysis grids
   * of query and reference differ. Where some cell has four votes or more, alignments without a cell of two are left out.
   */
  best(limit: number, span: 2 | 3): TrackVotes[] {
    const least = this.#most >= 4 ? 2 : 1;
    if (++this.#bestStamp === 2 ** 31 - 1) {
      this.#trackStamps.fill(0);
      this.#bestStamp = 1;
    }
    const cells = this.#cells;
    const found: number[] = [];
    for (let i = 0; i < this.#usedCount; i++) {
      const at = this.#used[i]!;
      const own = cells[at + 2]!;
      if (own < least) continue;
      const track = cells[at]! >>> 0;
      const offset = cells[at + 1]!;
      const before = this.countOf(track, offset - 1);
      const after = this.countOf(track, offset + 1);
      if (track >= this.#trackStamps.length) this.#growTracks(track);
      if (this.#trackStamps[track] !== this.#bestStamp) {
        this.#trackStamps[track] = this.#bestStamp;
        this.#trackVotes[track] = 0;
        found.push(track);
      }
      if (span === 3) this.#offer(track, own + before + after, own, offset);
      else {
        this.#offer(track, own + after, own, offset);
        // The cell before may have been left out for its single vote.
        if (before > 0 && before < least) this.#offer(track, before + own, before, offset - 1);
      }
    }
    const all = found.map((track) => ({
      track,
      votes: this.#trackVotes[track]!,
      offset: this.#trackOffsets[track]!,
    }));
    return all.sort((a, b) => b.votes - a.votes || a.track - b.track).slice(0, limit);
  }

  #offer(track: number, votes: number, own: number, offset: number): void {
    const known = this.#trackVotes[track]!;
    if (votes < known) return;
    if (votes === known) {
      const knownOwn = this.#trackOwn[track]!;
      if (own < knownOwn || (own === knownOwn && offset >= this.#trackOffsets[track]!)) return;
    }
    this.#trackVotes[track] = votes;
    this.#trackOwn[track] = own;
    this.#trackOffsets[track] = offset;
  }

  /** Most votes of an alignment of `track` that lies more than `distance` frames from `offset`. */
  bestAway(track: number, offset: number, distance: number, span: 2 | 3): number {
    const cells = this.#cells;
    let best = 0;
    for (let i = 0; i < this.#usedCount; i++) {
      const at = this.#used[i]!;
      const other = cells[at + 1]!;
      if (cells[at]! >>> 0 !== track || Math.abs(other - offset) <= distance) continue;
      const votes =
        cells[at + 2]! + this.countOf(track, other + 1) + (span === 3 ? this.countOf(track, other - 1) : 0);
      best = Math.max(best, votes);
    }
    return best;
  }

  /** Where the cell of an alignment is, or would be. */
  #find(track: number, offset: number): number {
    const cells = this.#cells;
    const mask = this.#mask;
    let slot = Math.imul(track + 1, 0x9e3779b1) ^ Math.imul(offset, 0x85ebca6b);
    slot = (slot ^ (slot >>> 15)) & mask;
    let at = slot * cellWords;
    while (cells[at + 3] === this.#stamp && (cells[at + 1] !== (offset | 0) || cells[at] !== (track | 0))) {
      slot = (slot + 1) & mask;
      at = slot * cellWords;
    }
    return at;
  }

  #grow(): void {
    const [cells, used] = [this.#cells, this.#used];
    this.#cells = new Int32Array(cells.length * 2);
    this.#mask = 2 * this.#mask + 1;
    this.#used = new Uint32Array(used.length * 2);
    for (let i = 0; i < this.#usedCount; i++) {
      const from = used[i]!;
      const at = this.#find(cells[from]!, cells[from + 1]!);
      for (let k = 0; k < cellWords; k++) this.#cells[at + k] = cells[from + k]!;
      this.#used[i] = at;
    }
  }

  #growTracks(track: number): void {
    const length = Math.max(track + 1, 2 * this.#trackStamps.length);
    const larger = (from: Int32Array) => {
      const to = new Int32Array(length);
      to.set(from);
      return to;
    };
    this.#trackStamps = larger(this.#trackStamps);
    this.#trackVotes = larger(this.#trackVotes);
    this.#trackOwn = larger(this.#trackOwn);
    this.#trackOffsets = larger(this.#trackOffsets);
  }
}
