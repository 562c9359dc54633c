import { type RecordingInfo, timeAxis } from "@longwave/archive";
import type { SourceAbsence } from "../stages.ts";

/**
 * Why there is no recorded sound: the source was away or gave nothing; the station was not running, was too busy, or could not write
 * (`not-recorded`); packets never came over the links (`lost`).
 */
export type GapReason = SourceAbsence | "not-recorded" | "lost";

/** Time that a recording jumps over. */
export interface ArchivedGap {
  /** Sample frame of the recording behind the gap. */
  readonly frame: number;
  /** When it began, milliseconds since the Unix epoch, and how long it lasted. */
  readonly startMs: number;
  readonly ms: number;
  readonly reason: GapReason;
}

/** Under this name a recording's metadata say why there are gaps. */
const metadataName = "gaps";
/** Gaps that a recording gives reasons for; further ones are gaps all the same. */
const maxReasons = 10_000;

/** The reasons that a recording's metadata give, by the sample frame behind the gap. Total over whatever is stored. */
export function gapReasons({ metadata }: Pick<RecordingInfo, "metadata">): Map<number, SourceAbsence> {
  const stored = metadata[metadataName];
  const reasons = new Map<number, SourceAbsence>();
  for (const each of Array.isArray(stored) ? stored : []) {
    const { frame, reason } = (each ?? {}) as { frame?: unknown; reason?: unknown };
    if (typeof frame !== "number") continue;
    if (reason === "source-away" || reason === "source-silent") reasons.set(frame, reason);
  }
  return reasons;
}

/** Metadata with one more reason, for a writer to store. */
export function withGapReason(
  info: Pick<RecordingInfo, "metadata">,
  frame: number,
  reason: SourceAbsence,
): Readonly<Record<string, unknown>> {
  const reasons = [...gapReasons(info), [frame, reason] as const].slice(0, maxReasons);
  return { [metadataName]: reasons.map(([frame, reason]) => ({ frame, reason })) };
}

/** The gaps of a recording in order; none where nobody said when it was made. */
export function recordingGaps(info: RecordingInfo): ArchivedGap[] {
  const axis = timeAxis(info);
  if (!axis.known) return [];
  const reasons = gapReasons(info);
  return axis
    .gaps()
    .filter(({ ns, sample }) => ns > 0n && sample < info.frames)
    .map(({ sample, ns }) => ({
      frame: sample,
      startMs: Number((axis.timeOf(sample)! - ns) / 1_000_000n),
      ms: Number(ns / 1_000_000n),
      reason: reasons.get(sample) ?? "not-recorded",
    }));
}
