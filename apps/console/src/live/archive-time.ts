import type { Recording, Span } from "../model.ts";

/** A place in the archive. */
export interface Place {
  readonly recording: Recording;
  readonly span: Span;
  readonly frame: number;
}

const framesPerMs = 48;

export function endMs(span: Span): number {
  return span.startMs + (span.endFrame - span.startFrame) / framesPerMs;
}

/** First and last moment of everything that was recorded; undefined while there is nothing. */
export function extent(recordings: readonly Recording[]): { fromMs: number; toMs: number } | undefined {
  let fromMs = Number.POSITIVE_INFINITY;
  let toMs = Number.NEGATIVE_INFINITY;
  for (const { spans } of recordings) {
    for (const span of spans) {
      fromMs = Math.min(fromMs, span.startMs);
      toMs = Math.max(toMs, endMs(span));
    }
  }
  return toMs > fromMs ? { fromMs, toMs } : undefined;
}

/** What was recorded at a moment; in a gap, the first sound after it. */
export function placeAt(recordings: readonly Recording[], ms: number): Place | undefined {
  let next: Place | undefined;
  for (const recording of recordings) {
    for (const span of recording.spans) {
      if (ms >= span.startMs && ms < endMs(span)) {
        const frame = span.startFrame + Math.round((ms - span.startMs) * framesPerMs);
        return { recording, span, frame: Math.min(frame, span.endFrame - 1) };
      }
      if (span.startMs > ms && (next === undefined || span.startMs < next.span.startMs)) {
        next = { recording, span, frame: span.startFrame };
      }
    }
  }
  return next;
}

/** The part of a selection that lies in one stretch without gaps: what can be exported in one piece. */
export function exportRange(
  recordings: readonly Recording[],
  fromMs: number,
  toMs: number,
): { recording: Recording; from: number; to: number; isCut: boolean } | undefined {
  const place = placeAt(recordings, fromMs);
  if (place === undefined) return undefined;
  const startMs = place.span.startMs + (place.frame - place.span.startFrame) / framesPerMs;
  if (startMs >= toMs) return undefined;
  const wanted = place.span.startFrame + Math.round((toMs - place.span.startMs) * framesPerMs);
  const to = Math.min(place.span.endFrame, wanted);
  return {
    recording: place.recording,
    from: place.frame,
    to,
    isCut: to < wanted - framesPerMs || startMs > fromMs + 1,
  };
}

/** Marks of a time axis: every so many ms, at most about `most` of them. */
export function axisStepMs(spanMs: number, most: number): number {
  const steps = [
    100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000,
    1_800_000, 3_600_000, 7_200_000, 14_400_000, 21_600_000, 43_200_000, 86_400_000, 172_800_000, 604_800_000,
  ];
  return steps.find((step) => spanMs / step <= most) ?? 2_592_000_000;
}
