import { VirtualClock } from "@longwave/base";
import { SystemClock } from "@longwave/base/node";
import { postgresClient } from "@longwave/catalog/postgres";
import { hasNats, postgresPrograms, startNats, startPostgres } from "@longwave/testkit";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { StationError } from "../src/errors.ts";
import {
  type ClaimedJob,
  type JobQueue,
  type JobQueueOptions,
  type JobRequest,
  type WorkEvent,
  workJobs,
} from "../src/jobs/index.ts";
import { parseJobRequest } from "../src/jobs/job.ts";
import { NatsJobQueue } from "../src/jobs/nats/index.ts";
import { PostgresJobQueue } from "../src/jobs/postgres/index.ts";

type OpenQueue = (name: string, options?: JobQueueOptions) => Promise<JobQueue>;

const job = (number: number, options: Partial<JobRequest> = {}): JobRequest => ({
  id: `import-${String(number).padStart(24, "0")}`,
  kind: "import",
  source: `/music/${number}.opus`,
  sha256: "0".repeat(64),
  maxAttempts: 2,
  ...options,
});

const backends = [
  {
    name: "PostgreSQL",
    meddling: "an older program made its tables",
    isThere: postgresPrograms() !== undefined,
    start: async () => {
      const server = await startPostgres(postgresPrograms()!);
      const open: OpenQueue = (schema, options) => {
        const sql = postgres({
          host: server.socketFolder,
          user: server.user,
          database: "postgres",
          max: 2,
          onnotice: () => {},
        });
        return PostgresJobQueue.open(postgresClient(sql), { ...options, schema });
      };
      const meddle = async (schema: string) => {
        const sql = postgres({ host: server.socketFolder, user: server.user, database: "postgres" });
        await sql.unsafe(
          `alter table ${schema}.jobs drop column abandoned; update ${schema}.jobs_version set version = 1`,
        );
        await sql.end();
      };
      return { open, meddle, close: () => server.close() };
    },
  },
  {
    name: "NATS JetStream",
    meddling: "somebody deleted its consumer",
    isThere: hasNats(),
    start: async () => {
      const server = await startNats();
      const open: OpenQueue = async (name, options) => {
        const connection = await connect({ servers: server.servers });
        return NatsJobQueue.open(connection, {
          ...options,
          stream: name,
          subject: name,
          clock: new SystemClock(),
        });
      };
      const meddle = async (stream: string) => {
        const connection = await connect({ servers: server.servers });
        await (await jetstreamManager(connection)).consumers.delete(stream, "import");
        await connection.close();
      };
      return { open, meddle, close: () => server.close() };
    },
  },
];

