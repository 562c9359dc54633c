/** Postings in order of (track, frame), one entry of each array a posting. */
export interface PostingColumns {
  readonly hashes: Uint32Array;
  readonly tracks: Uint32Array;
  readonly frames: Uint32Array;
}

/** Places of postings: u32 where all of a segment's fit, else f64. */
export type Places = Uint32Array | Float64Array;

/** Hashes in ascending order with the places of their postings. */
export interface SortedPostings {
  readonly hashes: Uint32Array;
  readonly places: Places;
}

const digitBits = 11;

/**
 * Sorts postings by hash, stable: least significant digit first, 11 bits a pass (Knuth, volume 3, 5.2.5). Places travel with
 * their hashes, so that no pass gathers.
 * @param starts place of frame 0 of each track, and the end of all
 */
export function sortByHash(columns: PostingColumns, starts: Float64Array, hashBits: number): SortedPostings {
  const { hashes: unsorted, tracks, frames } = columns;
  const count = unsorted.length;
  const makePlaces = (): Places =>
    starts[starts.length - 1]! < 2 ** 32 ? new Uint32Array(count) : new Float64Array(count);
  let places = makePlaces();
  for (let i = 0; i < count; i++) places[i] = starts[tracks[i]!]! + frames[i]!;
  let hashes: Uint32Array = unsorted;
  let nextHashes: Uint32Array = new Uint32Array(count);
  let nextPlaces = makePlaces();
  const spare = new Uint32Array(count);
  for (let shift = 0; shift < hashBits; shift += digitBits) {
    pass(hashes, places, nextHashes, nextPlaces, shift);
    // The caller's array is only read.
    [hashes, nextHashes] = [nextHashes, hashes === unsorted ? spare : hashes];
    [places, nextPlaces] = [nextPlaces, places];
  }
  return { hashes, places };
}

function pass(hashes: Uint32Array, places: Places, toHashes: Uint32Array, toPlaces: Places, shift: number) {
  const starts = new Uint32Array(2 ** digitBits);
  const mask = 2 ** digitBits - 1;
  const count = hashes.length;
  for (let i = 0; i < count; i++) starts[(hashes[i]! >>> shift) & mask]!++;
  let sum = 0;
  for (let digit = 0; digit < starts.length; digit++) {
    const size = starts[digit]!;
    starts[digit] = sum;
    sum += size;
  }
  for (let i = 0; i < count; i++) {
    const hash = hashes[i]!;
    const to = starts[(hash >>> shift) & mask]!++;
    toHashes[to] = hash;
    toPlaces[to] = places[i]!;
  }
}
