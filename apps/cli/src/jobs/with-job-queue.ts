import type { JobQueue } from "@longwave/station/jobs";
import { type JobsSettings, resolveJobsSettings } from "./jobs-settings.ts";
import { openJobQueue } from "./open-job-queue.ts";

/** Options of every `longwave jobs` command. */
export interface JobsOptions {
  readonly queue?: string;
  readonly attempts?: string;
  readonly lease?: string;
  readonly config?: string;
  readonly json?: boolean;
}

/** Opens the queue for the time of `use`. @throws ConfigError, StationError */
export async function withJobQueue<T>(
  options: JobsOptions,
  use: (queue: JobQueue, settings: JobsSettings) => Promise<T>,
): Promise<T> {
  const settings = jobsSettingsOf(options);
  const queue = await openJobQueue(settings);
  try {
    return await use(queue, settings);
  } finally {
    await queue.close();
  }
}

/** @throws ConfigError */
export function jobsSettingsOf({ queue, attempts, lease, config }: JobsOptions): JobsSettings {
  return resolveJobsSettings({ url: queue, attempts, lease }, process.env, config);
}
