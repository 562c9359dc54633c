import { crc32c, type ObjectStore } from "@longwave/base";
import { blockLength, type SegmentLayout } from "./segment-format.ts";

/** Blocks read in one request where they lie side by side. */
const maxBlocksPerRead = 64;
/** Reads under way at a time. */
const parallelReads = 8;
const unread = 0;
const good = 1;
const bad = 2;

/** Postings and peaks of a segment, read block by block as they are needed, and each block checked. */
export class SegmentBody {
  /** The body as words, with two words of padding; zeros (which cost no memory until written) where nothing was read. */
  readonly words: Uint32Array;
  readonly bytes: Uint8Array;
  readonly #layout: SegmentLayout;
  readonly #sums: Uint32Array;
  readonly #states: Uint8Array;
  #unreadBlocks: number;
  #badBlocks = 0;

  /** @param sums CRC32C of every block */
  constructor(layout: SegmentLayout, sums: Uint32Array) {
    const length = layout.end - layout.postingsStart;
    this.words = new Uint32Array(Math.ceil(length / 4) + 2);
    this.bytes = new Uint8Array(this.words.buffer, 0, length);
    this.#layout = layout;
    this.#sums = sums;
    this.#states = new Uint8Array(sums.length);
    this.#unreadBlocks = sums.length;
  }

  /** True once every block has been read, whether it was good or not. */
  get isRead(): boolean {
    return this.#unreadBlocks === 0;
  }

  /** True if a block that was needed is damaged or could not be read. */
  get damaged(): boolean {
    return this.#badBlocks > 0;
  }

  /** True if all bytes of `[start, end)` have been read and are good. */
  isGood(start: number, end: number): boolean {
    if (end > this.bytes.length) return false;
    if (this.#unreadBlocks === 0 && this.#badBlocks === 0) return true;
    const last = Math.floor((end - 1) / blockLength);
    for (let block = Math.floor(start / blockLength); block <= last; block++) {
      if (this.#states[block] !== good) return false;
    }
    return true;
  }

  /** Adds the blocks of `[start, end)` that have not been read to `blocks`. */
  want(blocks: Set<number>, start: number, end: number): void {
    if (start >= end || end > this.bytes.length) return;
    const last = Math.floor((end - 1) / blockLength);
    for (let block = Math.floor(start / blockLength); block <= last; block++) {
      if (this.#states[block] === unread) blocks.add(block);
    }
  }

  async read(
    store: ObjectStore | undefined,
    key: string,
    wanted: ReadonlySet<number>,
    signal?: AbortSignal,
  ): Promise<void> {
    const blocks = [...wanted].filter((block) => this.#states[block] === unread).sort((a, b) => a - b);
    const { postingsStart, end } = this.#layout;
    let next = 0;
    const readOn = async () => {
      while (next < blocks.length) {
        const first = blocks[next]!;
        let count = 1;
        while (count < maxBlocksPerRead && blocks[next + count] === first + count) count++;
        next += count;
        const start = postingsStart + first * blockLength;
        const range = { start, end: Math.min(end, start + count * blockLength) };
        this.accept(first, count, await store?.get(key, range, signal));
      }
    };
    await Promise.all(Array.from({ length: parallelReads }, readOn));
  }

  /** Reads all blocks; numbers of the damaged ones. */
  async readAll(store: ObjectStore | undefined, key: string, signal?: AbortSignal): Promise<number[]> {
    await this.read(store, key, new Set(this.#states.keys()), signal);
    return [...this.#states.keys()].filter((block) => this.#states[block] === bad);
  }

  /** Takes `count` blocks, as far as they are there, and checks their sums. */
  accept(first: number, count: number, bytes: Uint8Array | undefined): void {
    for (let block = first; block < first + count; block++) {
      if (this.#states[block] !== unread) continue;
      const at = (block - first) * blockLength;
      const expected = Math.min(blockLength, this.bytes.length - block * blockLength);
      const piece = bytes?.subarray(at, at + expected);
      const isGood = piece?.length === expected && crc32c(piece) === this.#sums[block];
      if (isGood) this.bytes.set(piece, block * blockLength);
      else this.#badBlocks++;
      this.#states[block] = isGood ? good : bad;
      this.#unreadBlocks--;
    }
  }
}
