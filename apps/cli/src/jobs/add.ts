import { BaseError } from "@longwave/base";
import type { JobKind } from "@longwave/station/jobs";
import { jobRequestOf } from "@longwave/station/jobs/node";
import { findAudioFiles } from "../id/audio-files.ts";
import { printLine, progress } from "../output.ts";
import { jobLine } from "./format.ts";
import { type JobsOptions, withJobQueue } from "./with-job-queue.ts";

export interface AddOptions extends JobsOptions {
  readonly again?: boolean;
  readonly replace?: boolean;
  readonly lossy?: boolean;
}

/** `longwave jobs add import|enroll PATH...`: one line (or JSON object) a file, then a summary. */
export async function addJobs(kind: JobKind, paths: readonly string[], options: AddOptions): Promise<void> {
  if (kind === "import" && options.replace === true)
    throw new BaseError("cli/bad-argument", "usage", "--replace is for enrollments; imports never replace.");
  if (kind === "enroll" && options.lossy === true)
    throw new BaseError("cli/bad-argument", "usage", "--lossy is for imports; enrolling encodes nothing.");
  const files = await findAudioFiles(paths);
  await withJobQueue(options, async (queue, settings) => {
    let added = 0;
    for (const [i, file] of files.entries()) {
      progress(`${i + 1} of ${files.length}: ${file.path}`);
      const request = await jobRequestOf(file, {
        kind,
        maxAttempts: settings.attempts.value as number,
        ...(options.replace === true && { replace: true }),
        ...(options.lossy === true && { lossy: true }),
      });
      const result = await queue.add(request, { again: options.again === true });
      if (result.added) added++;
      if (options.json === true) printLine(JSON.stringify(result));
      else printLine(`${result.added ? "added" : "known"} ${jobLine(result.job)}`);
    }
    const known = files.length - added;
    if (options.json === true) printLine(JSON.stringify({ summary: { added, known } }));
    else printLine(`${added} added, ${known} known before.`);
  });
}
