import { isLongwaveError, type ObjectStore } from "@longwave/base";
import { type Fingerprint, frameToMs, type ProfileId, profileOf } from "@longwave/fingerprint";
import { answerQuery, extractFor, followStream, requireProfile, type Search } from "./answer-query.ts";
import { type CheckedCalibration, checkCalibration, fitCalibration } from "./calibration.ts";
import { CatalogState } from "./catalog-state.ts";
import { rewrite } from "./compaction.ts";
import { contentHashOf } from "./content-hash.ts";
import { type DuplicateGroup, findDuplicates } from "./dedup.ts";
import { CatalogError } from "./errors.ts";
import type { AudioInput, Identification, IdentifyOptions } from "./identification.ts";
import { encodeJournalEntry, type JournalEntry, journalKey } from "./journal.ts";
import { type AskWindow, LiveMatcher, type LiveOptions } from "./live-matcher.ts";
import { encodeManifest, manifestKey } from "./manifest.ts";
import type { MonitorEvent, MonitorOptions } from "./monitor.ts";
import type { StreamWindow } from "./stream-window.ts";
import { checkTrackId, type Track, type TrackMetadata, type TrackPage } from "./track.ts";

/** Options of {@link Catalog.open}. */
export interface CatalogOptions {
  /** Profile of a new catalog, and the one that an existing catalog must have. Default for a new one: `mark-v1`. */
  readonly profile?: ProfileId;
  /** A segment is written once so many postings wait in memory and journal; default 2,000,000. */
  readonly flushPostings?: number;
  /** Refuse every change, and do not create a catalog where there is none. */
  readonly readOnly?: boolean;
}

/** What `enroll` did. */
export interface Enrollment {
  readonly track: Track;
  /** `unchanged` where the same sound was enrolled under this id before. */
  readonly status: "added" | "replaced" | "unchanged";
  /** Ids of tracks with the same fingerprint. */
  readonly duplicates: readonly string[];
}

/**
 * How often a change is tried after somebody else changed the catalog first. At every collision another writer has got on, so two
 * that enroll whole libraries at once need many turns; a compaction starts from the beginning each time.
 */
const maxAttempts = { change: 1000, rewrite: 5 };
const defaultFlushPostings = 2_000_000;

/**
 * A durable catalog of recordings on any object store. Every change is one object put atomically: killed at any moment,
 * the catalog opens as before the change or as after it. Several readers may have it open; a writer that is overtaken by
 * another reads what that one did and tries again.
 *
 * @example
 * const catalog = await Catalog.open(new DirectoryStore("./catalog"), { profile: "wang-v1" });
 * await catalog.enroll({ id: "a1", title: "First" }, { samples, sampleRate: 44_100 });
 * const { match, reason } = await catalog.identify({ samples: excerpt, sampleRate: 48_000 });
 */
export class Catalog {
  readonly profile: ProfileId;
  readonly #store: ObjectStore;
  readonly #readOnly: boolean;
  readonly #flushPostings: number;
  #state: CatalogState;
  #writing: Promise<unknown> = Promise.resolve();
  #closed = false;

  private constructor(store: ObjectStore, state: CatalogState, options: CatalogOptions) {
    this.#store = store;
    this.#state = state;
    this.#readOnly = options.readOnly ?? false;
    this.#flushPostings = options.flushPostings ?? defaultFlushPostings;
    this.profile = state.manifest.profile;
  }

  /**
   * Opens a catalog, or an empty one where there is none (unless `readOnly`): the first change writes it.
   * @throws CatalogError `catalog/missing`, `catalog/foreign` (no catalog, but other data), `catalog/corrupt`,
   * `catalog/version`, `catalog/profile-mismatch`
   */
  static async open(store: ObjectStore, options: CatalogOptions = {}): Promise<Catalog> {
    const create = options.readOnly === true ? undefined : { profile: options.profile ?? "mark-v1" };
    const state = await CatalogState.load(store, create);
    const { profile } = state.manifest;
    if (options.profile !== undefined && options.profile !== profile) {
      throw new CatalogError(
        "catalog/profile-mismatch",
        `The catalog has profile ${profile}, not ${options.profile}; open it without naming a profile.`,
      );
    }
    // Only where a catalog is: elsewhere nothing of ours can have been left.
    if (options.readOnly !== true && state.manifestTag !== undefined)
      await store.sweep?.(["", "journal/", "segments/"]).catch(() => 0);
    return new Catalog(store, state, options);
  }

  /** Identifies profile and settings; fingerprints of the same hash can be enrolled. */
  get configHash(): string {
    return this.#state.manifest.configHash;
  }

  /** Number of tracks. */
  get size(): number {
    return this.#state.searcher.tracks.size;
  }

  /** Number of postings (hashes with their place) of all tracks. */
  get postings(): number {
    return this.#state.searcher.tracks.postings;
  }