describe.each(backends)("a job queue in $name", { timeout: 150_000 }, (backend) => {
  let server: Awaited<ReturnType<(typeof backends)[number]["start"]>> | undefined;
  const queues: JobQueue[] = [];
  const open: OpenQueue = async (name, options) => {
    const queue = await server!.open(name, options);
    queues.push(queue);
    return queue;
  };
  /** The next job, however many polls it takes. */
  const take = async (queue: JobQueue, worker = "one"): Promise<ClaimedJob> => {
    for (;;) {
      const claimed = await queue.take(worker, ["import"]);
      if (claimed !== undefined) return claimed;
    }
  };
  beforeAll(async () => {
    if (backend.isThere) server = await backend.start();
  }, 120_000);
  afterAll(async () => {
    for (const queue of queues) await queue.close();
    await server?.close();
  });
  const asked = backend.isThere ? test : test.skip;

  asked("keeps a job once, through all its states", async () => {
    const [queue, other] = [await open("states"), await open("states")];
    expect(await queue.add(job(1))).toMatchObject({ added: true, job: { state: "waiting", attempts: 0 } });
    expect(await other.add(job(1))).toMatchObject({ added: false, job: { state: "waiting" } });
    expect(await queue.take("one", ["enroll"])).toBeUndefined();
    const first = await take(queue);
    expect(first.job).toMatchObject({ ...job(1), state: "running", attempts: 1, worker: "one" });
    expect(await first.extend()).toBe(true);
    expect(await first.retryLater({ code: "a/b", message: "not now" }, 0)).toBe(true);
    expect(await other.get(job(1).id)).toMatchObject({ state: "waiting", failure: { message: "not now" } });
    const second = await take(other, "two");
    expect(second.job).toMatchObject({ attempts: 2, worker: "two" });
    expect(await second.release()).toBe(true);
    const third = await take(queue);
    expect(third.job.attempts).toBe(2);
    expect(third.takenOver).toBe(false);
    expect(await third.complete({ recording: "x" })).toBe(true);
    const done = await queue.get(job(1).id);
    expect(done).toMatchObject({ state: "done", result: { recording: "x" } });
    expect(done).not.toHaveProperty("failure");
    expect(done!.endedAtMs).toBeGreaterThanOrEqual(done!.addedAtMs);
    expect(await third.fail({ code: "a/b", message: "too late" })).toBe(false);
    expect(await queue.add(job(1))).toMatchObject({ added: false, job: { state: "done" } });
    await expect(queue.retry(job(1).id)).rejects.toMatchObject({ code: "station/job-state" });
    await expect(queue.cancel(job(2).id)).rejects.toMatchObject({ code: "station/no-such-job" });

    expect(await queue.add(job(1), { again: true })).toMatchObject({ added: true, job: { attempts: 0 } });
    const again = await take(other);
    expect(await again.fail({ code: "a/b", message: "no sound" })).toBe(true);
    expect(await queue.retry(job(1).id)).toMatchObject({ state: "waiting", attempts: 0 });
    const running = await take(queue);
    expect(await other.cancel(job(1).id)).toMatchObject({ state: "cancelled" });
    expect(await running.extend()).toBe(false);
    expect(await running.complete({})).toBe(false);
    await queue.add(job(2));
    await queue.cancel(job(2).id);
    expect(await queue.counts()).toEqual({ waiting: 0, running: 0, done: 0, failed: 0, cancelled: 2 });
    expect((await queue.list({ limit: 1 })).map(({ id }) => id)).toEqual([job(2).id]);
    expect(await queue.list({ state: "done" })).toEqual([]);
    // What was cancelled while it waited is not given to anybody.
    expect(await queue.take("one", ["import"])).toBeUndefined();
    expect(await queue.pending()).toBe(0);
  });

  asked("forgets what has ended, and does it again when it is added again", async () => {
    const [queue, other] = [await open("cleared"), await open("cleared")];
    for (let i = 1; i <= 4; i++) await queue.add(job(i));
    const ends = [
      (claimed: ClaimedJob) => claimed.complete({ recording: "x" }),
      (claimed: ClaimedJob) => claimed.fail({ code: "a/b", message: "no sound" }),
    ];
    for (const end of ends) expect(await end(await take(queue))).toBe(true);
    const running = await take(queue);
    await queue.cancel(job(4).id);
    /** What ended may take a moment to reach every part of a queue. */
    const clear = async (count: number, ...states: Parameters<JobQueue["clear"]>[0]) => {
      for (let cleared = 0; cleared < count; ) cleared += await queue.clear(states);
      expect(await queue.clear(states)).toBe(0);
    };
    await clear(1, "done");
    expect(await other.get(job(1).id)).toBeUndefined();
    await clear(1, "failed");
    // Whoever comes upon what is left of a cancelled job must not take it for a new one.
    const early = await queue.clear(["cancelled"]);
    expect(await queue.take("two", ["import"])).toBeUndefined();
    if (early === 0) await clear(1, "cancelled");
    expect(await running.complete({})).toBe(true);
    expect(await queue.counts()).toEqual({ waiting: 0, running: 0, done: 1, failed: 0, cancelled: 0 });
    // At once: a queue that knows a message by its name must not swallow it.
    expect(await queue.add(job(1))).toMatchObject({ added: true, job: { state: "waiting", attempts: 0 } });
    expect(await other.add(job(1))).toMatchObject({ added: false });
    expect((await take(other)).job.id).toBe(job(1).id);
    expect(await queue.clear([])).toBe(0);
  });

  asked("gives the job of a silent worker to another, and gives up what no worker survives", async () => {
    const queue = await open("leases", { leaseSeconds: 0.2 });
    await queue.add(job(1, { maxAttempts: 1 }));
    let silent: ClaimedJob | undefined;
    // Four times as many workers may vanish as attempts may fail: being killed is no failure of the job.
    for (let n = 1; n <= 4; n++) {
      const claimed = await take(queue, `worker ${n}`);
      expect(claimed.takenOver).toBe(n > 1);
      expect([claimed.job.attempts, claimed.job.abandoned ?? 0]).toEqual([n, n - 1]);
      silent ??= claimed;
    }
    while ((await queue.get(job(1).id))!.state === "running") await queue.take("worker 5", ["import"]);
    expect(await queue.get(job(1).id)).toMatchObject({
      state: "failed",
      attempts: 4,
      abandoned: 4,
      failure: { code: "station/job-abandoned", message: expect.stringMatching(/4 workers.*worker 4/) },
    });
    expect(await silent!.extend()).toBe(false);
    expect(await silent!.fail({ code: "a/b", message: "too late" })).toBe(false);
    // It was slow, not dead: what it has done is done.
    expect(await silent!.complete({ recording: "late" })).toBe(true);
    const late = await queue.get(job(1).id);
    expect(late).toMatchObject({
      state: "done",
      attempts: 4,
      worker: "worker 1",
      result: { recording: "late" },
    });
    expect(late).not.toHaveProperty("failure");
    await queue.add(job(1), { again: true });
    expect((await queue.get(job(1).id))!.abandoned ?? 0).toBe(0);
  });

  asked("ends a job with the first of two workers that has done it", async () => {
    const queue = await open("twice", { leaseSeconds: 0.2 });
    await queue.add(job(1));
    const slow = await take(queue, "slow");
    const second = await take(queue, "second");
    expect(second.takenOver).toBe(true);
    expect(await slow.complete({ recording: "x" })).toBe(true);
    expect(await second.extend()).toBe(false);
    expect(await second.fail({ code: "archive/duplicate", message: "there already" })).toBe(false);
    expect(await second.complete({ recording: "y" })).toBe(false);
    expect(await queue.get(job(1).id)).toMatchObject({ state: "done", result: { recording: "x" } });
    expect(await queue.take("third", ["import"])).toBeUndefined();
    expect(await queue.pending()).toBe(0);
  });

  asked(
    "does not believe a failure of a job that was taken over from a worker that may be at it",
    async () => {
      const queue = await open("doubt", { leaseSeconds: 0.2 });
      await queue.add(job(1, { maxAttempts: 1 }));
      await take(queue, "slow");
      let begun = 0;
      await workJobs(queue, {
        worker: "second",
        clock: new SystemClock(),
        signal: new AbortController().signal,
        leaseSeconds: 0.2,
        retrySeconds: 0,
        untilEmpty: true,
        handlers: {
          import: async () => {
            if (++begun === 1) throw new StationError("station/bad-job", "malformed", "half written");
            return {};
          },
        },
      });
      const ended = await queue.get(job(1).id);
      expect(ended, JSON.stringify(ended)).toMatchObject({ state: "done" });
      expect(begun).toBeGreaterThan(1);
    },
  );

  asked(`goes on after ${backend.meddling}`, async () => {
    const queue = await open("meddled", { leaseSeconds: 0.2 });
    await queue.add(job(1));
    await take(queue, "first");
    await server!.meddle("meddled");
    const other = await open("meddled", { leaseSeconds: 0.2 });
    for (const worker of [queue, other]) {
      let claimed: ClaimedJob | undefined;
      // What was deleted is found out once, and then made anew.
      while (claimed === undefined) claimed = await worker.take("next", ["import"]).catch(() => undefined);
      expect(claimed.job).toMatchObject({ id: job(1).id });
    }
  });

  asked("refuses more than may wait", async () => {
    const queue = await open("full", { maxJobs: 2 });
    await queue.add(job(1));
    await queue.add(job(2));
    await expect(queue.add(job(3))).rejects.toMatchObject({ code: "station/jobs-full", kind: "limit" });
    expect(await queue.add(job(2))).toMatchObject({ added: false });
  });

  asked("is worked off: what may pass is tried again, the rest fails with its reason", async () => {
    const queue = await open("work");
    for (let i = 0; i < 6; i++) await queue.add(job(i));
    const begun = new Map<string, number>();
    const events: WorkEvent[] = [];
    await workJobs(queue, {
      worker: "one",
      clock: new SystemClock(),
      signal: new AbortController().signal,
      retrySeconds: 0,
      untilEmpty: true,
      onEvent: (event) => events.push(event),
      handlers: {
        import: async ({ id, source }) => {
          const count = (begun.get(id) ?? 0) + 1;
          begun.set(id, count);
          if (id === job(1).id) throw new StationError("station/bad-job", "malformed", "no sound in it");
          if (id === job(2).id) throw new StationError("station/unreadable", "unavailable", "away");
          if (id === job(3).id && count === 1) throw new Error("strange");
          return { source };
        },
      },
    });
    const counts = { waiting: 0, running: 0, done: 4, failed: 2, cancelled: 0 };
    expect(await queue.counts()).toEqual(counts);
    expect([...begun].sort().map(([, count]) => count)).toEqual([1, 1, 2, 2, 1, 1]);
    expect(await queue.get(job(1).id)).toMatchObject({ attempts: 1, failure: { message: "no sound in it" } });
    expect(await queue.get(job(2).id)).toMatchObject({ attempts: 2, failure: { message: "away" } });
    expect(events.filter(({ type }) => type === "retried")).toHaveLength(2);
  });

  asked("gets the job back of a worker that is told to end", async () => {
    const queue = await open("stopped");
    await queue.add(job(1));
    const stop = new AbortController();
    const events: string[] = [];
    await workJobs(queue, {
      worker: "one",
      clock: new VirtualClock(),
      signal: stop.signal,
      onEvent: ({ type }) => events.push(type),
      handlers: {
        import: (_, signal) => {
          stop.abort();
          return Promise.reject(signal.reason);
        },
      },
    });
    expect(events).toEqual(["started", "released"]);
    expect(await queue.get(job(1).id)).toMatchObject({ state: "waiting", attempts: 0 });
  });
});

