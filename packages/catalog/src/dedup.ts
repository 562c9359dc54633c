import type { CatalogState } from "./catalog-state.ts";

/** Two tracks that share a recording. */
export interface DuplicatePair {
  readonly ids: readonly [string, string];
  /** Position in the second track minus position in the first, ms. */
  readonly offsetMs: number;
  /** Share of the shorter track, in time, that agrees. */
  readonly coverage: number;
  readonly votes: number;
}

/** Tracks that contain the same recording, directly or through each other. */
export interface DuplicateGroup {
  readonly ids: readonly string[];
  readonly pairs: readonly DuplicatePair[];
}

/** A pair must agree along this share of the shorter track: a loop or a jingle that two songs share is no duplicate. */
const leastCoverage = 0.5;
/** ... and with this share of the hashes of the one with fewer. */
const leastVoteShare = 0.08;

/** Looks every track up in its own catalog. */
export async function findDuplicates(state: CatalogState, signal?: AbortSignal): Promise<DuplicateGroup[]> {
  const { searcher } = state;
  const records = await recordsOfTracks(state);
  const pairs: DuplicatePair[] = [];
  const aligner = searcher.aligner();
  for (const track of searcher.tracks.list()) {
    signal?.throwIfAborted();
    const own = records.get(searcher.tracks.numberOf(track.id)!);
    if (own === undefined) continue;
    const isWorth = (number: number, votes: number) => {
      const other = searcher.tracks.at(number)!;
      // Each pair once, from the side of the smaller id.
      return other.id > track.id && votes >= leastVoteShare * Math.min(track.hashes, other.hashes);
    };
    for (const found of aligner.align(own, track.durationSeconds, isWorth)) {
      const other = searcher.tracks.at(found.track)!;
      const coverage = found.coveredSeconds / Math.min(track.durationSeconds, other.durationSeconds);
      if (!isWorth(found.track, found.votes) || coverage < leastCoverage) continue;
      const offsetMs = state.searcher.framesToMs(found.offset);
      pairs.push({
        ids: [track.id, other.id],
        offsetMs,
        coverage: Math.min(1, coverage),
        votes: found.votes,
      });
    }
  }
  return groupsOf(pairs);
}

/** Hash and frame of every posting by track number. */
async function recordsOfTracks(state: CatalogState): Promise<Map<number, number[]>> {
  const records = new Map<number, number[]>();
  const add = (hash: number, track: number, frame: number) => {
    if (state.searcher.tracks.at(track) === undefined) return;
    const list = records.get(track);
    if (list === undefined) records.set(track, [hash, frame]);
    else list.push(hash, frame);
  };
  for (const segment of state.segments) {
    await segment.readAll();
    segment.visit((hash, track, frame) => add(hash, segment.firstTrack + track, frame));
  }
  const { hashes, tracks, frames } = state.searcher.memory.columns();
  for (let i = 0; i < hashes.length; i++) add(hashes[i]!, tracks[i]!, frames[i]!);
  return records;
}

function groupsOf(pairs: readonly DuplicatePair[]): DuplicateGroup[] {
  const groupOf = new Map<string, { ids: Set<string>; pairs: DuplicatePair[] }>();
  for (const pair of pairs) {
    const [a, b] = pair.ids.map((id) => groupOf.get(id) ?? { ids: new Set([id]), pairs: [] });
    const merged = {
      ids: new Set([...a!.ids, ...b!.ids]),
      pairs: a === b ? [...a!.pairs, pair] : [...a!.pairs, ...b!.pairs, pair],
    };
    for (const id of merged.ids) groupOf.set(id, merged);
  }
  return [...new Set(groupOf.values())].map((group) => ({ ids: [...group.ids].sort(), pairs: group.pairs }));
}
