import type { Chunk } from "./chunk-format.ts";
import type { TimedPacket } from "./packet-item.ts";
import type { SeededStart } from "./seeded-start.ts";
import { pointFlags, unproven } from "./seek-point.ts";
import type { StateDifference } from "./state-difference.ts";

/** A seek point under construction. */
export interface Draft {
  readonly sample: number;
  readonly packet: number;
  /** Decoded frames of `packet` in front of `sample`. */
  readonly cut: number;
  readonly start: number | undefined;
  readonly wholeStateEqual: boolean;
  readonly segmentStart: boolean;
  /** The decoder's state, with and without what only concealment uses; kept where it may have to be stored. */
  readonly states: { readonly live: Uint8Array; readonly all: Uint8Array } | undefined;
  /** The live one, told by its difference to what a short run-up gives. */
  readonly difference: StateDifference | undefined;
  /** What a run-up needs to lead to the whole state; kept where it is to be stored. */
  readonly seed: SeededStart | undefined;
  digest: number;
}

/** The points of a finished chunk as they were before it was encoded. */
export function draftsOf(chunk: Chunk, pointFrames: number): Draft[] {
  return chunk.points.map((point, i): Draft => {
    const packet = chunk.firstPacket + point.packet;
    const stored = chunk.states.get(i);
    return {
      sample: chunk.firstSample + i * pointFrames,
      packet,
      cut: i === 0 ? chunk.trimHead : 0,
      start: point.runUpFloat === unproven ? undefined : packet - point.runUpFloat,
      wholeStateEqual: (point.flags & pointFlags.wholeStateEqual) !== 0,
      segmentStart: (point.flags & pointFlags.segmentStart) !== 0,
      states: stored === undefined ? undefined : { live: stored, all: stored },
      difference: chunk.differences.get(i),
      seed: chunk.seeds.get(i),
      digest: point.digest,
    };
  });
}

/**
 * Of every packet, whether concealment runs from it on before a reset ends what a state can influence: 1 or 0, and one more 0 for the
 * end.
 */
export function concealmentBehind(packets: readonly TimedPacket[]): Uint8Array {
  const conceals = new Uint8Array(packets.length + 1);
  for (let i = packets.length - 1; i >= 0; i--) {
    const goesOn = packets[i + 1]?.segmentStart === undefined;
    conceals[i] = packets[i]!.usesConcealment || (goesOn && conceals[i + 1] === 1) ? 1 : 0;
  }
  return conceals;
}
