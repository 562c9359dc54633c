import { TaskPool } from "@longwave/base";
import { nodeTaskWorker, SystemClock } from "@longwave/base/node";
import { EnrollQueue, type EnrollReport, shardName } from "@longwave/catalog/nats";
import type { ProfileId } from "@longwave/fingerprint";
import { printLine } from "../output.ts";
import { untilStopped } from "../until-stopped.ts";
import type { EnrollTask, EnrollTaskResult } from "./enroll-worker.ts";
import { fileTimeoutUs } from "./fingerprint-files.ts";
import { contentText } from "./format.ts";
import { connectTo, parseNatsPlace, queueNames } from "./nats-place.ts";
import { type AnyCatalog, openCatalog } from "./open-catalog.ts";
import { warnOf } from "./read-sound.ts";
import type { ShardNumber } from "./serve-matcher.ts";
import { mostChangesUnderWay, tidy } from "./tidy.ts";

export interface WorkOptions {
  readonly catalog: string;
  readonly nats: string;
  readonly shard: ShardNumber;
  readonly profile?: ProfileId;
  readonly jobs: number;
  /** End when nothing is left to do. */
  readonly once?: boolean;
  readonly json?: boolean;
}

/** How often `--once` asks whether anything is left. */
const idleCheckMs = 500;

/** `longwave id worker`: enrolls what `id enroll --catalog nats://...` has queued, until Ctrl-C. */
export async function work(options: WorkOptions): Promise<void> {
  const place = parseNatsPlace(options.nats);
  const { number, of } = options.shard;
  const shard = shardName(number, of);
  const { profile: wanted, jobs, json } = options;
  await using catalog = await openCatalog(options.catalog, {
    ...(wanted !== undefined && { profile: wanted }),
  });
  const { profile } = catalog;
  const connection = await connectTo(place);
  const clock = new SystemClock();
  using pool = new TaskPool<EnrollTask, EnrollTaskResult>(
    () => nodeTaskWorker(new URL("./enroll-worker.js", import.meta.url)),
    { workers: jobs, timeout: { us: fileTimeoutUs, clock } },
  );
  const queue = await EnrollQueue.open(connection, queueNames(place, shard));
  const stop = new AbortController();
  if (json !== true)
    printLine(`Enrolls for shard ${number} of ${of} into ${options.catalog}. End with Ctrl-C.`);
  let tidying: Promise<void> | undefined;
  const onReport = (report: EnrollReport) => {
    printLine(json === true ? JSON.stringify(report) : lineOf(report));
    tidying ??= tidyIfPossible(catalog, mostChangesUnderWay).finally(() => {
      tidying = undefined;
    });
  };
  const load = async (path: string) => {
    const { fingerprint, warnings } = await pool.run({ path, profile });
    warnOf(path, warnings);
    return fingerprint;
  };
  const working = Array.from({ length: jobs }, () =>
    queue.work({ catalog, load, clock, signal: stop.signal, onReport }),
  );
  const ended = Promise.race([
    untilStopped(),
    options.once === true ? untilIdle(queue) : new Promise(() => {}),
  ]);
  try {
    await Promise.race([ended, Promise.all(working)]);
  } finally {
    stop.abort();
    await Promise.allSettled(working);
    await tidying;
    await tidyIfPossible(catalog, 0);
    await connection.close();
  }
}

/** The changes are safe in the journal where no segment can be written: the next time does it. */
async function tidyIfPossible(catalog: AnyCatalog, most: number): Promise<void> {
  try {
    await tidy(catalog, most);
  } catch (error) {
    process.stderr.write(`longwave: no segment was written: ${(error as Error).message}\n`);
  }
}

async function untilIdle(queue: EnrollQueue): Promise<void> {
  for (;;) {
    const { waiting, running } = await queue.state();
    if (waiting + running === 0) return;
    await new Promise((resolve) => setTimeout(resolve, idleCheckMs));
  }
}

/** What became of a job, in one line for people. */
export function lineOf(report: EnrollReport): string {
  if (report.status === "failed") return `failed ${report.id}: ${report.message} (${report.code})`;
  const { status, id, hashes, seconds, duplicates } = report;
  return `${status} ${id}: ${contentText(hashes, seconds, duplicates)}`;
}
