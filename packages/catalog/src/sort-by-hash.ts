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

/** Sorted postings, and whether the places of each hash ascend because those of all postings did before. */
export interface HashOrder extends SortedPostings {
  readonly isAscending: boolean;
}

const digitBits = 11;
const digits = 2 ** digitBits;
/** From so many postings on they are first dealt into parts that fit into a processor's cache. */
const dealtFrom = 2 ** 17;

/**
 * Sorts postings by hash, stable. Many are dealt by their highest digit first; within each part, or all of them where
 * there are few, the lowest digit comes first, 11 bits a pass (Knuth, volume 3, 5.2.5). Only the dealing reaches across
 * the whole memory. Places travel with their hashes, so that no pass gathers.
 * @param starts place of frame 0 of each track, and the end of all
 */
export function sortByHash(columns: PostingColumns, starts: Float64Array, hashBits: number): HashOrder {
  const count = columns.hashes.length;
  const makePlaces = (size: number): Places =>
    starts[starts.length - 1]! < 2 ** 32 ? new Uint32Array(size) : new Float64Array(size);
  const sorted: SortedPostings = { hashes: new Uint32Array(count), places: makePlaces(count) };
  const dealtBits = count < dealtFrom ? 0 : Math.min(digitBits, hashBits);
  const lowBits = hashBits - dealtBits;
  const { ends, isAscending } = deal(columns, starts, sorted, lowBits, dealtBits);
  let largest = 0;
  for (let i = 0, start = 0; i < ends.length; start = ends[i++]!) {
    largest = Math.max(largest, ends[i]! - start);
  }
  const spare: SortedPostings = { hashes: new Uint32Array(largest), places: makePlaces(largest) };
  let start = 0;
  for (const end of ends) {
    sortPart(sorted, start, end, spare, lowBits);
    start = end;
  }
  return { ...sorted, isAscending };
}

/** Sorts entries `[start, end)`, equal above `lowBits`, by what is below. */
function sortPart(all: SortedPostings, start: number, end: number, spare: SortedPostings, lowBits: number) {
  const size = end - start;
  let inSpare = false;
  for (let shift = 0; shift < lowBits; shift += digitBits) {
    if (inSpare) pass(spare, 0, size, all, start, shift, lowBits);
    else pass(all, start, end, spare, 0, shift, lowBits);
    inSpare = !inSpare;
  }
  if (!inSpare) return;
  all.hashes.set(spare.hashes.subarray(0, size), start);
  all.places.set(spare.places.subarray(0, size), start);
}

/** Writes hashes and places in order of the hashes' bits above `lowBits`; gives the end of each part. */
function deal(
  { hashes, tracks, frames }: PostingColumns,
  starts: Float64Array,
  to: SortedPostings,
  lowBits: number,
  dealtBits: number,
): { ends: Uint32Array; isAscending: boolean } {
  const ends = new Uint32Array(2 ** dealtBits);
  const [toHashes, toPlaces] = [to.hashes, to.places];
  const count = hashes.length;
  let last = 0;
  let isAscending = true;
  if (dealtBits === 0) {
    toHashes.set(hashes);
    for (let i = 0; i < count; i++) {
      const place = starts[tracks[i]!]! + frames[i]!;
      if (place < last) isAscending = false;
      last = place;
      toPlaces[i] = place;
    }
    ends[0] = count;
    return { ends, isAscending };
  }
  for (let i = 0; i < count; i++) ends[hashes[i]! >>> lowBits]!++;
  becomeStarts(ends);
  for (let i = 0; i < count; i++) {
    const hash = hashes[i]!;
    const place = starts[tracks[i]!]! + frames[i]!;
    if (place < last) isAscending = false;
    last = place;
    const at = ends[hash >>> lowBits]!++;
    toHashes[at] = hash;
    toPlaces[at] = place;
  }
  return { ends, isAscending };
}

const sizes = new Uint32Array(digits);

/** Moves entries `[start, end)` of `from`, in order of the digit at `shift` as far as it lies below `lowBits`, to `to[at...]`. */
function pass(
  from: SortedPostings,
  start: number,
  end: number,
  to: SortedPostings,
  at: number,
  shift: number,
  lowBits: number,
): void {
  const { hashes, places } = from;
  const { hashes: toHashes, places: toPlaces } = to;
  const mask = 2 ** Math.min(digitBits, lowBits - shift) - 1;
  const next = sizes;
  next.fill(0);
  for (let i = start; i < end; i++) next[(hashes[i]! >>> shift) & mask]!++;
  becomeStarts(next);
  for (let i = start; i < end; i++) {
    const hash = hashes[i]!;
    const place = at + next[(hash >>> shift) & mask]!++;
    toHashes[place] = hash;
    toPlaces[place] = places[i]!;
  }
}

/** Numbers of entries become the places where each digit's first goes. */
function becomeStarts(sizes: Uint32Array): void {
  let sum = 0;
  for (let digit = 0; digit < sizes.length; digit++) {
    const size = sizes[digit]!;
    sizes[digit] = sum;
    sum += size;
  }
}
