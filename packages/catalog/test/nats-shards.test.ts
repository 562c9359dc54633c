import { MemoryStore, SeededRandom } from "@longwave/base";
import { SystemClock } from "@longwave/base/node";
import { hasNats, mutateBytes, type NatsServer, startNats } from "@longwave/testkit";
import { NoRespondersError, TimeoutError } from "@nats-io/nats-core";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Catalog, LiveMatcher, type MonitorEvent, type StreamWindow } from "../src/index.ts";
import { type Matcher, ScatteredCatalog, serveMatcher, shardName, shardOfTrack } from "../src/nats/index.ts";
import { decodeQuestion, encodeQuestion } from "../src/nats/match-wire.ts";
import { melody } from "./signals.ts";

const rate = 8000;
const songs = [0, 1, 2, 3].map((seed) => melody(seed, 6));
const sound = (samples: Float32Array) => ({ samples, sampleRate: rate });

async function catalogOf(...seeds: number[]): Promise<Catalog> {
  const catalog = await Catalog.open(new MemoryStore());
  for (const seed of seeds) await catalog.enroll({ id: `song ${seed}` }, sound(songs[seed]!));
  return catalog;
}

/** What a live matcher asks about the end of `samples`. */
async function windowOf(samples: Float32Array, profile: "mark-v1" | "wang-v1"): Promise<StreamWindow> {
  let asked: StreamWindow | undefined;
  const none = await (await Catalog.open(new MemoryStore(), { profile })).identify(new Silence());
  const live = new LiveMatcher(
    profile,
    async (window) => {
      asked = window;
      return none;
    },
    { windowSeconds: 3 },
  );
  live.push(samples);
  await live.identify();
  return asked!;
}

class Silence {
  readonly samples = new Float32Array(rate);
  readonly sampleRate = rate;
}

