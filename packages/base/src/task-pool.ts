import type { Clock } from "./clock.ts";
import { BaseError, type ErrorKind, isLongwaveError } from "./errors.ts";

/** The part of a worker that a pool uses; a browser's `Worker` is one, Node's by `nodeTaskWorker`. */
export interface TaskWorker {
  postMessage(message: unknown, transfer: readonly ArrayBufferLike[]): void;
  addEventListener(
    type: "message" | "error",
    listener: (event: { data?: unknown; message?: string }) => void,
  ): void;
  terminate(): void;
}

/** The worker's end of the line: `self` in a browser, `parentPort` by `serveNodeTasks` in Node. */
export interface TaskPort {
  postMessage(message: unknown, transfer: readonly ArrayBufferLike[]): void;
  addEventListener(type: "message", listener: (event: { data: unknown }) => void): void;
}

/** How a task of `TaskPool.map` ended. */
export type TaskOutcome<Task, Result> =
  | { readonly task: Task; readonly result: Result }
  | { readonly task: Task; readonly error: BaseError };

/** Options of {@link TaskPool}. */
export interface TaskPoolOptions<Task> {
  /** 1 to 256. */
  readonly workers: number;
  /** Buffers that are handed over with a task instead of being copied; they are the worker's then. */
  readonly transfer?: (task: Task) => readonly ArrayBufferLike[];
  /** A task that takes longer fails with `base/task-timeout`, and its worker is ended and replaced. */
  readonly timeout?: { readonly us: number; readonly clock: Clock };
}

interface Question {
  readonly number: number;
  readonly task: unknown;
}

type Answer =
  | { readonly number: number; readonly result: unknown }
  | { readonly number: number; readonly error: { code: string; kind: ErrorKind; message: string } };

interface Running {
  readonly number: number;
  readonly settle: (answer: Answer) => void;
}

interface Waiting<Task> {
  readonly task: Task;
  readonly settle: (answer: Answer) => void;
}

/** Tasks that may wait in `run`; `map` holds back its source instead. */
const mostWaiting = 10_000;

/**
 * Runs tasks on several workers, each one task at a time. A worker that dies or takes too long costs its task, not the batch: it is
 * replaced. Errors keep code, kind and message.
 *
 * @example
 * const pool = new TaskPool<string, Fingerprint>(() => nodeTaskWorker(moduleUrl), { workers: 4 });
 * for await (const outcome of pool.map(paths)) ... // in the order of the paths
 * pool.close();
 */
export class TaskPool<Task, Result> {
  readonly #createWorker: () => TaskWorker;
  readonly #options: TaskPoolOptions<Task>;
  readonly #idle: TaskWorker[] = [];
  readonly #running = new Map<TaskWorker, Running>();
  readonly #waiting: Waiting<Task>[] = [];
  #count = 0;
  /** Why there will be no more answers. */
  #over: BaseError | undefined;
  /** Workers that died one after the other without an answer between them. */
  #deaths = 0;

  /** @throws BaseError `base/bad-argument` */
  constructor(createWorker: () => TaskWorker, options: TaskPoolOptions<Task>) {
    const { workers } = options;
    if (!Number.isInteger(workers) || workers < 1 || workers > 256) {
      throw new BaseError("base/bad-argument", "usage", `A pool has 1 to 256 workers, not ${workers}.`);
    }
    this.#createWorker = createWorker;
    this.#options = options;
    for (let i = 0; i < workers; i++) this.#idle.push(this.#newWorker());
  }

  /**
   * Runs one task.
   * @throws BaseError the worker's error with its code, `base/worker-died`, `base/task-timeout`, `base/pool-closed`,
   * `base/pool-full` where 10,000 wait
   */
  async run(task: Task): Promise<Result> {
    const answer = await this.#ask(task);
    if ("result" in answer) return answer.result as Result;
    throw remote(answer.error);
  }

