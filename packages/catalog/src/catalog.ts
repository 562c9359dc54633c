import { isLongwaveError, type ObjectStore } from "@longwave/base";
import {
  createStream,
  durationSeconds,
  extract,
  type Fingerprint,
  frameToMs,
  markQuery,
  type ProfileId,
  profileOf,
} from "@longwave/fingerprint";
import { contentHashOf } from "./content-hash.ts";
import { CatalogError } from "./errors.ts";
import type { AudioInput, Identification, IdentifyOptions } from "./identification.ts";
import {
  decodeJournalEntry,
  encodeJournalEntry,
  type JournalEntry,
  journalKey,
  journalSequence,
} from "./journal.ts";
import { LiveMatcher, type LiveOptions } from "./live-matcher.ts";
import { decodeManifest, encodeManifest, type Manifest, manifestKey } from "./manifest.ts";
import { peakQuery, type Query, recordQuery } from "./query.ts";
import { noAnswer, Searcher } from "./searcher.ts";
import { checkTrackId, type Track, type TrackMetadata } from "./track.ts";

/** Options of {@link Catalog.open}. */
export interface CatalogOptions {
  /** Profile of a new catalog, and the one that an existing catalog must have. Default for a new one: `wang-v1`. */
  readonly profile?: ProfileId;
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

/** How often a change is tried again after somebody else changed the catalog first. */
const maxAttempts = 5;

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
  readonly #searcher: Searcher;
  #nextSequence: number;
  #writing: Promise<unknown> = Promise.resolve();
  #closed = false;

  private constructor(store: ObjectStore, manifest: Manifest, readOnly: boolean) {
    this.#store = store;
    this.#readOnly = readOnly;
    this.profile = manifest.profile;
    this.#nextSequence = manifest.journalStart;
    this.#searcher = new Searcher(profileOf(manifest.profile));
  }

  /**
   * Opens a catalog, creating an empty one where there is none (unless `readOnly`).
   * @throws CatalogError `catalog/missing`, `catalog/corrupt`, `catalog/version`, `catalog/profile-mismatch`
   */
  static async open(store: ObjectStore, options: CatalogOptions = {}): Promise<Catalog> {
    const manifest = await readManifest(store, options);
    if (options.profile !== undefined && options.profile !== manifest.profile) {
      throw new CatalogError(
        "catalog/profile-mismatch",
        `The catalog has profile ${manifest.profile}, not ${options.profile}; open it without naming a profile.`,
      );
    }
    const catalog = new Catalog(store, manifest, options.readOnly ?? false);
    await catalog.#catchUp();
    return catalog;
  }

  /** Number of tracks. */
  get size(): number {
    return this.#searcher.tracks.size;
  }

  /** Number of postings (hashes with their place) of all tracks. */
  get postings(): number {
    return this.#searcher.tracks.postings;
  }

  /** All tracks in the order in which they were enrolled. */
  tracks(): readonly Track[] {
    return this.#searcher.tracks.list();
  }

  /** The track with this id. */
  get(id: string): Track | undefined {
    return this.#searcher.tracks.find(id);
  }

