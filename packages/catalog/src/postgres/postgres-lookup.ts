import { type Hypothesis, PairList, type Profile, profileOf } from "@longwave/fingerprint";
import { decodePeaks } from "../peak-codec.ts";
import { PostingBatch } from "../posting-batch.ts";
import type { PostingStore } from "../posting-store.ts";
import type { Query } from "../query.ts";
import { CandidateTracks } from "./candidate-tracks.ts";
import type { CatalogRow } from "./schema.ts";
import { intArray, type SqlClient, type SqlRow } from "./sql-client.ts";
import { voteStatement } from "./vote-statement.ts";

/** As in a search in the process: longer lists say too little for their cost. Here the limit holds for each shard. */
const listLimit = 20_000;
/** Candidates for each hypothesis: the searches want 20 (verified) or 64 (by contrast). */
const verifiedCandidates = 20;
const contrastCandidates = 64;

interface List {
  readonly tracks: Uint32Array;
  readonly frames: Uint32Array;
}

/**
 * Postings of one search that PostgreSQL has chosen by a vote: for every hypothesis of a stage the lists of the query's hashes, cut
 * down to the tracks with the most votes. One statement a stage, one for the tracks, one for the peaks.
 */
export class PostgresLookup implements PostingStore {
  readonly profile: Profile;
  readonly tracks: CandidateTracks;
  readonly batch: PostingBatch = new PostingBatch();
  readonly damaged = false;
  skippedHashes = 0;
  hiddenPostings = 0;
  readonly #client: SqlClient;
  readonly #schema: string;
  readonly #pairs = new PairList();
  #lists: Map<number, List> = new Map();
  #tooLong: Set<number> = new Set();
  readonly #peaks = new Map<number, Uint32Array>();

  constructor(client: SqlClient, schema: string, row: CatalogRow) {
    this.#client = client;
    this.#schema = schema;
    this.profile = profileOf(row.profile);
    this.tracks = new CandidateTracks(client, schema);
  }

  /** Forgets the search before. */
  clear(): void {
    this.tracks.clear();
    this.#lists.clear();
    this.#tooLong.clear();
    this.#peaks.clear();
    this.skippedHashes = 0;
    this.hiddenPostings = 0;
  }

  async prepareStage(query: Query, hypotheses: readonly Hypothesis[], signal?: AbortSignal): Promise<void> {
    const numbers: number[] = [];
    const hashes: number[] = [];
    const frames: number[] = [];
    const pairs = this.#pairs;
    for (const [number, hypothesis] of hypotheses.entries()) {
      query.fill(hypothesis, pairs);
      for (let i = 0; i < pairs.count; i++) {
        numbers.push(number);
        hashes.push(pairs.hashes[i]!);
        frames.push(pairs.frames[i]!);
      }
    }
    const byVerification = query.verifiable !== undefined;
    signal?.throwIfAborted();
    const rows = await this.#client.query(voteStatement(this.#schema, query.span), [
      intArray(numbers),
      intArray(hashes),
      intArray(frames),
      listLimit,
      byVerification ? verifiedCandidates : contrastCandidates,
    ]);
    signal?.throwIfAborted();
    this.#keep(rows);
    await this.tracks.read(this.#lists.values());
    if (byVerification) return;
    // The contrast weighs votes against chance, for which it needs all of them and the size of the whole catalog.
    await this.tracks.readExtent(this.profile);
    const total = Number(rows.find(({ kind }) => kind === "total")?.["hash"] ?? 0);
    let shown = 0;
    for (const hash of hashes) shown += this.#lists.get(hash >>> 0)?.tracks.length ?? 0;
    this.hiddenPostings = total - shown;
  }

  #keep(rows: readonly SqlRow[]): void {
    this.#lists = new Map();
    this.#tooLong = new Set();
    for (const { kind, hash, tracks, frames } of rows) {
      const key = Number(hash) >>> 0;
      if (kind === "long") this.#tooLong.add(key);
      if (kind !== "list") continue;
      this.#lists.set(key, { tracks: numbersOf(tracks), frames: numbersOf(frames) });
    }
  }

  /** Everything has come with the stage. */
  async prepare(): Promise<void> {}

  async preparePeaks(tracks: readonly number[]): Promise<void> {
    const wanted = tracks.filter((track) => !this.#peaks.has(track));
    if (wanted.length === 0) return;
    const rows = await this.#client.query(
      `select number, encode(records, 'base64') as records from ${this.#schema}.peaks where number = any($1::text::int[])`,
      [intArray(wanted)],
    );
    for (const { number, records } of rows) {
      const peaks = decodePeaks(bytesOf(String(records)));
      if (peaks !== undefined) this.#peaks.set(Number(number), peaks);
    }
  }

  peaksOf(track: number): Uint32Array | undefined {
    return this.#peaks.get(track);
  }

  load(hash: number): number {
    const { batch } = this;
    batch.count = 0;
    if (this.#tooLong.has(hash)) {
      this.skippedHashes++;
      return -1;
    }
    const list = this.#lists.get(hash);
    if (list === undefined) return 0;
    for (let i = 0; i < list.tracks.length; i++) {
      // A track may have been compacted away since the vote.
      if (this.tracks.at(list.tracks[i]!) !== undefined) batch.add(list.tracks[i]!, list.frames[i]!);
    }
    return batch.count;
  }

  framesToMs(frames: number): number {
    return Math.round((frames * this.profile.hopSize * 1000) / this.profile.sampleRate);
  }
}

function numbersOf(text: unknown): Uint32Array {
  return Uint32Array.from(String(text).split(","), Number);
}

function bytesOf(base64: string): Uint8Array {
  // PostgreSQL breaks lines as MIME does.
  return Uint8Array.from(atob(base64.replaceAll("\n", "")), (letter) => letter.charCodeAt(0));
}
