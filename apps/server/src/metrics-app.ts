import { Hono } from "hono";
import { type GuardOptions, guardRequest } from "./guard.ts";
import type { Metrics } from "./metrics.ts";
import { problemResponse } from "./problem.ts";
import { metricsAnswer } from "./routes/health.ts";

/** The metrics alone, for an address of their own: a collector needs no way to anything else. Guarded as the server is. */
export function createMetricsApp(metrics: Metrics, guard: GuardOptions): Hono {
  const app = new Hono({ strict: true });
  for (const path of ["/metrics", "/v1/metrics"]) {
    app.get(path, (context) => {
      guardRequest(context.req.raw, guard, false);
      return metricsAnswer(metrics);
    });
  }
  app.onError((error) => problemResponse(error));
  return app;
}