test.skipIf(!hasNats())(
  "a look at a queue in NATS leaves the lease of its workers alone",
  async () => {
    const server = await startNats();
    try {
      const [worker, visitor] = [
        await connect({ servers: server.servers }),
        await connect({ servers: server.servers }),
      ];
      const clock = new SystemClock();
      const queue = await NatsJobQueue.open(worker, { leaseSeconds: 60, clock });
      expect(await queue.take("one", ["import"])).toBeUndefined();
      const other = await NatsJobQueue.open(visitor, { leaseSeconds: 1, clock });
      await other.add(job(1));
      expect(await other.list()).toHaveLength(1);
      const { config } = await (await jetstreamManager(worker)).consumers.info("LONGWAVE_JOBS", "import");
      expect(config.ack_wait).toBe(60e9);
      await other.close();
      await queue.close();
    } finally {
      await server.close();
    }
  },
  120_000,
);

test("what is no job is refused, whatever it is", () => {
  expect(parseJobRequest(JSON.parse(JSON.stringify(job(1))))).toEqual(job(1));
  const enroll = { ...job(1), kind: "enroll", track: { id: "a", title: "A" } };
  expect(parseJobRequest(enroll)).toEqual(enroll);
  for (const bad of [
    undefined,
    null,
    1,
    [],
    {},
    { ...job(1), id: "import-x" },
    { ...job(1), kind: "delete" },
    { ...job(1), kind: "enroll" },
    { ...job(1), source: "" },
    { ...job(1), source: "x".repeat(5000) },
    { ...job(1), sha256: "0" },
    { ...job(1), maxAttempts: 0 },
    { ...enroll, track: { id: "" } },
  ]) {
    expect(() => parseJobRequest(bad), JSON.stringify(bad)).toThrow(/is no job/);
  }
});

test("a worker whose queue is away for a while asks again, says so once, and goes on", async () => {
  const clock = new VirtualClock();
  const stop = new AbortController();
  const events: string[] = [];
  let asked = 0;
  const queue = {
    take: () => {
      if (++asked > 5) stop.abort();
      return asked < 5
        ? Promise.reject(new StationError("station/jobs-unavailable", "unavailable", "away"))
        : Promise.resolve(undefined);
    },
  } as unknown as JobQueue;
  const working = workJobs(queue, {
    worker: "one",
    clock,
    signal: stop.signal,
    handlers: {},
    onEvent: ({ type }) => events.push(type),
  });
  const began = clock.nowUs();
  while (!stop.signal.aborted) {
    const next = clock.nextTimerUs();
    if (next !== undefined) clock.runUntil(next);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await working;
  expect(events).toEqual(["unreachable", "reached"]);
  // 1, 2, 4 and 8 s, then half a second: no busy loop while it is away.
  expect(clock.nowUs() - began).toBe(15.5e6);
});
