import { SystemClock } from "@longwave/base/node";
import { serveMatcher, shardName } from "@longwave/catalog/nats";
import { printLine, progress } from "../output.ts";
import { untilStopped } from "../until-stopped.ts";
import { MetricSums, serveMetrics } from "./metrics-page.ts";
import { connectTo, parseNatsPlace } from "./nats-place.ts";
import { countTracks, openCatalog } from "./open-catalog.ts";

/** Which of how many shards. */
export interface ShardNumber {
  readonly number: number;
  readonly of: number;
}

export interface ServeMatcherOptions {
  readonly catalog: string;
  readonly nats: string;
  readonly shard: ShardNumber;
  readonly concurrency: number;
  readonly maxWaiting: number;
  /** Seconds between two looks at what others enrolled. */
  readonly refresh: number;
  readonly metrics?: number;
  readonly json?: boolean;
}

/** `longwave id serve`: answers the questions about one shard until Ctrl-C, then those it has already. */
export async function serveShard(options: ServeMatcherOptions): Promise<void> {
  const place = parseNatsPlace(options.nats);
  const { number, of } = options.shard;
  const shard = shardName(number, of);
  // Opened as if to write: an empty catalog may be filled later. Nothing is written.
  const isWeb = /^https?:\/\//.test(options.catalog);
  await using catalog = await openCatalog(options.catalog, { readOnly: isWeb });
  const connection = await connectTo(place);
  const sums = new MetricSums();
  const page = options.metrics === undefined ? undefined : await serveMetrics(sums, options.metrics);
  const { subject } = place;
  const { concurrency, maxWaiting, json } = options;
  const matcher = serveMatcher(connection, catalog, {
    shard,
    of,
    subject,
    concurrency,
    maxWaiting,
    clock: new SystemClock(),
    hooks: sums.hooks,
  });
  await connection.flush();
  const tracks = await countTracks(catalog);
  if (json === true) printLine(JSON.stringify({ shard, of, subject, tracks, metricsUrl: page?.url ?? null }));
  else {
    printLine(`Answers for shard ${number} of ${of}: ${tracks} tracks, ${catalog.profile}. End with Ctrl-C.`);
    if (page !== undefined) printLine(`Metrics on ${page.url}`);
  }
  let isRefreshing = false;
  const timer = setInterval(async () => {
    if (isRefreshing || !("refresh" in catalog) || isWeb) return;
    isRefreshing = true;
    try {
      await catalog.refresh();
    } catch (error) {
      process.stderr.write(`longwave: the catalog is answered from as it was: ${(error as Error).message}\n`);
    }
    isRefreshing = false;
  }, 1000 * options.refresh);
  await untilStopped();
  clearInterval(timer);
  progress("answering what waits");
  await matcher.close();
  await connection.close();
  page?.close();
}
