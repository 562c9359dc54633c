import { VirtualClock } from "@longwave/base";
import { describe, expect, test } from "vitest";
import { BaseError } from "../src/errors.ts";
import { serveTasks, TaskPool, type TaskPort, type TaskWorker } from "../src/task-pool.ts";

type Work = (task: number) => Promise<{ result: number }>;

/** Workers in this thread: their messages go the same way, and they can be made to die. */
function fakeWorkers(work: Work) {
  const alive: { kill(reason: string): void }[] = [];
  let made = 0;
  const create = (): TaskWorker => {
    made++;
    let ended = false;
    const listeners: Record<string, (event: { data?: unknown; message?: string }) => void> = {};
    let ask: (event: { data: unknown }) => void = () => {};
    const port: TaskPort = {
      postMessage: (data) =>
        void queueMicrotask(() => ended || listeners["message"]?.({ data: structuredClone(data) })),
      addEventListener: (_, listener) => {
        ask = listener;
      },
    };
    serveTasks(port, work);
    const kill = (message: string) => listeners["error"]?.({ message });
    alive.push({ kill });
    return {
      postMessage: (data) => void queueMicrotask(() => ended || ask({ data: structuredClone(data) })),
      addEventListener: (type, listener) => {
        listeners[type] = listener;
      },
      terminate: () => {
        ended = true;
      },
    };
  };
  return { create, alive, made: () => made };
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** Work that ends in the order in which the test says so. */
function heldWork() {
  const held = new Map<number, () => void>();
  const work: Work = (task) =>
    new Promise((resolve) => void held.set(task, () => resolve({ result: 10 * task })));
  const begun = async (count: number) => {
    while (held.size < count) await new Promise((resolve) => setImmediate(resolve));
  };
  return { held, work, begun };
}

describe("a pool of workers", () => {
  test("gives results in the order of the tasks, whoever is faster, and takes few ahead", async () => {
    const { held, work, begun } = heldWork();
    const pool = new TaskPool<number, number>(fakeWorkers(work).create, { workers: 2 });
    let taken = 0;
    function* tasks() {
      for (taken = 0; taken < 9; ) yield taken++;
    }
    const results = all(pool.map(tasks()));
    await begun(2);
    expect([...held.keys()]).toEqual([0, 1]);
    expect(taken).toBe(5);
    held.get(1)!();
    await begun(3);
    expect(taken).toBe(5);
    for (let next = 0; next < 9; next++) {
      await begun(next + 1);
      held.get(next)!();
    }
    expect((await results).map((each) => "result" in each && each.result)).toEqual([
      0, 10, 20, 30, 40, 50, 60, 70, 80,
    ]);
  });

  test("errors keep their code, and the batch goes on", async () => {
    const work: Work = async (task) => {
      if (task === 1) throw new BaseError("media/empty", "malformed", "Nothing in it.");
      if (task === 2) throw new TypeError("no Longwave error");
      return { result: task };
    };
    const pool = new TaskPool<number, number>(fakeWorkers(work).create, { workers: 3 });
    const [first, second, third, fourth] = await all(pool.map([0, 1, 2, 3]));
    expect(first).toEqual({ task: 0, result: 0 });
    expect(second).toMatchObject({
      task: 1,
      error: { code: "media/empty", kind: "malformed", message: "Nothing in it." },
    });
    expect(third).toMatchObject({ error: { code: "base/task-failed" } });
    expect(fourth).toEqual({ task: 3, result: 3 });
    await expect(pool.run(1)).rejects.toMatchObject({ code: "media/empty" });
  });

  test("a worker that dies costs its task and is replaced", async () => {
    const { held, work, begun } = heldWork();
    const workers = fakeWorkers(work);
    const pool = new TaskPool<number, number>(workers.create, { workers: 1 });
    const [lost, next] = [pool.run(1), pool.run(2)];
    await begun(1);
    workers.alive[0]!.kill("out of memory");
    await expect(lost).rejects.toMatchObject({
      code: "base/worker-died",
      message: "The worker died: out of memory.",
    });
    await begun(2);
    held.get(2)!();
    expect(await next).toBe(20);
    expect(workers.made()).toBe(2);
  });

  test("workers that cannot begin are not replaced for ever", async () => {
    const work: Work = async (task) => ({ result: task });
    const workers = fakeWorkers(work);
    const pool = new TaskPool<number, number>(workers.create, { workers: 2 });
    for (let i = 0; i < 7; i++) workers.alive.at(-1)!.kill("no such module");
    await expect(pool.run(1)).rejects.toMatchObject({ code: "base/worker-died" });
    expect(workers.made()).toBeLessThan(12);
  });

  test("a task that takes too long is given up", async () => {
    const clock = new VirtualClock();
    const { held, work, begun } = heldWork();
    const workers = fakeWorkers(work);
    const pool = new TaskPool<number, number>(workers.create, { workers: 1, timeout: { us: 5e6, clock } });
    const slow = pool.run(1);
    await begun(1);
    clock.runUntil(4_999_999);
    expect(workers.made()).toBe(1);
    clock.runUntil(5_000_000);
    await expect(slow).rejects.toMatchObject({ code: "base/task-timeout", kind: "limit" });
    const quick = pool.run(2);
    await begun(2);
    held.get(2)!();
    expect(await quick).toBe(20);
    clock.runUntil(65_000_000);
    expect(workers.made()).toBe(2);
  });

  test("closing fails what is on its way; a signal ends a batch; sizes are checked", async () => {
    const { work, begun } = heldWork();
    const pool = new TaskPool<number, number>(fakeWorkers(work).create, { workers: 1 });
    const [running, waiting] = [pool.run(1), pool.run(2)];
    await begun(1);
    pool.close();
    await expect(running).rejects.toMatchObject({ code: "base/pool-closed" });
    await expect(waiting).rejects.toMatchObject({ code: "base/pool-closed" });
    await expect(pool.run(3)).rejects.toMatchObject({ code: "base/pool-closed" });
    const other = new TaskPool<number, number>(fakeWorkers(async (task) => ({ result: task })).create, {
      workers: 1,
    });
    await expect(all(other.map([1, 2], AbortSignal.abort(new Error("enough"))))).rejects.toThrow("enough");
    expect(() => new TaskPool(fakeWorkers(work).create, { workers: 0 })).toThrow("1 to 256 workers");
  });
});
