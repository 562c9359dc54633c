import { deflateSync } from "fflate";

/** A seek point as far as the choice of stored states goes. */
export interface StateCandidate {
  /** On the recording's axis. */
  readonly sample: number;
  /** Decoding can begin here by a proven run-up. */
  readonly exact: boolean;
  /** The sequential decoder's state here; undefined where it was not kept. */
  readonly state: Uint8Array | undefined;
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
/** Never closer than this unless told. */
export const usualStateFrames: number = 10 * 48_000;

/**
 * Which points of a chunk get a stored state: the first one, where it has no run-up, then those from which the last possible
 * start is too far away. A state of speech is as large as the packets of a second or two.
 * @returns states by point number
 */
export function chooseStates(
  points: readonly StateCandidate[],
  choice: StateChoice,
): Map<number, Uint8Array> {
  const states = new Map<number, Uint8Array>();
  let lastStart = 0;
  let spacing = choice.every;
  for (const [i, { sample, exact, state }] of points.entries()) {
    const isFirst = i === 0;
    if (exact) lastStart = sample;
    else if (state !== undefined && (isFirst || sample - lastStart >= (spacing ?? usualStateFrames))) {
      spacing ??= affordableSpacing(state, choice);
      if (!isFirst && sample - lastStart < spacing) continue;
      states.set(i, state);
      lastStart = sample;
    }
  }
  return states;
}

/** Divides the chunk evenly among the states that it can afford. */
function affordableSpacing(state: Uint8Array, { chunkFrames, packetBytes }: StateChoice): number {
  const count = Math.floor((usualShare * packetBytes) / deflateSync(state, { level: 6 }).length);
  return count < 2 ? Number.POSITIVE_INFINITY : Math.max(usualStateFrames, chunkFrames / count);
}
