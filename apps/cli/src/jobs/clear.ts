import { printResult } from "../output.ts";
import { type JobsOptions, withJobQueue } from "./with-job-queue.ts";

/** `longwave jobs clear`: forgets jobs that are done or cancelled, with `--failed` those that failed as well. */
export async function clearJobs(options: JobsOptions & { readonly failed?: boolean }): Promise<void> {
  await withJobQueue(options, async (queue) => {
    const cleared = await queue.clear([
      "done",
      "cancelled",
      ...(options.failed === true ? ["failed" as const] : []),
    ]);
    printResult(options.json === true, { cleared }, () => [`${cleared} jobs cleared.`]);
  });
}
