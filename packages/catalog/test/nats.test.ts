import { MemoryStore, SeededRandom, VirtualClock } from "@longwave/base";
import { SystemClock } from "@longwave/base/node";
import { type Fingerprint, toEnvelope } from "@longwave/fingerprint";
import { hasNats, mutateBytes, type NatsServer, startNats } from "@longwave/testkit";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Catalog } from "../src/catalog.ts";
import { CatalogError } from "../src/errors.ts";
import {
  type EnrollJob,
  EnrollQueue,
  type EnrollReport,
  followEvents,
  type JobKind,
  JobQueue,
  publishEvents,
  ScatteredCatalog,
  serveMatcher,
} from "../src/nats/index.ts";
import { decodeAnswer, decodeQuestion, encodeAnswer, encodeQuestion } from "../src/nats/match-wire.ts";
import { melody } from "./signals.ts";

const rate = 8000;
const songs = [0, 1, 2, 3].map((seed) => melody(seed, 5));
const sound = (samples: Float32Array) => ({ samples, sampleRate: rate });
const piece = (seed: number) => sound(songs[seed]!.subarray(1.7 * rate, 4.5 * rate));

async function catalogOf(...seeds: number[]): Promise<Catalog> {
  const catalog = await Catalog.open(new MemoryStore());
  for (const seed of seeds) await catalog.enroll({ id: `song ${seed}` }, sound(songs[seed]!));
  return catalog;
}

