import { type TrackVotes, VoteTable } from "./vote-table.ts";

/** Fewer votes than this are counted directly. */
const sievedFrom = 1 << 13;
/** Counters: twice as many as votes, within these bounds. One byte each, so that they stay in a processor's cache. */
const leastCounters = 1 << 14;
const mostCounters = 1 << 22;
const fullCounter = 255;
/** The first look takes so many votes for each alignment that is wanted; each further look takes four times as many. */
const firstLook = 64;
const furtherLooks = 4;
/** Lists longer than this say too little for their cost. */
const longestList = 20_000;
/** Among lists as short as this the first are kept. */
const shortestLimit = 4;

/**
 * Finds the best alignments among millions of votes, nearly all of which are chance. A first pass counts votes in small
 * counters that alignments share by hash, so that a counter is never less than the votes of its alignment (a counting Bloom
 * filter with one hash: Fan et al., 2000). Only votes whose counters reach what the best have are counted exactly, in a
 * {@link VoteTable}. The answer is that of counting all; where the best have too few votes for that to be certain, more are
 * counted.
 */
export class VoteSieve {
  #tracks = new Uint32Array(sievedFrom);
  #offsets = new Int32Array(sievedFrom);
  /** For each vote, the most that an alignment with it can have; 255 stands for more. */
  #bounds = new Uint8Array(sievedFrom);
  #counters = new Uint8Array(leastCounters);
  /** How many votes have each bound. */
  readonly #boundCounts = new Uint32Array(fullCounter + 1);
  readonly #table = new VoteTable();
  #budget = 0;
  #count = 0;
  /** Votes of each list that is kept. */
  #lists: number[] = [];
  #listLimit = longestList;
  #shedLists = 0;

  /** Votes that are kept. */
  get count(): number {
    return this.#count;
  }

  /** Lists with more postings than this need not be added; it falls as the budget fills. */
  get listLimit(): number {
    return this.#listLimit;
  }

  /** Lists that were added and left out again, because shorter ones needed their room. */
  get shedLists(): number {
    return this.#shedLists;
  }

  /** @param budget votes that are kept at most */
  clear(budget: number): void {
    this.#budget = budget;
    this.#count = 0;
    this.#lists = [];
    this.#listLimit = longestList;
    this.#shedLists = 0;
  }

  /**
   * Votes of one list: its postings lie at `frames` of `tracks`, the hash of the query at `frame`. Beyond the budget the longest
   * lists are left out, which say least (their inverse document frequency is the lowest), whatever the order of the lists.
   */
  add(tracks: Uint32Array, frames: Uint32Array, count: number, frame: number): void {
    if (count > this.#listLimit) {
      this.#shedLists++;
      return;
    }
    const at = this.#count;
    if (at + count > this.#tracks.length) this.#grow(at + count);
    const [toTracks, toOffsets] = [this.#tracks, this.#offsets];
    for (let i = 0; i < count; i++) {
      toTracks[at + i] = tracks[i]!;
      toOffsets[at + i] = frames[i]! - frame;
    }
    this.#count = at + count;
    this.#lists.push(count);
    while (this.#count > this.#budget && this.#listLimit > shortestLimit) this.#shed();
    if (this.#count <= this.#budget) return;
    this.#count -= this.#lists.pop()!;
    this.#shedLists++;
  }

  /** Leaves the longer half of the lengths of lists out. */
  #shed(): void {
    this.#listLimit = Math.max(shortestLimit, this.#listLimit >> 1);
    const kept: number[] = [];
    let from = 0;
    let to = 0;
    for (const length of this.#lists) {
      if (length <= this.#listLimit) {
        this.#tracks.copyWithin(to, from, from + length);
        this.#offsets.copyWithin(to, from, from + length);
        to += length;
        kept.push(length);
      }
      from += length;
    }
    this.#shedLists += this.#lists.length - kept.length;
    this.#lists = kept;
    this.#count = to;
  }

  /** As {@link VoteTable.best} over all votes. */
  best(limit: number, span: 2 | 3): TrackVotes[] {
    if (this.#count < sievedFrom) return this.#bestFrom(0, limit, span);
    this.#bound(span);
    let wanted = firstLook * limit;
    for (let least = this.#boundOf(wanted); ; least = Math.min(least - 1, this.#boundOf(wanted))) {
      const found = this.#bestFrom(least, limit, span);
      // Whatever was left out has fewer votes than `least`.
      if (least <= 1 || (found.length === limit && found[limit - 1]!.votes >= least)) return found;
      wanted *= furtherLooks;
    }
  }

  /** The best alignments among the votes whose bound is at least `least`. */
  #bestFrom(least: number, limit: number, span: 2 | 3): TrackVotes[] {
    const [tracks, offsets, bounds, table] = [this.#tracks, this.#offsets, this.#bounds, this.#table];
    const all = least <= 1;
    table.clear();
    for (let i = 0; i < this.#count; i++) {
      if (all || bounds[i]! >= least) table.add(tracks[i]!, offsets[i]!);
    }
    return table.best(limit, span);
  }

  /** The largest bound that at least `wanted` votes reach. */
  #boundOf(wanted: number): number {
    let reached = 0;
    for (let bound = fullCounter; bound > 0; bound--) {
      reached += this.#boundCounts[bound]!;
      if (reached >= wanted) return bound;
    }
    return 0;
  }

  /** Counts all votes, and bounds each by the counters of its neighbours. */
  #bound(span: 2 | 3): void {
    const [tracks, offsets, bounds, boundCounts] = [
      this.#tracks,
      this.#offsets,
      this.#bounds,
      this.#boundCounts,
    ];
    const count = this.#count;
    let size = leastCounters;
    while (size < 2 * count && size < mostCounters) size *= 2;
    if (this.#counters.length < size) this.#counters = new Uint8Array(size);
    const counters = this.#counters;
    counters.fill(0, 0, size);
    const mask = size - 1;
    for (let i = 0; i < count; i++) {
      const slot = slotOf(tracks[i]!, offsets[i]!) & mask;
      const counter = counters[slot]!;
      if (counter < fullCounter) counters[slot] = counter + 1;
    }
    boundCounts.fill(0);
    for (let i = 0; i < count; i++) {
      const slot = slotOf(tracks[i]!, offsets[i]!);
      const own = counters[slot & mask]!;
      const before = counters[(slot - 1) & mask]!;
      const after = counters[(slot + 1) & mask]!;
      let most = own + (before > after ? before : after);
      if (span === 3) {
        // Windows of three frames that contain this one.
        const first = before + counters[(slot - 2) & mask]!;
        const last = after + counters[(slot + 2) & mask]!;
        most = own + Math.max(first, before + after, last);
      }
      const bound = most > fullCounter ? fullCounter : most;
      bounds[i] = bound;
      boundCounts[bound]!++;
    }
  }

  #grow(count: number): void {
    const length = Math.max(count, 2 * this.#tracks.length);
    const tracks = new Uint32Array(length);
    const offsets = new Int32Array(length);
    tracks.set(this.#tracks.subarray(0, this.#count));
    offsets.set(this.#offsets.subarray(0, this.#count));
    this.#tracks = tracks;
    this.#offsets = offsets;
    this.#bounds = new Uint8Array(length);
  }
}

/** Neighbouring offsets of a track have neighbouring counters; tracks lie anywhere (the golden ratio times 2^32). */
function slotOf(track: number, offset: number): number {
  return (Math.imul(track + 1, 0x9e3779b1) >>> 4) + offset;
}
