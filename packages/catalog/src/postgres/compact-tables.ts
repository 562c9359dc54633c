import type { SqlClient } from "./sql-client.ts";

/** Parts of the range of hashes that are rewritten in a transaction each, so that none is long. */
const parts = 64;

/**
 * Rewrites the lists of every shard as one row each, without removed tracks, then forgets these tracks. Stopped at any moment, the
 * rest is as before; what others enroll meanwhile stays in rows of its own.
 */
export async function compactTables(client: SqlClient, schema: string, signal?: AbortSignal): Promise<void> {
  const removed = await client.query(`select number from ${schema}.tracks where removed`);
  const gone = `{${removed.map(({ number }) => number).join(",")}}`;
  const [extent] = await client.query(
    `select coalesce(min(hash), 0)::float8 as low, coalesce(max(hash), 0)::float8 as high from ${schema}.postings`,
  );
  const low = Number(extent!["low"]);
  const step = Math.ceil((Number(extent!["high"]) - low + 1) / parts);
  for (let part = 0; part < parts; part++) {
    signal?.throwIfAborted();
    await client.query(
      `with taken as (
         delete from ${schema}.postings where hash >= $1::int8 and hash < $2::int8 returning shard, hash, tracks, frames
       )
       insert into ${schema}.postings (shard, hash, first, tracks, frames)
       select shard, hash, min(track), array_agg(track order by track, frame), array_agg(frame order by track, frame)
       from taken cross join lateral unnest(tracks, frames) as u (track, frame)
       where track <> all ($3::text::int[]) group by shard, hash`,
      [low + part * step, low + (part + 1) * step, gone],
    );
  }
  if (removed.length === 0) return;
  await client.transaction(async (inner) => {
    await inner.query(`delete from ${schema}.peaks where number = any($1::text::int[])`, [gone]);
    await inner.query(`delete from ${schema}.tracks where number = any($1::text::int[])`, [gone]);
  });
}
