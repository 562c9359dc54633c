import { evidenceOf, type MarkEvidence, markColumns, type ProfileId } from "@longwave/fingerprint";
import { peakQuery, type Query, recordQuery } from "./query.ts";

/**
 * The newest seconds of a stream: what a {@link LiveMatcher} asks about. Plain data, so that it can be asked elsewhere, with the same answer.
 */
export interface StreamWindow {
  readonly profile: ProfileId;
  /** Length of the sound that it covers. */
  readonly milliseconds: number;
  /** Records of the profile, `recordWords` each; their frames count from the start of the stream. */
  readonly records: Uint32Array;
  readonly recordWords: number;
  /** Frame of the stream that the first row of `levels` belongs to. */
  readonly firstFrame: number;
  /** `mark-v1`: whitened levels, 450 a frame, against which alignments are verified. Empty for other profiles. */
  readonly levels: Int8Array;
}

/** The query that a window is. */
export function windowQuery(window: StreamWindow): Query {
  const { profile, milliseconds, records, recordWords, firstFrame, levels } = window;
  if (profile !== "mark-v1") return recordQuery(records, recordWords, milliseconds);
  let made: MarkEvidence | undefined;
  const evidence = () => {
    made ??= evidenceOf({ levels, rows: levels.length / markColumns, rowsPerFrame: 1 });
    return made;
  };
  const seconds = milliseconds / 1000;
  return peakQuery({ peaks: [records], shiftFrames: [0], seconds, evidence }, firstFrame);
}
