/** A place at which decoding may start so that everything from the point's first sample on is exact. */
export interface SeekPoint {
  /** Packet that holds the point's first sample, counted from the chunk's first packet behind the pre-roll. */
  readonly packet: number;
  /** Packets to decode and throw away before `packet` for equal float32 output; `unproven` = start at an earlier point. */
  readonly runUpFloat: number;
  /** The same for equal int16 output; never larger than `runUpFloat` where that is proven. */
  readonly runUpInt16: number;
  readonly flags: number;
  /** Position of `packet` in the chunk's packet section. */
  readonly byteOffset: number;
  /** CRC32C of the float32 bits (little-endian, interleaved) from this point to the next one or the chunk's end. */
  readonly digest: number;
}

/** No run-up was proven: start from the nearest earlier point. */
export const unproven = 0xffff;

/** Flags of a seek point; the low four bits are format 1's, bit 4 says that concealment state was equal too. */
export const pointFlags = {
  /** The live state was equal: exact from here on for ever, as long as no loss and no DTX follows. */
  provenForEver: 1,
  /** A decoder state is stored; it is loaded instead of a run-up. */
  stateStored: 2,
  /** The interval holds a lost packet or one without payload (DTX). */
  concealmentInside: 4,
  /** A reset stands here; decoding starts with a fresh decoder. */
  segmentStart: 8,
  /** The whole state, concealment parts too, was equal: exact whatever follows. */
  wholeStateEqual: 16,
} as const;

/** An irregularity of the packet sequence. */
export interface PacketEvent {
  /** Counted like `SeekPoint.packet`, but the pre-roll counts: 0 is the chunk's very first packet. */
  readonly packet: number;
  readonly type: "loss" | "segment-start" | "end-trim";
  /** loss: frames to conceal; segment-start: frames to skip; end-trim: frames cut off the end. */
  readonly frames: number;
  /** segment-start: number of the segment. */
  readonly segment: number;
}
