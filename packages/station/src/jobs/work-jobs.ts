import { type Clock, isLongwaveError, sleepUs } from "@longwave/base";
import { StationError } from "../errors.ts";
import type { Job, JobFailure, JobKind, JobResult } from "./job.ts";
import { type ClaimedJob, defaultLeaseSeconds, type JobQueue } from "./job-queue.ts";

/** Does one job. Called twice for the same job it must come to the same; it stops soon after the signal. */
export type JobHandler = (job: Job, signal: AbortSignal) => Promise<JobResult>;

export interface WorkOptions {
  /** Name under which this worker is seen. */
  readonly worker: string;
  readonly handlers: Partial<Readonly<Record<JobKind, JobHandler>>>;
  readonly clock: Clock;
  /** Gives the job back that is being done, and ends. */
  readonly signal: AbortSignal;
  /** As the queue was opened; default 30. */
  readonly leaseSeconds?: number;
  /** Pause before a job is tried again; default 5. */
  readonly retrySeconds?: number;
  /** End when no job waits or runs. */
  readonly untilEmpty?: boolean;
  readonly onEvent?: (event: WorkEvent) => void;
}

/** What a worker tells. */
export type WorkEvent =
  | { readonly type: "started"; readonly job: Job }
  | { readonly type: "done"; readonly job: Job; readonly result: JobResult }
  | { readonly type: "failed" | "retried"; readonly job: Job; readonly failure: JobFailure }
  /** Given back at the end, cancelled, or taken over by another worker. */
  | { readonly type: "released" | "lost"; readonly job: Job }
  | { readonly type: "unreachable"; readonly reason: string }
  | { readonly type: "reached" };

/** Pause when nothing waits. */
const idleUs = 500_000;
/** Longest pause between two attempts to reach the queue. */
const longestPauseUs = 10e6;

/**
 * Does jobs, one after the other, until the signal (or until the queue is empty). A queue that cannot be reached for a while is asked
 * again and again. Errors of the kind `unavailable`, and what is no error of ours, are tried again; all others are final, unless the job was
 * taken over from a worker that may have got in the way.
 */
export async function workJobs(queue: JobQueue, options: WorkOptions): Promise<void> {
  const { clock, signal, onEvent } = options;
  const kinds = Object.keys(options.handlers) as JobKind[];
  const pause = (us: number) => sleepUs(clock, us, signal).catch(() => undefined);
  let failures = 0;
  while (!signal.aborted) {
    try {
      const claimed = await queue.take(options.worker, kinds);
      if (failures > 0) onEvent?.({ type: "reached" });
      failures = 0;
      if (claimed !== undefined) await doJob(claimed, options);
      else if (options.untilEmpty === true && (await queue.pending()) === 0) return;
      else await pause(idleUs);
    } catch (error) {
      if (!isLongwaveError(error, "station/jobs-unavailable")) throw error;
      if (failures++ === 0) onEvent?.({ type: "unreachable", reason: error.message });
      await pause(Math.min(longestPauseUs, idleUs * 2 ** failures));
    }
  }
}

async function doJob(claimed: ClaimedJob, options: WorkOptions): Promise<void> {
  const { job } = claimed;
  const { handlers, signal, retrySeconds = 5, onEvent } = options;
  onEvent?.({ type: "started", job });
  const stop = new AbortController();
  const stopForEnd = () =>
    stop.abort(new StationError("station/job-stopped", "unavailable", "The worker ends."));
  signal.addEventListener("abort", stopForEnd, { once: true });
  const endKeeping = keepLease(claimed, options, stop);
  let outcome: { result: JobResult } | { error: unknown };
  try {
    outcome = { result: await handlers[job.kind]!(job, stop.signal) };
  } catch (error) {
    outcome = { error };
  }
  signal.removeEventListener("abort", stopForEnd);
  endKeeping();
  if ("result" in outcome) {
    const { result } = outcome;
    const isOurs = await claimed.complete(result);
    onEvent?.(isOurs ? { type: "done", job, result } : { type: "lost", job });
    return;
  }
  if (signal.aborted) {
    await claimed.release();
    onEvent?.({ type: "released", job });
    return;
  }
  const failure = failureOf(outcome.error);
  const failures = job.attempts - (job.abandoned ?? 0);
  const mayPass = claimed.takenOver || (failure.mayPass && failures < job.maxAttempts);
  const { code, message } = failure;
  const isOurs = mayPass
    ? await claimed.retryLater({ code, message }, retrySeconds)
    : await claimed.fail({ code, message });
  if (isOurs) onEvent?.({ type: mayPass ? "retried" : "failed", job, failure: { code, message } });
  else onEvent?.({ type: "lost", job });
}

function failureOf(error: unknown): JobFailure & { readonly mayPass: boolean } {
  if (isLongwaveError(error)) {
    const { code, kind, message } = error;
    return { code, message, mayPass: kind === "unavailable" || code === "catalog/busy" };
  }
  return { code: "station/job-failed", message: (error as Error)?.message ?? String(error), mayPass: true };
}

/** Renews the lease every third of it; stops the work where it is lost. @returns what ends it */
function keepLease(claimed: ClaimedJob, options: WorkOptions, stop: AbortController): () => void {
  const { clock, leaseSeconds = defaultLeaseSeconds } = options;
  let isOver = false;
  let handle = 0;
  const next = () => {
    handle = clock.schedule(clock.nowUs() + (leaseSeconds * 1e6) / 3, () => void renew());
  };
  const renew = async () => {
    // An unreachable queue is no lost lease; if it lasts, the end of the job finds out.
    const isOurs = await claimed.extend().catch(() => true);
    if (isOver) return;
    if (isOurs) next();
    else stop.abort(new StationError("station/job-lost", "unavailable", "Somebody else has the job now."));
  };
  next();
  return () => {
    isOver = true;
    clock.cancel(handle);
  };
}
