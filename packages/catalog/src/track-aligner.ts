import { longestList, type PostingLookup } from "./posting-lookup.ts";
import { VoteSieve } from "./vote-sieve.ts";

/** How one track lies against another. */
export interface TrackAlignment {
  readonly track: number;
  /** Frame of the other minus frame of this one. */
  readonly offset: number;
  /** Hashes that agree, and the seconds of this track in which at least one does. */
  readonly votes: number;
  readonly coveredSeconds: number;
}

const alignedTracks = 64;
/**
 * Votes that choose the alignments of a track. Music in 1,000 h has fewer for each second of it; one loop over and over has thousands of times
 * more, and as many again for each other track with it.
 */
const voteBudget = { least: 2 ** 20, perSecond: 2 ** 14, most: 2 ** 24 };

/** The places of a hash in the track, `order[from, to)`, and the length of its list in the catalog. */
interface HashPlaces {
  readonly hash: number;
  readonly from: number;
  readonly to: number;
  readonly postings: number;
}

/**
 * Aligns whole tracks with a catalog. Votes choose an alignment for each of the best tracks; then each posting of the track's hashes is
 * looked at once to count what agrees, so that the time is that of reading the lists. Where votes exceed the budget, hashes vote from fewer of
 * their places, evenly along the track, and the hashes with the most votes lose theirs first: counts stay exact, and so does the
 * choice, but for loops that fit at many offsets alike.
 */
export class TrackAligner {
  readonly #lookup: PostingLookup;
  readonly #votes = new VoteSieve();
  /** By track number: its place among the alignments, plus one. */
  #places = new Uint8Array(0);
  /** By frame: the last list that has a hash there, and how often. */
  #marks = new Uint32Array(0);
  #counts = new Uint32Array(0);

  constructor(lookup: PostingLookup) {
    this.#lookup = lookup;
  }

  /**
   * @param records hash and frame of each posting of the track
   * @param isWorth whether a track that has so many votes is worth counting
   */
  align(
    records: readonly number[],
    seconds: number,
    isWorth: (track: number, votes: number) => boolean,
  ): TrackAlignment[] {
    const order = Uint32Array.from({ length: records.length / 2 }, (_, i) => 2 * i).sort(
      (a, b) => records[a]! - records[b]! || records[a + 1]! - records[b + 1]!,
    );
    const frames = order.map((at) => records[at + 1]!);
    const hashes = this.#hashes(records, order);
    const { found, isExact } = this.#choose(hashes, frames, seconds);
    const worth = found.filter(({ track, votes }) => isWorth(track, isExact ? votes : Infinity));
    return worth.length === 0 ? [] : this.#count(worth, hashes, frames);
  }

  #hashes(records: readonly number[], order: Uint32Array): HashPlaces[] {
    const hashes: HashPlaces[] = [];
    for (let from = 0, to = 0; from < order.length; from = to) {
      const hash = records[order[from]!]!;
      while (to < order.length && records[order[to]!] === hash) to++;
      const postings = this.#lookup.lengthOf(hash);
      if (postings > 0 && postings <= longestList) hashes.push({ hash, from, to, postings });
    }
    return hashes;
  }

  #choose(hashes: readonly HashPlaces[], frames: Uint32Array, seconds: number) {
    const [votes, lookup] = [this.#votes, this.#lookup];
    const { least, perSecond, most } = voteBudget;
    const budget = Math.min(most, Math.max(least, Math.ceil(perSecond * seconds)));
    let votesOfHash = Number.POSITIVE_INFINITY;
    const placesOf = ({ from, to, postings }: HashPlaces) =>
      Math.min(to - from, Math.floor(votesOfHash / postings));
    const total = () => hashes.reduce((sum, each) => sum + placesOf(each) * each.postings, 0);
    const isExact = total() <= budget;
    if (!isExact) for (votesOfHash = budget; total() > budget; ) votesOfHash /= 2;
    votes.clear(budget);
    for (const each of hashes) {
      const places = placesOf(each);
      if (places === 0) continue;
      const postings = lookup.load(each.hash);
      // First and last place included: of a loop, only the true offset has all of both tracks.
      const step = (each.to - 1 - each.from) / Math.max(1, places - 1);
      for (let i = 0; i < places && postings > 0; i++) {
        const frame = frames[each.from + Math.floor(i * step)]!;
        votes.add(lookup.batch.tracks, lookup.batch.frames, postings, frame);
      }
    }
    return { found: votes.best(alignedTracks, 3), isExact };
  }

  /** What agrees within a frame on either side, because the analysis grids of two tracks differ. */
  #count(
    chosen: readonly { readonly track: number; readonly offset: number }[],
    hashes: readonly HashPlaces[],
    frames: Uint32Array,
  ): TrackAlignment[] {
    const lookup = this.#lookup;
    const { batch, profile, tracks } = lookup;
    const length = frames.reduce((most, frame) => Math.max(most, frame), 0) + 1;
    if (this.#places.length < tracks.nextNumber) this.#places = new Uint8Array(tracks.nextNumber);
    if (this.#counts.length < length) this.#counts = new Uint32Array(length);
    this.#marks = new Uint32Array(length);
    const [places, marks, counts] = [this.#places, this.#marks, this.#counts];
    const framesPerSecond = profile.sampleRate / profile.hopSize;
    const votes = chosen.map(() => 0);
    const covered = chosen.map(() => new Set<number>());
    for (const [i, { track }] of chosen.entries()) places[track] = i + 1;
    for (const [list, { hash, from, to }] of hashes.entries()) {
      for (let i = from; i < to; i++) {
        const frame = frames[i]!;
        counts[frame] = marks[frame] === list + 1 ? counts[frame]! + 1 : 1;
        marks[frame] = list + 1;
      }
      const postings = lookup.load(hash);
      for (let k = 0; k < postings; k++) {
        const place = places[batch.tracks[k]!]! - 1;
        if (place < 0) continue;
        const middle = batch.frames[k]! - chosen[place]!.offset;
        for (let frame = middle - 1; frame <= middle + 1; frame++) {
          if (marks[frame] !== list + 1) continue;
          votes[place]! += counts[frame]!;
          covered[place]!.add(Math.floor(frame / framesPerSecond));
        }
      }
    }
    for (const { track } of chosen) places[track] = 0;
    return chosen.map(({ track, offset }, i) => ({
      track,
      offset,
      votes: votes[i]!,
      coveredSeconds: covered[i]!.size,
    }));
  }
}
