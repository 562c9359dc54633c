import type { ObjectStore } from "@longwave/base";
import type { CatalogState } from "./catalog-state.ts";
import { contentHashOfBytes } from "./content-hash.ts";
import { CatalogError } from "./errors.ts";
import { journalSequence } from "./journal.ts";
import { encodeManifest, type Manifest, manifestKey, type SegmentReference } from "./manifest.ts";
import { buildSegment } from "./segment-builder.ts";
import type { PostingColumns } from "./sort-by-hash.ts";
import type { Track } from "./track.ts";

/**
 * Writes what the journal holds as a segment of its own (`flush`), or everything as one new segment without the removed
 * tracks (`merge`), and replaces the manifest. Nothing that the old manifest needs is deleted before the new one stands.
 * @throws StoreError `store/conflict` where the catalog changed in the meantime: read it again and retry
 */
export async function rewrite(
  store: ObjectStore,
  state: CatalogState,
  how: "flush" | "merge",
): Promise<void> {
  const { manifest } = state;
  const gathered = how === "merge" ? await gatherAll(state) : gatherMemory(state);
  const kept = how === "merge" ? [] : keptReferences(state);
  const segments = [...kept];
  if (gathered.tracks.length > 0) {
    const { profile, configHash } = manifest;
    const { tracks, columns, peaks } = gathered;
    const bytes = buildSegment(profile, configHash, tracks, columns, peaks);
    const key = `segments/${contentHashOfBytes(bytes)}.lwsg`;
    await store.put(key, bytes);
    segments.push({
      key,
      bytes: bytes.length,
      tracks: gathered.tracks.length,
      postings: gathered.columns.hashes.length,
      removed: [],
    });
  }
  const next: Manifest = { ...manifest, segments, journalStart: state.nextSequence };
  const tag = state.manifestTag;
  await store.put(manifestKey, encodeManifest(next), tag === undefined ? undefined : { ifMatch: tag });
  await collectGarbage(store, next);
}

/** Deletes journal objects and segments that no manifest names any more; what fails is tried again next time. */
async function collectGarbage(store: ObjectStore, manifest: Manifest): Promise<void> {
  const needed = new Set(manifest.segments.map(({ key }) => key));
  const old: string[] = [];
  for await (const { key } of store.list("journal/")) {
    if ((journalSequence(key) ?? manifest.journalStart) < manifest.journalStart) old.push(key);
  }
  for await (const { key } of store.list("segments/")) if (!needed.has(key)) old.push(key);
  for (const key of old) await store.delete(key).catch(() => undefined);
}

interface Gathered {
  readonly tracks: Track[];
  readonly columns: PostingColumns;
  /** Peaks of each track in a catalog of `mark-v1`, else empty. */
  readonly peaks: Uint32Array[];
}

/** The old segments with the tracks that have been removed from them since. */
function keptReferences(state: CatalogState): SegmentReference[] {
  return state.segments.map((segment, i) => {
    const removed = [...segment.tracks.keys()].filter(
      (track) => state.searcher.tracks.at(segment.firstTrack + track) === undefined,
    );
    return { ...state.manifest.segments[i]!, removed };
  });
}

function firstMemoryTrack(state: CatalogState): number {
  return state.segments.reduce((sum, segment) => sum + segment.tracks.length, 0);
}

function gatherMemory(state: CatalogState): Gathered {
  const numbers = new Numbering(state, firstMemoryTrack(state));
  const collector = new Collector(state.searcher.memory.postings, numbers);
  collector.addColumns(state.searcher.memory.columns());
  return { tracks: numbers.tracks, columns: collector.columns(), peaks: gatherPeaks(state, numbers) };
}

/** Peaks of the tracks of `numbers`, in their new order. Segments must have been read. */
function gatherPeaks(state: CatalogState, numbers: Numbering): Uint32Array[] {
  if (state.manifest.profile !== "mark-v1") return [];
  return numbers.old.map((number) => state.searcher.peaksOf(number) ?? new Uint32Array(0));
}

async function gatherAll(state: CatalogState): Promise<Gathered> {
  const numbers = new Numbering(state, 0);
  const total = state.segments.reduce(
    (sum, { layout }) => sum + layout.postings,
    state.searcher.memory.postings,
  );
  const collector = new Collector(total, numbers);
  for (const segment of state.segments) {
    const damaged = await segment.readAll();
    const readable = segment.visit((hash, track, frame) =>
      collector.add(hash, segment.firstTrack + track, frame),
    );
    if (damaged.length > 0 || !readable) {
      throw new CatalogError(
        "catalog/corrupt",
        `${segment.key} has ${damaged.length} damaged blocks, so that merging would lose postings; restore it from a copy.`,
      );
    }
  }
  collector.addColumns(state.searcher.memory.columns());
  return { tracks: numbers.tracks, columns: collector.columns(), peaks: gatherPeaks(state, numbers) };
}

/** New numbers, without gaps, of the tracks that are there. */
class Numbering {
  readonly tracks: Track[] = [];
  /** Old number of each. */
  readonly old: number[] = [];
  readonly #numbers: Int32Array;

  constructor(state: CatalogState, first: number) {
    const table = state.searcher.tracks;
    this.#numbers = new Int32Array(table.nextNumber).fill(-1);
    for (let number = first; number < table.nextNumber; number++) {
      const track = table.at(number);
      if (track === undefined) continue;
      this.#numbers[number] = this.tracks.push(track) - 1;
      this.old.push(number);
    }
  }

  /** The new number; -1 for a track that is gone. */
  of(number: number): number {
    return this.#numbers[number]!;
  }
}

class Collector {
  readonly #hashes: Uint32Array;
  readonly #tracks: Uint32Array;
  readonly #frames: Uint32Array;
  readonly #numbers: Numbering;
  #count = 0;

  constructor(capacity: number, numbers: Numbering) {
    this.#hashes = new Uint32Array(capacity);
    this.#tracks = new Uint32Array(capacity);
    this.#frames = new Uint32Array(capacity);
    this.#numbers = numbers;
  }

  add(hash: number, track: number, frame: number): void {
    const number = this.#numbers.of(track);
    if (number < 0) return;
    this.#hashes[this.#count] = hash;
    this.#tracks[this.#count] = number;
    this.#frames[this.#count++] = frame;
  }

  addColumns({ hashes, tracks, frames }: PostingColumns): void {
    for (let i = 0; i < hashes.length; i++) this.add(hashes[i]!, tracks[i]!, frames[i]!);
  }

  columns(): PostingColumns {
    const part = (array: Uint32Array) => array.subarray(0, this.#count);
    return { hashes: part(this.#hashes), tracks: part(this.#tracks), frames: part(this.#frames) };
  }
}
