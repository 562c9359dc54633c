import type { OpusHead } from "@longwave/media";

/** What a recording is made of, in order: the writer's input and the export's output. */
export type PacketItem =
  | { readonly type: "segment"; readonly head: OpusHead; readonly tags?: Uint8Array }
  | {
      readonly type: "packet";
      /** The bytes as they came; kept byte for byte. */
      readonly data: Uint8Array;
      /** Decoded frames at 48 kHz to cut off this packet's end (end trim of RFC 7845). */
      readonly trimEnd?: number;
      /** Duration that the container gives; used where the packet itself is malformed. */
      readonly frames?: number;
    }
  | { readonly type: "loss"; readonly frames: number };

/** A packet of the recording as the writer keeps it while it may still be needed. */
export interface TimedPacket {
  /** Undefined = lost. */
  readonly data: Uint8Array | undefined;
  /** Decoded frames. */
  readonly frames: number;
  /** Frames skipped at the packet's head (rest of the pre-skip) and cut off its end. */
  readonly skip: number;
  readonly trim: number;
  /** Conceal instead of decoding: lost, or malformed. */
  readonly concealed: boolean;
  /** Lost, malformed, or without payload (DTX): concealment runs in the decoder. */
  readonly usesConcealment: boolean;
  /** Set on the first packet of a segment. */
  readonly segmentStart: number | undefined;
  /** Pre-skip of the segment, on its first packet. */
  readonly preSkip: number;
}

/** Longest packet of the standard: 120 ms at 48 kHz. */
export const maxPacketFrames = 5760;

/** A loss in the pieces in which it is kept: multiples of 2.5 ms (decoders conceal no finer), 120 ms at the most. */
export function* lossPieces(frames: number): Generator<number> {
  for (let rest = roundToGrid(frames); rest > 0; ) {
    const piece = Math.min(rest, maxPacketFrames);
    yield piece;
    rest -= piece;
  }
}

/** The nearest multiple of 2.5 ms, at least one. */
export function roundToGrid(frames: number): number {
  return Math.max(120, Math.round(frames / 120) * 120);
}
