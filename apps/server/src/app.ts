import type { BondStatus, StationStatus } from "@longwave/station";
import { Hono } from "hono";
import { consoleHandler } from "./console-files.ts";
import { degradedParts } from "./degraded.ts";
import { methodNotAllowed, notFound, ServerError } from "./errors.ts";
import { type GuardOptions, guardBodyType, guardHost, guardRequest, mayKnowMore } from "./guard.ts";
import type { Host, HostedStation } from "./host.ts";
import { RouteLimiter } from "./limits.ts";
import { Metrics } from "./metrics.ts";
import { openApiDocument } from "./openapi.ts";
import { problemOf, problemResponse } from "./problem.ts";
import { contentTypesOf, json, type Route } from "./route.ts";
import { announcementRoutes } from "./routes/announcements.ts";
import { archiveRoutes } from "./routes/archive.ts";
import { catalogRoutes } from "./routes/catalog.ts";
import { eventRoutes } from "./routes/events.ts";
import { healthRoutes } from "./routes/health.ts";
import { jobRoutes } from "./routes/jobs.ts";
import { linkRoutes } from "./routes/links.ts";
import { speechRoutes } from "./routes/speech.ts";
import { streamRoutes } from "./routes/streams.ts";
import { watermarkRoutes } from "./routes/watermark.ts";
import type { StreamAnswer } from "./stream-answer.ts";

export interface AppOptions extends GuardOptions {
  readonly host: Host;
  /** Folder of the built console; undefined serves the API alone. */
  readonly consoleDirectory: string | undefined;
  /** Where the figures are kept; default its own, which only /v1/metrics shows. */
  readonly metrics?: Metrics;
  /** Live sound and events end when it aborts; default: they go on for as long as the client listens. */
  readonly stopping?: AbortSignal;
  /** Told of errors that are not the client's. */
  readonly onError?: (error: unknown) => void;
}

/** Headers of every answer: no sniffing, no framing, no referrer, isolation so that threads work. */
const safetyHeaders: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

/** What pages of other origins may read of an answer's headers besides the few that they always may. */
const exposedHeaders =
  "accept-ranges, allow, content-disposition, content-range, retry-after, www-authenticate, x-speech-engine, x-speech-voice";

/**
 * The whole HTTP application, without a socket: `app.request("/v1/health")` answers it in a test.
 */
export function createApp(options: AppOptions): Hono {
  const { host } = options;
  const { metrics = new Metrics() } = options;
  observeProcess(metrics, host);
  const routes: Route[] = [
    ...healthRoutes(host, metrics, (request) => mayKnowMore(request, options)),
    ...streamRoutes(host),
    ...linkRoutes(host),
    ...archiveRoutes(host),
    ...announcementRoutes(host),
    ...catalogRoutes(host),
    ...watermarkRoutes(),
    ...jobRoutes(host),
    ...eventRoutes(host, metrics),
    ...(host.speech === undefined
      ? []
      : speechRoutes(host.speech, metrics, { hosts: host.voiceUrlHosts ?? [] })),
  ];
  const app = new Hono({ strict: true });

  app.use(async (context, next) => {
    await next();
    for (const [name, value] of Object.entries(safetyHeaders)) context.res.headers.set(name, value);
    const origin = context.req.header("origin");
    if (origin !== undefined && options.corsOrigins.includes(origin)) {
      context.res.headers.set("access-control-allow-origin", origin);
      context.res.headers.set("access-control-expose-headers", exposedHeaders);
      context.res.headers.set("vary", "origin");
    }
  });
  const endless = new Set<StreamAnswer>();
  options.stopping?.addEventListener("abort", () => {
    for (const answer of endless) answer.end();
  });
  for (const route of routes) mount(app, route, options, metrics, new RouteLimiter(route, endless));
  // Everything else, too, answers to the right names only.
  app.use((context, next) => {
    guardHost(context.req.raw, options);
    return next();
  });
  app.get("/openapi.json", () => json(openApiDocument(routes, host.version)));
  app.options("*", async (context, next) => {
    const origin = context.req.header("origin");
    if (origin === undefined) return next();
    if (!options.corsOrigins.includes(origin)) {
      const page = JSON.stringify(origin.slice(0, 100));
      const error = new ServerError("server/forbidden", "usage", `Pages of ${page} may not call.`, {
        status: 403,
      });
      return problemResponse(error);
    }
    return new Response(null, {
      status: 204,
      headers: {
        "access-control-allow-methods": "GET, POST, PUT, DELETE",
        "access-control-allow-headers": "authorization, content-type, last-event-id, range, x-watermark-key",
        "access-control-max-age": "600",
      },
    });
  });
  refuseOtherMethods(app, [...routes, { method: "get", path: "/openapi.json" }]);
  if (options.consoleDirectory !== undefined) app.get("*", consoleHandler(options.consoleDirectory));
  app.notFound((context) =>
    problemResponse(notFound(`${context.req.method} ${context.req.path.slice(0, 200)}`)),
  );
  app.onError((error) => {
    if (problemOf(error).status >= 500) options.onError?.(error);
    return problemResponse(error);
  });
  return app;
}

