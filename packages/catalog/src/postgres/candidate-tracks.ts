import type { Profile } from "@longwave/fingerprint";
import type { TrackDirectory } from "../posting-store.ts";
import type { Track } from "../track.ts";
import { intArray, type SqlClient, type SqlRow } from "./sql-client.ts";

/** The tracks that one search has met so far. */
export class CandidateTracks implements TrackDirectory {
  size = 0;
  frames = 0;
  readonly #client: SqlClient;
  readonly #schema: string;
  readonly #tracks = new Map<number, Track>();
  readonly #idsByContent = new Map<string, string[]>();

  constructor(client: SqlClient, schema: string) {
    this.#client = client;
    this.#schema = schema;
  }

  clear(): void {
    this.#tracks.clear();
    this.#idsByContent.clear();
    this.size = 0;
    this.frames = 0;
  }

  /** Reads the tracks of lists, and the ids of all that have the same content. */
  async read(lists: Iterable<{ readonly tracks: Uint32Array }>): Promise<void> {
    const unknown = new Set<number>();
    for (const { tracks } of lists)
      for (const track of tracks) if (!this.#tracks.has(track)) unknown.add(track);
    if (unknown.size === 0) return;
    const rows = await this.#client.query(
      `with wanted as (select * from ${this.#schema}.tracks where number = any($1::text::int[]) and not removed)
       select w.*, (select string_agg(id, chr(9) order by number) from ${this.#schema}.tracks t
         where t.content_hash = w.content_hash and not t.removed) as ids
       from wanted w`,
      [intArray([...unknown])],
    );
    for (const row of rows) {
      this.#tracks.set(Number(row["number"]), trackOf(row));
      this.#idsByContent.set(String(row["content_hash"]), String(row["ids"]).split("\t"));
    }
  }

  /** Reads how many tracks there are, and their frames. */
  async readExtent({ sampleRate, hopSize }: Profile): Promise<void> {
    const [row] = await this.#client.query(
      `select count(*)::int as size, coalesce(sum(ceil(seconds * $1::int / $2::int)), 0)::float8 as frames
       from ${this.#schema}.tracks where not removed`,
      [sampleRate, hopSize],
    );
    this.size = Number(row!["size"]);
    this.frames = Number(row!["frames"]);
  }

  at(number: number): Track | undefined {
    return this.#tracks.get(number);
  }

  duplicatesOf(contentHash: string, except: string): string[] {
    return (this.#idsByContent.get(contentHash) ?? []).filter((id) => id !== except);
  }

  oneOfEachRecording<T extends { readonly track: number }>(ranked: readonly T[]): T[] {
    const seen = new Set<string>();
    return ranked.filter(({ track }) => {
      const { contentHash } = this.#tracks.get(track)!;
      if (seen.has(contentHash)) return false;
      seen.add(contentHash);
      return true;
    });
  }
}

/** The track of a row of the table `tracks`. */
export function trackOf(row: SqlRow): Track {
  return {
    ...JSON.parse(String(row["metadata"])),
    durationSeconds: Number(row["seconds"]),
    hashes: Number(row["hashes"]),
    contentHash: String(row["content_hash"]),
  };
}
