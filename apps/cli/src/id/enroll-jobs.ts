import { resolve } from "node:path";
import { BaseError, isLongwaveError } from "@longwave/base";
import {
  EnrollQueue,
  type EnrollReport,
  type ScatteredCatalog,
  shardName,
  shardOfTrack,
} from "@longwave/catalog/nats";
import { printLine, progress } from "../output.ts";
import { findAudioFiles } from "./audio-files.ts";
import { type EnrollOptions, emptyText, skippedExitCode } from "./enroll.ts";
import { readMetadata } from "./metadata-file.ts";
import { connectTo, parseNatsPlace, queueNames, scatteredOver } from "./nats-place.ts";
import { lineOf } from "./work.ts";

/** A full queue is tried again after so long; so often is looked whether the workers are done. */
const pauseMs = 1000;

/**
 * `longwave id enroll PATH... --catalog nats://...`: the files become jobs for `id worker`, each for the shard that its id belongs to;
 * then what became of them.
 */
export async function enrollByJobs(paths: readonly string[], options: EnrollOptions): Promise<void> {
  if (paths.includes("-") || options.id !== undefined) {
    const what = "Workers read files by their paths; over NATS there is neither standard input nor --id.";
    throw new BaseError("cli/bad-option", "usage", what);
  }
  const files = await findAudioFiles(paths);
  const known = options.meta === undefined ? undefined : await readMetadata(options.meta);
  const place = parseNatsPlace(options.catalog);
  const connection = await connectTo(place);
  try {
    const of = place.of ?? numberOf(await scatteredOver(connection, place));
    const queues = await Promise.all(
      Array.from({ length: of }, (_, i) =>
        EnrollQueue.open(connection, queueNames(place, shardName(i + 1, of))),
      ),
    );
    const count = { queued: 0, added: 0, replaced: 0, unchanged: 0, empty: 0, failed: 0 };
    const open = new Set<string>();
    const stop = new AbortController();
    const take = (report: EnrollReport) => {
      if (!open.delete(report.source)) return;
      count["hashes" in report && report.hashes === 0 ? "empty" : report.status]++;
      progress(`${count.queued - open.size} of ${count.queued}: ${report.id}`);
      if (options.json === true) printLine(JSON.stringify(report));
      else if (report.status === "failed") console.error(lineOf(report));
      else printLine(lineOf(report));
    };
    const listening = queues.map(async (queue) => {
      for await (const report of queue.reports(stop.signal)) take(report);
    });
    await connection.flush();
    for (const { path, id, title } of files) {
      const source = resolve(path);
      open.add(source);
      count.queued++;
      const job = { track: { title, ...known?.[id], id }, source };
      const queue = queues[shardOfTrack(id, of) - 1]!;
      await addPatiently(queue, options.replace === true ? { ...job, replace: true } : job);
    }
    if (options.wait !== false) await untilDone(queues, open, take);
    stop.abort();
    await Promise.all(listening);
    if (count.failed > 0) process.exitCode = skippedExitCode;
    const unheard = options.wait === false ? 0 : open.size;
    if (options.json === true) printLine(JSON.stringify({ summary: { ...count, unheard } }));
    else if (options.wait === false)
      printLine(`${count.queued} files are queued for the workers of ${of} shard${of === 1 ? "" : "s"}.`);
    else
      printLine(
        `${count.added} added, ${count.replaced} replaced, ${count.unchanged} unchanged, ` +
          `${emptyText(count.empty)}${count.failed} failed` +
          `${unheard === 0 ? "" : `; ${unheard} done of which no report came`}.`,
      );
  } finally {
    await connection.close();
  }
}

function numberOf({ shards }: ScatteredCatalog): number {
  return shards.length;
}

async function addPatiently(queue: EnrollQueue, job: Parameters<EnrollQueue["add"]>[0]): Promise<void> {
  for (;;) {
    try {
      await queue.add(job);
      return;
    } catch (error) {
      if (!isLongwaveError(error, "catalog/busy")) throw error;
      progress("the queue is full; waiting for the workers");
      await new Promise((done) => setTimeout(done, pauseMs));
    }
  }
}

/** Waits until every job has been reported, or the queues are empty: reports are published once and may be missed. */
async function untilDone(
  queues: readonly EnrollQueue[],
  open: ReadonlySet<string>,
  take: (report: EnrollReport) => void,
): Promise<void> {
  for (let empty = 0; open.size > 0 && empty < 2; ) {
    await new Promise((done) => setTimeout(done, pauseMs));
    const lengths = await Promise.all(queues.map((queue) => queue.length()));
    empty = lengths.every((length) => length === 0) ? empty + 1 : 0;
  }
  if (open.size === 0) return;
  for (const queue of queues) for (const report of await queue.failures()) take(report);
}
