import type { SeekPoint } from "./seek-point.ts";

/** A finished chunk and what it adds to the recording's counts. */
export interface SealedChunk {
  readonly index: number;
  /** As it is stored, its checksum included. */
  readonly stored: Uint8Array;
  /** Bytes at the start of `stored` that end the chunk before in their shard. */
  readonly borrowedBytes: number;
  readonly validFrames: number;
  readonly firstPacket: number;
  /** The first packet that it holds, of its run-ups. */
  readonly firstListed: number;
  readonly firstSample: number;
  readonly seekPoints: readonly SeekPoint[];
  readonly packetBytes: number;
  readonly preRollBytes: number;
  readonly points: number;
  readonly provenPoints: number;
  readonly checkpoints: number;
  readonly maxRunUp: number;
}
