import { type Clock, isLongwaveError, sleepUs } from "@longwave/base";
import {
  AckPolicy,
  type Consumer,
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JsMsg,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
} from "@nats-io/jetstream";
import { type NatsConnection, nanos } from "@nats-io/nats-core";
import { contentHashOfBytes } from "../content-hash.ts";
import { CatalogError } from "../errors.ts";

/** Options of {@link JobQueue.open}; every process that opens a queue names the same. */
export interface JobQueueOptions {
  /** Stream of the jobs, letters, digits, _ and -. Its failures are in `<stream>_FAILED`. */
  readonly stream: string;
  /** Root of the subjects: `<subject>.jobs`, `.done` and `.failed`. */
  readonly subject: string;
  /** Jobs that may wait; more are refused with `catalog/busy`. Default 1,000,000. */
  readonly maxJobs?: number;
  /** A worker that says nothing for so long has lost its job to another; it speaks up every third of this. Default 30. */
  readonly ackWaitSeconds?: number;
  /** How often a job is tried before it counts as failed; default 5. */
  readonly maxAttempts?: number;
}

/** What a queue has to know of its jobs. Jobs and reports are JSON. */
export interface JobKind<Job, Report> {
  /** Checks what came over the wire. @throws an error that says what is wrong: the job fails at once */
  parse(value: unknown): Job;
  /** The report of a job that cannot be done; `job` is undefined where the message was none. */
  failure(job: Job | undefined, code: string, message: string): Report;
}

/** Options of {@link JobQueue.work}. */
export interface JobWorkerOptions<Job, Report> {
  /**
   * Does a job: at least once, so that doing it twice must change nothing. An error of the kind `unavailable`, and one that is no
   * `LongwaveError`, is tried again later; any other is final. The signal is the worker's.
   */
  readonly perform: (job: Job, signal: AbortSignal) => Promise<Report>;
  readonly clock: Clock;
  /** Ends the worker. A job that `perform` gives up for it goes back to the queue and counts as tried. */
  readonly signal: AbortSignal;
  /** Pause before a job is tried again, seconds; default 5. */
  readonly retrySeconds?: number;
  /** Told of what this worker did and of what it reported as failed. */
  readonly onReport?: (report: Report) => void;
}

/** How many jobs there are. */
export interface QueueState {
  /** Nobody has them yet, or they wait for another try. */
  readonly waiting: number;
  /** A worker has them. */
  readonly running: number;
  /** Failures that are kept. */
  readonly failed: number;
}

/** Two equal jobs within this time are one. */
const duplicateWindowSeconds = 120;
/** Failures that are kept to be read later; older ones leave first. */
const keptFailures = 10_000;
/** How long a worker asks for a job before it looks at its signal. */
const pollMs = 1000;

/**
 * Jobs in NATS JetStream: any number of workers pull them, and a job of a worker that dies goes to another. A job that has killed
 * `maxAttempts` workers is reported as failed without being tried again, so that no job is ever silently stuck.
 */
export class JobQueue<Job, Report> {
  readonly #connection: NatsConnection;
  readonly #kind: JobKind<Job, Report>;
  readonly #stream: string;
  readonly #subject: string;
  readonly #ackWaitSeconds: number;
  readonly #maxAttempts: number;

  private constructor(connection: NatsConnection, kind: JobKind<Job, Report>, options: JobQueueOptions) {
    this.#connection = connection;
    this.#kind = kind;
    this.#stream = options.stream;
    this.#subject = options.subject;
    this.#ackWaitSeconds = options.ackWaitSeconds ?? 30;
    this.#maxAttempts = options.maxAttempts ?? 5;
  }

