import type { ProfileId } from "@longwave/fingerprint";
import type { SqlClient } from "./sql-client.ts";

/** What {@link PostgresCatalog.verify} found. */
export interface TableReport {
  readonly ok: boolean;
  /** One sentence for each thing that is wrong, at most 100. */
  readonly problems: readonly string[];
  readonly tracks: number;
  readonly rows: number;
  readonly postings: number;
}

/** Counts the postings of every track and compares. The bytes themselves are PostgreSQL's to check (`pg_checksums`). */
export async function verifyTables(
  client: SqlClient,
  schema: string,
  profile: ProfileId,
): Promise<TableReport> {
  const wrong = await client.query(
    `with counted as (
       select track, count(*) as postings from ${schema}.postings, unnest(tracks) as u (track) group by track
     )
     select coalesce(t.id, 'number ' || c.track) as id, t.hashes, coalesce(c.postings, 0)::int as postings,
       t.number is null as unknown
     from ${schema}.tracks t full join counted c on c.track = t.number
     where t.number is null or (not t.removed and t.hashes <> coalesce(c.postings, 0)) order by 1 limit 100`,
  );
  const problems = wrong.map(({ id, hashes, postings, unknown }) =>
    unknown === true
      ? `${postings} postings belong to a track that is not there (${id}).`
      : `Track ${id} has ${postings} postings instead of ${hashes}.`,
  );
  const uneven = await client.query(
    `select hash from ${schema}.postings where cardinality(tracks) <> cardinality(frames) or cardinality(tracks) = 0 limit 100`,
  );
  for (const { hash } of uneven) problems.push(`A list of hash ${hash} is malformed.`);
  if (profile === "mark-v1") {
    const without = await client.query(
      `select id from ${schema}.tracks t where not removed
       and not exists (select from ${schema}.peaks p where p.number = t.number) order by id limit 100`,
    );
    for (const { id } of without) problems.push(`Track ${id} has no peaks.`);
  }
  const [count] = await client.query(
    `select (select count(*) from ${schema}.tracks where not removed)::float8 as tracks, count(*)::float8 as rows,
       coalesce(sum(cardinality(tracks)), 0)::float8 as postings from ${schema}.postings`,
  );
  return {
    ok: problems.length === 0,
    problems: problems.slice(0, 100),
    tracks: Number(count!["tracks"]),
    rows: Number(count!["rows"]),
    postings: Number(count!["postings"]),
  };
}
