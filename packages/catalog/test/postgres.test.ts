import { MemoryStore } from "@longwave/base";
import { SystemClock } from "@longwave/base/node";
import { extract, type ProfileId } from "@longwave/fingerprint";
import { type PostgresServer, postgresPrograms, startPostgres } from "@longwave/testkit";
import postgres, { type Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Catalog } from "../src/catalog.ts";
import type { Identification } from "../src/identification.ts";
import type { MonitorEvent } from "../src/monitor.ts";
import { PostgresCatalog, type PostgresCatalogOptions, postgresClient } from "../src/postgres/index.ts";
import { voteStatement } from "../src/postgres/vote-statement.ts";
import { melody } from "./signals.ts";

const programs = postgresPrograms();
const rate = 8000;

const songs = new Map<string, Float32Array>();
/** Melody `seed`, composed once. */
function song(seed: number, seconds = 6): Float32Array {
  const key = `${seed} ${seconds}`;
  const known = songs.get(key) ?? melody(seed, seconds);
  songs.set(key, known);
  return known;
}
const sound = (seed: number, seconds?: number) => ({ samples: song(seed, seconds), sampleRate: rate });

/** An answer whose scatter is in order: which posting of a hash comes first is no promise. */
function ordered(answer: Identification): unknown {
  return JSON.parse(
    JSON.stringify(answer, (key, value) => {
      if (key !== "scatter") return value;
      const points = Array.from({ length: value.length / 2 }, (_, i) => [value[2 * i], value[2 * i + 1]]);
      return points.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    }),
  );
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe.skipIf(programs === undefined)("a catalog in PostgreSQL", { timeout: 180_000 }, () => {
  let server: PostgresServer;
  let sql: Sql;
  let schemas = 0;
  beforeAll(async () => {
    server = await startPostgres(programs!);
    sql = postgres({
      host: server.socketFolder,
      user: server.user,
      database: "postgres",
      max: 4,
      onnotice: () => {},
    });
  });
  afterAll(async () => {
    await sql?.end({ timeout: 5 });
    await server?.close();
  });

  const client = () => postgresClient(sql);
  const newCatalog = (options: PostgresCatalogOptions = {}) =>
    PostgresCatalog.open(client(), { schema: `test_${schemas++}`, ...options });

  /** The same tracks in segments and in tables, some of them removed or replaced. */
  async function makeTwins(profile: ProfileId, options: PostgresCatalogOptions = {}) {
    const inSegments = await Catalog.open(new MemoryStore(), { profile });
    const inTables = await newCatalog({ profile, ...options });
    const fingerprints = new Map([1, 2, 3, 4, 5, 40].map((seed) => [seed, inSegments.extract(sound(seed))]));
    for (const catalog of [inSegments, inTables]) {
      for (let seed = 1; seed <= 5; seed++) await catalog.enroll({ id: `t${seed}` }, fingerprints.get(seed)!);
      await catalog.enroll({ id: "copy of 2", title: "Copy" }, fingerprints.get(2)!);
      await catalog.enroll({ id: "t4" }, fingerprints.get(40)!, { replace: true });
      await catalog.remove("t5");
    }
    return { inSegments, inTables };
  }
  let shared: ReturnType<typeof makeTwins> | undefined;
  /** Two catalogs that no test changes. */
  const twins = () => {
    shared ??= makeTwins("mark-v1");
    return shared;
  };

  const queries = {
    "a piece": song(1).subarray(2.217 * rate, 5 * rate),
    "a piece of what is enrolled twice": song(2).subarray(1.1 * rate, 4 * rate),
    "a removed recording": song(5).subarray(2 * rate, 4.1 * rate),
    "what came in another's place": song(40).subarray(2 * rate, 5 * rate),
    silence: new Float32Array(5 * rate),
    "too little": melody(1, 0.05),
  };

  test.each([
    ["mark-v1", 2],
    ["wang-v1", 100_000],
  ] as const)("answers as segments do: %s, %i tracks a shard", async (profile, tracksPerShard) => {
    const { inSegments, inTables } = await makeTwins(profile, { tracksPerShard });
    const ask = async (most?: number) => {
      for (const [name, samples] of Object.entries(queries).slice(0, most)) {
        const query = { samples, sampleRate: rate };
        const expected = ordered(await inSegments.identify(query, { explain: true }));
        expect(ordered(await inTables.identify(query, { explain: true })), name).toEqual(expected);
      }
    };
    await ask();
    await inTables.compact();
    await ask(2);
    expect(await inTables.verify()).toMatchObject({ ok: true, problems: [], tracks: 5 });
    expect((await inTables.identify({ samples: queries["a piece"], sampleRate: rate })).match?.track.id).toBe(
      "t1",
    );
  });

  test("hypotheses of tempo and pitch are tried in one statement a stage", async () => {
    const { inSegments, inTables } = await twins();
    const slow = song(3).subarray(1 * rate, 5 * rate);
    // Played 4 % too fast: the same samples said to be at a higher rate.
    const query = { samples: slow, sampleRate: 1.04 * rate };
    const answer = await inTables.identify(query);
    expect(answer.match).toMatchObject({ track: { id: "t3" }, stage: "speed" });
    expect(answer).toEqual(await inSegments.identify(query));
  });

  test("follows a stream as segments do", async () => {
    const { inSegments, inTables } = await twins();
    const stream = [song(99, 3), song(1), song(2)];
    const events = async (catalog: Catalog | PostgresCatalog) =>
      collect(catalog.monitor(stream, { sampleRate: rate, stepSeconds: 2 }));
    const found = await events(inTables);
    expect(found.map(({ type }) => type)).toContain("leave");
    expect(found).toEqual(await events(inSegments));
  });

  test("the same sound is unchanged, other sound is refused or replaces, and all is there after opening again", async () => {
    const schema = `test_${schemas++}`;
    const catalog = await PostgresCatalog.open(client(), { schema });
    expect(await catalog.enroll({ id: "a", title: "A", extra: { isrc: "x'y\"" } }, sound(1))).toMatchObject({
      status: "added",
      duplicates: [],
    });
    expect(await catalog.enroll({ id: "a" }, sound(1))).toMatchObject({ status: "unchanged" });
    await expect(catalog.enroll({ id: "a" }, sound(2))).rejects.toMatchObject({ code: "catalog/exists" });
    expect(await catalog.enroll({ id: "b" }, sound(1))).toMatchObject({ status: "added", duplicates: ["a"] });
    expect(await catalog.enroll({ id: "b" }, sound(2), { replace: true })).toMatchObject({
      status: "replaced",
    });
    await expect(catalog.remove("c")).rejects.toMatchObject({ code: "catalog/not-found" });
    await expect(catalog.enroll({ id: "" }, sound(2))).rejects.toMatchObject({ code: "catalog/bad-id" });
    await expect(
      catalog.enroll({ id: "w" }, extract("wang-v1", song(1, 4), { sampleRate: rate })),
    ).rejects.toMatchObject({ code: "catalog/profile-mismatch" });
    const again = await PostgresCatalog.open(client(), { schema, readOnly: true });
    expect(await again.get("a")).toMatchObject({ title: "A", extra: { isrc: "x'y\"" }, durationSeconds: 6 });
    expect((await collect(again.tracks())).map(({ id }) => id)).toEqual(["a", "b"]);
    await expect(again.enroll({ id: "d" }, sound(3))).rejects.toMatchObject({ code: "catalog/read-only" });
    await expect(PostgresCatalog.open(client(), { schema, profile: "wang-v1" })).rejects.toMatchObject({
      code: "catalog/profile-mismatch",
    });
  });

  test("many writers at once: each track once, and no track half", async () => {
    const schema = `test_${schemas++}`;
    const writers = await Promise.all(
      Array.from({ length: 4 }, () => PostgresCatalog.open(client(), { schema })),
    );
    const fingerprints = [1, 2, 3].map((seed) => writers[0]!.extract(sound(seed, 4)));
    const results = await Promise.all(
      writers.flatMap((writer) => fingerprints.map((each, i) => writer.enroll({ id: `t${i}` }, each))),
    );
    expect(results.filter(({ status }) => status === "added").length).toBe(3);
    expect(await writers[0]!.verify()).toMatchObject({ ok: true, tracks: 3 });
    await Promise.all([
      writers[0]!.compact(),
      writers[1]!.enroll({ id: "late" }, sound(4, 4)),
      writers[2]!.compact(),
    ]);
    expect(await writers[0]!.verify()).toMatchObject({ ok: true, tracks: 4 });
    expect((await writers[3]!.identify(sound(4, 4))).match?.track.id).toBe("late");
  });

  test("damage is reported, a foreign version refused, an absent catalog named", async () => {
    const schema = `test_${schemas++}`;
    await expect(PostgresCatalog.open(client(), { schema, readOnly: true })).rejects.toMatchObject({
      code: "catalog/missing",
    });
    await expect(PostgresCatalog.open(client(), { schema: 'x"; drop' })).rejects.toMatchObject({
      code: "catalog/bad-id",
    });
    const catalog = await PostgresCatalog.open(client(), { schema });
    await catalog.enroll({ id: "a" }, sound(1, 4));
    await sql.unsafe(`delete from ${schema}.peaks`);
    await sql.unsafe(
      `delete from ${schema}.postings where hash in (select hash from ${schema}.postings limit 1)`,
    );
    const { ok, problems } = await catalog.verify();
    expect(ok).toBe(false);
    expect(problems.join(" ")).toMatch(/Track a has \d+ postings instead of \d+\. Track a has no peaks\./);
    await sql.unsafe(`update ${schema}.catalog set version = 2`);
    await expect(PostgresCatalog.open(client(), { schema })).rejects.toMatchObject({
      code: "catalog/version",
    });
    await sql.unsafe(`drop table ${schema}.tracks`);
    await expect(catalog.identify(sound(1, 4))).rejects.toMatchObject({ code: "catalog/engine-failed" });
  });

  test("a transaction that fails leaves nothing of a track", async () => {
    const schema = `test_${schemas++}`;
    const catalog = await PostgresCatalog.open(client(), { schema });
    await sql.unsafe(`alter table ${schema}.peaks add check (number > 0)`);
    await expect(catalog.enroll({ id: "a" }, sound(1, 4))).rejects.toMatchObject({
      code: "catalog/engine-failed",
    });
    expect(await catalog.verify()).toMatchObject({ ok: true, tracks: 0, rows: 0 });
    expect(await catalog.enroll({ id: "a" }, sound(1, 4))).toMatchObject({ status: "added" });
  });

  test("a writer that is killed in the middle leaves nothing, and the next one goes on", async () => {
    const schema = `test_${schemas++}`;
    const catalog = await PostgresCatalog.open(client(), { schema });
    const dying = postgres({
      host: server.socketFolder,
      user: server.user,
      database: "postgres",
      max: 1,
      onnotice: () => {},
    });
    const writer = await PostgresCatalog.open(postgresClient(dying), { schema });
    const [{ pid }] = (await dying`select pg_backend_pid() as pid`) as unknown as [{ pid: number }];
    // Its last insert waits for a lock: tracks and postings are written, but not committed.
    await sql.begin(async (holding) => {
      await holding.unsafe(`lock table ${schema}.peaks in exclusive mode`);
      const enrolling = writer.enroll({ id: "a" }, sound(1, 4));
      const ended = enrolling.catch((error: unknown) => error);
      for (;;) {
        const [row] = await sql`select wait_event_type as kind from pg_stat_activity where pid = ${pid}`;
        if (row?.["kind"] === "Lock") break;
      }
      await sql`select pg_terminate_backend(${pid})`;
      expect(await ended).toMatchObject({ code: "catalog/engine-failed", kind: "unavailable" });
    });
    expect(await catalog.verify()).toMatchObject({ ok: true, tracks: 0, rows: 0 });
    expect(await catalog.enroll({ id: "a" }, sound(1, 4))).toMatchObject({ status: "added" });
    await dying.end({ timeout: 1 });
  });

  test("can be distributed by shard: every key holds it, nothing refers across, a track lies in one shard", async () => {
    const schema = `test_${schemas++}`;
    const catalog = await PostgresCatalog.open(client(), { schema, tracksPerShard: 2 });
    for (const seed of [1, 2, 3]) await catalog.enroll({ id: `t${seed}` }, sound(seed, 4));
    await catalog.compact();
    for (const table of ["postings", "peaks"]) {
      // The rule of create_distributed_table: the distribution column is part of every unique key.
      const keys = await sql.unsafe(
        `select array_agg(a.attname::text) as columns from pg_index i
         join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
         where i.indrelid = '${schema}.${table}'::regclass and i.indisunique group by i.indexrelid`,
      );
      expect(keys.length, table).toBeGreaterThan(0);
      for (const { columns } of keys) expect(columns, table).toContain("shard");
    }
    const foreign = await sql.unsafe(
      `select count(*)::int as count from pg_constraint c join pg_namespace n on n.oid = c.connamespace
       where n.nspname = '${schema}' and (c.contype = 'f' or c.contype = 't')`,
    );
    expect(foreign[0]!["count"]).toBe(0);
    const strays = await sql.unsafe(
      `select (select count(*)::int from ${schema}.postings, unnest(tracks) as t where t / 2 <> shard) as postings,
        (select count(*)::int from ${schema}.peaks where number / 2 <> shard) as peaks,
        (select count(distinct shard)::int from ${schema}.postings) as shards`,
    );
    expect(strays[0]).toEqual({ postings: 0, peaks: 0, shards: 2 });
    // The vote looks at one shard at a time: whatever counts or ranks tracks is grouped or partitioned by it.
    const statement = voteStatement(`"${schema}"`, 2);
    const grouped = [...statement.matchAll(/partition by ([^)]*?)(?: order by|\))|group by ([^\n]*)/g)]
      .map(([, partition, group]) => partition ?? group)
      .slice(0, 5);
    expect(grouped).toEqual([
      "p.shard, p.hash",
      "1, 2, 3, 4",
      "shard, hypothesis, track",
      "1, 2, 3",
      "shard, hypothesis",
    ]);
    expect(statement).toMatch(/select l\.shard, a\.hypothesis, u\.track, u\.frame/);
    expect(statement).toMatch(/select shard, hypothesis, track, max\(/);
  });

  /** A monitored stream of `song(1)` by seconds, during which the test may stop and start the server. */
  async function* bySecond(before: (second: number) => Promise<void>): AsyncIterable<Float32Array> {
    for (let second = 0; second < 6; second++) {
      await before(second);
      yield song(1).subarray(second * rate, (second + 1) * rate);
    }
    await before(6);
  }

  test("a monitored stream outlives a restart of the server, and loses only looks that found no room", async () => {
    const { inSegments } = await twins();
    const ownSql = postgres({
      host: server.socketFolder,
      user: server.user,
      database: "postgres",
      max: 2,
      onnotice: () => {},
      backoff: () => 0.05,
    });
    const catalog = await PostgresCatalog.open(postgresClient(ownSql), { schema: `test_${schemas++}` });
    for (let seed = 1; seed <= 3; seed++) await catalog.enroll({ id: `t${seed}` }, sound(seed));
    const clock = new SystemClock();
    const undisturbed = await collect(inSegments.monitor([song(1)], { sampleRate: rate }));
    const played = (events: readonly MonitorEvent[]) =>
      events.flatMap((event) => ("track" in event ? [[event.type, event.track.id, event.atMs]] : []));
    try {
      // The look of the third second finds the server gone, and all that follow wait until the stream has ended.
      for (const mostWaiting of [60, 2]) {
        const events: MonitorEvent[] = [];
        const stream = bySecond(async (second) => {
          if (second === 2) await server.stop();
          if (second === 6) await server.start();
        });
        for await (const event of catalog.monitor(stream, {
          sampleRate: rate,
          outages: { clock, mostWaiting },
        }))
          events.push(event);
        const [away] = events.filter(({ type }) => type === "away");
        expect(away).toMatchObject({ atMs: 3000, reason: expect.stringContaining("PostgreSQL failed") });
        const back = events.filter((event) => event.type === "back");
        expect(back.length).toBe(1);
        if (mostWaiting === 60) {
          expect(back[0]!.lostLooks).toBe(0);
          expect(played(events)).toEqual(played(undisturbed));
        } else {
          // Those of the fourth and fifth second; that of the sixth too where the last one comes before the server's answer.
          expect([2, 3]).toContain(back[0]!.lostLooks);
          expect(played(events).map(([type]) => type)).toEqual(["enter", "leave"]);
        }
      }
      // A file waits where it is: what is not answered is not lost, and after its patience it fails.
      let read = 0;
      const file = bySecond(async (second) => {
        read = second;
        if (second === 1) await server.stop();
      });
      const outages = {
        clock,
        mostWaiting: 2,
        whenFull: "wait",
        patienceSeconds: 0.3,
        answerSeconds: 60,
      } as const;
      await expect(collect(catalog.monitor(file, { sampleRate: rate, outages }))).rejects.toMatchObject({
        code: "catalog/engine-failed",
        kind: "unavailable",
      });
      expect(read).toBe(2);
    } finally {
      await server.start();
      await ownSql.end({ timeout: 1 });
    }
    // What a statement is refused for is no outage.
    const gone = await newCatalog();
    await sql.unsafe(`drop schema test_${schemas - 1} cascade`);
    const looking = gone.monitor([song(1)], { sampleRate: rate, outages: { clock } });
    await expect(collect(looking)).rejects.toMatchObject({ code: "catalog/engine-failed" });
  });

  test("a stored fingerprint can be the query", async () => {
    const { inSegments, inTables } = await twins();
    const fingerprint = inTables.extract({ samples: queries["a piece"], sampleRate: rate });
    expect(await inTables.identify(fingerprint)).toEqual(await inSegments.identify(fingerprint));
  });
});

test.skipIf(programs !== undefined)("PostgreSQL is tested where it is installed", (context) => {
  context.skip("there is no PostgreSQL in /usr/lib/postgresql");
});
