import type { JobQueue } from "@longwave/station/jobs";
import { jobBackendOf, resolveJobsSettings } from "./jobs-settings.ts";
import { openJobQueue } from "./open-job-queue.ts";

/**
 * The configured queue for a server that shows it; undefined where none is configured, or where it cannot be reached: then `warn` is told,
 * and the rest goes on. @throws ConfigError for settings that cannot be meant
 */
export async function openShownQueue(
  config: string | undefined,
  warn: (message: string) => void,
): Promise<JobQueue | undefined> {
  const settings = resolveJobsSettings({}, process.env, config);
  if (settings.url.value === undefined) return undefined;
  jobBackendOf(settings);
  try {
    return await openJobQueue(settings);
  } catch (error) {
    warn(`${(error as Error).message} It is not shown; everything else goes on.`);
    return undefined;
  }
}
