import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryStore } from "@longwave/base";
import { DirectoryStore } from "@longwave/base/node";
import { Catalog } from "@longwave/catalog";
import { serveMatcher, shardName } from "@longwave/catalog/nats";
import { hasNats, postgresPrograms, startFakeS3, startNats, startPostgres } from "@longwave/testkit";
import { connect } from "@nats-io/transport-node";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { archiveFinding, catalogFinding, jobsFinding } from "../src/doctor/services.ts";
import { openDatabase } from "../src/id/open-catalog.ts";
import { resolveJobsSettings } from "../src/jobs/jobs-settings.ts";
import { sampleRate, song } from "./id-program.ts";
import { runHere } from "./run-here.ts";

const jobsAt = (url: string) => jobsFinding(resolveJobsSettings({ url }, {}));
const good = (says: RegExp) => ({ state: "good", says: expect.stringMatching(says) });
const bad = (says: RegExp) => ({ state: "bad", says: expect.stringMatching(says) });
let folder = "";
let closed: (() => Promise<void>)[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "longwave-doctor-"));
});
afterAll(async () => {
  for (const close of closed.reverse()) await close();
  closed = [];
  rmSync(folder, { recursive: true, force: true });
});

describe.skipIf(postgresPrograms() === undefined)("doctor and PostgreSQL", () => {
  let socket = "";
  const at = (login: string, more = "") => `postgres://${login}@localhost/postgres?host=${socket}${more}`;
  let ask: ReturnType<typeof postgres>;
  beforeAll(async () => {
    const server = await startPostgres(postgresPrograms()!);
    closed.push(() => server.close());
    socket = server.socketFolder;
    ask = postgres({ host: socket, user: server.user, database: "postgres", max: 1, onnotice: () => {} });
    closed.push(() => ask.end());
    await ask.unsafe("create role radio login superuser password 'right'");
    const who = ["local all longwave trust", "local all all scram-sha-256", ""];
    writeFileSync(join(socket, "data", "pg_hba.conf"), who.join("\n"));
    await ask`select pg_reload_conf()`;
  }, 120_000);

  test("a catalog and a queue that can be reached, and the password that they want", async () => {
    // The server reads its list of who may come in when it gets to it.
    await expect
      .poll(() => catalogFinding(at("radio:wrong")), { timeout: 60_000 })
      .toMatchObject(bad(/password authentication failed for user "radio"/));
    expect(await jobsAt(at("radio:wrong"))).toMatchObject(bad(/^The job queue in PostgreSQL.*password/));
    expect(await catalogFinding(at("radio:right"))).toMatchObject(bad(/no catalog/i));
    const catalog = await openDatabase(at("radio:right"), { profile: "mark-v1" });
    await catalog.close();
    expect(await catalogFinding(at("radio:right"))).toMatchObject(good(/^0 recordings, profile mark-v1$/));
    expect(await jobsAt(at("radio:right"))).toMatchObject(good(/^0 waiting, 0 running, 0 done/));
    for (const { says } of [await catalogFinding(at("radio:wrong")), await jobsAt(at("radio:wrong"))])
      expect(says).not.toContain("wrong");
  });

  test("tables of another version", async () => {
    await ask`update longwave.catalog set version = 99`;
    await ask`update longwave.jobs_version set version = 99`;
    expect(await catalogFinding(at("longwave"))).toMatchObject(
      bad(/version 99; this program reads 1\. Update it/),
    );
    expect(await jobsAt(at("longwave"))).toMatchObject(bad(/version 99; this program reads 2\. Update it/));
  });
});

test("doctor and a PostgreSQL that is not there", async () => {
  const nowhere = "postgres://radio:secret@127.0.0.1:1/radio";
  for (const found of [await catalogFinding(nowhere), await jobsAt(nowhere)]) {
    expect(found).toMatchObject(bad(/ECONNREFUSED/));
    expect(found.says).not.toContain("secret");
  }
});

describe.skipIf(!hasNats())("doctor and NATS", () => {
  const login = { user: "radio", password: "right" };
  let servers = "";
  beforeAll(async () => {
    const server = await startNats(login);
    closed.push(() => server.close());
    servers = server.servers;
  }, 60_000);

  test("a broker with and without matchers, its queue, and the password that it wants", async () => {
    const place = `nats://radio:right@${servers}`;
    expect(await jobsAt(place)).toMatchObject(good(/^0 waiting/));
    expect(await catalogFinding(`${place}?timeout=200ms`)).toMatchObject(bad(/no matcher/i));
    const connection = await connect({ servers, user: "radio", pass: "right" });
    const catalog = await Catalog.open(new MemoryStore(), { profile: "wang-v1" });
    serveMatcher(connection, catalog, { shard: shardName(1, 1), of: 1 });
    closed.push(() => connection.close());
    await connection.flush();
    expect(await catalogFinding(place)).toMatchObject(good(/^matchers answer, profile wang-v1$/));
    for (const wrong of [
      `nats://radio:wrong@${servers}`,
      `nats://no-token@${servers}`,
      `nats://${servers}`,
    ]) {
      expect(await catalogFinding(wrong)).toMatchObject(bad(/authorization/i));
      expect(await jobsAt(wrong)).toMatchObject(bad(/authorization/i));
    }
  });
});

