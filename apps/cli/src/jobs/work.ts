import { BaseError } from "@longwave/base";
import { settingsOf } from "../station-options.ts";
import { superviseWorkers } from "./supervise-workers.ts";
import { withJobQueue } from "./with-job-queue.ts";
import type { WorkCommandOptions } from "./work-here.ts";

/**
 * `longwave jobs work`: does jobs until Ctrl-C; with `--jobs` above 1 in so many processes, which are started again when they die. It ends with
 * status 1 where a job failed in its hands.
 */
export async function work(options: WorkCommandOptions): Promise<void> {
  const settings = settingsOf(options as unknown as Record<string, unknown>);
  const archive = settings.archive.value as string | undefined;
  const catalog = settings.catalog.value as string | undefined;
  if (archive === undefined && catalog === undefined) {
    throw new BaseError(
      "cli/bad-argument",
      "usage",
      "Say where to: --archive PLACE for imports, --catalog PLACE for enrollments, or both.",
    );
  }
  if (options.jobs > 1) {
    // What cannot be reached is said once, before the processes start.
    await withJobQueue(options, async () => undefined);
    await superviseWorkers(options.jobs);
    return;
  }
  // Whoever only looks after workers needs nothing of what they work with.
  await (await import("./work-here.ts")).workHere(options, { archive, catalog });
}