/** A path that is there answers OPTIONS with the methods that it takes, and others with 405 and the same (RFC 9110 section 15.5.6). */
function refuseOtherMethods(app: Hono, routes: readonly Pick<Route, "method" | "path">[]): void {
  const methods = new Map<string, Set<string>>();
  for (const { method, path } of routes) {
    const known = methods.get(path) ?? new Set(["OPTIONS"]);
    known.add(method.toUpperCase());
    if (method === "get") known.add("HEAD");
    methods.set(path, known);
  }
  for (const [path, known] of methods) {
    const allow = [...known].sort().join(", ");
    app.all(honoPath(path), ({ req: { method } }) =>
      method === "OPTIONS"
        ? new Response(null, { status: 204, headers: { allow } })
        : problemResponse(methodNotAllowed(method, path, allow)),
    );
  }
}

/** `{id}` as the router writes it. */
function honoPath(path: string): string {
  return path.replace(/\{(\w+)\}/g, ":$1");
}

function mount(app: Hono, route: Route, options: AppOptions, metrics: Metrics, limiter: RouteLimiter): void {
  app.on(route.method.toUpperCase(), honoPath(route.path), async (context) => {
    let response: Response;
    try {
      guardRequest(context.req.raw, options, route.open === true);
      guardBodyType(context.req.raw, contentTypesOf(route.body));
      response = await limiter.run(context.req.raw, (signal) => route.handle(context, signal));
    } catch (error) {
      if (problemOf(error).status === 500) options.onError?.(error);
      response = problemResponse(error);
    }
    metrics.count("longwave_http_requests_total", "Requests answered.", {
      route: `${route.method.toUpperCase()} ${route.path}`,
      status: String(response.status),
    });
    return response;
  });
}

function observeProcess(metrics: Metrics, host: Host): void {
  metrics.onCollect(() => {
    metrics.set("longwave_process_resident_bytes", "Resident memory.", process.memoryUsage().rss);
    metrics.set(
      "longwave_process_cpu_seconds_total",
      "CPU time used.",
      process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6,
      {},
      "counter",
    );
    metrics.set(
      "longwave_degraded_parts",
      "What does not work just now while the rest goes on.",
      degradedParts(host).length,
    );
    if (host.catalog !== undefined) {
      const { away } = host.catalog;
      metrics.set(
        "longwave_catalog_away",
        "1 while the catalog cannot be asked.",
        away === undefined ? 0 : 1,
      );
    }
    const delivery = host.archive?.delivery;
    if (delivery !== undefined) {
      const { away, pendingBytes } = delivery;
      metrics.set(
        "longwave_archive_away",
        "1 while the archive's store cannot be reached.",
        away === undefined ? 0 : 1,
      );
      metrics.set("longwave_archive_pending_bytes", "Bytes that wait for the archive's store.", pendingBytes);
    }
    for (const { station, bond, recorder, opusListeners } of host.stations.values()) {
      const status = station.status();
      const labels = { stream: station.id };
      metrics.set(
        "longwave_stream_played_seconds_total",
        "Sound sent.",
        status.playedMs / 1000,
        labels,
        "counter",
      );
      observeListeners(metrics, status, opusListeners, labels);
      if (recorder !== undefined) {
        const writes = recorder.recording === undefined ? 0 : 1;
        metrics.set("longwave_archive_recording", "1 while the archive is written.", writes, labels);
        metrics.set(
          "longwave_archive_dropped_blocks_total",
          "Blocks of 20 ms that the archive could not take.",
          recorder.droppedBlocks,
          labels,
          "counter",
        );
      }
      if (bond !== undefined) observeBond(metrics, bond.status(), labels);
      metrics.set(
        "longwave_stream_identified",
        "1 while the sound is recognised.",
        status.heard === undefined ? 0 : 1,
        labels,
      );
    }
  });
}

function observeListeners(
  metrics: Metrics,
  { listeners, listenerLosses }: StationStatus,
  opus: HostedStation["opusListeners"],
  labels: Readonly<Record<string, string>>,
): void {
  metrics.set("longwave_stream_listeners", "Listeners now.", listeners + (opus?.count ?? 0), labels);
  metrics.set(
    "longwave_listener_dropped_blocks_total",
    "Blocks of 20 ms that listeners missed because they read too slowly.",
    listenerLosses.blocks + (opus?.losses.blocks ?? 0),
    labels,
    "counter",
  );
  metrics.set(
    "longwave_listeners_dropped_total",
    "Listeners that lost their place because they read nothing.",
    listenerLosses.readers + (opus?.losses.readers ?? 0),
    labels,
    "counter",
  );
}

function observeBond(metrics: Metrics, bond: BondStatus, labels: Readonly<Record<string, string>>): void {
  const count = (name: string, help: string, value: number) =>
    metrics.set(name, help, value, labels, "counter");
  count("longwave_bond_delivered_packets_total", "Packets handed out in order.", bond.delivered);
  count(
    "longwave_bond_recovered_packets_total",
    "Of these, packets that had been asked for.",
    bond.recovered,
  );
  count("longwave_bond_lost_packets_total", "Packets given up.", bond.lost);
  count(
    "longwave_concealed_blocks_total",
    "Blocks of 20 ms that were lost and concealed.",
    bond.concealedBlocks,
  );
  metrics.set(
    "longwave_sound_impaired",
    "1 while sound is lost again and again, or none arrives.",
    bond.arrival.state === "whole" ? 0 : 1,
    labels,
  );
  for (const link of bond.links) {
    const each = { ...labels, link: link.id };
    metrics.set("longwave_link_loss_ratio", "Measured loss.", link.loss, each);
    metrics.set("longwave_link_sent_bits_per_second", "Rate sent.", link.sentBps, each);
    if (link.rttMs !== null) metrics.set("longwave_link_rtt_seconds", "Round trip.", link.rttMs / 1000, each);
  }
}