test("questions and answers survive the wire, and no damage to them escapes", async () => {
  const catalog = await catalogOf(1);
  const asked = {
    profile: "mark-v1" as const,
    query: piece(1),
    options: { limit: 7, maxFalse: 1e-4, explain: true },
  };
  expect(decodeQuestion(encodeQuestion(asked))).toEqual(asked);
  const fingerprint = catalog.extract(piece(1));
  const other = decodeQuestion(encodeQuestion({ profile: "mark-v1", query: fingerprint, options: {} }));
  expect(toEnvelope(other.query as Fingerprint)).toEqual(toEnvelope(fingerprint));
  const answer = await catalog.identify(piece(1), { explain: true });
  expect(decodeAnswer(encodeAnswer(answer))).toEqual(answer);
  const [question, answered] = [encodeQuestion({ ...asked, query: fingerprint }), encodeAnswer(answer)];
  const random = new SeededRandom(1);
  for (let round = 0; round < 300; round++) {
    for (const [decode, bytes] of [
      [decodeQuestion, question],
      [decodeAnswer, answered],
    ] as const) {
      try {
        decode(mutateBytes(bytes, random));
      } catch (error) {
        expect((error as CatalogError).code).toMatch(/^(catalog|fp)\//);
      }
    }
  }
});

describe.skipIf(!hasNats())("over NATS", { timeout: 180_000 }, () => {
  let server: NatsServer;
  const connections: NatsConnection[] = [];
  const newConnection = async () => {
    const connection = await connect({ servers: server.servers });
    connections.push(connection);
    return connection;
  };
  beforeAll(async () => {
    server = await startNats();
  });
  afterAll(async () => {
    for (const connection of connections) await connection.close();
    await server?.close();
  });

  test("a question goes to all shards, and their answers become the one of a whole catalog", async () => {
    const whole = await catalogOf(0, 1, 2, 3);
    const asking = await newConnection();
    const matchers = [
      serveMatcher(await newConnection(), await catalogOf(0, 1), { shard: "a" }),
      serveMatcher(await newConnection(), await catalogOf(2, 3), { shard: "b" }),
    ];
    await Promise.all(connections.map((each) => each.flush()));
    const scattered = new ScatteredCatalog(asking, { shards: ["a", "b"], timeoutMs: 120_000 });
    for (const seed of [1, 2]) {
      const expected = (await whole.identify(piece(seed))).match!;
      const { match, partial } = await scattered.identify(piece(seed));
      // Two shards could have given a false answer.
      expect(match).toEqual({ ...expected, runnerUp: match!.runnerUp, pFalse: 2 * expected.pFalse });
      expect(partial).toBe(false);
    }
    const unknown = await scattered.identify(sound(melody(50, 2.2)));
    expect([unknown.match, unknown.reason]).toEqual([undefined, "below-threshold"]);
    expect(await scattered.identify(sound(new Float32Array(rate * 4)))).toMatchObject({ reason: "silence" });
    expect(await scattered.identify(sound(new Float32Array(200)))).toMatchObject({ reason: "too-short" });
    const stereo = new Float32Array(2 * songs[3]!.length).map((_, i) => songs[3]![i >> 1]!);
    expect(
      (await scattered.identify({ samples: stereo, sampleRate: rate, channels: 2 })).match?.track.id,
    ).toBe("song 3");
    await expect(scattered.identify(sound(new Float32Array(60 * rate).fill(0.1)))).rejects.toMatchObject({
      code: "catalog/query-too-long",
    });
    expect((await scattered.identify(whole.extract(sound(songs[2]!)))).match?.track.id).toBe("song 2");
    await Promise.all(matchers.map((matcher) => matcher.close()));
    expect(matchers.map(({ answered }) => answered)).toEqual([5, 5]);
    await expect(scattered.identify(piece(1))).rejects.toMatchObject({ code: "catalog/engine-failed" });
  });

  test("a shard that is gone makes the answer partial; matchers of one shard share its questions", async () => {
    const asking = await newConnection();
    const catalog = await catalogOf(1);
    const options = { shard: "only", subject: "test.share" };
    const twins = [
      serveMatcher(await newConnection(), catalog, options),
      serveMatcher(await newConnection(), catalog, options),
    ];
    await Promise.all(connections.map((each) => each.flush()));
    const scattered = new ScatteredCatalog(asking, {
      shards: ["only", "gone"],
      subject: "test.share",
      timeoutMs: 120_000,
    });
    const answers = await Promise.all(Array.from({ length: 4 }, () => scattered.identify(piece(1))));
    for (const answer of answers)
      expect(answer).toMatchObject({ partial: true, match: { track: { id: "song 1" } } });
    const [first, second] = twins.map(({ answered }) => answered);
    expect(first! + second!).toBe(4);
    await twins[0]!.close();
    expect((await scattered.identify(piece(1))).match?.track.id).toBe("song 1");
    await twins[1]!.close();
  });

  test("a matcher refuses what it cannot answer, by the codes of the error", async () => {
    const asking = await newConnection();
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const real = await catalogOf(1);
    const slow: Pick<Catalog, "profile" | "identify"> = {
      profile: "mark-v1",
      identify: async (query, options) => {
        await held;
        return real.identify(query, options);
      },
    };
    const serving = await newConnection();
    const matcher = serveMatcher(serving, slow, {
      shard: "s",
      subject: "test.refuse",
      concurrency: 1,
      maxWaiting: 1,
    });
    await serving.flush();
    const options = { shards: ["s"], subject: "test.refuse", timeoutMs: 120_000 };
    const scattered = new ScatteredCatalog(asking, options);
    const questions = [1, 2, 3].map(() => scattered.identify(piece(1)));
    await expect(questions[2]).rejects.toMatchObject({ code: "catalog/busy", kind: "limit" });
    release();
    expect((await questions[0])?.match?.track.id).toBe("song 1");
    const other = new ScatteredCatalog(asking, { ...options, profile: "wang-v1" });
    await expect(other.identify(piece(1))).rejects.toMatchObject({ code: "catalog/profile-mismatch" });
    const junk = await asking.request("test.refuse.s", Uint8Array.of(1, 2, 3), { timeout: 120_000 });
    expect(junk.headers?.get("Longwave-Error")).toBe("catalog/bad-message");
    await matcher.close();
    expect(() => new ScatteredCatalog(asking, { shards: ["a.b"] })).toThrow("no name of a shard");
    expect(() => new ScatteredCatalog(asking, { shards: [] })).toThrow("at least one shard");
  });

  test("jobs of enrolling: each done once, by many workers, failures told", async () => {
    const connection = await newConnection();
    const queue = await EnrollQueue.open(connection, { stream: "ONE", subject: "one", maxJobs: 20 });
    const catalog = await Catalog.open(new MemoryStore());
    const stop = new AbortController();
    const told: EnrollReport[] = [];
    const listening = (async () => {
      for await (const report of queue.reports(stop.signal)) told.push(report);
    })();
    const fetched: string[] = [];
    let failures = 1;
    const load = async (source: string) => {
      fetched.push(source);
      if (source === "shaky" && failures-- > 0) throw new CatalogError("catalog/engine-failed", "not now");
      if (source === "broken") throw new CatalogError("catalog/corrupt", "no sound in it");
      return sound(songs[source === "shaky" ? 3 : Number(source)]!);
    };
    const job = (id: string, source: string): EnrollJob => ({ track: { id }, source });
    for (const source of ["0", "1", "2", "shaky", "broken"])
      expect(await queue.add(job(`t${source}`, source))).toBe(true);
    expect(await queue.add(job("t0", "0"))).toBe(false);
    connection.publish("one.jobs", new TextEncoder().encode("no job"));
    const options = { catalog, load, clock: new SystemClock(), signal: stop.signal, retrySeconds: 0.05 };
    const workers = [
      queue.work(options),
      (await EnrollQueue.open(await newConnection(), { stream: "ONE", subject: "one", maxJobs: 20 })).work(
        options,
      ),
    ];
    while (told.length < 6) await connection.flush();
    while ((await queue.length()) > 0) await connection.flush();
    stop.abort();
    await Promise.all([...workers, listening]);
    expect(told.map(({ id, status }) => `${id} ${status}`).sort()).toEqual([
      " failed",
      "t0 added",
      "t1 added",
      "t2 added",
      "tbroken failed",
      "tshaky added",
    ]);
    expect(told.find(({ id }) => id === "tbroken")).toMatchObject({
      code: "catalog/corrupt",
      message: "no sound in it",
    });
    expect((await queue.failures()).map(({ id }) => id).sort()).toEqual(["", "tbroken"]);
    expect(fetched.filter((source) => source === "shaky").length).toBe(2);
    expect(catalog.size).toBe(4);
  });

  test("a job of a worker that dies is done by another, and doing it twice changes nothing", async () => {
    const dying = await newConnection();
    const options = { stream: "TWO", subject: "two", ackWaitSeconds: 0.2 };
    const queue = await EnrollQueue.open(dying, options);
    await queue.add({ track: { id: "t" }, source: "x" });
    const catalog = await Catalog.open(new MemoryStore());
    const stop = new AbortController();
    // The first worker enrolls, but its connection is lost before it can say so; its clock stands still, so it never speaks up.
    let lost = () => {};
    const isLost = new Promise<void>((resolve) => {
      lost = resolve;
    });
    const load = async () => sound(songs[0]!);
    const first = queue.work({
      catalog: {
        enroll: async (...args) => {
          const done = await catalog.enroll(...args);
          await dying.close();
          lost();
          return done;
        },
      },
      load,
      clock: new VirtualClock(),
      signal: stop.signal,
    });
    const ended = first.catch((error: unknown) => error);
    await isLost;
    const alive = await newConnection();
    const other = await EnrollQueue.open(alive, options);
    const reports = other.reports(stop.signal)[Symbol.asyncIterator]();
    const report = reports.next();
    const second = other.work({ catalog, load, clock: new SystemClock(), signal: stop.signal });
    expect((await report).value).toMatchObject({ id: "t", status: "unchanged" });
    while ((await other.length()) > 0) await alive.flush();
    stop.abort();
    await Promise.all([second, ended]);
    expect(catalog.size).toBe(1);
  });

  test("a job that ends its workers is reported, not tried for ever; one that is given up goes to another", async () => {
    interface Job {
      readonly name: string;
    }
    const kind: JobKind<Job, string> = {
      parse: (value) => value as Job,
      failure: (job, code) => `${job?.name} ${code}`,
    };
    const options = { stream: "THREE", subject: "three", ackWaitSeconds: 0.2, maxAttempts: 1 };
    const dying = await newConnection();
    const queue = await JobQueue.open(dying, kind, options);
    await queue.add({ name: "deadly" });
    expect(await queue.state()).toEqual({ waiting: 1, running: 0, failed: 0 });
    const stop = new AbortController();
    const dead = queue.work({
      perform: async () => {
        await dying.close();
        return "nobody hears this";
      },
      clock: new VirtualClock(),
      signal: stop.signal,
    });
    await dead.catch(() => undefined);
    const other = await JobQueue.open(await newConnection(), kind, options);
    const told: string[] = [];
    const clock = new SystemClock();
    const given = new AbortController();
    const next = other.work({
      perform: async ({ name }, signal) => {
        given.abort();
        signal.throwIfAborted();
        return name;
      },
      clock,
      signal: given.signal,
      onReport: (report) => {
        told.push(report);
        // The deadly one is done with: now there is one to give up.
        void other.add({ name: "given up" });
      },
    });
    await next;
    expect(told).toEqual(["deadly catalog/job-abandoned"]);
    expect(await other.failures()).toEqual(told);
    const last = await JobQueue.open(await newConnection(), kind, { ...options, maxAttempts: 1000 });
    const end = new AbortController();
    await last.work({
      perform: async ({ name }) => `did ${name}`,
      clock,
      signal: end.signal,
      onReport: (report) => {
        told.push(report);
        end.abort();
      },
    });
    expect(told.at(-1)).toBe("did given up");
  });

  test("a job that is done can be added again; a worker waits for a server that is away", async () => {
    const own = await startNats();
    try {
      const connection = await connect({
        servers: own.servers,
        maxReconnectAttempts: -1,
        reconnectTimeWait: 50,
      });
      const kind: JobKind<string, string> = { parse: String, failure: (_, code) => code };
      const queue = await JobQueue.open(connection, kind, { stream: "AGAIN", subject: "again" });
      const told: string[] = [];
      const isTold = new Map<number, () => void>();
      const toldOf = (count: number) => new Promise<void>((resolve) => isTold.set(count, resolve));
      const stop = new AbortController();
      const [once, twice, thrice] = [toldOf(1), toldOf(2), toldOf(3)];
      const working = queue.work({
        perform: async (job) => `did ${job}`,
        clock: new SystemClock(),
        signal: stop.signal,
        onReport: (report) => isTold.get(told.push(report))?.(),
      });
      const isEmpty = async () => {
        while ((await queue.length()) > 0) await connection.flush();
      };
      expect(await queue.add("x")).toBe(true);
      await once;
      await isEmpty();
      expect(await queue.add("x")).toBe(true);
      await twice;
      await isEmpty();
      await own.restart();
      // The worker's connection may still be on its way back.
      const visitor = await connect({ servers: own.servers });
      const options = { stream: "AGAIN", subject: "again" };
      expect(await (await JobQueue.open(visitor, kind, options)).add("x")).toBe(true);
      await thrice;
      await visitor.close();
      stop.abort();
      await working;
      expect(told).toEqual(["did x", "did x", "did x"]);
      await connection.close();
    } finally {
      await own.close();
    }
  });

  test("a full queue refuses; events go to whoever follows", async () => {
    const connection = await newConnection();
    const queue = await EnrollQueue.open(connection, { stream: "FULL", subject: "full", maxJobs: 1 });
    await queue.add({ track: { id: "a" }, source: "a" });
    await expect(queue.add({ track: { id: "b" }, source: "b" })).rejects.toMatchObject({
      code: "catalog/busy",
    });
    await expect(queue.add({ track: { id: "" }, source: "b" })).rejects.toMatchObject({
      code: "catalog/bad-id",
    });
    const catalog = await catalogOf(0);
    const stop = new AbortController();
    const followed: unknown[] = [];
    const following = (async () => {
      for await (const { subject, event } of followEvents(connection, "radio.*", stop.signal))
        followed.push([subject, event.type]);
    })();
    await connection.flush();
    const stream = [new Float32Array(8 * rate), songs[0]!];
    const types: string[] = [];
    const events = catalog.monitor(stream, { sampleRate: rate, stepSeconds: 0.5 });
    for await (const { type } of publishEvents(connection, "radio.one", events)) types.push(type);
    expect(types).toContain("enter");
    while (followed.length < types.length) await connection.flush();
    stop.abort();
    await following;
    expect(followed).toEqual(types.map((type) => ["radio.one", type]));
  });
});

test.skipIf(hasNats())("NATS is tested where nats-server is installed", (context) => {
  context.skip("there is no nats-server");
});
