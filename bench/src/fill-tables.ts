// Fills the tables of a catalog in PostgreSQL with many tracks at once, as after `compact`: for benches whose subject is not enrolling.
import { once } from "node:events";
import type { Fingerprint } from "@longwave/fingerprint";
import type { Sql } from "postgres";

/** @param tracks fingerprints of two words a record, under the ids t0, t1 and so on; the catalog is open and empty */
export async function fillTables(
  sql: Sql,
  tracks: readonly Fingerprint[],
  say: (line: string) => void,
): Promise<void> {
  const rows = tracks.map(({ records }, number) => ({
    number,
    id: `t${number}`,
    metadata: JSON.stringify({ id: `t${number}` }),
    seconds: 1,
    hashes: records.length / 2,
    content_hash: `content of ${number}`,
  }));
  for (let at = 0; at < rows.length; at += 1000)
    await sql`insert into longwave.tracks ${sql(rows.slice(at, at + 1000))}`;
  await sql.unsafe(`select setval('longwave.track_numbers', ${tracks.length})`);
  await sql.reserve().then(async (session) => {
    await session.unsafe("create temporary table raw (hash int, track int, frame int)");
    const copy = await session.unsafe("copy raw from stdin").writable();
    for (const [number, { records }] of tracks.entries()) {
      let text = "";
      for (let i = 0; i < records.length; i += 2)
        text += `${records[i]! | 0}\t${number}\t${records[i + 1]!}\n`;
      if (!copy.write(text)) await once(copy, "drain");
      if (number % 1000 === 999) say(`copied ${number + 1} tracks`);
    }
    copy.end();
    await once(copy, "finish");
    await session.unsafe("set work_mem = '1GB'");
    await session.unsafe(`insert into longwave.postings (shard, hash, first, tracks, frames)
      select track / 100000, hash, min(track), array_agg(track order by track, frame), array_agg(frame order by track, frame)
      from raw group by 1, 2 order by 2`);
    session.release();
  });
}
