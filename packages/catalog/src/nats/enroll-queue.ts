import { type Clock, isLongwaveError } from "@longwave/base";
import type { Fingerprint } from "@longwave/fingerprint";
import {
  AckPolicy,
  type Consumer,
  DiscardPolicy,
  type JsMsg,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
} from "@nats-io/jetstream";
import { type NatsConnection, nanos } from "@nats-io/nats-core";
import type { Enrollment } from "../catalog.ts";
import { contentHashOfBytes } from "../content-hash.ts";
import { CatalogError } from "../errors.ts";
import type { AudioInput } from "../identification.ts";
import { checkTrackId, type TrackMetadata } from "../track.ts";

/** A recording to enroll. */
export interface EnrollJob {
  readonly track: TrackMetadata;
  /** Where a worker finds the sound: a path or address, whatever its `load` understands. */
  readonly source: string;
  /** Replace other sound under the same id. */
  readonly replace?: boolean;
}

/** What became of a job; published on `<subject>.done`. */
export type EnrollReport =
  | {
      readonly id: string;
      readonly source: string;
      readonly status: Enrollment["status"];
      readonly hashes: number;
    }
  | {
      readonly id: string;
      readonly source: string;
      readonly status: "failed";
      readonly code: string;
      readonly message: string;
    };

/** Options of {@link EnrollQueue.open}. */
export interface EnrollQueueOptions {
  /** Stream and consumer; default `LONGWAVE_ENROLL`. */
  readonly stream?: string;
  /** Root of the subjects; default `longwave.enroll`. */
  readonly subject?: string;
  /** Jobs that may wait; more are refused with `catalog/busy`. Default 1,000,000. */
  readonly maxJobs?: number;
  /** A worker that says nothing for so long has lost its job to another; it speaks up every third of this. Default 30. */
  readonly ackWaitSeconds?: number;
  /** How often a job is tried before it counts as failed; default 5. */
  readonly maxAttempts?: number;
}

/** Options of {@link EnrollQueue.work}. */
export interface EnrollWorkerOptions {
  readonly catalog: {
    enroll(
      metadata: TrackMetadata,
      sound: AudioInput | Fingerprint,
      options: { replace?: boolean },
    ): Promise<Enrollment>;
  };
  /** Fetches the sound of a job. An error of the kind `unavailable` is tried again later, any other is final. */
  readonly load: (source: string) => Promise<AudioInput | Fingerprint>;
  readonly clock: Clock;
  /** Ends the worker after the job that it has. */
  readonly signal: AbortSignal;
  /** Pause before a job is tried again, seconds; default 5. */
  readonly retrySeconds?: number;
}

/** Two equal jobs within this time are one. */
const duplicateWindowSeconds = 120;
/** Failures that are kept to be read later; older ones leave first. */
const keptFailures = 10_000;
/** How long a worker asks for a job before it looks at its signal. */
const pollMs = 1000;

/**
 * Enrolling as jobs of NATS JetStream: any number of workers pull them, a job of a worker that dies goes to another, and doing one twice
 * changes nothing, because a catalog knows sound by its content.
 *
 * @example
 * const queue = await EnrollQueue.open(connection);
 * await queue.add({ track: { id: "a1" }, source: "/music/a1.flac" });
 * await queue.work({ catalog, load: (path) => readSound(path), clock, signal });
 */
export class EnrollQueue {
  readonly #connection: NatsConnection;
  readonly #stream: string;
  readonly #subject: string;
  readonly #ackWaitSeconds: number;
  readonly #maxAttempts: number;

  private constructor(connection: NatsConnection, options: EnrollQueueOptions) {
    this.#connection = connection;
    this.#stream = options.stream ?? "LONGWAVE_ENROLL";
    this.#subject = options.subject ?? "longwave.enroll";
    this.#ackWaitSeconds = options.ackWaitSeconds ?? 30;
    this.#maxAttempts = options.maxAttempts ?? 5;
  }

