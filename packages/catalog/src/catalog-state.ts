import { isLongwaveError, type ObjectStore } from "@longwave/base";
import { createStream, type ProfileId, profileOf } from "@longwave/fingerprint";
import { CatalogError } from "./errors.ts";
import { decodeJournalEntry, type JournalEntry, journalKey, journalSequence } from "./journal.ts";
import { decodeManifest, encodeManifest, type Manifest, manifestKey } from "./manifest.ts";
import { Searcher } from "./searcher.ts";
import { Segment } from "./segment.ts";

/** How a catalog stands in its store at a moment: the manifest, its segments, and the journal after them. */
export class CatalogState {
  readonly manifest: Manifest;
  /** Changes whenever the manifest does; undefined where the store does not tell. */
  readonly manifestTag: string | undefined;
  readonly segments: readonly Segment[];
  readonly searcher: Searcher;
  readonly #store: ObjectStore;
  #nextSequence: number;

  private constructor(
    store: ObjectStore,
    manifest: Manifest,
    manifestTag: string | undefined,
    segments: readonly Segment[],
  ) {
    this.#store = store;
    this.manifest = manifest;
    this.manifestTag = manifestTag;
    this.segments = segments;
    this.searcher = new Searcher(profileOf(manifest.profile), manifest.calibration);
    for (const [i, segment] of segments.entries()) {
      this.searcher.addSegment(segment, new Set(manifest.segments[i]!.removed));
    }
    this.#nextSequence = manifest.journalStart;
  }

  /** Reads the state; with `create` an empty catalog is made where there is none. */
  static async load(store: ObjectStore, create?: { profile: ProfileId }): Promise<CatalogState> {
    for (;;) {
      const tag = (await store.head(manifestKey))?.etag;
      const bytes = await store.get(manifestKey);
      if (bytes === undefined) {
        await createManifest(store, create);
        continue;
      }
      const manifest = decodeManifest(bytes);
      const segments: Segment[] = [];
      let tracks = 0;
      try {
        for (const { key } of manifest.segments) {
          const segment = await Segment.open(store, key, tracks);
          segments.push(segment);
          tracks += segment.tracks.length;
        }
      } catch (error) {
        // A compaction may have replaced the segments between the two reads.
        if ((await store.head(manifestKey))?.etag !== tag) continue;
        throw error;
      }
      const state = new CatalogState(store, manifest, tag, segments);
      await state.catchUp();
      return state;
    }
  }

  /** Number of the next journal object. */
  get nextSequence(): number {
    return this.#nextSequence;
  }

  /** Number of changes since the last segment was written. */
  get journalLength(): number {
    return this.#nextSequence - this.manifest.journalStart;
  }

  apply(entry: JournalEntry): void {
    if (entry.kind === "add") this.searcher.add(entry.track, entry.fingerprint);
    else this.searcher.remove(entry.id);
    this.#nextSequence++;
  }

  /** True if the manifest in the store is still the one of this state. */
  async isCurrent(): Promise<boolean> {
    return (await this.#store.head(manifestKey))?.etag === this.manifestTag;
  }

  /** Applies the journal objects that have appeared since the last look. */
  async catchUp(): Promise<void> {
    for (;;) {
      const key = journalKey(this.#nextSequence);
      const bytes = await this.#store.get(key);
      if (bytes === undefined) break;
      this.apply(decodeJournalEntry(key, bytes));
    }
    // A journal with a hole lost an object: refuse it rather than show a catalog that never existed.
    for await (const { key } of listJournal(this.#store)) {
      const sequence = journalSequence(key);
      if (sequence !== undefined && sequence > this.#nextSequence) {
        if ((await this.#store.head(journalKey(this.#nextSequence))) !== undefined) return this.catchUp();
        if (!(await this.isCurrent())) return;
        throw new CatalogError(
          "catalog/corrupt",
          `${journalKey(this.#nextSequence)} is missing although ${key} exists; restore it from a copy.`,
        );
      }
    }
  }
}

/** Stores without a listing (a plain web server) hold no journal: their catalogs were compacted before they were copied. */
async function* listJournal(store: ObjectStore): AsyncIterable<{ key: string }> {
  try {
    yield* store.list("journal/");
  } catch (error) {
    if (!isLongwaveError(error, "store/unsupported")) throw error;
  }
}

async function createManifest(store: ObjectStore, create: { profile: ProfileId } | undefined): Promise<void> {
  if (create === undefined) {
    throw new CatalogError("catalog/missing", "There is no catalog here; enroll something first.");
  }
  const manifest: Manifest = {
    profile: create.profile,
    configHash: createStream(create.profile).configHash,
    segments: [],
    journalStart: 1,
  };
  try {
    await store.put(manifestKey, encodeManifest(manifest), { ifAbsent: true });
  } catch (error) {
    // Somebody created it at the same moment: theirs counts.
    if (!isLongwaveError(error, "store/conflict")) throw error;
  }
}
