import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { BaseError, type Hooks } from "@longwave/base";
import { systemReason } from "@longwave/base/node";

/** Adds up what hooks measure, as Prometheus text: counters, and sum and count of what ends with `_us`. */
export class MetricSums {
  readonly #sums = new Map<string, number>();
  readonly hooks: Hooks = {
    metric: (name, value, labels) => {
      const text = Object.entries(labels ?? {}).map(([key, each]) => `${key}=${JSON.stringify(each)}`);
      const series = text.length === 0 ? "" : `{${text.join(",")}}`;
      if (name.endsWith("_us")) {
        const seconds = `longwave_${name.slice(0, -3)}_seconds`;
        this.#add(`${seconds}_sum${series}`, value / 1e6);
        this.#add(`${seconds}_count${series}`, 1);
      } else this.#add(`longwave_${name}_total${series}`, value);
    },
  };

  #add(series: string, value: number): void {
    this.#sums.set(series, (this.#sums.get(series) ?? 0) + value);
  }

  text(): string {
    return [...this.#sums].map(([series, value]) => `${series} ${value}\n`).join("");
  }
}

/** Serves the sums at `/metrics` of loopback. @throws BaseError `cli/no-metrics` */
export async function serveMetrics(
  sums: MetricSums,
  port: number,
): Promise<{ readonly url: string; close(): void }> {
  const server = createServer((request, response) => {
    if (request.url !== "/metrics") return void response.writeHead(404).end();
    response.writeHead(200, { "content-type": "text/plain; version=0.0.4" }).end(sums.text());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => {
      const message = `No metrics at 127.0.0.1:${port}: ${systemReason(cause)}.`;
      reject(new BaseError("cli/no-metrics", "unavailable", message, { cause }));
    });
    server.listen(port, "127.0.0.1", resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
  return { url, close: () => void server.close() };
}