  /** Makes stream and consumer where there are none. @throws CatalogError `catalog/engine-failed` */
  static async open(connection: NatsConnection, options: EnrollQueueOptions = {}): Promise<EnrollQueue> {
    const queue = new EnrollQueue(connection, options);
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
        // One more than we count ourselves: the last attempt reports the failure.
        max_deliver: queue.#maxAttempts + 1,
      });
    } catch (cause) {
      throw failed("The queue cannot be opened", cause);
    }
    return queue;
  }

  /**
   * Adds a job. @returns false where an equal one was added within two minutes
   * @throws CatalogError `catalog/bad-id`, `catalog/busy` where the queue is full, `catalog/engine-failed`
   */
  async add(job: EnrollJob): Promise<boolean> {
    checkTrackId(job.track.id);
    const bytes = bytesOf(job);
    try {
      const { duplicate } = await jetstream(this.#connection).publish(`${this.#subject}.jobs`, bytes, {
        msgID: contentHashOfBytes(bytes),
      });
      return !duplicate;
    } catch (cause) {
      if (!/maximum messages/.test((cause as Error).message)) throw failed("The job was not stored", cause);
      throw new CatalogError("catalog/busy", "The queue is full; add workers, or add the job later.", {
        cause,
      });
    }
  }

  /** Jobs that wait or are being done. */
  async length(): Promise<number> {
    const manager = await jetstreamManager(this.#connection);
    return (await manager.streams.info(this.#stream)).state.messages;
  }

  /** The newest failures, oldest first, at most 10,000; they stay until then. */
  async failures(): Promise<EnrollReport[]> {
    const name = `${this.#stream}_FAILED`;
    try {
      const { state } = await (await jetstreamManager(this.#connection)).streams.info(name);
      const found: EnrollReport[] = [];
      const consumer = await jetstream(this.#connection).consumers.get(name);
      while (found.length < state.messages) {
        const message = await consumer.next({ expires: pollMs });
        if (message === null) break;
        found.push(message.json<EnrollReport>());
      }
      return found;
    } catch (cause) {
      throw failed("The failures cannot be read", cause);
    }
  }

  /** Reports of all workers from now on. */
  async *reports(signal?: AbortSignal): AsyncIterable<EnrollReport> {
    const subscription = this.#connection.subscribe(`${this.#subject}.done`);
    const stop = () => subscription.unsubscribe();
    signal?.addEventListener("abort", stop, { once: true });
    try {
      if (signal?.aborted !== true)
        for await (const message of subscription) yield message.json<EnrollReport>();
    } finally {
      signal?.removeEventListener("abort", stop);
      subscription.unsubscribe();
    }
  }

  /** Does jobs, one after the other, until the signal. @throws CatalogError `catalog/engine-failed` */
  async work(options: EnrollWorkerOptions): Promise<void> {
    let consumer: Consumer;
    try {
      consumer = await jetstream(this.#connection).consumers.get(this.#stream, "workers");
    } catch (cause) {
      throw failed("The queue cannot be read", cause);
    }
    while (!options.signal.aborted) {
      let message: JsMsg | null;
      try {
        message = await consumer.next({ expires: pollMs });
      } catch (cause) {
        if (options.signal.aborted) return;
        throw failed("The queue cannot be read", cause);
      }
      if (message !== null) await this.#do(message, options);
    }
  }

  async #do(message: JsMsg, { catalog, load, clock, retrySeconds = 5 }: EnrollWorkerOptions): Promise<void> {
    let job: EnrollJob | undefined;
    const stopSayingSo = this.#keepAlive(message, clock);
    try {
      job = parseJob(message);
      const sound = await load(job.source);
      const { track, status } = await catalog.enroll(
        job.track,
        sound,
        job.replace === true ? { replace: true } : {},
      );
      stopSayingSo();
      this.#report({ id: track.id, source: job.source, status, hashes: track.hashes });
      message.ack();
    } catch (error) {
      stopSayingSo();
      const known = isLongwaveError(error) ? error : undefined;
      const mayPass = known === undefined || known.kind === "unavailable" || known.code === "catalog/busy";
      if (mayPass && message.info.deliveryCount < this.#maxAttempts) {
        message.nak(1000 * retrySeconds);
        return;
      }
      const { id, source } = { id: job?.track.id ?? "", source: job?.source ?? "" };
      const { message: text } = error as Error;
      const code = known?.code ?? "catalog/engine-failed";
      const report = { id, source, status: "failed", code, message: text } as const;
      // Kept first: a job whose failure nobody could learn of would be lost.
      await jetstream(this.#connection).publish(`${this.#subject}.failed`, bytesOf(report));
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

  #report(report: EnrollReport): void {
    this.#connection.publish(`${this.#subject}.done`, bytesOf(report));
  }
}

function bytesOf(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function parseJob(message: JsMsg): EnrollJob {
  let job: Partial<EnrollJob> | undefined;
  try {
    job = message.json<Partial<EnrollJob>>();
  } catch (cause) {
    throw new CatalogError("catalog/bad-message", "A job is no JSON.", { cause });
  }
  if (typeof job?.source === "string" && typeof job.track?.id === "string") return job as EnrollJob;
  throw new CatalogError("catalog/bad-message", "A job names no track or no source.");
}

function failed(what: string, cause: unknown): CatalogError {
  return new CatalogError("catalog/engine-failed", `${what}: NATS says ${(cause as Error).message}.`, {
    cause,
  });
}
