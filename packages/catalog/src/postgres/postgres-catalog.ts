import { durationSeconds, type Fingerprint, PairList, type ProfileId } from "@longwave/fingerprint";
import { answerQuery, extractFor, followStream, requireProfile, type Search } from "../answer-query.ts";
import {
  type Calibration,
  type CheckedCalibration,
  checkCalibration,
  defaultCalibrationOf,
  fitCalibration,
} from "../calibration.ts";
import type { Enrollment } from "../catalog.ts";
import { contentHashOf } from "../content-hash.ts";
import { CatalogError } from "../errors.ts";
import type { AudioInput, Identification, IdentifyOptions } from "../identification.ts";
import { type AskWindow, LiveMatcher, type LiveOptions } from "../live-matcher.ts";
import type { MonitorEvent, MonitorOptions } from "../monitor.ts";
import { encodePeaks } from "../peak-codec.ts";
import { postingsOf } from "../query.ts";
import type { StreamWindow } from "../stream-window.ts";
import { checkTrackId, type Track, type TrackMetadata, type TrackPage } from "../track.ts";
import { trackOf } from "./candidate-tracks.ts";
import { compactTables } from "./compact-tables.ts";
import { type OutageOptions, PatientMonitor } from "./patient-monitor.ts";
import { type CatalogRow, openSchema, quotedSchema } from "./schema.ts";
import { SearchPool } from "./search-pool.ts";
import { intArray, type SqlClient, UniqueViolation } from "./sql-client.ts";
import { type TableReport, verifyTables } from "./verify-tables.ts";

/** Options of {@link PostgresCatalog.open}. */
export interface PostgresCatalogOptions {
  /** Profile of a new catalog, and the one that an existing catalog must have. Default for a new one: `mark-v1`. */
  readonly profile?: ProfileId;
  /** Schema of the tables; default `longwave`. */
  readonly schema?: string;
  /** Refuse every change, and do not create tables. */
  readonly readOnly?: boolean;
  /** Tracks in a shard, for a new catalog; default 100,000. A list is at most so long in a shard, and Citus distributes by it. */
  readonly tracksPerShard?: number;
  /** Searches that run at once; more wait. Default 8. */
  readonly maxSearches?: number;
}

/** How often a change is tried again after somebody else wrote the same track first. */
const maxAttempts = 5;

/**
 * A catalog in PostgreSQL: postings as rows of arrays, the vote in SQL, the verification here. Any number of processes may read
 * and write. The answers are those of a {@link Catalog} with the same tracks.
 *
 * @example
 * const catalog = await PostgresCatalog.open(postgresClient(postgres("postgres://localhost/radio")));
 * await catalog.enroll({ id: "a1", title: "First" }, { samples, sampleRate: 44_100 });
 */
export class PostgresCatalog {
  readonly profile: ProfileId;
  readonly configHash: string;
  readonly #client: SqlClient;
  readonly #schema: string;
  readonly #row: CatalogRow;
  readonly #readOnly: boolean;
  #searches: SearchPool;
  readonly #maxSearches: number;

  private constructor(client: SqlClient, schema: string, row: CatalogRow, options: PostgresCatalogOptions) {
    this.#client = client;
    this.#schema = schema;
    this.#row = row;
    this.#readOnly = options.readOnly ?? false;
    this.#maxSearches = options.maxSearches ?? 8;
    this.profile = row.profile;
    this.configHash = row.configHash;
    this.#searches = this.#pool(row.calibration);
  }

  /**
   * Opens the catalog in a schema, and makes its tables where there are none (unless `readOnly`).
   * @throws CatalogError `catalog/missing`, `catalog/version`, `catalog/profile-mismatch`, `catalog/engine-failed`
   */
  static async open(client: SqlClient, options: PostgresCatalogOptions = {}): Promise<PostgresCatalog> {
    const schema = quotedSchema(options.schema ?? "longwave");
    const { profile = "mark-v1", tracksPerShard = 100_000 } = options;
    const row = await openSchema(
      client,
      schema,
      options.readOnly === true ? undefined : { profile, tracksPerShard },
    );
    if (options.profile !== undefined && options.profile !== row.profile) {
      throw new CatalogError(
        "catalog/profile-mismatch",
        `The catalog has profile ${row.profile}, not ${options.profile}; open it without naming a profile.`,
      );
    }
    return new PostgresCatalog(client, schema, row, options);
  }

