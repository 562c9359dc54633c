import { type ChunkOverlap, chunkTrailerBytes, nothingShared } from "./chunk-format.ts";

/** Trailer and CRC32C. */
const endBytes = chunkTrailerBytes + 4;

/** A chunk as it lies in its shard; packets are counted in the recording. */
interface PlacedChunk {
  readonly index: number;
  /** The first packet whose bytes are its own, not those of the chunk before. */
  readonly ownFrom: number;
  readonly lastPacket: number;
  readonly end: Uint8Array;
}

/**
 * Remembers how the chunk that was sealed last ends, so that the next one can begin inside it: with the packets of its run-up and
 * the one that straddles the border.
 */
export class ChunkOverlaps {
  readonly #chunksPerShard: number;
  #last: PlacedChunk | undefined;

  constructor(chunksPerShard: number) {
    this.#chunksPerShard = chunksPerShard;
  }

  /**
   * What chunk `index`, which lists packets from `first` on, shares with the one before. Nothing at the start of a shard, and
   * where its run-up begins in front of what that one holds itself.
   */
  of(index: number, first: number): ChunkOverlap {
    const last = this.#last;
    if (last === undefined || last.index !== index - 1 || index % this.#chunksPerShard === 0)
      return nothingShared;
    if (first < last.ownFrom || first > last.lastPacket) return nothingShared;
    return { sharedCount: last.lastPacket - first + 1, between: last.end };
  }

  /** @param stored the chunk as it goes into the shard, its checksum included */
  sealed(index: number, first: number, lastPacket: number, stored: Uint8Array): void {
    const ownFrom = first + this.of(index, first).sharedCount;
    this.#last = { index, ownFrom, lastPacket, end: stored.slice(-endBytes) };
  }
}