  /**
   * Runs many tasks and gives how they ended in the order of the tasks, whichever worker was faster. At most two tasks a worker are
   * taken ahead of what has been given.
   */
  async *map(
    tasks: Iterable<Task> | AsyncIterable<Task>,
    signal?: AbortSignal,
  ): AsyncGenerator<TaskOutcome<Task, Result>> {
    const ahead: { task: Task; answer: Promise<Answer> }[] = [];
    const mostAhead = 2 * this.#options.workers;
    const outcome = async ({ task, answer }: (typeof ahead)[number]): Promise<TaskOutcome<Task, Result>> => {
      const ended = await answer;
      if ("result" in ended) return { task, result: ended.result as Result };
      return { task, error: remote(ended.error) };
    };
    for await (const task of tasks) {
      signal?.throwIfAborted();
      ahead.push({ task, answer: this.#ask(task) });
      if (ahead.length > mostAhead) yield await outcome(ahead.shift()!);
    }
    while (ahead.length > 0) {
      signal?.throwIfAborted();
      yield await outcome(ahead.shift()!);
    }
  }

  /** Ends the workers; tasks on their way fail with `base/pool-closed`. */
  close(): void {
    this.#end(new BaseError("base/pool-closed", "usage", "The pool was closed."));
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #ask(task: Task): Promise<Answer> {
    return new Promise((settle) => {
      if (this.#over !== undefined) settle({ number: 0, error: this.#over });
      else if (this.#waiting.length >= mostWaiting) {
        const message = `${mostWaiting} tasks wait already; take some results first.`;
        settle({ number: 0, error: { code: "base/pool-full", kind: "limit", message } });
      } else {
        this.#waiting.push({ task, settle });
        this.#next();
      }
    });
  }

  #next(): void {
    while (this.#idle.length > 0 && this.#waiting.length > 0) {
      const worker = this.#idle.pop()!;
      const { task, settle } = this.#waiting.shift()!;
      const number = ++this.#count;
      const { timeout, transfer } = this.#options;
      const alarm = timeout?.clock.schedule(timeout.clock.nowUs() + timeout.us, () =>
        this.#replace(worker, {
          code: "base/task-timeout",
          kind: "limit",
          message: `The task took more than ${timeout.us / 1e6} s.`,
        }),
      );
      this.#running.set(worker, {
        number,
        settle: (answer) => {
          if (alarm !== undefined) timeout!.clock.cancel(alarm);
          settle(answer);
        },
      });
      try {
        worker.postMessage({ number, task } satisfies Question, transfer?.(task) ?? []);
      } catch (cause) {
        const message = `The task cannot be sent to a worker: ${(cause as Error).message}`;
        this.#finish(worker, { number, error: { code: "base/bad-argument", kind: "usage", message } });
      }
    }
  }

  #finish(worker: TaskWorker, answer: Answer): void {
    const running = this.#running.get(worker);
    if (running === undefined || running.number !== answer.number) return;
    this.#running.delete(worker);
    this.#idle.push(worker);
    this.#deaths = 0;
    running.settle(answer);
    this.#next();
  }

  /** Ends a worker, fails its task and puts another in its place. */
  #replace(worker: TaskWorker, error: { code: string; kind: ErrorKind; message: string }): void {
    const running = this.#running.get(worker);
    const place = this.#idle.indexOf(worker);
    if (running === undefined && place < 0) return;
    worker.terminate();
    this.#running.delete(worker);
    if (place >= 0) this.#idle.splice(place, 1);
    running?.settle({ number: running.number, error });
    // Workers that cannot even begin would be replaced for ever.
    if (++this.#deaths > 2 * this.#options.workers + 2) {
      this.#end(new BaseError("base/worker-died", "unavailable", `No worker stays alive: ${error.message}`));
      return;
    }
    this.#idle.push(this.#newWorker());
    this.#next();
  }

  #end(error: BaseError): void {
    this.#over ??= error;
    for (const worker of this.#idle.splice(0)) worker.terminate();
    const running = [...this.#running];
    this.#running.clear();
    for (const [worker, { number, settle }] of running) {
      worker.terminate();
      settle({ number, error });
    }
    for (const { settle } of this.#waiting.splice(0)) settle({ number: 0, error });
  }

  #newWorker(): TaskWorker {
    const worker = this.#createWorker();
    worker.addEventListener("message", ({ data }) => this.#finish(worker, data as Answer));
    worker.addEventListener("error", ({ message }) =>
      this.#replace(worker, {
        code: "base/worker-died",
        kind: "unavailable",
        message: `The worker died: ${message ?? "no reason given"}.`,
      }),
    );
    return worker;
  }
}

/**
 * The worker's side: answers tasks one after the other.
 * @param work its result, and the buffers in it that are handed over instead of copied
 */
export function serveTasks<Task, Result>(
  port: TaskPort,
  work: (task: Task) => Promise<{ result: Result; transfer?: readonly ArrayBufferLike[] }>,
): void {
  port.addEventListener("message", async ({ data }) => {
    const { number, task } = data as Question;
    try {
      const { result, transfer = [] } = await work(task as Task);
      port.postMessage({ number, result } satisfies Answer, transfer);
    } catch (error) {
      const { message } = error as Error;
      const known = isLongwaveError(error) ? error : { code: "base/task-failed", kind: "malformed" as const };
      port.postMessage(
        { number, error: { code: known.code, kind: known.kind, message } } satisfies Answer,
        [],
      );
    }
  });
}

function remote({ code, kind, message }: { code: string; kind: ErrorKind; message: string }): BaseError {
  return new BaseError(code, kind, message);
}