  /** Makes stream and consumer where there are none. @throws CatalogError `catalog/engine-failed` */
  static async open<Job, Report>(
    connection: NatsConnection,
    kind: JobKind<Job, Report>,
    options: JobQueueOptions,
  ): Promise<JobQueue<Job, Report>> {
    const queue = new JobQueue(connection, kind, options);
    try {
      const manager = await jetstreamManager(connection);
      await manager.streams.add({
        name: queue.#stream,
        subjects: [`${queue.#subject}.jobs`],
        retention: RetentionPolicy.Workqueue,
        max_msgs: options.maxJobs ?? 1_000_000,
        discard: DiscardPolicy.New,
        duplicate_window: nanos(1000 * duplicateWindowSeconds),
      });
      await manager.streams.add({
        name: `${queue.#stream}_FAILED`,
        subjects: [`${queue.#subject}.failed`],
        max_msgs: keptFailures,
      });
      await manager.consumers.add(queue.#stream, {
        durable_name: "workers",
        ack_policy: AckPolicy.Explicit,
        ack_wait: nanos(1000 * queue.#ackWaitSeconds),
        // Attempts are counted here: the last one has to report the failure.
        max_deliver: -1,
        max_ack_pending: 10_000,
      });
    } catch (cause) {
      throw failed("The queue cannot be opened", cause);
    }
    return queue;
  }