test("doctor and a NATS server that is not there", async () => {
  expect(await catalogFinding("nats://127.0.0.1:1")).toMatchObject(bad(/127\.0\.0\.1:1.*refused/i));
  expect(await jobsAt("nats://127.0.0.1:1")).toMatchObject(bad(/127\.0\.0\.1:1.*refused/i));
});

test("doctor and a catalog on a web server", async () => {
  const directory = join(folder, "web");
  const catalog = await Catalog.open(new DirectoryStore(directory), { profile: "wang-v1" });
  await catalog.enroll({ id: "one", title: "One" }, { samples: song(1, 3), sampleRate });
  await catalog.compact();
  await catalog.close();
  const store = new DirectoryStore(directory);
  const newer = JSON.stringify({ format: "longwave-catalog", version: 99, crc32c: 0, content: {} });
  const server = createServer(async (request, response) => {
    const [, name, ...key] = (request.url ?? "").split("/");
    if (name === "locked") return void response.writeHead(401).end();
    if (name === "forbidden") return void response.writeHead(403).end();
    const bytes =
      name === "newer"
        ? key.join("/") === "manifest.json" && Buffer.from(newer)
        : name === "radio" && (await store.get(key.join("/")));
    if (!bytes) return void response.writeHead(404).end();
    response.writeHead(200, { "content-length": bytes.length, etag: '"1"' });
    response.end(request.method === "HEAD" ? undefined : bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  closed.push(() => new Promise((resolve) => server.close(() => resolve())));
  expect(await catalogFinding(`${url}/radio`)).toMatchObject(
    good(/^1 recordings, \d+ hashes, profile wang-v1$/),
  );
  expect(await catalogFinding(`${url}/newer`)).toMatchObject(bad(/version 99/));
  expect(await catalogFinding(`${url}/nothing`)).toMatchObject(bad(/no catalog/i));
  expect(await catalogFinding(`${url}/locked`)).toMatchObject(bad(/401/));
  expect(await catalogFinding(`${url}/forbidden`)).toMatchObject(bad(/does not let it be read/));
  expect(await catalogFinding("http://127.0.0.1:1/radio")).toMatchObject(
    bad(/127\.0\.0\.1:1.*(reached|failed|refused)/i),
  );
});

test("doctor and an archive in object storage, in a directory, and where nothing can be written", async () => {
  const s3 = await startFakeS3();
  closed.push(() => s3.close());
  vi.stubEnv("LONGWAVE_S3_ENDPOINT", s3.endpoint);
  vi.stubEnv("AWS_ACCESS_KEY_ID", s3.credentials.accessKeyId);
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", s3.credentials.secretAccessKey);
  try {
    expect(await archiveFinding(`s3://${s3.bucket}/a`)).toMatchObject(good(/nothing is there yet/));
    expect(await archiveFinding("s3://elsewhere/a")).toMatchObject(bad(/404|bucket/i));
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "wrong");
    const refused = await archiveFinding(`s3://${s3.bucket}/a`);
    expect(refused).toMatchObject(bad(/403|denied|signature/i));
    expect(refused.says).not.toContain("wrong");
    s3.goAway();
    expect(await archiveFinding(`s3://${s3.bucket}/a`)).toMatchObject(bad(/cannot be reached/));
  } finally {
    vi.unstubAllEnvs();
  }
  const newer = join(folder, "newer");
  mkdirSync(newer);
  const root = { zarr_format: 3, node_type: "group", attributes: { longwave_archive: { version: 99 } } };
  writeFileSync(join(newer, "zarr.json"), JSON.stringify(root));
  expect(await archiveFinding(newer)).toMatchObject(bad(/version 99/));
  expect(await archiveFinding(join(folder, "not", "there", "yet"))).toMatchObject(
    good(/nothing is there yet/),
  );
  writeFileSync(join(folder, "a-file"), "no archive");
  expect((await archiveFinding(join(folder, "a-file", "below"))).state).toBe("bad");
});

test("doctor says all of it at once, with a status that says whether something is broken", async () => {
  const places = ["--catalog", "http://127.0.0.1:1/c", "--archive", join(folder, "archive"), "--port", "0"];
  const run = await runHere(["doctor", "--json", ...places]);
  const { findings } = JSON.parse(run.stdout) as { findings: { name: string; state: string }[] };
  expect(findings.filter(({ state }) => state === "bad").map(({ name }) => name)).toEqual(["catalog"]);
  expect(findings.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["node", "wasm", "port", "archive"]),
  );
  expect([run.code, run.stderr]).toEqual([5, "longwave: Needs attention: catalog. (cli/check-failed)\n"]);
});

test("doctor names settings that a station would refuse", async () => {
  const config = join(folder, "longwave.toml");
  writeFileSync(config, 'port = 0\ninput = "/nowhere/song.wav"\nsignkey = "/nowhere/key.pem"\n');
  const { code, stderr } = await runHere(["doctor", "--config", config]);
  expect(code).toBe(5);
  expect(stderr).toContain("Needs attention: input, signkey.");
});
