import type { OpusHead } from "./opus-head.ts";

/**
 * A decoder whose state can be kept, compared and taken up again: what the archive needs to prove a seek point. Output is
 * 48 kHz, interleaved, without soft clip, with the head's gain applied.
 *
 * An implementation guarantees: a state loaded in another process, slot or machine continues bit-identically; saving after
 * loading gives the same bytes; hostile states never crash, loop or read out of bounds; `reset` equals a fresh decoder;
 * nothing is allocated per call.
 */
export interface SeekableDecoder {
  /** Name of the arithmetic, for example `opus-1`; proofs hold for one profile. */
  readonly profile: string;
  readonly channels: number;
  /** Upper bound of what `saveState` writes. */
  readonly maxStateBytes: number;
  reset(): void;
  /**
   * Decodes one packet, or conceals `frames` where it is null. Returns sample frames written. A malformed packet throws a
   * LongwaveError and leaves the state as it was.
   */
  decode(packet: Uint8Array | null, out: Float32Array, frames?: number): number;
  /** As `decode` where nobody wants the samples: exactly the same state, for less work. */
  follow?(packet: Uint8Array | null, frames?: number): number;
  /**
   * Writes the canonical state; "live" omits what only concealment and DTX use. `version`: an older form of it, to compare with what was
   * written in that; a decoder with one form ignores it. Returns bytes.
   */
  saveState(into: Uint8Array, sections: "live" | "all", version?: number): number;
  /** Validates everything first, throws a LongwaveError of kind malformed, never half-loads. */
  loadState(from: Uint8Array): void;
  /** Four words over the live state: equal states give equal words. */
  liveStateDigest(into: Uint32Array): void;
  /** The same over the whole state, where the decoder has something faster than comparing what `saveState` writes. */
  wholeStateDigest?(into: Uint32Array): void;
  /**
   * Writes what no run-up brings back once there was concealment (counters, slow averages); a decoder that is given it behind a few
   * packets of silence comes to the whole state soon. `withNoise`: the excitation of comfort noise too, where no silence can be decoded for it. Returns bytes,
   * fewer than `maxStateBytes`; 0 = there is nothing of the kind.
   */
  saveLasting?(into: Uint8Array, withNoise: boolean): number;
  /** Takes that, beside what the state is otherwise. Validates everything first, throws a LongwaveError of kind malformed. */
  loadLasting?(from: Uint8Array): void;
  /** How far back into its history the packet decoded last reached, in samples of the decoder's own; 0 = not at all. */
  historyReach?(): number;
  /**
   * Clears what a next packet that reaches back no further replaces. Behind that packet the state should be what it would have been, which the
   * caller has to check; the packet's own output is not.
   */
  forgetReplaced?(reach: number): void;
  /** Gives the slot back. */
  close(): void;
}

/** Makes a decoder for a stream. Throws where it does not know the profile. */
export type DecoderFactory = (head: OpusHead, profile: string) => SeekableDecoder;
