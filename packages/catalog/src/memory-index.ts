import { roundedPeaks } from "./peak-codec.ts";
import type { PostingBatch, PostingSource } from "./posting-batch.ts";
import type { PostingColumns } from "./sort-by-hash.ts";

const minimumSlots = 1024;

/**
 * The postings that are not in a segment yet: an open-addressing table from hash to a chain of postings, all in typed
 * arrays that double when full.
 */
export class MemoryIndex implements PostingSource {
  readonly damaged = false;
  #slotHashes = new Uint32Array(minimumSlots);
  /** Index of the newest posting of the slot's hash, or -1. */
  #slotHeads = new Int32Array(minimumSlots).fill(-1);
  #slotCounts = new Uint32Array(minimumSlots);
  #usedSlots = 0;
  #next = new Int32Array(minimumSlots);
  #hashes = new Uint32Array(minimumSlots);
  #tracks = new Uint32Array(minimumSlots);
  #frames = new Uint32Array(minimumSlots);
  #count = 0;
  readonly #peaks = new Map<number, Uint32Array>();

  /** Postings held. */
  get postings(): number {
    return this.#count;
  }

  add(hash: number, track: number, frame: number): void {
    if (this.#count === this.#tracks.length) this.#growPostings();
    if (this.#usedSlots * 2 >= this.#slotHashes.length) this.#growSlots();
    const slot = this.#slotOf(hash);
    if (this.#slotHeads[slot]! < 0) {
      this.#slotHashes[slot] = hash;
      this.#usedSlots++;
    }
    this.#hashes[this.#count] = hash;
    this.#tracks[this.#count] = track;
    this.#frames[this.#count] = frame;
    this.#next[this.#count] = this.#slotHeads[slot]!;
    this.#slotHeads[slot] = this.#count++;
    this.#slotCounts[slot]!++;
  }

  /** Keeps the peaks of a track, as a segment would. */
  addPeaks(track: number, records: Uint32Array): void {
    this.#peaks.set(track, roundedPeaks(records));
  }

  async prepare(): Promise<void> {}

  async preparePeaks(): Promise<void> {}

  peaksOf(track: number): Uint32Array | undefined {
    return this.#peaks.get(track);
  }

  /** All postings in the order in which they were added. */
  columns(): PostingColumns {
    const part = (array: Uint32Array) => array.subarray(0, this.#count);
    return { hashes: part(this.#hashes), tracks: part(this.#tracks), frames: part(this.#frames) };
  }

  collect(hash: number, limit: number, into: PostingBatch): number {
    const slot = this.#slotOf(hash);
    const count = this.#slotHeads[slot]! < 0 ? 0 : this.#slotCounts[slot]!;
    if (count > limit) return count;
    for (let at = this.#slotHeads[slot]!; at >= 0; at = this.#next[at]!) {
      into.add(this.#tracks[at]!, this.#frames[at]!);
    }
    return count;
  }

  #slotOf(hash: number): number {
    const mask = this.#slotHashes.length - 1;
    // Fibonacci hashing: the golden ratio times 2^32.
    let slot = (Math.imul(hash, 0x9e3779b1) >>> 7) & mask;
    while (this.#slotHeads[slot]! >= 0 && this.#slotHashes[slot] !== hash) slot = (slot + 1) & mask;
    return slot;
  }

  #growSlots(): void {
    const [hashes, heads, counts] = [this.#slotHashes, this.#slotHeads, this.#slotCounts];
    this.#slotHashes = new Uint32Array(hashes.length * 2);
    this.#slotHeads = new Int32Array(hashes.length * 2).fill(-1);
    this.#slotCounts = new Uint32Array(hashes.length * 2);
    for (let i = 0; i < hashes.length; i++) {
      if (heads[i]! < 0) continue;
      const slot = this.#slotOf(hashes[i]!);
      this.#slotHashes[slot] = hashes[i]!;
      this.#slotHeads[slot] = heads[i]!;
      this.#slotCounts[slot] = counts[i]!;
    }
  }

  #growPostings(): void {
    const larger = <T extends Uint32Array | Int32Array>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    this.#next = larger(this.#next, new Int32Array(this.#next.length * 2));
    this.#hashes = larger(this.#hashes, new Uint32Array(this.#hashes.length * 2));
    this.#tracks = larger(this.#tracks, new Uint32Array(this.#tracks.length * 2));
    this.#frames = larger(this.#frames, new Uint32Array(this.#frames.length * 2));
  }
}
