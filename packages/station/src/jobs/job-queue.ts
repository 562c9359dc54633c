import type { ErrorKind } from "@longwave/base";
import { StationError } from "../errors.ts";
import {
  type EndedState,
  hasEnded,
  type Job,
  type JobCounts,
  type JobFailure,
  type JobKind,
  type JobRequest,
  type JobResult,
  type JobState,
} from "./job.ts";

/**
 * Jobs that survive whoever does them, shared by any number of workers in any number of processes. Every method throws
 * StationError `station/jobs-unavailable` where the service behind it cannot be reached.
 */
export interface JobQueue {
  /**
   * Adds a job. One that is known stays as it is; with `again` an ended one is done anew.
   * @throws StationError `station/jobs-full`
   */
  add(request: JobRequest, options?: { readonly again?: boolean }): Promise<AddedJob>;
  get(id: string): Promise<Job | undefined>;
  /** The newest jobs first. */
  list(options?: JobListOptions): Promise<readonly Job[]>;
  counts(): Promise<JobCounts>;
  /** Jobs that wait or run. */
  pending(): Promise<number>;
  /** Lets a failed or cancelled job wait again. @throws StationError `station/no-such-job`, `station/job-state` */
  retry(id: string): Promise<Job>;
  /** Cancels a job that waits or runs; its worker notices within a third of the lease. @throws as `retry` */
  cancel(id: string): Promise<Job>;
  /**
   * Forgets jobs that ended in these states: added again, they are done again. One whose end has not reached every part of the queue yet
   * stays for the next time.
   * @returns how many there were
   */
  clear(states: readonly EndedState[]): Promise<number>;
  /** Takes a job of these kinds for the time of the lease; undefined where none waits. It may wait for one for about a second. */
  take(worker: string, kinds: readonly JobKind[]): Promise<ClaimedJob | undefined>;
  close(): Promise<void>;
}

export interface AddedJob {
  readonly job: Job;
  /** False where it was known before, in whatever state. */
  readonly added: boolean;
}

export interface JobListOptions {
  readonly state?: JobState;
  /** Default 100. */
  readonly limit?: number;
}

/** A job in the hands of a worker. What returns false says: it is no longer yours, and nothing was changed. */
export interface ClaimedJob {
  readonly job: Job;
  /** The worker that had it last was silent for longer than its lease; it may have been slow only, and be at it still. */
  readonly takenOver: boolean;
  /** Renews the lease. */
  extend(): Promise<boolean>;
  /** Counts from a worker that was too slow for its lease as well, unless the job has ended meanwhile: what is done is done. */
  complete(result: JobResult): Promise<boolean>;
  fail(failure: JobFailure): Promise<boolean>;
  /** Lets it wait again, for at least so long. */
  retryLater(failure: JobFailure, delaySeconds: number): Promise<boolean>;
  /** Gives it back as if it had not been begun. */
  release(): Promise<boolean>;
}

/** What all queues are opened with. */
export interface JobQueueOptions {
  /** A worker that says nothing for so long has lost its job to another; default 30. */
  readonly leaseSeconds?: number;
  /** Jobs that may wait; more are refused. Default 1,000,000. */
  readonly maxJobs?: number;
}

export const defaultLeaseSeconds = 30;
export const defaultMaxJobs = 1_000_000;
export const defaultJobListLimit = 100;

/**
 * How many workers may vanish over a job before it counts as what kills them. More than the failures it may have: a machine that is
 * switched off, or too slow for its lease, says nothing about the job.
 */
export function mostAbandonments({ maxAttempts }: JobRequest): number {
  return 4 * maxAttempts;
}

export const abandonedCode = "station/job-abandoned";

/** The workers that had begun a job ended without a word. */
export function abandonedBy({ attempts, abandoned, worker }: Job): JobFailure {
  return {
    code: abandonedCode,
    message: `It was begun ${attempts} times, and ${abandoned} workers ended over it without a word; the last was ${worker ?? "unknown"}.`,
  };
}

/** Whether a worker that has lost the job may still say that it is done. */
export function mayEndLate({ state, failure }: Job): boolean {
  return !hasEnded(state) || (state === "failed" && failure?.code === abandonedCode);
}

export function noSuchJob(id: string): StationError {
  const shown = JSON.stringify(id.slice(0, 100));
  return new StationError(
    "station/no-such-job",
    "usage",
    `There is no job ${shown}; longwave jobs ls shows them.`,
  );
}

export function wrongState(job: Job, wanted: string): StationError {
  return new StationError(
    "station/job-state",
    "usage",
    `Job ${job.id} is ${job.state}; only ${wanted} jobs can be.`,
  );
}

export function queueIsFull(maxJobs: number, options?: ErrorOptions): StationError {
  const message = `${maxJobs} jobs wait already; add workers, or add the job later.`;
  return new StationError("station/jobs-full", "limit", message, options);
}

/** A failure of the service behind a queue, in its own words. */
export function queueFailure(service: string, cause: unknown, kind: ErrorKind = "unavailable"): StationError {
  if (cause instanceof StationError) return cause;
  // A driver's words without the name of the service, which stands in front already.
  const reason = ((cause as Error | undefined)?.message || String(cause)).replace(/^PostgreSQL failed: /, "");
  return new StationError(
    "station/jobs-unavailable",
    kind,
    `The job queue in ${service} failed: ${reason.replace(/[.\s]+$/, "")}.`,
    { cause },
  );
}