test.each(["mark-v1", "wang-v1"] as const)(
  "the window of a %s stream survives the wire, and no damage to it escapes",
  async (profile) => {
    const window = await windowOf(songs[1]!, profile);
    expect(window.records.length).toBeGreaterThan(50);
    const question = encodeQuestion({ profile, query: window, options: { limit: 3 } });
    // As it comes from a socket: somewhere in a Buffer.
    const arrived = Buffer.concat([Uint8Array.of(1), question]).subarray(1);
    expect(decodeQuestion(arrived)).toEqual({ profile, query: window, options: { limit: 3 } });
    const catalog = await Catalog.open(new MemoryStore(), { profile });
    await catalog.enroll({ id: "song" }, sound(songs[1]!));
    expect((await catalog.identify(window)).match?.track.id).toBe("song");
    const random = new SeededRandom(3);
    let answered = 0;
    for (let round = 0; round < 200; round++) {
      try {
        const { query } = decodeQuestion(mutateBytes(question, random));
        if (answered++ < 10) await catalog.identify(query);
      } catch (error) {
        expect((error as { code: string }).code).toMatch(/^(catalog|fp)\//);
      }
    }
    expect(answered).toBeGreaterThan(10);
  },
);

test("tracks are spread evenly over numbered shards, and names that are none are refused", () => {
  const counts = [0, 0, 0];
  for (let i = 0; i < 3000; i++) counts[shardOfTrack(`radio/${i}.flac`, 3) - 1]!++;
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(100);
  expect(shardName(2, 3)).toBe("2-of-3");
  for (const [number, of] of [
    [0, 3],
    [4, 3],
    [1, 2000],
    [1.5, 3],
  ] as const)
    expect(() => shardName(number, of)).toThrow("is no shard");
});

test("a shard that only keeps looks waiting is left out of four; a stream that nobody answers goes on", async () => {
  const asked: string[] = [];
  // No server: how long an answer takes must not depend on how busy the machine is.
  const connection = {
    request: async (subject: string) => {
      asked.push(subject);
      throw subject.endsWith("mute") ? new TimeoutError() : new NoRespondersError(subject);
    },
  } as unknown as NatsConnection;
  const metrics: string[] = [];
  const scattered = new ScatteredCatalog(connection, {
    shards: ["gone", "mute"],
    subject: "slow",
    hooks: { metric: (name, _, labels) => void metrics.push(`${name} ${labels?.["shard"] ?? ""}`) },
  });
  const events: MonitorEvent[] = [];
  // Eleven looks: ten steps and the end.
  for await (const event of scattered.monitor([songs[0]!, songs[1]!.subarray(0, 4.2 * rate)], {
    sampleRate: rate,
    stepSeconds: 1,
  }))
    events.push(event);
  expect(events.map(({ type }) => type)).toEqual(["shards"]);
  expect(events[0]).toMatchObject({ asked: 2, missing: [{ shard: "gone" }, { shard: "mute" }] });
  const count = (list: readonly string[], text: string) => list.filter((each) => each === text).length;
  expect(count(metrics, "catalog_scatter_questions ")).toBe(11);
  expect(count(metrics, "catalog_scatter_missing gone")).toBe(11);
  expect(count(metrics, "catalog_scatter_missing mute")).toBe(3);
  expect([count(asked, "slow.gone"), count(asked, "slow.mute")]).toEqual([11, 3]);
});

describe.skipIf(!hasNats())("streams over shards", { timeout: 180_000 }, () => {
  let server: NatsServer;
  const connections: NatsConnection[] = [];
  const newConnection = async () => {
    const connection = await connect({ servers: server.servers });
    connections.push(connection);
    return connection;
  };
  const serve = async (catalog: Parameters<typeof serveMatcher>[1], shard: string, subject: string) => {
    const connection = await newConnection();
    const of = /-of-(\d+)$/.exec(shard)?.[1];
    const matcher = serveMatcher(connection, catalog, {
      shard,
      subject,
      ...(of !== undefined && { of: Number(of) }),
    });
    await connection.flush();
    return { connection, matcher };
  };
  beforeAll(async () => {
    server = await startNats();
  });
  afterAll(async () => {
    for (const connection of connections) await connection.close();
    await server?.close();
  });

  /** A matcher that takes questions and never answers. */
  const mute = (asked: () => void): Pick<Catalog, "profile" | "identify"> => ({
    profile: "mark-v1",
    identify: () => {
      asked();
      return new Promise(() => {});
    },
  });
  const short = (event: MonitorEvent) => [
    event.type,
    event.atMs,
    "track" in event ? event.track.id : "",
    "match" in event ? event.match.offsetMs : 0,
  ];

  test("a stream is followed as by a whole catalog", async () => {
    const stream = [songs[1]!, melody(70, 6), songs[2]!];
    const options = { sampleRate: rate, stepSeconds: 2, windowSeconds: 5 };
    const whole: MonitorEvent[] = [];
    for await (const event of (await catalogOf(0, 1, 2, 3)).monitor(stream, options)) whole.push(event);
    await serve(await catalogOf(0, 1), "1-of-2", "whole");
    await serve(await catalogOf(2, 3), "2-of-2", "whole");
    const scattered = await ScatteredCatalog.discover(await newConnection(), {
      subject: "whole",
      waitMs: 60_000,
      lookTimeoutMs: 120_000,
    });
    const found: MonitorEvent[] = [];
    for await (const event of scattered.monitor(stream, options)) found.push(event);
    expect(found.map(short)).toEqual(whole.map(short));
    expect(found.filter(({ type }) => type === "enter").length).toBe(2);
    const live = scattered.live({ sampleRate: rate });
    live.push(songs[3]!);
    const { match, positionMs, shards } = await live.identify();
    expect([match?.track.id, shards]).toEqual(["song 3", { asked: 2, missing: [] }]);
    expect(Math.abs(positionMs! - 6000)).toBeLessThanOrEqual(20);
    expect(
      (await scattered.matchers(60_000)).map(({ shard, of, tracks }) => [shard, of, tracks]).sort(),
    ).toEqual([
      ["1-of-2", 2, 2],
      ["2-of-2", 2, 2],
    ]);
    expect(() => scattered.live({ windowSeconds: 120 })).toThrow("a message at most");
  });

  test("a matcher that is killed while a stream runs is told, and that it is back; the others go on", async () => {
    const first = await catalogOf(1);
    let dying = await serve(first, "a", "killed");
    await serve(await catalogOf(2), "b", "killed");
    const asking = await newConnection();
    const kill = async () => {
      await dying.connection.close();
      // Until the server has noticed: it tells at once of a subject without a matcher.
      for (;;) {
        const asked = asking.request("killed.a", "", { timeout: 500 });
        const failure = await asked.then(
          () => undefined,
          (error: unknown) => error,
        );
        if ((failure as Error | undefined)?.cause instanceof NoRespondersError) return;
        if (failure instanceof NoRespondersError) return;
      }
    };
    async function* stream() {
      yield songs[2]!;
      await kill();
      yield songs[2]!.subarray(0, 5 * rate);
      dying = await serve(first, "a", "killed");
      yield melody(80, 5);
      yield songs[1]!;
    }
    const scattered = new ScatteredCatalog(asking, {
      shards: ["a", "b"],
      subject: "killed",
      // Long for a matcher that lives; the server tells at once of one that does not.
      lookTimeoutMs: 120_000,
    });
    const events: MonitorEvent[] = [];
    for await (const event of scattered.monitor(stream(), {
      sampleRate: rate,
      stepSeconds: 1,
      windowSeconds: 4,
    }))
      events.push(event);
    const told = events.map((event) => {
      if (event.type === "shards") return `shards ${event.missing.map(({ shard }) => shard)}`;
      return "track" in event ? `${event.type} ${event.track.id}` : event.type;
    });
    expect(told.filter((each) => /^(shards|enter)/.test(each))).toEqual([
      "enter song 2",
      "shards a",
      "enter song 2",
      "shards ",
      "enter song 1",
    ]);
    await kill();
    const { match, partial, shards } = await scattered.identify(sound(songs[1]!));
    expect([match, partial]).toEqual([undefined, true]);
    expect(shards).toMatchObject({ asked: 2, missing: [{ shard: "a", code: "catalog/engine-failed" }] });
    expect(shards?.missing[0]?.message).toMatch(/^Shard a gives no answer/);
  });

  test("a question is cancelled while it waits", async () => {
    const stop = new AbortController();
    await serve(
      mute(() => stop.abort(new Error("enough"))),
      "s",
      "cancel",
    );
    const scattered = new ScatteredCatalog(await newConnection(), {
      shards: ["s"],
      subject: "cancel",
      timeoutMs: 170_000,
    });
    const asking = scattered.identify(sound(songs[0]!), { signal: stop.signal });
    await expect(asking).rejects.toThrow("enough");
    await expect(scattered.identify(sound(songs[0]!), { signal: stop.signal })).rejects.toThrow("enough");
  });

  test("numbered shards are known by one of them; silent ones are named, and strangers refused", async () => {
    const asking = await newConnection();
    await expect(ScatteredCatalog.discover(asking, { subject: "nobody" })).rejects.toMatchObject({
      code: "catalog/engine-failed",
      message: expect.stringContaining("longwave id serve"),
    });
    const told: string[] = [];
    const connection = await newConnection();
    const matcher: Matcher = serveMatcher(connection, await catalogOf(1), {
      shard: shardName(2, 3),
      of: 3,
      subject: "numbered",
      clock: new SystemClock(),
      hooks: { metric: (name, _, labels) => void told.push(`${name} ${labels?.["code"] ?? ""}`.trim()) },
    });
    await connection.flush();
    const scattered = await ScatteredCatalog.discover(asking, { subject: "numbered", waitMs: 3000 });
    expect(scattered.shards).toEqual(["1-of-3", "2-of-3", "3-of-3"]);
    const { match, shards } = await scattered.identify(sound(songs[1]!));
    expect(match?.track.id).toBe("song 1");
    expect(shards?.missing.map(({ shard }) => shard)).toEqual(["1-of-3", "3-of-3"]);
    await asking.request("numbered.2-of-3", Uint8Array.of(1), { timeout: 120_000 });
    expect(told).toEqual([
      "catalog_matcher_answers",
      "catalog_matcher_answer_us",
      "catalog_matcher_refusals catalog/bad-message",
    ]);
    expect(matcher.answered).toBe(2);
    await serve(await catalogOf(0), "2-of-4", "numbered");
    await expect(
      ScatteredCatalog.discover(asking, { subject: "numbered", waitMs: 3000 }),
    ).rejects.toMatchObject({ code: "catalog/shards-disagree" });
  });
});

test.skipIf(hasNats())("NATS is tested where nats-server is installed", (context) => {
  context.skip("there is no nats-server");
});
