import { BaseError } from "@longwave/base";
import type { JobState } from "@longwave/station/jobs";
import { printLine, printResult } from "../output.ts";
import { countsLine, jobLine } from "./format.ts";
import { type JobsOptions, withJobQueue } from "./with-job-queue.ts";

export interface ListOptions extends JobsOptions {
  readonly state?: JobState;
  readonly limit: number;
}

/** `longwave jobs ls`: the newest jobs, then how many there are. */
export async function listJobs(options: ListOptions): Promise<void> {
  const { state, limit } = options;
  await withJobQueue(options, async (queue) => {
    const jobs = await queue.list({ limit, ...(state !== undefined && { state }) });
    const counts = await queue.counts();
    printResult(options.json === true, { jobs, counts }, () => [...jobs.map(jobLine), countsLine(counts)]);
  });
}

/** `longwave jobs show ID`: all that is known of a job. @throws BaseError `cli/no-such-job` */
export async function showJob(id: string, options: JobsOptions): Promise<void> {
  await withJobQueue(options, async (queue) => {
    const job = await queue.get(id);
    if (job === undefined)
      throw new BaseError("cli/no-such-job", "usage", `There is no job ${id}; longwave jobs ls shows them.`);
    const { addedAtMs, startedAtMs, endedAtMs, worker } = job;
    const at = (what: string, ms: number | undefined) =>
      ms === undefined ? [] : [`${what} ${new Date(ms).toISOString()}`];
    printResult(options.json === true, job, () => [
      jobLine(job),
      ...at("added  ", addedAtMs),
      ...at("started", startedAtMs),
      ...at("ended  ", endedAtMs),
      ...(worker === undefined ? [] : [`worker  ${worker}`]),
      `sha256  ${job.sha256}`,
    ]);
  });
}

/** `longwave jobs retry ID...` or `--failed`: lets them wait again. */
export async function retryJobs(
  ids: readonly string[],
  options: JobsOptions & { readonly failed?: boolean },
): Promise<void> {
  if (ids.length > 0 === (options.failed === true))
    throw new BaseError(
      "cli/bad-argument",
      "usage",
      "Name the jobs to be tried again, or say --failed for all.",
    );
  await withJobQueue(options, async (queue) => {
    const chosen = [...ids];
    if (options.failed === true)
      for (const { id } of await queue.list({ state: "failed", limit: 100_000 })) chosen.push(id);
    for (const id of chosen) {
      const job = await queue.retry(id);
      printLine(options.json === true ? JSON.stringify(job) : jobLine(job));
    }
  });
}

/** `longwave jobs cancel ID...`. */
export async function cancelJobs(ids: readonly string[], options: JobsOptions): Promise<void> {
  await withJobQueue(options, async (queue) => {
    for (const id of ids) {
      const job = await queue.cancel(id);
      printLine(options.json === true ? JSON.stringify(job) : jobLine(job));
    }
  });
}
