import { deflateSync } from "fflate";
import type { TimedPacket } from "./packet-item.ts";
import type { SeededStart } from "./seeded-start.ts";
import type { StateDifference } from "./state-difference.ts";

/** A seek point as far as the choice of stored states goes. */
export interface StateCandidate {
  /** On the recording's axis. */
  readonly sample: number;
  /** Decoding can begin here by a proven run-up. */
  readonly exact: boolean;
  /** The sequential decoder's state here; undefined where it was not kept. */
  readonly state: Uint8Array | undefined;
  /** The same, told by a difference; those are as far apart already as they may be. */
  readonly difference?: StateDifference | undefined;
  /** What a run-up needs besides packets; those were afforded one by one. */
  readonly seed?: SeededStart | undefined;
}

/** Points that get a stored state, by number. */
export interface ChosenStates {
  readonly states: ReadonlyMap<number, Uint8Array>;
  readonly differences: ReadonlyMap<number, StateDifference>;
  readonly seeds: ReadonlyMap<number, SeededStart>;
}

export interface StateChoice {
  /** The longest way to a start, in sample frames; undefined = as short as `usualShare` allows, `usualStateFrames` at least. */
  readonly every: number | undefined;
  /** Length of the chunk in sample frames, and bytes of its packets. */
  readonly chunkFrames: number;
  readonly packetBytes: number;
}

/** States take this share of the packets' bytes at the most, unless the distance was told. */
const usualShare = 0.08;
/** The same of differences, which make a place cheap to reach: what the index may take in all, less its other parts. */
const differenceShare = 0.085;
/** What the head of a coded difference takes. */
const codedHeadBytes = 5;
/** Nor closer than this unless told. */
const nearestDifferenceFrames = 48_000;
/** Never closer than this unless told. */
export const usualStateFrames: number = 10 * 48_000;

/**
 * Which points of a chunk get a stored state: the first one, where it has no run-up, then those from which the last possible
 * start is too far away. A state of speech is as large as the packets of a second or two.
 */
export function chooseStates(points: readonly StateCandidate[], choice: StateChoice): ChosenStates {
  const states = new Map<number, Uint8Array>();
  const differences = new Map<number, StateDifference>();
  const seeds = new Map<number, SeededStart>();
  let lastStart = 0;
  let spacing = choice.every;
  for (const [i, { sample, exact, state, difference, seed }] of points.entries()) {
    const isFirst = i === 0;
    if (exact) lastStart = sample;
    else if (seed !== undefined) {
      seeds.set(i, seed);
      lastStart = sample;
    } else if (difference !== undefined) {
      if (!isFirst && sample - lastStart < (choice.every ?? nearestDifferenceFrames)) continue;
      differences.set(i, difference);
      lastStart = sample;
    } else if (state !== undefined && (isFirst || sample - lastStart >= (spacing ?? usualStateFrames))) {
      spacing ??= affordableSpacing(state, choice);
      if (!isFirst && sample - lastStart < spacing) continue;
      states.set(i, state);
      lastStart = sample;
    }
  }
  return { states, differences, seeds };
}

/**
 * How far apart differences of this size may be stored, in sample frames.
 * @param recent the last packets, no more of them than a resumed import knows
 */
export function differenceSpacing(difference: StateDifference, recent: readonly TimedPacket[]): number {
  const frames = recent.reduce((sum, packet) => sum + packet.frames, 0);
  const bytes = recent.reduce((sum, packet) => sum + (packet.data?.length ?? 0), 0);
  const { coded, bytes: told } = difference;
  const size = coded === true ? told.length + codedHeadBytes : deflatedBytes(told);
  return (size * frames) / (differenceShare * bytes);
}

/** A difference takes a run-up to read, so it has to be smaller by a quarter at least. */
export function isWorthwhile(difference: StateDifference, state: Uint8Array): boolean {
  return deflatedBytes(difference.bytes) <= 0.75 * deflatedBytes(state);
}

function deflatedBytes(bytes: Uint8Array): number {
  return deflateSync(bytes, { level: 6 }).length;
}

/** Divides the chunk evenly among the states that it can afford. */
function affordableSpacing(state: Uint8Array, { chunkFrames, packetBytes }: StateChoice): number {
  const count = Math.floor((usualShare * packetBytes) / deflatedBytes(state));
  return count < 2 ? Number.POSITIVE_INFINITY : Math.max(usualStateFrames, chunkFrames / count);
}