  /** Number of tracks. */
  async size(): Promise<number> {
    const [row] = await this.#client.query(
      `select count(*)::int as size from ${this.#schema}.tracks where not removed`,
    );
    return Number(row!["size"]);
  }

  /** The track with this id. */
  async get(id: string): Promise<Track | undefined> {
    const [row] = await this.#client.query(
      `select * from ${this.#schema}.tracks where id = $1 and not removed`,
      [id],
    );
    return row === undefined ? undefined : trackOf(row);
  }

  /** At most `limit` tracks from number `offset` on, in the order of their numbers; see `Catalog.page`. */
  async page(offset: number, limit: number): Promise<TrackPage> {
    const [sum] = await this.#client.query(
      `select count(*)::int as total, coalesce(sum(hashes), 0)::float8 as postings
       from ${this.#schema}.tracks where not removed`,
    );
    const rows = await this.#client.query(
      `select * from ${this.#schema}.tracks where not removed order by number limit $1 offset $2`,
      [limit, offset],
    );
    return {
      total: Number(sum!["total"]),
      postings: Number(sum!["postings"]),
      tracks: rows.map(trackOf),
    };
  }

  /** True where every change is refused. */
  get isReadOnly(): boolean {
    return this.#readOnly;
  }

  /** All tracks in the order of their numbers, read a thousand at a time. */
  async *tracks(): AsyncIterable<Track> {
    for (let last = -1; ; ) {
      const rows = await this.#client.query(
        `select * from ${this.#schema}.tracks where number > $1 and not removed order by number limit 1000`,
        [last],
      );
      for (const row of rows) yield trackOf(row);
      if (rows.length < 1000) return;
      last = Number(rows.at(-1)!["number"]);
    }
  }

  /** The fingerprint of `input` in the catalog's profile. */
  extract(input: AudioInput, signal?: AbortSignal): Fingerprint {
    return extractFor(this.profile, input, signal);
  }

  /**
   * Adds a recording in one transaction. The same sound under the same id changes nothing.
   * @throws CatalogError `catalog/exists` for other sound under a known id (unless `replace`), `catalog/bad-id`,
   * `catalog/read-only`, `catalog/locked`, `catalog/engine-failed`, `catalog/profile-mismatch`; FingerprintError
   */
  async enroll(
    metadata: TrackMetadata,
    sound: AudioInput | Fingerprint,
    options: { replace?: boolean; signal?: AbortSignal } = {},
  ): Promise<Enrollment> {
    checkTrackId(metadata.id);
    this.#requireWritable();
    const fingerprint = "records" in sound ? sound : this.extract(sound, options.signal);
    requireProfile(this.profile, fingerprint);
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#client.transaction((inner) =>
          this.#write(inner, metadata, fingerprint, options.replace === true),
        );
      } catch (error) {
        if (!(error instanceof UniqueViolation)) throw error;
        if (attempt < maxAttempts) continue;
        throw new CatalogError("catalog/locked", `Others keep writing ${metadata.id}; try again later.`, {
          cause: error,
        });
      }
    }
  }

  async #write(
    client: SqlClient,
    metadata: TrackMetadata,
    fingerprint: Fingerprint,
    mayReplace: boolean,
  ): Promise<Enrollment> {
    const schema = this.#schema;
    const contentHash = contentHashOf(fingerprint);
    const same = await client.query(
      `select id from ${schema}.tracks where content_hash = $1 and id <> $2 and hashes > 0 and not removed
       order by number`,
      [contentHash, metadata.id],
    );
    const duplicates = same.map(({ id }) => String(id));
    const [known] = await client.query(
      `select * from ${schema}.tracks where id = $1 and not removed for update`,
      [metadata.id],
    );
    if (known?.["content_hash"] === contentHash) {
      return { track: trackOf(known), status: "unchanged", duplicates };
    }
    if (known !== undefined && !mayReplace) {
      throw new CatalogError(
        "catalog/exists",
        `Track ${metadata.id} is enrolled with other sound; choose another id or ask to replace it.`,
      );
    }
    if (known !== undefined) {
      await client.query(`update ${schema}.tracks set removed = true where number = $1`, [known["number"]!]);
    }
    const pairs = new PairList();
    postingsOf(fingerprint, pairs);
    const [row] = await client.query(
      `insert into ${schema}.tracks (number, id, metadata, seconds, hashes, content_hash)
       values (nextval('${schema}.track_numbers')::int, $1, $2, $3::float8, $4, $5) returning *`,
      [metadata.id, JSON.stringify(metadata), durationSeconds(fingerprint), pairs.count, contentHash],
    );
    const number = Number(row!["number"]);
    const shard = Math.floor(number / this.#row.tracksPerShard);
    await client.query(
      `insert into ${schema}.postings (shard, hash, first, tracks, frames)
       select $1::int, h, $2::int, array_fill($2::int, array[count(*)::int]), array_agg(f order by f)
       from unnest($3::text::int[], $4::text::int[]) as u (h, f) group by h`,
      [shard, number, intArray(pairs.hashes, pairs.count), intArray(pairs.frames, pairs.count)],
    );
    if (fingerprint.profile === "mark-v1") {
      const { bytes } = encodePeaks([fingerprint.records]);
      await client.query(
        `insert into ${schema}.peaks (shard, number, records) values ($1, $2, decode($3, 'base64'))`,
        [shard, number, base64Of(bytes)],
      );
    }
    return { track: trackOf(row!), status: known === undefined ? "added" : "replaced", duplicates };
  }

  /** Removes a track from answers; its rows go with the next `compact`. @throws CatalogError `catalog/not-found` */
  async remove(id: string): Promise<void> {
    this.#requireWritable();
    const rows = await this.#client.query(
      `update ${this.#schema}.tracks set removed = true where id = $1 and not removed returning number`,
      [id],
    );
    if (rows.length > 0) return;
    throw new CatalogError("catalog/not-found", `There is no track ${JSON.stringify(id)} in the catalog.`);
  }

  /** Finds the recording that the query is a piece of; see `Catalog.identify`. */
  identify(
    query: AudioInput | Fingerprint | StreamWindow,
    options: IdentifyOptions = {},
  ): Promise<Identification> {
    return answerQuery(this.profile, this.#search, query, options);
  }

  /** Identifies a running stream over a sliding window; see {@link LiveMatcher}. */
  live(options: LiveOptions = {}): LiveMatcher {
    return new LiveMatcher(this.profile, this.#ask, options);
  }

  /**
   * Follows a stream of mono samples; see `Catalog.monitor`. With `outages` it goes on while the database is away: events `away` and `back`
   * tell it, and looks wait.
   */
  async *monitor(
    stream: AsyncIterable<Float32Array> | Iterable<Float32Array>,
    { outages, ...options }: MonitorOptions & LiveOptions & { readonly outages?: OutageOptions },
  ): AsyncIterable<MonitorEvent> {
    if (outages === undefined) {
      yield* followStream(this.profile, this.#ask, stream, options);
      return;
    }
    let monitor: PatientMonitor | undefined;
    try {
      yield* followStream(this.profile, this.#ask, stream, options, (live, looks) => {
        monitor = new PatientMonitor(live, this.#ask, looks, outages);
        return monitor;
      });
    } finally {
      monitor?.close();
    }
  }

  /** Fits the probabilities of false matches and stores the fit; see `Catalog.calibrate`. */
  async calibrate(negatives: Iterable<AudioInput>, signal?: AbortSignal): Promise<CheckedCalibration> {
    this.#requireWritable();
    const scores: number[] = [];
    for (const negative of negatives) {
      const options = { limit: 1, ...(signal !== undefined && { signal }) };
      scores.push((await this.identify(negative, options)).candidates[0]?.score ?? 0);
    }
    const calibration = fitCalibration(scores);
    await this.#client.query(`update ${this.#schema}.catalog set calibration = $1`, [
      JSON.stringify(calibration),
    ]);
    this.#searches = this.#pool(calibration);
    return { ...calibration, check: checkCalibration(scores) };
  }

  /** Makes one row of the many of each list, without the removed tracks. Others may read and write meanwhile. */
  async compact(signal?: AbortSignal): Promise<void> {
    this.#requireWritable();
    await compactTables(this.#client, this.#schema, signal);
  }

  /** Checks that every track has the postings and peaks that it should have. */
  verify(): Promise<TableReport> {
    return verifyTables(this.#client, this.#schema, this.profile);
  }

  /** Closes the client. */
  close(): Promise<void> {
    return this.#client.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  readonly #search: Search = (query, options) => this.#searches.search(query, options);
  readonly #ask: AskWindow = (window, options) => this.identify(window, options);

  #pool(calibration: Calibration | undefined): SearchPool {
    return new SearchPool(
      this.#client,
      this.#schema,
      { ...this.#row, calibration: calibration ?? defaultCalibrationOf(this.#row.profile) },
      this.#maxSearches,
    );
  }

  #requireWritable(): void {
    if (!this.#readOnly) return;
    throw new CatalogError("catalog/read-only", "This catalog was opened for reading only.");
  }
}

function base64Of(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000)
    text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}
