import { mkdtempSync, rmSync } from "node:fs";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryStore } from "@longwave/base";
import { Catalog } from "@longwave/catalog";
import { serveMatcher, shardName } from "@longwave/catalog/nats";
import { postgresClient } from "@longwave/catalog/postgres";
import { encodeWav } from "@longwave/media";
import { createApp } from "@longwave/server";
import { LiveIdentifier, type StationCatalog, type StationEventBody } from "@longwave/station";
import { hasNats, postgresPrograms, startNats, startPostgres } from "@longwave/testkit";
import { connect } from "@nats-io/transport-node";
import postgres from "postgres";
import { expect, test } from "vitest";
import { openNamedCatalog } from "../src/open-station-catalog.ts";
import { sampleRate, song } from "./id-program.ts";

const named = (value: string | undefined, from = "--catalog") => ({ value, from, origin: "flag" as const });
const patience = { timeout: 60_000, interval: 100 };

/** A socket in front of that of a PostgreSQL server, which can be taken away. */
class Cable {
  readonly folder = mkdtempSync(join(tmpdir(), "longwave-cable-"));
  readonly #to: string;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  constructor(to: string) {
    this.#to = to;
  }

  plug(): Promise<void> {
    this.#server = createServer((near) => {
      const far = createConnection(join(this.#to, ".s.PGSQL.5432"));
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.on("error", () => {}).on("close", () => this.#sockets.delete(socket));
      }
      near.pipe(far).pipe(near);
    });
    return new Promise((resolve) => this.#server!.listen(join(this.folder, ".s.PGSQL.5432"), resolve));
  }

  async pull(): Promise<void> {
    const closed = new Promise((resolve) => this.#server!.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

/** Hears a song over and over, as a station does: 48 kHz stereo, in blocks of 20 ms. */
function listener(catalog: StationCatalog, samples: Float32Array) {
  const events: StationEventBody[] = [];
  const identifier = new LiveIdentifier({ catalog, onEvent: (event) => events.push(event) });
  const block = new Float32Array(2 * 960);
  const step = 48_000 / sampleRate;
  let at = 0;
  /** Half a second. */
  const listen = async () => {
    for (let blocks = 0; blocks < 25; blocks++, at += 960) {
      for (let i = 0; i < block.length; i++) {
        const place = ((at + (i >> 1)) / step) % samples.length;
        const before = Math.floor(place);
        const after = samples[(before + 1) % samples.length]!;
        block[i] = samples[before]! + (after - samples[before]!) * (place - before);
      }
      identifier.write(block, at);
    }
    await identifier.settle();
  };
  /** Listens until the last event is of this type; half a second of sound takes at least 10 ms. */
  const until = async (type: StationEventBody["type"]) => {
    const isThere = async () => {
      await listen();
      return events.filter((event) => event.type !== "match.held").at(-1)?.type;
    };
    await expect.poll(isThere, { ...patience, interval: 10 }).toBe(type);
  };
  return { events, until };
}

test.skipIf(postgresPrograms() === undefined)(
  "a station looks up in PostgreSQL, goes on without it, and finds it again",
  async () => {
    const server = await startPostgres(postgresPrograms()!);
    const cable = new Cable(server.socketFolder);
    const warnings: string[] = [];
    const place = `postgres://${server.user}:secret@localhost/postgres?host=${cable.folder}`;
    const opened = await openNamedCatalog(named(place), (message) => warnings.push(message));
    const { catalog } = opened as { catalog: StationCatalog };
    try {
      // Away from the start: said, and everything else goes on.
      expect(warnings).toEqual([
        expect.stringMatching(/^The catalog \(--catalog\) is away: PostgreSQL.*goes on\.$/),
      ]);
      const host = { version: "0", stations: new Map(), catalog, notReady: () => undefined };
      const open = { token: undefined, loopback: true, corsOrigins: [], consoleDirectory: undefined };
      const app = createApp({ host, ...open });
      const ask = async (path: string, body?: Uint8Array) => {
        const how = body && { method: "POST", body: body as Uint8Array<ArrayBuffer> };
        const answer = await app.request(`http://127.0.0.1/v1/${path}`, how);
        return { status: answer.status, value: (await answer.json()) as Record<string, unknown> };
      };
      const clip = encodeWav(song(1).subarray(sampleRate, 4 * sampleRate), { sampleRate, channels: 1 });
      expect((await ask("health")).value).toMatchObject({
        status: "degraded",
        degraded: ["The catalog is away: nothing is identified."],
        parts: [{ part: "catalog", stream: null, reason: expect.stringMatching(/PostgreSQL/) }],
      });
      expect(await ask("ready")).toMatchObject({ status: 200, value: { ready: true } });
      expect(await ask("identify", clip)).toMatchObject({
        status: 503,
        value: { code: "station/catalog-away" },
      });

      await cable.plug();
      await expect.poll(() => catalog.away, patience).toBeUndefined();
      expect((await ask("health")).value).toMatchObject({ status: "ok", degraded: [] });
      await catalog.enroll({ id: "one", title: "One" }, { samples: song(1), sampleRate });
      expect((await ask("catalog/tracks")).value).toMatchObject({ total: 1, tracks: [{ id: "one" }] });
      expect((await ask("identify", clip)).value).toMatchObject({ match: { track: "one", title: "One" } });

      const { events, until } = listener(catalog, song(1));
      await until("match.entered");
      await cable.pull();
      await until("identification.away");
      await cable.plug();
      await until("match.entered");
      const kinds = events.map(({ type }) => type);
      expect(kinds.lastIndexOf("identification.returned")).toBeGreaterThan(
        kinds.indexOf("identification.away"),
      );
      expect(warnings.join("\n")).not.toContain("secret");

      // In the middle of a transaction: refused, and nothing else is said or done with the connection that is gone.
      const sql = postgres({ host: cable.folder, user: server.user, database: "postgres", max: 1 });
      const look = postgres({ host: server.socketFolder, user: server.user, database: "postgres", max: 1 });
      const broken = postgresClient(sql).transaction((inner) => inner.query("select pg_sleep(600)"));
      const ended = broken.catch((error: unknown) => error);
      const sleeping = () => look`select pid from pg_stat_activity where wait_event = 'PgSleep'`;
      await expect.poll(async () => (await sleeping()).length, patience).toBe(1);
      await cable.pull();
      expect(await ended).toMatchObject({ code: "catalog/engine-failed" });
      await Promise.all([sql.end({ timeout: 1 }), look.end({ timeout: 1 })]);
    } finally {
      await catalog.close();
      await server.close();
      rmSync(cable.folder, { recursive: true, force: true });
    }
  },
  180_000,
);

test.skipIf(!hasNats())("a station asks matchers over NATS, and enrolls nothing there", async () => {
  const server = await startNats();
  const connection = await connect({ servers: server.servers });
  const shard = await Catalog.open(new MemoryStore());
  await shard.enroll({ id: "one", title: "One" }, { samples: song(1), sampleRate });
  const matcher = serveMatcher(connection, shard, { shard: shardName(1, 1), of: 1 });
  const opened = await openNamedCatalog(named(`nats://${server.servers}`), () => {});
  const { catalog } = opened as { catalog: StationCatalog };
  try {
    expect([catalog.away, catalog.isReadOnly, catalog.profile]).toEqual([undefined, true, "mark-v1"]);
    const { until } = listener(catalog, song(1));
    await until("match.entered");
    const enrolling = catalog.enroll({ id: "two" }, { samples: song(2), sampleRate });
    await expect(enrolling).rejects.toMatchObject({ code: "catalog/read-only", kind: "usage" });
    expect(catalog.away).toBeUndefined();
    matcher.close();
    await connection.close();
    await server.close();
    await expect(catalog.identify({ samples: song(1), sampleRate })).rejects.toMatchObject({
      kind: "unavailable",
    });
    expect(catalog.away).toBeDefined();
  } finally {
    await catalog.close();
    await connection.close();
    await server.close();
  }
});

test("a place that is none names the option it came from, and never becomes a directory", async () => {
  for (const [place, from] of [
    ["s3://radio/catalog", "--catalog"],
    ["redis://radio:secret@x", "LONGWAVE_CATALOG"],
  ] as const) {
    const failed = openNamedCatalog(named(place, from), () => {});
    await expect(failed).rejects.toMatchObject({ code: "cli/bad-catalog", kind: "usage" });
    await expect(failed).rejects.toThrow(from);
    await expect(failed).rejects.not.toThrow("secret");
  }
  await expect(openNamedCatalog(named("nats://x?of=0"), () => {})).rejects.toMatchObject({ kind: "usage" });
  expect(await openNamedCatalog(named(undefined), () => {})).toBeUndefined();
  for (const directory of ["./catalog", "/srv/catalog", "C:\\catalog", "postgres"])
    expect(await openNamedCatalog(named(directory), () => {})).toEqual({
      directory,
      directoryFrom: "--catalog",
    });
});

test("a broker that is away ends no station", async () => {
  const warnings: string[] = [];
  const opened = await openNamedCatalog(named("nats://127.0.0.1:1"), (message) => warnings.push(message));
  const { catalog } = opened as { catalog: StationCatalog };
  expect(warnings).toEqual([expect.stringMatching(/No connection to nats:\/\/127\.0\.0\.1:1/)]);
  await catalog.close();
});
