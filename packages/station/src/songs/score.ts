import type { DrumName } from "./drums.ts";
import type { PatchName } from "./patches.ts";

/** A note of a song. Times in sample frames at 48 kHz; `velocity` in [0, 1]. */
export interface NoteEvent {
  readonly startFrame: number;
  readonly heldFrames: number;
  readonly midi: number;
  readonly velocity: number;
  readonly part: PartName;
}

export interface DrumEvent {
  readonly startFrame: number;
  readonly drum: DrumName;
  readonly velocity: number;
}

export type PartName = "lead" | "harmony" | "bass";

/** A composed song: everything that a renderer needs, nothing that depends on the machine. */
export interface Score {
  /** Stable: `song-07` of seed 7 is the same music everywhere. */
  readonly id: string;
  readonly title: string;
  readonly style: string;
  readonly tempoBpm: number;
  readonly seed: number;
  readonly patches: Readonly<Record<PartName, PatchName>>;
  /** 0 dry to 1 drowned. */
  readonly space: number;
  readonly lengthFrames: number;
  /** In order of start. */
  readonly notes: readonly NoteEvent[];
  readonly drums: readonly DrumEvent[];
}
