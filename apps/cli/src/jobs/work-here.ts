import { hostname } from "node:os";
import { newUlid } from "@longwave/archive/node";
import { SeededRandom } from "@longwave/base";
import { SystemClock } from "@longwave/base/node";
import { type JobHandler, type JobKind, type WorkEvent, workJobs } from "@longwave/station/jobs";
import { enrollHandler, importHandler } from "@longwave/station/jobs/node";
import { withArchive } from "../archive/with-archive.ts";
import { parseDurationUs } from "../duration.ts";
import { openCatalog } from "../id/open-catalog.ts";
import { printLine } from "../output.ts";
import { leaseSecondsOf } from "./jobs-settings.ts";
import { openJobQueue } from "./open-job-queue.ts";
import { jobFailedMessage, jobFailedStatus } from "./supervise-workers.ts";
import { type JobsOptions, jobsSettingsOf } from "./with-job-queue.ts";

/** Options of `longwave jobs work`. */
export interface WorkCommandOptions extends JobsOptions {
  readonly archive?: string;
  readonly catalog?: string;
  /** Worker processes. */
  readonly jobs: number;
  readonly retry: string;
  readonly untilEmpty?: boolean;
}

/** Where this worker puts what it makes. */
export interface WorkPlaces {
  readonly archive: string | undefined;
  readonly catalog: string | undefined;
}

/** Does jobs in this process until Ctrl-C, or until the queue is empty. */
export async function workHere(options: WorkCommandOptions, { archive, catalog }: WorkPlaces): Promise<void> {
  const stop = untilTold();
  const jobsSettings = jobsSettingsOf(options);
  const queue = await openJobQueue(jobsSettings);
  const clock = new SystemClock();
  const handlers: Partial<Record<JobKind, JobHandler>> = {};
  const run = async () => {
    let imported = false;
    await workJobs(queue, {
      worker: `process ${process.pid} on ${hostname()}`,
      handlers,
      clock,
      signal: stop,
      leaseSeconds: leaseSecondsOf(jobsSettings),
      retrySeconds: parseDurationUs(options.retry) / 1e6,
      untilEmpty: options.untilEmpty === true,
      onEvent: (event) => {
        imported ||= event.type === "done" && event.job.kind === "import";
        if (event.type === "failed") {
          process.exitCode = jobFailedStatus;
          process.send?.(jobFailedMessage);
        }
        tell(event, options);
      },
    });
    return imported;
  };
  const withCatalog = async () => {
    if (catalog === undefined) return run();
    await using opened = await openCatalog(catalog);
    handlers.enroll = enrollHandler(opened, clock, new SeededRandom(process.pid));
    return await run();
  };
  try {
    if (archive === undefined) await withCatalog();
    else
      await withArchive(
        archive,
        async (opened) => {
          handlers.import = importHandler(opened);
          // The list for readers that want the whole archive in one request; with others at work, the last one writes it.
          if ((await withCatalog()) && (await queue.pending()) === 0) await opened.consolidate();
        },
        { newId: newUlid },
      );
  } finally {
    await queue.close();
  }
}

function tell(event: WorkEvent, { json }: { readonly json?: boolean }): void {
  if (json === true) {
    printLine(JSON.stringify(event));
    return;
  }
  if ("job" in event) {
    const { id, source } = event.job;
    const end =
      event.type === "done"
        ? `: ${Object.entries(event.result)
            .map(([name, value]) => `${name} ${value}`)
            .join(", ")}`
        : "failure" in event
          ? `: ${event.failure.message} (${event.failure.code})`
          : "";
    printLine(`${event.type} ${id} ${source}${end}`);
  } else if (event.type === "unreachable") process.stderr.write(`longwave: ${event.reason} Trying again.\n`);
  else process.stderr.write("longwave: The job queue is there again.\n");
}

/** Aborted by Ctrl-C, a termination, or the end of the process that started this worker. A second signal ends the process at once. */
function untilTold(): AbortSignal {
  const stop = new AbortController();
  const end = () => {
    if (stop.signal.aborted) process.exit(130);
    stop.abort();
  };
  process.on("SIGINT", end);
  process.on("SIGTERM", end);
  process.once("disconnect", () => stop.abort());
  // Listening alone would keep the process alive.
  process.channel?.unref();
  return stop.signal;
}
