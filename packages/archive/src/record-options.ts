import type { RecordingInfo, RecordingStart, SourceInfo } from "./recording-info.ts";

/** How a recording is made. */
export interface RecordOptions {
  readonly id?: string;
  readonly channels: 1 | 2;
  /** Length of a chunk in sample frames; default 10 s. Low bit rates want 30 s. */
  readonly chunkFrames?: number;
  /** Default: as many as make an hour. */
  readonly chunksPerShard?: number;
  /** Distance of the seek points; default 1 s. */
  readonly pointFrames?: number;
  /**
   * Longest way in sample frames from a place without proven run-up to a stored decoder state, at least 48,000; default as
   * close as 8 to 9 % of the packets' bytes allow: 2 to 4 s for sustained sound in SILK, 10 s or more where comfort noise runs.
   */
  readonly checkpointFrames?: number;
  readonly source?: SourceInfo;
  /** Wall-clock time of sample 0, nanoseconds since the Unix epoch. */
  readonly startTimeNs?: bigint;
  /** The whole wall-clock axis, instead of `startTimeNs`: see `TimeAxis`. */
  readonly anchors?: RecordingInfo["anchors"];
  /** Who told the start; default `user` with `startTimeNs`. Kept beside the axis, and shown. */
  readonly start?: RecordingStart | undefined;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly rawMetadata?: ReadonlyMap<string, Uint8Array>;
  /** Readable while it is written, at the latest after so many sample frames (default 1 s). */
  readonly live?: boolean | { readonly publishFrames: number };
  /** Keep chunks as objects of their own with Zarr version 2 metadata besides: see `v2Metadata`. Not for live recordings. */
  readonly v2Twin?: boolean;
  /**
   * Let chunks begin inside the one before them, instead of storing the packets of their run-ups twice (5 to 6 % of all bytes). A
   * chunk is still one read, without one of its neighbour. The price: a damaged byte in shared packets costs both chunks, and
   * programs that know version 1 alone refuse the recording. Not with `v2Twin`. Default false.
   */
  readonly overlap?: boolean;
  /** Take the lease away from a writer that is known to be dead. */
  readonly takeOver?: boolean;
}
