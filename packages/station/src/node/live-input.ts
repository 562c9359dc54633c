import type { StationEventBody } from "../event-log.ts";
import type { ProgrammeSource } from "../stages.ts";

/** The user's own sound as a source. */
export interface LiveInput {
  readonly name: string;
  readonly source: ProgrammeSource;
  /** Where the source reports what went wrong on the way, and what it enrolled. */
  readonly onEvents?: (take: (event: StationEventBody) => void) => void;
}