  /** All tracks in the order in which they were enrolled. */
  tracks(): readonly Track[] {
    return this.#state.searcher.tracks.list();
  }

  /** At most `limit` tracks from number `offset` on, in the order in which they were enrolled. */
  async page(offset: number, limit: number): Promise<TrackPage> {
    return {
      total: this.size,
      postings: this.postings,
      tracks: this.tracks().slice(offset, offset + limit),
    };
  }

  /** True where every change is refused. */
  get isReadOnly(): boolean {
    return this.#readOnly;
  }

  /** The track with this id. */
  get(id: string): Track | undefined {
    return this.#state.searcher.tracks.find(id);
  }

  /** The fingerprint of `input` in the catalog's profile. */
  extract(input: AudioInput, signal?: AbortSignal): Fingerprint {
    return extractFor(this.profile, input, signal);
  }

  /**
   * Adds a recording. The same sound under the same id changes nothing.
   * @throws CatalogError `catalog/exists` for other sound under a known id (unless `replace`), `catalog/bad-id`,
   * `catalog/read-only`, `catalog/locked`, `catalog/write-failed`, `catalog/profile-mismatch`; FingerprintError for sound
   * that cannot be fingerprinted
   */
  async enroll(
    metadata: TrackMetadata,
    sound: AudioInput | Fingerprint,
    options: { replace?: boolean; signal?: AbortSignal } = {},
  ): Promise<Enrollment> {
    checkTrackId(metadata.id);
    const fingerprint = "records" in sound ? sound : this.extract(sound, options.signal);
    requireProfile(this.profile, fingerprint);
    return this.#exclusively(async () => {
      const contentHash = contentHashOf(fingerprint);
      const duplicates = () => this.#state.searcher.tracks.duplicatesOf(contentHash, metadata.id);
      const write = async (): Promise<Enrollment> => {
        const known = this.#state.searcher.tracks.find(metadata.id);
        if (known?.contentHash === contentHash) {
          return { track: known, status: "unchanged", duplicates: duplicates() };
        }
        const replace = known !== undefined;
        if (replace && options.replace !== true) {
          throw new CatalogError(
            "catalog/exists",
            `Track ${metadata.id} is enrolled with other sound; choose another id or ask to replace it.`,
          );
        }
        await this.#append({ kind: "add", track: metadata, fingerprint, replace });
        const track = this.#state.searcher.tracks.find(metadata.id)!;
        return { track, status: replace ? "replaced" : "added", duplicates: duplicates() };
      };
      return this.#retrying(write);
    });
  }

  /** Removes a track. @throws CatalogError `catalog/not-found` and as `enroll` */
  async remove(id: string): Promise<void> {
    await this.#exclusively(() =>
      this.#retrying(async () => {
        if (this.#state.searcher.tracks.find(id) === undefined) {
          throw new CatalogError(
            "catalog/not-found",
            `There is no track ${JSON.stringify(id)} in the catalog.`,
          );
        }
        await this.#append({ kind: "remove", id });
      }),
    );
  }

  /** Finds the recording that the query is a piece of. Short or silent queries get an answer with a reason, no error. */
  async identify(
    query: AudioInput | Fingerprint | StreamWindow,
    options: IdentifyOptions = {},
  ): Promise<Identification> {
    this.#requireOpen();
    return answerQuery(this.profile, this.#search, query, options);
  }

  /** Identifies a running stream over a sliding window; see {@link LiveMatcher}. */
  live(options: LiveOptions = {}): LiveMatcher {
    this.#requireOpen();
    return new LiveMatcher(this.profile, this.#ask, options);
  }

  /**
   * Follows a stream of mono samples and tells which tracks are entered and left. Bounded memory, however long the stream.
   *
   * @example
   * for await (const event of catalog.monitor(chunks, { sampleRate: 48_000 })) console.log(event.type, event.atMs);
   */
  async *monitor(
    stream: AsyncIterable<Float32Array> | Iterable<Float32Array>,
    options: MonitorOptions & LiveOptions,
  ): AsyncIterable<MonitorEvent> {
    this.#requireOpen();
    yield* followStream(this.profile, this.#ask, stream, options);
  }

  /** Groups of tracks that contain the same recording; see {@link findDuplicates}. */
  async dedup(signal?: AbortSignal): Promise<readonly DuplicateGroup[]> {
    this.#requireOpen();
    return findDuplicates(this.#state, signal);
  }

  /**
   * Writes the journal into a segment, and with `merge` (the default) all segments into one, without the removed tracks.
   * Readers keep their snapshot.
   */
  async compact(options: { merge?: boolean } = {}): Promise<void> {
    const how = options.merge === false ? "flush" : "merge";
    await this.#exclusively(() => this.#retrying(() => this.#rewrite(how), maxAttempts.rewrite));
  }

  /**
   * Fits the probabilities of false matches to this catalog and stores the fit with it.
   * @param negatives sound whose recordings are not enrolled, at least 50 pieces of the lengths that will be asked
   */
  async calibrate(negatives: Iterable<AudioInput>, signal?: AbortSignal): Promise<CheckedCalibration> {
    const scores: number[] = [];
    for (const negative of negatives) {
      const { candidates } = await this.identify(negative, {
        limit: 1,
        ...(signal !== undefined && { signal }),
      });
      scores.push(candidates[0]?.score ?? 0);
    }
    const calibration = fitCalibration(scores);
    await this.#exclusively(() =>
      this.#retrying(async () => {
        await this.#state.establish();
        const { manifest, manifestTag } = this.#state;
        const condition = manifestTag === undefined ? undefined : { ifMatch: manifestTag };
        await this.#store.put(manifestKey, encodeManifest({ ...manifest, calibration }), condition);
        await this.#reload();
      }),
    );
    return { ...calibration, check: checkCalibration(scores) };
  }

  /** Number of segments, and of changes since the last was written. */
  get storage(): {
    readonly segments: number;
    readonly segmentBytes: number;
    readonly journalEntries: number;
  } {
    const { segments, journalLength } = this.#state;
    const segmentBytes = segments.reduce((sum, { layout }) => sum + layout.end, 0);
    return { segments: segments.length, segmentBytes, journalEntries: journalLength };
  }

  /** Reads what other writers did since. */
  async refresh(): Promise<void> {
    await this.#exclusively(() => this.#catchUp(), true);
  }

  /** Waits for running changes; the catalog cannot be used afterwards. */
  async close(): Promise<void> {
    await this.#writing.catch(() => undefined);
    this.#closed = true;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  readonly #search: Search = (query, options) => this.#state.searcher.search(query, options);
  readonly #ask: AskWindow = (window, options) => answerQuery(this.profile, this.#search, window, options);

  async #append(entry: JournalEntry): Promise<void> {
    const state = this.#state;
    await state.establish();
    await this.#store.put(journalKey(state.nextSequence), encodeJournalEntry(entry), { ifAbsent: true });
    // A compaction by somebody else may have closed this part of the journal just before.
    if (!(await state.isCurrent())) return this.#reload(entry);
    state.apply(entry);
    if (state.searcher.memory.postings >= this.#flushPostings) await this.#rewrite("flush");
  }

  /** Reads everything again and makes sure that `entry`, just written, is contained. */
  async #reload(entry?: JournalEntry): Promise<void> {
    const written = this.#state.nextSequence;
    const state = await CatalogState.load(this.#store);
    if (state.manifest.profile !== this.profile) {
      throw new CatalogError(
        "catalog/profile-mismatch",
        `Another writer made this catalog with profile ${state.manifest.profile}, not ${this.profile}; open it again.`,
      );
    }
    this.#state = state;
    if (entry !== undefined && written < this.#state.manifest.journalStart) await this.#append(entry);
  }

  async #rewrite(how: "flush" | "merge"): Promise<void> {
    await this.#state.establish();
    await rewrite(this.#store, this.#state, how);
    await this.#reload();
  }

  async #retrying<T>(write: () => Promise<T>, attempts = maxAttempts.change): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await write();
      } catch (error) {
        if (!isLongwaveError(error, "store/conflict")) throw asCatalogError(error);
        if (attempt === attempts) {
          throw new CatalogError(
            "catalog/locked",
            "Other writers keep changing this catalog; try again later.",
            {
              cause: error,
            },
          );
        }
        await this.#catchUp();
      }
    }
  }

  async #catchUp(): Promise<void> {
    if (!(await this.#state.isCurrent())) return this.#reload();
    await this.#state.catchUp();
  }

  /** Runs changes one after the other. */
  #exclusively<T>(work: () => Promise<T>, reading = false): Promise<T> {
    this.#requireOpen();
    if (this.#readOnly && !reading) {
      throw new CatalogError("catalog/read-only", "This catalog was opened for reading only.");
    }
    const result = this.#writing.then(work, work);
    this.#writing = result.catch(() => undefined);
    return result;
  }

  #requireOpen(): void {
    if (this.#closed) throw new CatalogError("catalog/closed", "The catalog was closed; open it again.");
  }

  /** Time of a frame of this profile in milliseconds. */
  frameToMs(frame: number): number {
    return frameToMs(profileOf(this.profile), frame);
  }
}

function asCatalogError(error: unknown): unknown {
  if (!isLongwaveError(error, "store/read-only") && !isLongwaveError(error, "store/failed")) return error;
  const message = `The change was not stored and the catalog is as before: ${error.message}`;
  return new CatalogError("catalog/write-failed", message, { cause: error });
}
