import type { Clock } from "@longwave/base";
import {
  AckPolicy,
  type Consumer,
  DeliverPolicy,
  DiscardPolicy,
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
} from "@nats-io/jetstream";
import { type NatsConnection, nanos } from "@nats-io/nats-core";
import { StationError } from "../../errors.ts";
import {
  type EndedState,
  hasEnded,
  type Job,
  type JobCounts,
  type JobKind,
  type JobRequest,
  type JobResult,
  type JobState,
  noJobs,
  parseJobRequest,
} from "../job.ts";
import {
  type AddedJob,
  abandonedBy,
  type ClaimedJob,
  defaultJobListLimit,
  defaultLeaseSeconds,
  defaultMaxJobs,
  type JobListOptions,
  type JobQueue,
  type JobQueueOptions,
  mayEndLate,
  mostAbandonments,
  noSuchJob,
  queueFailure,
  queueIsFull,
  wrongState,
} from "../job-queue.ts";

export interface NatsJobQueueOptions extends JobQueueOptions {
  /** Name of the streams; default `LONGWAVE_JOBS`. */
  readonly stream?: string;
  /** Root of the subjects; default `longwave.jobs`. */
  readonly subject?: string;
  readonly clock: Clock;
}

/** What lies in the work queue: it alone decides that a job will be done. */
interface Ticket {
  /** Counts how often the job was asked for anew. */
  readonly generation: number;
  readonly request: JobRequest;
}

/** The last message under the job's own subject: how far it is. */
interface StoredState extends Ticket {
  readonly job: Job;
  /** Sequence number of its ticket: the one that was sent, then the one that a worker had. */
  readonly ticket?: number;
}

/** Two equal tickets within this time are one. */
const duplicateWindowSeconds = 120;
/** How long a worker asks for a job; the shortest time that the client takes. */
const pollMs = 1000;
/** JetStream's "wrong last sequence": somebody else wrote first. */
const wrongSequence = 10071;
/** JetStream's "no message found". */
const noMessage = 10037;
/** JetStream's "consumer not found". */
const noConsumer = 10014;

/**
 * Jobs in NATS JetStream. A work queue holds a ticket for each job that is to be done, a second stream the last state of every job;
 * states are written only over the state that was read (`expected last subject sequence`), so a worker that has lost its job cannot say
 * anything about it any more. A ticket is written before the state, and acknowledged after it: killed in between, a job is done again, and
 * found done.
 */
export class NatsJobQueue implements JobQueue {
  readonly #connection: NatsConnection;
  readonly #manager: JetStreamManager;
  readonly #jetstream: JetStreamClient;
  readonly #stream: string;
  readonly #subject: string;
  readonly #clock: Clock;
  readonly #leaseSeconds: number;
  readonly #maxJobs: number;
  readonly #consumers = new Map<JobKind, Promise<Consumer>>();
  /** The kind that gave a job last is asked first. */
  #lastKind: JobKind | undefined;

  private constructor(connection: NatsConnection, manager: JetStreamManager, options: NatsJobQueueOptions) {
    this.#connection = connection;
    this.#manager = manager;
    this.#jetstream = jetstream(connection);
    this.#stream = options.stream ?? "LONGWAVE_JOBS";
    this.#subject = options.subject ?? "longwave.jobs";
    this.#clock = options.clock;
    this.#leaseSeconds = options.leaseSeconds ?? defaultLeaseSeconds;
    this.#maxJobs = options.maxJobs ?? defaultMaxJobs;
  }

  /**
   * Makes the streams where there are none. The lease is the one of the worker that came last: all should have the same.
   * @param connection is closed with the queue @throws StationError `station/jobs-unavailable`
   */
  static async open(connection: NatsConnection, options: NatsJobQueueOptions): Promise<NatsJobQueue> {
    try {
      const manager = await jetstreamManager(connection);
      const queue = new NatsJobQueue(connection, manager, options);
      await manager.streams.add({
        name: queue.#stream,
        subjects: [`${queue.#subject}.queue.*`],
        retention: RetentionPolicy.Workqueue,
        max_msgs: queue.#maxJobs,
        discard: DiscardPolicy.New,
        duplicate_window: nanos(1000 * duplicateWindowSeconds),
      });
      await manager.streams.add({
        name: `${queue.#stream}_STATE`,
        subjects: [`${queue.#subject}.state.*`],
        max_msgs_per_subject: 1,
      });
      return queue;
    } catch (cause) {
      throw queueFailure("NATS", cause);
    }
  }