  /** The fingerprint of `input` in the catalog's profile. */
  extract(input: AudioInput, signal?: AbortSignal): Fingerprint {
    return extract(this.profile, input.samples, {
      sampleRate: input.sampleRate,
      ...(input.channels !== undefined && { channels: input.channels }),
      ...(signal !== undefined && { signal }),
    });
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
    this.#requireProfile(fingerprint);
    return this.#exclusively(async () => {
      const contentHash = contentHashOf(fingerprint);
      const duplicates = () => this.#searcher.tracks.duplicatesOf(contentHash, metadata.id);
      const write = async (): Promise<Enrollment> => {
        const known = this.#searcher.tracks.find(metadata.id);
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
        const track = this.#searcher.tracks.find(metadata.id)!;
        return { track, status: replace ? "replaced" : "added", duplicates: duplicates() };
      };
      return this.#retrying(write);
    });
  }

  /** Removes a track. @throws CatalogError `catalog/not-found` and as `enroll` */
  async remove(id: string): Promise<void> {
    await this.#exclusively(() =>
      this.#retrying(async () => {
        if (this.#searcher.tracks.find(id) === undefined) {
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
  async identify(query: AudioInput | Fingerprint, options: IdentifyOptions = {}): Promise<Identification> {
    this.#requireOpen();
    let parsed: Query;
    try {
      parsed = this.#queryOf(query, options.signal);
    } catch (error) {
      if (!isLongwaveError(error, "fp/too-short")) throw error;
      return noAnswer("too-short");
    }
    return this.#searcher.search(parsed, options);
  }

  #queryOf(query: AudioInput | Fingerprint, signal?: AbortSignal): Query {
    if ("records" in query) {
      this.#requireProfile(query);
      const seconds = durationSeconds(query);
      if (query.profile !== "mark-v1")
        return recordQuery(query.records, query.recordWords, Math.round(seconds * 1000));
      return peakQuery({ peaks: [query.records], shiftFrames: [0], seconds });
    }
    if (this.profile !== "mark-v1") return this.#queryOf(this.extract(query, signal));
    const { samples, sampleRate, channels = 1 } = query;
    return peakQuery(markQuery(samples, { sampleRate, channels, ...(signal !== undefined && { signal }) }));
  }

  /** Identifies a running stream over a sliding window; see {@link LiveMatcher}. */
  live(options: LiveOptions = {}): LiveMatcher {
    this.#requireOpen();
    const { windowSeconds, ...streamOptions } = options;
    const stream = createStream(this.profile, streamOptions);
    return new LiveMatcher(stream, this.#searcher, windowSeconds, options.sampleRate);
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

  async #append(entry: JournalEntry): Promise<void> {
    const key = journalKey(this.#nextSequence);
    try {
      await this.#store.put(key, encodeJournalEntry(entry), { ifAbsent: true });
    } catch (error) {
      if (isLongwaveError(error, "store/conflict")) throw error;
      if (isLongwaveError(error, "store/read-only")) {
        throw new CatalogError(
          "catalog/read-only",
          `The catalog cannot be changed: ${(error as Error).message}`,
          {
            cause: error,
          },
        );
      }
      throw new CatalogError(
        "catalog/write-failed",
        `The change was not stored and the catalog is as before: ${(error as Error).message}`,
        { cause: error },
      );
    }
    this.#apply(entry);
  }

  #apply(entry: JournalEntry): void {
    if (entry.kind === "add") this.#searcher.add(entry.track, entry.fingerprint);
    else this.#searcher.remove(entry.id);
    this.#nextSequence++;
  }

  /** Applies the journal objects that have appeared since the last look. */
  async #catchUp(): Promise<void> {
    for (;;) {
      const key = journalKey(this.#nextSequence);
      const bytes = await this.#store.get(key);
      if (bytes === undefined) break;
      this.#apply(decodeJournalEntry(key, bytes));
    }
    await this.#requireNoGap();
  }

  /** A journal with a hole lost an object: refuse it rather than show a catalog that never existed. */
  async #requireNoGap(): Promise<void> {
    for await (const { key } of this.#store.list("journal/")) {
      const sequence = journalSequence(key);
      if (sequence !== undefined && sequence > this.#nextSequence) {
        throw new CatalogError(
          "catalog/corrupt",
          `${journalKey(this.#nextSequence)} is missing although ${key} exists; restore it from a copy.`,
        );
      }
    }
  }

  async #retrying<T>(write: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await write();
      } catch (error) {
        if (!isLongwaveError(error, "store/conflict")) throw error;
        if (attempt === maxAttempts) {
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

  #requireProfile(fingerprint: Fingerprint): void {
    if (fingerprint.profile === this.profile) return;
    throw new CatalogError(
      "catalog/profile-mismatch",
      `The catalog has profile ${this.profile} and the fingerprint ${fingerprint.profile}; extract it again.`,
    );
  }

  /** Time of a frame of this profile in milliseconds. */
  frameToMs(frame: number): number {
    return frameToMs(profileOf(this.profile), frame);
  }
}

async function readManifest(store: ObjectStore, options: CatalogOptions): Promise<Manifest> {
  const bytes = await store.get(manifestKey);
  if (bytes !== undefined) return decodeManifest(bytes);
  if (options.readOnly === true) {
    throw new CatalogError("catalog/missing", "There is no catalog here; enroll something first.");
  }
  const profile = options.profile ?? "wang-v1";
  const manifest: Manifest = {
    profile,
    configHash: createStream(profile).configHash,
    segments: [],
    journalStart: 1,
  };
  try {
    await store.put(manifestKey, encodeManifest(manifest), { ifAbsent: true });
  } catch (error) {
    // Somebody created it at the same moment: theirs counts.
    if (!isLongwaveError(error, "store/conflict")) throw error;
    return readManifest(store, options);
  }
  return manifest;
}
