import { ArchiveError } from "./errors.ts";
import type { ArchivePosition } from "./read-request.ts";
import type { RecordingInfo } from "./recording-info.ts";
import { TimeAxis } from "./time-axis.ts";

/** Samples that a request means. */
export function resolveRange(
  info: RecordingInfo,
  options: { from: ArchivePosition; to: ArchivePosition },
): { start: number; end: number } {
  const start = typeof options.from === "number" ? options.from : undefined;
  const end = typeof options.to === "number" ? options.to : undefined;
  if (start !== undefined && end !== undefined) return { start, end };
  const axis = timeAxis(info);
  if (!axis.known || typeof options.from === "number" || typeof options.to === "number") {
    throw new ArchiveError(
      "archive/range",
      axis.known
        ? "A range is given in samples or in wall-clock time, not half and half."
        : `Recording ${info.id} has no start time; ask for samples instead.`,
    );
  }
  const ranges = axis.rangesBetween(options.from.unixNs, options.to.unixNs);
  if (ranges.length > 1) {
    throw new ArchiveError(
      "archive/gap",
      `The time range of ${info.id} holds ${ranges.length - 1} gaps; read the pieces that rangesBetween gives.`,
    );
  }
  return ranges[0] ?? { start: 0, end: 0 };
}

/** The wall-clock axis of a recording. */
export function timeAxis(info: RecordingInfo): TimeAxis {
  return new TimeAxis(
    info.anchors.map((each) => ({ ...each, unixNs: BigInt(each.unixNs) })),
    info.frames,
  );
}