  /**
   * Adds a job. @returns false where an equal one was added within two minutes and is not done yet
   * @throws CatalogError `catalog/busy` where the queue is full, `catalog/engine-failed`
   */
  async add(job: Job): Promise<boolean> {
    const bytes = bytesOf(job);
    const content = contentHashOfBytes(bytes);
    try {
      const manager = await jetstreamManager(this.#connection);
      for (let msgID = content; ; ) {
        const { duplicate, seq } = await jetstream(this.#connection).publish(`${this.#subject}.jobs`, bytes, {
          msgID,
        });
        if (!duplicate) return true;
        if ((await manager.streams.getMessage(this.#stream, { seq })) !== null) return false;
        // NATS remembers the name of a job beyond its end: what is added again is named after the one that is done.
        msgID = `${content}-after-${seq}`;
      }
    } catch (cause) {
      if (!/maximum messages/.test((cause as Error).message)) throw failed("The job was not stored", cause);
      throw new CatalogError("catalog/busy", "The queue is full; add workers, or add the job later.", {
        cause,
      });
    }
  }

  /** Jobs that wait or are being done. */
  async length(): Promise<number> {
    return (await this.#streamInfo(this.#stream)).messages;
  }

  /** How many jobs wait, run and have failed. @throws CatalogError `catalog/engine-failed` */
  async state(): Promise<QueueState> {
    try {
      const manager = await jetstreamManager(this.#connection);
      const { num_pending, num_ack_pending } = await manager.consumers.info(this.#stream, "workers");
      const { messages } = await this.#streamInfo(`${this.#stream}_FAILED`);
      return { waiting: num_pending, running: num_ack_pending, failed: messages };
    } catch (cause) {
      throw failed("The queue cannot be read", cause);
    }
  }

  /** The newest failures, oldest first, at most 10,000; they stay until then. */
  async failures(): Promise<Report[]> {
    const name = `${this.#stream}_FAILED`;
    try {
      const { messages } = await this.#streamInfo(name);
      const found: Report[] = [];
      const consumer = await jetstream(this.#connection).consumers.get(name);
      while (found.length < messages) {
        const message = await consumer.next({ expires: pollMs });
        if (message === null) break;
        found.push(message.json<Report>());
      }
      return found;
    } catch (cause) {
      throw failed("The failures cannot be read", cause);
    }
  }

  /** Reports of all workers from now on. */
  async *reports(signal?: AbortSignal): AsyncIterable<Report> {
    const subscription = this.#connection.subscribe(`${this.#subject}.done`);
    const stop = () => subscription.unsubscribe();
    signal?.addEventListener("abort", stop, { once: true });
    try {
      if (signal?.aborted !== true) for await (const message of subscription) yield message.json<Report>();
    } finally {
      signal?.removeEventListener("abort", stop);
      subscription.unsubscribe();
    }
  }

  /**
   * Does jobs, one after the other, until the signal. A server that is away for a while is waited for, as long as the connection tries to
   * reach it.
   * @throws CatalogError `catalog/engine-failed` where the connection is closed, or the server has lost the queue
   */
  async work(options: JobWorkerOptions<Job, Report>): Promise<void> {
    const { clock, signal } = options;
    let consumer: Consumer | undefined;
    while (!signal.aborted) {
      let message: JsMsg | null;
      try {
        consumer ??= await jetstream(this.#connection).consumers.get(this.#stream, "workers");
        message = await consumer.next({ expires: pollMs });
      } catch (cause) {
        if (signal.aborted) return;
        if (this.#connection.isClosed() || isLost(cause)) throw failed("The queue cannot be read", cause);
        consumer = undefined;
        await sleepUs(clock, 1000 * pollMs, signal).catch(() => undefined);
        continue;
      }
      if (message === null) continue;
      if (signal.aborted) message.nak();
      else await this.#do(message, options);
    }
  }

  async #do(message: JsMsg, options: JobWorkerOptions<Job, Report>): Promise<void> {
    const { perform, clock, signal, retrySeconds = 5, onReport } = options;
    const { deliveryCount } = message.info;
    let job: Job | undefined;
    const stopSayingSo = this.#keepAlive(message, clock);
    try {
      job = this.#kind.parse(parseJson(message));
      if (deliveryCount > this.#maxAttempts) {
        const what = `${this.#maxAttempts} workers ended or fell silent over this job`;
        throw new CatalogError("catalog/job-abandoned", `${what}; see what they said, and add it again.`);
      }
      const report = await perform(job, signal);
      stopSayingSo();
      onReport?.(report);
      this.#report(report);
      message.ack();
    } catch (error) {
      stopSayingSo();
      if (signal.aborted) {
        message.nak();
        return;
      }
      const known = isLongwaveError(error) ? error : undefined;
      const mayPass = known === undefined || known.kind === "unavailable" || known.code === "catalog/busy";
      if (mayPass && deliveryCount < this.#maxAttempts) {
        message.nak(1000 * retrySeconds);
        return;
      }
      const code = known?.code ?? "catalog/engine-failed";
      const report = this.#kind.failure(job, code, (error as Error).message);
      try {
        // Kept first: a job whose failure nobody could learn of would be lost.
        await jetstream(this.#connection).publish(`${this.#subject}.failed`, bytesOf(report));
      } catch (cause) {
        throw failed("A failure was not stored", cause);
      }
      onReport?.(report);
      this.#report(report);
      message.ack();
    }
  }

  /** Says every third of the waiting time that the job is still being done. @returns what ends it */
  #keepAlive(message: JsMsg, clock: Clock): () => void {
    const everyUs = (this.#ackWaitSeconds * 1e6) / 3;
    const again = () => {
      message.working();
      return clock.schedule(clock.nowUs() + everyUs, tick);
    };
    const tick = () => {
      handle = again();
    };
    let handle = clock.schedule(clock.nowUs() + everyUs, tick);
    return () => clock.cancel(handle);
  }

  #report(report: Report): void {
    this.#connection.publish(`${this.#subject}.done`, bytesOf(report));
  }

  async #streamInfo(name: string): Promise<{ messages: number }> {
    try {
      return (await (await jetstreamManager(this.#connection)).streams.info(name)).state;
    } catch (cause) {
      throw failed("The queue cannot be read", cause);
    }
  }
}

function bytesOf(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function parseJson(message: JsMsg): unknown {
  try {
    return message.json<unknown>();
  } catch (cause) {
    throw new CatalogError("catalog/bad-message", "A job is no JSON.", { cause });
  }
}

/** True for what waiting does not mend: the stream or its consumer is gone. */
function isLost(error: unknown): boolean {
  const { StreamNotFound, ConsumerNotFound } = JetStreamApiCodes;
  if (!(error instanceof JetStreamApiError)) return false;
  return error.code === StreamNotFound || error.code === ConsumerNotFound;
}

function failed(what: string, cause: unknown): CatalogError {
  if (isLongwaveError(cause, "catalog/engine-failed")) return cause as CatalogError;
  return new CatalogError("catalog/engine-failed", `${what}: NATS says ${(cause as Error).message}.`, {
    cause,
  });
}
