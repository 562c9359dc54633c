import { signal } from "@preact/signals";
import { getJson } from "../api.ts";
import type { ArchiveList, Outline, Recording } from "../model.ts";
import { endMs } from "./archive-time.ts";

export const archiveList = signal<ArchiveList | undefined>(undefined);
export const archiveListProblem = signal("");

/** Reads the list of recordings of a stream. */
export async function loadArchive(stream: string): Promise<void> {
  try {
    archiveList.value = await getJson<ArchiveList>(`/v1/archive?stream=${encodeURIComponent(stream)}`);
    archiveListProblem.value = "";
  } catch (error) {
    archiveListProblem.value = (error as Error).message;
  }
}

/** The outline of one stretch of a recording, as far as the view shows it. */
export interface OutlinePiece {
  readonly fromMs: number;
  readonly toMs: number;
  readonly peak: readonly number[];
  readonly rms: readonly number[];
}

const kept = new Map<string, OutlinePiece>();
const maxKept = 200;

/** Outlines of everything in `[fromMs, toMs)`, at about `columns` steps for the whole view. */
export async function loadOutlines(
  recordings: readonly Recording[],
  fromMs: number,
  toMs: number,
  columns: number,
  signal: AbortSignal,
): Promise<OutlinePiece[]> {
  const pieces: Promise<OutlinePiece>[] = [];
  const stepMs = (toMs - fromMs) / columns;
  for (const recording of recordings) {
    for (const span of recording.spans) {
      // Whole steps on a fixed grid: while the view follows the live edge, a step shows the same sound in every drawing.
      const first = Math.max(span.startMs, Math.floor(fromMs / stepMs) * stepMs);
      const last = Math.min(endMs(span), Math.ceil(toMs / stepMs) * stepMs);
      if (last - first < 1) continue;
      const from = span.startFrame + Math.round((first - span.startMs) * 48);
      const to = Math.min(span.endFrame, span.startFrame + Math.round((last - span.startMs) * 48));
      const count = Math.max(1, Math.min(4096, Math.round((last - first) / stepMs)));
      if (to > from) pieces.push(outline(recording.id, { from, to, count, first, last }, signal));
    }
  }
  return Promise.all(pieces);
}

async function outline(
  id: string,
  { from, to, count, first, last }: { from: number; to: number; count: number; first: number; last: number },
  signal: AbortSignal,
): Promise<OutlinePiece> {
  const query = `/v1/archive/${encodeURIComponent(id)}/peaks?from=${from}&to=${to}&columns=${count}`;
  const known = kept.get(query);
  if (known !== undefined) return known;
  const { peak, rms } = await getJson<Outline>(query, signal);
  const piece = { fromMs: first, toMs: last, peak, rms };
  if (kept.size >= maxKept) kept.delete(kept.keys().next().value!);
  kept.set(query, piece);
  return piece;
}
