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
  readonly segments: readonly Segment[];
  readonly searcher: Searcher;
  readonly #store: ObjectStore;
  #nextSequence: number;
  #manifestTag: string | undefined;

  private constructor(
    store: ObjectStore,
    manifest: Manifest,
    manifestTag: string | undefined,
    segments: readonly Segment[],
  ) {
    this.#store = store;
    this.manifest = manifest;
    this.#manifestTag = manifestTag;
    this.segments = segments;
    this.searcher = new Searcher(profileOf(manifest.profile), manifest.calibration);
    for (const [i, segment] of segments.entries()) {
      this.searcher.addSegment(segment, new Set(manifest.segments[i]!.removed));
    }
    this.#nextSequence = manifest.journalStart;
  }

  /**
   * Reads the state; with `create` an empty catalog is taken for given where there is none. Nothing is written before
   * the first change (`establish`).
   */
  static async load(store: ObjectStore, create?: { profile: ProfileId }): Promise<CatalogState> {
    for (;;) {
      const tag = (await store.head(manifestKey))?.etag;
      const bytes = await store.get(manifestKey);
      if (bytes === undefined) {
        const manifest = await newManifest(store, create);
        if (manifest === undefined) continue;
        return new CatalogState(store, manifest, undefined, []);
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

  /** Changes whenever the manifest does; undefined while there is none in the store. */
  get manifestTag(): string | undefined {
    return this.#manifestTag;
  }

  /**
   * Makes sure that the manifest stands in the store, before anything that it refers to.
   * @throws StoreError `store/conflict` where somebody else has created the catalog in the meantime
   */
  async establish(): Promise<void> {
    if (this.#manifestTag !== undefined) return;
    const info = await this.#store.put(manifestKey, encodeManifest(this.manifest), { ifAbsent: true });
    this.#manifestTag = info.etag;
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
    return (await this.#store.head(manifestKey))?.etag === this.#manifestTag;
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

function cannotList(error: unknown): boolean {
  return isLongwaveError(error, "store/cannot-list") || isLongwaveError(error, "store/unsupported");
}

/** Stores without a listing (a plain web server) hold no journal: their catalogs were compacted before they were copied. */
async function* listJournal(store: ObjectStore): AsyncIterable<{ key: string }> {
  try {
    yield* store.list("journal/");
  } catch (error) {
    if (!cannotList(error)) throw error;
  }
}

/** The manifest of an empty catalog; undefined if one has appeared in the meantime. */
async function newManifest(
  store: ObjectStore,
  create: { profile: ProfileId } | undefined,
): Promise<Manifest | undefined> {
  if (create === undefined) {
    throw new CatalogError(
      "catalog/missing",
      `There is no catalog ${placeOf(store)}; enroll something first, or name another place.`,
    );
  }
  const foreign = await firstForeignObject(store);
  if (foreign !== undefined) {
    if ((await store.head(manifestKey)) !== undefined) return undefined;
    throw new CatalogError(
      "catalog/foreign",
      `There is no catalog ${placeOf(store)} but other data (${foreign}); name a new or empty directory.`,
    );
  }
  return {
    profile: create.profile,
    configHash: createStream(create.profile).configHash,
    segments: [],
    journalStart: 1,
  };
}

function placeOf(store: ObjectStore): string {
  return store.location === undefined ? "here" : `in ${store.location}`;
}

/** An object that is there although no catalog is; names that begin with a dot (.DS_Store, .gitkeep) do not count. */
async function firstForeignObject(store: ObjectStore): Promise<string | undefined> {
  try {
    for await (const { key } of store.list("")) if (!key.startsWith(".")) return key;
  } catch (error) {
    // What cannot be listed (a plain web server) cannot be written either, and says so at the first change.
    if (!cannotList(error)) throw error;
  }
  return undefined;
}
