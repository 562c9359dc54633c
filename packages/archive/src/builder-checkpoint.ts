import type { TimedPacket } from "./packet-item.ts";
import type { SegmentInfo } from "./recording-info.ts";
import type { StateAhead } from "./state-difference.ts";

/** A segment as the builder knows it. */
export type SegmentStart = Omit<SegmentInfo, "packetsSha256">;

/** Counts of irregular packets so far. */
export interface PacketCounts {
  lost: number;
  malformed: number;
  dtx: number;
}

/** What a later run needs to go on at the start of a chunk exactly as this one would have. */
export interface BuilderCheckpoint {
  readonly chunk: number;
  /** Packet with the chunk's first sample. */
  readonly packet: number;
  /** Axis position of the first kept frame of that packet. */
  readonly axis: number;
  readonly skipRemaining: number;
  /** Decoder state before that packet. */
  readonly state: Uint8Array;
  /** One packet in front of that, where the first point may need it. */
  readonly ahead: StateAhead | undefined;
  readonly prover: readonly number[];
  /** Bytes that seeds may take from here on. */
  readonly seedBytes: number;
  readonly counts: PacketCounts;
  readonly segments: readonly SegmentStart[];
  readonly segmentStartPacket: number;
  /** The packets kept in front of it, oldest first, without their bytes. */
  readonly history: readonly Omit<TimedPacket, "data">[];
}
