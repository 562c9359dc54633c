import { hostname } from "node:os";
import { newUlid } from "@longwave/archive/node";
import { BaseError, SeededRandom } from "@longwave/base";
import { SystemClock } from "@longwave/base/node";
import { type JobHandler, type JobKind, type WorkEvent, workJobs } from "@longwave/station/jobs";
import { enrollHandler, importHandler } from "@longwave/station/node";
import { withArchive } from "../archive/with-archive.ts";
import { parseDurationUs } from "../duration.ts";
import { openCatalog } from "../id/open-catalog.ts";
import { printLine } from "../output.ts";
import { settingsOf } from "../station-options.ts";
import { leaseSecondsOf } from "./jobs-settings.ts";
import { openJobQueue } from "./open-job-queue.ts";
import { superviseWorkers } from "./supervise-workers.ts";
import { type JobsOptions, jobsSettingsOf, withJobQueue } from "./with-job-queue.ts";

export interface WorkCommandOptions extends JobsOptions {
  readonly archive?: string;
  readonly catalog?: string;
  /** Worker processes. */
  readonly jobs: number;
  readonly retry: string;
  readonly untilEmpty?: boolean;
}

/** `longwave jobs work`: does jobs until Ctrl-C; with `--jobs` above 1 in so many processes, which are started again when they die. */
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