  add(request: JobRequest, { again = false }: { readonly again?: boolean } = {}): Promise<AddedJob> {
    return naming(async () => {
      const checked = parseJobRequest(request);
      const found = await this.#read(checked.id);
      if (found !== undefined && !(again && hasEnded(found.state.job.state)))
        return { job: found.state.job, added: false };
      const generation = (found?.state.generation ?? 0) + 1;
      const job: Job = { ...checked, state: "waiting", attempts: 0, addedAtMs: this.#nowMs() };
      let sent = await this.#send({ generation, request: checked });
      if (sent.duplicate && (await this.#ticketAt(sent.ticket)) === null) {
        // The ticket is used up: the job was done meanwhile, or long ago and cleared since.
        const now = await this.#read(checked.id);
        if (now !== undefined) return { job: now.state.job, added: false };
        sent = await this.#send({ generation, request: checked }, `after ${sent.ticket}`);
      }
      const { ticket } = sent;
      // A worker may be quicker: then its state stands.
      await this.#write({ generation, request: checked, job, ticket }, found?.sequence ?? 0);
      return { job, added: true };
    });
  }

  get(id: string): Promise<Job | undefined> {
    return naming(async () => (await this.#read(id))?.state.job);
  }

  list({ state, limit = defaultJobListLimit }: JobListOptions = {}): Promise<readonly Job[]> {
    return naming(async () => {
      const jobs: Job[] = [];
      for await (const { job } of this.#all()) {
        if (state !== undefined && job.state !== state) continue;
        jobs.push(job);
        // Newest first, and never more than twice of what is wanted in memory.
        if (jobs.length >= 2 * limit + 100) newest(jobs, limit);
      }
      newest(jobs, limit);
      return jobs;
    });
  }

  counts(): Promise<JobCounts> {
    return naming(async () => {
      const counts: Record<JobState, number> = { ...noJobs };
      for await (const { job } of this.#all()) counts[job.state]++;
      return counts;
    });
  }

  pending(): Promise<number> {
    return naming(async () => (await this.#manager.streams.info(this.#stream)).state.messages);
  }

  retry(id: string): Promise<Job> {
    return naming(async () => {
      const { state, sequence } = await this.#mustRead(id);
      const { job, request } = state;
      if (job.state !== "failed" && job.state !== "cancelled") throw wrongState(job, "failed and cancelled");
      const generation = state.generation + 1;
      const waiting: Job = { ...request, state: "waiting", attempts: 0, addedAtMs: job.addedAtMs };
      const { ticket } = await this.#send({ generation, request });
      await this.#write({ generation, request, job: waiting, ticket }, sequence);
      return waiting;
    });
  }

  cancel(id: string): Promise<Job> {
    return naming(async () => {
      for (;;) {
        const { state, sequence } = await this.#mustRead(id);
        if (hasEnded(state.job.state)) throw wrongState(state.job, "waiting and running");
        const job: Job = { ...state.job, state: "cancelled", endedAtMs: this.#nowMs() };
        // Its ticket is thrown away by whoever gets it.
        if ((await this.#write({ ...state, job }, sequence)) !== undefined) return job;
      }
    });
  }

  clear(states: readonly EndedState[]): Promise<number> {
    return naming(async () => {
      const name = `${this.#stream}_STATE`;
      const isEmpty = (await this.pending()) === 0;
      let cleared = 0;
      for await (const { job, ticket, sequence } of this.#all()) {
        if (!hasEnded(job.state) || !states.includes(job.state)) continue;
        // A ticket without a state would be a new job: it goes first, by the hand of a worker.
        const hasTicket = ticket === undefined ? !isEmpty : (await this.#ticketAt(ticket)) !== null;
        if (hasTicket) continue;
        // By its number: what was written over it meanwhile stays.
        const isGone = await this.#manager.streams.deleteMessage(name, sequence).catch(ifNoMessage);
        if (isGone) cleared++;
      }
      return cleared;
    });
  }

  take(worker: string, kinds: readonly JobKind[]): Promise<ClaimedJob | undefined> {
    return naming(async () => {
      const order = [...kinds].sort((a, b) => Number(b === this.#lastKind) - Number(a === this.#lastKind));
      for (const kind of order) {
        for (;;) {
          const message = await this.#nextTicket(kind);
          if (message === null) break;
          this.#lastKind = kind;
          const claimed = await this.#claim(message, worker);
          if (claimed !== undefined) return claimed;
        }
      }
      return undefined;
    });
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  async #nextTicket(kind: JobKind): Promise<JsMsg | null> {
    const known = this.#consumers.get(kind) ?? this.#openConsumer(kind);
    this.#consumers.set(kind, known);
    try {
      return await (await known).next({ expires: pollMs });
    } catch (error) {
      // Somebody may have deleted it: it is made anew the next time.
      this.#consumers.delete(kind);
      throw error;
    }
  }

  /** The consumer of all workers for this kind. Only those who work set its lease: a look at the queue must not shorten that of others. */
  async #openConsumer(kind: JobKind): Promise<Consumer> {
    const { consumers } = this.#manager;
    const lease = { ack_wait: nanos(1000 * this.#leaseSeconds) };
    const found = await consumers.info(this.#stream, kind).catch((error: { code?: unknown }) => {
      if (error.code === noConsumer) return undefined;
      throw error;
    });
    if (found === undefined) {
      await consumers.add(this.#stream, {
        ...lease,
        durable_name: kind,
        filter_subject: `${this.#subject}.queue.${kind}`,
        ack_policy: AckPolicy.Explicit,
        // The states count the attempts, and jobs that wait to be tried again hold up nobody.
        max_deliver: -1,
        max_ack_pending: -1,
      });
    } else if (found.config.ack_wait !== lease.ack_wait) await consumers.update(this.#stream, kind, lease);
    return this.#jetstream.consumers.get(this.#stream, kind);
  }

  /** Turns a ticket into a job that is ours; undefined where there is nothing left to do. */
  async #claim(message: JsMsg, worker: string): Promise<ClaimedJob | undefined> {
    const ticket = readTicket(message);
    if (ticket === undefined) {
      message.term("no job");
      return undefined;
    }
    const { generation, request } = ticket;
    const found = await this.#read(request.id);
    const known = found === undefined || found.state.generation < generation ? undefined : found.state;
    const isOver = known !== undefined && (known.generation > generation || hasEnded(known.job.state));
    const wasRunning = known?.job.state === "running";
    // A second ticket of a job that somebody is doing: the first one stays until that is over.
    if (isOver || (wasRunning && (await this.#isSecond(message, known.ticket)))) {
      message.ack();
      return undefined;
    }
    const before: Job = known?.job ?? { ...request, state: "waiting", attempts: 0, addedAtMs: this.#nowMs() };
    const nowMs = this.#nowMs();
    const left: Job = wasRunning
      ? { ...known.job, abandoned: (known.job.abandoned ?? 0) + 1 }
      : { ...before };
    const isAbandoned = (left.abandoned ?? 0) >= mostAbandonments(request);
    const job: Job = isAbandoned
      ? { ...left, state: "failed", endedAtMs: nowMs, failure: abandonedBy(left) }
      : { ...left, state: "running", attempts: left.attempts + 1, startedAtMs: nowMs, worker };
    const state: StoredState = { generation, request, job, ticket: message.seq };
    const sequence = await this.#write(state, found?.sequence ?? 0);
    if (sequence === undefined) {
      message.nak(pollMs);
      return undefined;
    }
    if (isAbandoned) {
      message.ack();
      return undefined;
    }
    return this.#claimed(message, state, sequence, wasRunning);
  }

  /**
   * Whether this is another ticket than the one with which the job was begun, and that one is still there. (A server that crashed may
   * have forgotten that it gave a ticket out: that it is marked as given again is not relied upon.)
   */
  async #isSecond(message: JsMsg, ticket: number | undefined): Promise<boolean> {
    if (ticket === undefined) return !message.redelivered;
    if (ticket === message.seq) return false;
    return (await this.#ticketAt(ticket)) !== null;
  }

  /** The ticket with this number, null once it is used up. */
  #ticketAt(seq: number): Promise<unknown> {
    return this.#manager.streams.getMessage(this.#stream, { seq });
  }

  #claimed(message: JsMsg, state: StoredState, sequence: number, takenOver: boolean): ClaimedJob {
    const { job } = state;
    const { failure: _, ...withoutFailure } = job;
    const change = (next: Job, say: () => void) =>
      naming(async () => {
        const isOurs = (await this.#write({ ...state, job: next }, sequence)) !== undefined;
        if (isOurs) say();
        else await this.#dropCancelled(message, job.id);
        await this.#connection.flush();
        return isOurs;
      });
    const end = (next: Omit<Job, "endedAtMs">) =>
      change({ ...next, endedAtMs: this.#nowMs() }, () => message.ack());
    const complete = async (result: JobResult) => {
      const done = { ...withoutFailure, state: "done", result } as const;
      return (await end(done)) || (await this.#completeLate(message, state.generation, done));
    };
    return {
      job,
      takenOver,
      extend: () =>
        naming(async () => {
          message.working();
          return (await this.#read(job.id))?.sequence === sequence;
        }),
      complete,
      fail: (failure) => end({ ...job, state: "failed", failure }),
      retryLater: (failure, delaySeconds) =>
        change({ ...job, state: "waiting", failure }, () => message.nak(Math.round(1000 * delaySeconds))),
      release: () => change({ ...job, state: "waiting", attempts: job.attempts - 1 }, () => message.nak()),
    };
  }

  /** Another worker has the job by now, or had it last: it is done all the same. */
  #completeLate(message: JsMsg, generation: number, done: Omit<Job, "endedAtMs">): Promise<boolean> {
    return naming(async () => {
      for (;;) {
        const found = await this.#read(done.id);
        if (found?.state.generation !== generation || !mayEndLate(found.state.job)) return false;
        const { attempts, abandoned = 0 } = found.state.job;
        const job: Job = { ...done, attempts, abandoned, endedAtMs: this.#nowMs() };
        if ((await this.#write({ ...found.state, job }, found.sequence)) === undefined) continue;
        message.ack();
        await this.#connection.flush();
        return true;
      }
    });
  }

  /** The ticket of a job that was cancelled meanwhile is worth nothing; one that another worker has is left to that one. */
  async #dropCancelled(message: JsMsg, id: string): Promise<void> {
    if ((await this.#read(id))?.state.job.state === "cancelled") message.ack();
  }

  /** Sends a ticket, once for each `mark`. @returns its sequence number, of the first one where this is another of the same */
  async #send(ticket: Ticket, mark = ""): Promise<{ ticket: number; duplicate: boolean }> {
    const { id, kind } = ticket.request;
    try {
      const { seq, duplicate } = await this.#jetstream.publish(
        `${this.#subject}.queue.${kind}`,
        JSON.stringify(ticket),
        { msgID: `${id}-${ticket.generation}${mark}` },
      );
      return { ticket: seq, duplicate };
    } catch (cause) {
      if (/maximum messages/.test((cause as Error).message)) throw queueIsFull(this.#maxJobs, { cause });
      throw cause;
    }
  }

  /** Writes over the state with this sequence number, 0 for none. @returns the new number; undefined where another one stands there */
  async #write(state: StoredState, over: number): Promise<number | undefined> {
    try {
      const { seq } = await this.#jetstream.publish(
        `${this.#subject}.state.${state.request.id}`,
        JSON.stringify(state),
        { expect: { lastSubjectSequence: over } },
      );
      return seq;
    } catch (cause) {
      if ((cause as { code?: unknown }).code === wrongSequence) return undefined;
      throw cause;
    }
  }

  async #read(id: string): Promise<{ state: StoredState; sequence: number } | undefined> {
    const stored = await this.#manager.streams.getMessage(`${this.#stream}_STATE`, {
      last_by_subj: `${this.#subject}.state.${checkedId(id)}`,
    });
    return stored === null ? undefined : { state: stored.json<StoredState>(), sequence: stored.seq };
  }

  async #mustRead(id: string): Promise<{ state: StoredState; sequence: number }> {
    const found = await this.#read(id);
    if (found === undefined) throw noSuchJob(id);
    return found;
  }

  async *#all(): AsyncIterable<StoredState & { readonly sequence: number }> {
    const name = `${this.#stream}_STATE`;
    let left = (await this.#manager.streams.info(name)).state.messages;
    if (left === 0) return;
    const consumer = await this.#jetstream.consumers.get(name, { deliver_policy: DeliverPolicy.All });
    while (left > 0) {
      const messages = await consumer.fetch({ max_messages: Math.min(left, 500), expires: 5 * pollMs });
      let got = 0;
      for await (const message of messages) {
        got++;
        // States that are written meanwhile come as well; those that they replace do not.
        left = Math.min(left - 1, message.info.pending);
        yield { ...message.json<StoredState>(), sequence: message.seq };
      }
      if (got === 0) break;
    }
    await consumer.delete();
  }

  #nowMs(): number {
    return Math.floor(this.#clock.wallUs() / 1000);
  }
}

function newest(jobs: Job[], limit: number): void {
  jobs.sort((a, b) => b.addedAtMs - a.addedAtMs || (a.id < b.id ? -1 : 1));
  jobs.length = Math.min(jobs.length, limit);
}

function readTicket(message: JsMsg): Ticket | undefined {
  try {
    const { generation, request } = message.json<Ticket>();
    if (Number.isSafeInteger(generation)) return { generation, request: parseJobRequest(request) };
  } catch {
    // Somebody else's message.
  }
  return undefined;
}

/** False where the message is there no more. */
function ifNoMessage(error: { code?: unknown }): false {
  if (error.code === noMessage) return false;
  throw error;
}

/** An id that can stand in a subject. @throws StationError `station/no-such-job` */
function checkedId(id: string): string {
  if (/^[a-z]+-[0-9a-f]{24}$/.test(id)) return id;
  throw noSuchJob(id);
}

async function naming<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof StationError) throw cause;
    throw queueFailure("NATS", cause);
  }
}
