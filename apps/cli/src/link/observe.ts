import { SystemClock } from "@longwave/base/node";
import { renderPrometheus, type StatsRecord } from "@longwave/bond";
import { StatsPublisher } from "@longwave/bond/node";
import { LinkError } from "./errors.ts";

export interface ObserveOptions {
  readonly statsDest?: string;
  readonly relayUrl?: string;
  readonly metrics?: number;
  readonly json?: boolean;
  readonly intervalMs?: number;
}

/** Publishes statistics everywhere the options say; `print` gets one line of JSON per period. Returns the stop function. */
export async function observe(
  record: (reason: "periodic" | "event") => StatsRecord | Promise<StatsRecord>,
  options: ObserveOptions,
  print: (line: string) => void,
): Promise<() => void> {
  const clock = new SystemClock();
  const stops: (() => void)[] = [];
  let latest: StatsRecord | undefined;
  const publish = (
    destination: string | undefined,
    onRecord?: (each: StatsRecord) => void,
    source = record,
  ) => {
    try {
      const publisher = new StatsPublisher({
        clock,
        record: source,
        ...(destination === undefined ? {} : { destination: destination.replace(/^udp:\/\//, "") }),
        ...(options.intervalMs === undefined ? {} : { intervalMs: options.intervalMs }),
        ...(onRecord === undefined ? {} : { onRecord }),
      });
      stops.push(() => publisher.close());
    } catch (cause) {
      throw new LinkError("link/bad-destination", "usage", (cause as Error).message, { cause });
    }
  };
  publish(options.statsDest, (each) => {
    latest = each;
    if (options.json === true) print(JSON.stringify(each));
  });
  // A copy of the records, with the same numbers.
  if (options.relayUrl !== undefined)
    publish(options.relayUrl, undefined, (reason) => latest ?? record(reason));
  if (options.metrics !== undefined) {
    const { createServer } = await import("node:http");
    const server = createServer((request, response) => {
      if (request.url !== "/metrics") {
        response.writeHead(404).end();
        return;
      }
      response.writeHead(200, { "content-type": "text/plain; version=0.0.4" });
      response.end(latest === undefined ? "" : renderPrometheus(latest));
    });
    server.on("error", (cause) => {
      process.stderr.write(`longwave: no metrics at 127.0.0.1:${options.metrics}: ${cause.message}\n`);
    });
    server.listen(options.metrics, "127.0.0.1");
    stops.push(() => server.close());
  }
  return () => {
    for (const stop of stops) stop();
  };
}
