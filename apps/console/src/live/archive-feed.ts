import { signal } from "@preact/signals";
import { ApiError, getJson, request } from "../api.ts";
import type { ArchiveList, Outline, Recording } from "../model.ts";
import { endMs } from "./archive-time.ts";
import { repeat } from "./repeat.ts";

export const archiveList = signal<ArchiveList | undefined>(undefined);
export const archiveListProblem = signal("");
/** False where the server keeps no archive. */
export const hasArchive = signal(true);

const pollMs = 1000;

/** Follows the list of recordings of a stream until the returned function is called. */
export function followArchive(stream: string): () => void {
  const path = `/v1/archive?stream=${encodeURIComponent(stream)}`;
  return repeat(
    async (signal) => {
      try {
        archiveList.value = await getJson<ArchiveList>(path, signal);
        hasArchive.value = true;
      } catch (error) {
        if (!(error instanceof ApiError && error.status === 404)) throw error;
        hasArchive.value = false;
      }
    },
    pollMs,
    archiveListProblem,
  );
}

/** The last seconds that the stream recorded, as a WAV file. */
export async function lastOnAir(stream: string, seconds: number): Promise<Blob> {
  const { recordings } = await getJson<ArchiveList>(`/v1/archive?stream=${encodeURIComponent(stream)}`);
  const last = recordings.findLast((each) => each.frames > 48_000);
  if (last === undefined) throw new Error("Nothing was recorded yet; try again in a moment.");
  const from = Math.max(0, last.frames - seconds * 48_000);
  const path = `/v1/archive/${encodeURIComponent(last.id)}?from=${from}&to=${last.frames}`;
  return (await request(path)).blob();
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
