import { createStream, type ProfileId, profileOf } from "@longwave/fingerprint";
import type { Calibration } from "../calibration.ts";
import { CatalogError } from "../errors.ts";
import type { SqlClient } from "./sql-client.ts";

/** Version of the tables; a database of another version is refused. */
const schemaVersion = 1;

/** What the table `catalog` says. */
export interface CatalogRow {
  readonly profile: ProfileId;
  readonly configHash: string;
  /** Tracks whose postings lie together in a shard. */
  readonly tracksPerShard: number;
  readonly calibration: Calibration | undefined;
}

/** Quoted name of a schema. @throws CatalogError `catalog/bad-id` */
export function quotedSchema(name: string): string {
  if (/^[a-z_][a-z0-9_]{0,62}$/.test(name)) return `"${name}"`;
  throw new CatalogError(
    "catalog/bad-id",
    `${JSON.stringify(name)} is no schema name: use small letters, digits and _, beginning with a letter.`,
  );
}

/*
 * `postings`: array rows. A row holds a part of the list of one hash within one shard (a range of track numbers); `first` is
 * the lowest track in it. Enrolling inserts a row for each hash of the track, a compaction makes one of many. Nothing here
 * spans two shards, so that Citus may distribute `postings` and `peaks` by `shard` and keep the rest as reference tables.
 */
function tablesOf(schema: string): readonly string[] {
  return [
    `create schema if not exists ${schema}`,
    `create table if not exists ${schema}.catalog (one boolean primary key default true check (one), version int not null,
      profile text not null, config_hash text not null, tracks_per_shard int not null, calibration text)`,
    `create table if not exists ${schema}.tracks (number int primary key, id text not null, metadata text not null,
      seconds float8 not null, hashes int not null, content_hash text not null, removed boolean not null default false)`,
    `create unique index if not exists tracks_id on ${schema}.tracks (id) where not removed`,
    `create index if not exists tracks_content on ${schema}.tracks (content_hash)`,
    `create index if not exists tracks_removed on ${schema}.tracks (number) where removed`,
    `create sequence if not exists ${schema}.track_numbers as int minvalue 0 start 0`,
    `create table if not exists ${schema}.postings (shard int not null, hash int not null, first int not null,
      tracks int[] not null, frames int[] not null, primary key (hash, shard, first))`,
    `create table if not exists ${schema}.peaks (shard int not null, number int not null, records bytea not null,
      primary key (number, shard))`,
  ];
}

/**
 * Reads what the database says of itself; with `create` makes the tables where there are none.
 * @throws CatalogError `catalog/missing`, `catalog/version`, `catalog/profile-mismatch`, `catalog/engine-failed`
 */
export async function openSchema(
  client: SqlClient,
  schema: string,
  create: { profile: ProfileId; tracksPerShard: number } | undefined,
): Promise<CatalogRow> {
  let row = await readRow(client, schema);
  if (row === undefined && create !== undefined) {
    await client.transaction(async (inner) => {
      // Two processes that create the same catalog at once: one waits for the other. The number is an arbitrary name.
      await inner.query("select pg_advisory_xact_lock(19543)");
      for (const statement of tablesOf(schema)) await inner.query(statement);
      await inner.query(
        `insert into ${schema}.catalog (version, profile, config_hash, tracks_per_shard) values ($1, $2, $3, $4)
         on conflict do nothing`,
        [schemaVersion, create.profile, createStream(create.profile).configHash, create.tracksPerShard],
      );
    });
    row = await readRow(client, schema);
  }
  if (row !== undefined) return row;
  throw new CatalogError(
    "catalog/missing",
    `There is no catalog in the schema ${schema}; enroll something first, or name another schema.`,
  );
}

async function readRow(client: SqlClient, schema: string): Promise<CatalogRow | undefined> {
  const [known] = await client.query("select to_regclass($1)::text as name", [`${schema}.catalog`]);
  if (known?.["name"] == null) return undefined;
  const [row] = await client.query(
    `select version, profile, config_hash, tracks_per_shard, calibration from ${schema}.catalog`,
  );
  if (row === undefined) return undefined;
  if (row["version"] !== schemaVersion) {
    throw new CatalogError(
      "catalog/version",
      `The tables have version ${row["version"]}; this program reads ${schemaVersion}. Update it.`,
    );
  }
  const profile = profileOf(String(row["profile"]) as ProfileId).id;
  const configHash = String(row["config_hash"]);
  if (configHash !== createStream(profile).configHash) {
    throw new CatalogError(
      "catalog/profile-mismatch",
      `The catalog was made with other settings of ${profile} (${configHash}); enroll its sound again.`,
    );
  }
  const calibration = row["calibration"] === null ? undefined : JSON.parse(String(row["calibration"]));
  return { profile, configHash, tracksPerShard: Number(row["tracks_per_shard"]), calibration };
}
