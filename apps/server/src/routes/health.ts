import { degradedParts } from "../degraded.ts";
import type { Host } from "../host.ts";
import type { Metrics } from "../metrics.ts";
import { flag, json, listOf, number, objectOf, type Route, text, textOrNull } from "../route.ts";

/**
 * Is it alive, is it ready, which version, how is it doing.
 *
 * @param mayKnowMore whether a request may learn why something is away, which names addresses
 */
export function healthRoutes(
  host: Host,
  metrics: Metrics,
  mayKnowMore: (request: Request) => boolean,
): Route[] {
  return [
    {
      method: "get",
      path: "/v1/health",
      tag: "Operations",
      summary: "Says that the server is alive, and what of it does not work just now",
      open: true,
      answer: {
        status: 200,
        description:
          "It is. status is ok, or degraded where something does not work: then degraded says what, a sentence each, and the rest goes on. parts says the same with the stream that it concerns and the reason, which is null without the server's token.",
        contentType: "application/json",
        schema: objectOf({
          status: { type: "string", enum: ["ok", "degraded"] },
          uptimeSeconds: number,
          waitingFor: textOrNull,
          degraded: listOf(text),
          parts: listOf(
            objectOf({
              part: { type: "string", enum: ["archive", "catalog", "jobs", "sound", "other"] },
              stream: textOrNull,
              says: text,
              reason: textOrNull,
            }),
          ),
        }),
      },
      handle: (context) => {
        const isTold = mayKnowMore(context.req.raw);
        const parts = degradedParts(host);
        return json({
          status: parts.length === 0 ? "ok" : "degraded",
          uptimeSeconds: Math.round(process.uptime() * 1000) / 1000,
          waitingFor: host.notReady() ?? null,
          degraded: parts.map(({ says }) => says),
          parts: isTold ? parts : parts.map((part) => ({ ...part, reason: null })),
        });
      },
    },
    {
      method: "get",
      path: "/health",
      tag: "Operations",
      summary: "Says that the server is alive, at the address that speech services have it",
      open: true,
      answer: {
        status: 200,
        description: "It is, in this version.",
        contentType: "application/json",
        schema: objectOf({ status: text, version: text }),
      },
      handle: () => json({ status: "ok", version: host.version }),
    },
    {
      method: "get",
      path: "/v1/ready",
      tag: "Operations",
      summary: "Says whether everything has started; 503 until then",
      open: true,
      answer: {
        status: 200,
        description:
          "Ready, or with status 503 what is missing. degraded as in /v1/health: with a service away a station is ready all the same.",
        contentType: "application/json",
        schema: objectOf({ ready: flag, waitingFor: textOrNull, degraded: listOf(text) }),
      },
      handle: () => {
        const waitingFor = host.notReady() ?? null;
        const degraded = degradedParts(host).map(({ says }) => says);
        return json({ ready: waitingFor === null, waitingFor, degraded }, waitingFor === null ? 200 : 503);
      },
    },
    {
      method: "get",
      path: "/v1/version",
      tag: "Operations",
      summary: "Names the version",
      open: true,
      answer: {
        status: 200,
        description: "Version of Longwave and of Node.",
        contentType: "application/json",
        schema: objectOf({ name: text, version: text, node: text }),
      },
      handle: () => json({ name: "longwave", version: host.version, node: process.versions.node }),
    },
    {
      method: "get",
      path: "/v1/metrics",
      tag: "Operations",
      summary: "Metrics in Prometheus' text format",
      answer: { status: 200, description: "The metrics.", contentType: "text/plain", schema: text },
      handle: () => metricsAnswer(metrics),
    },
  ];
}

/** All figures in Prometheus' text format. */
export function metricsAnswer(metrics: Metrics): Response {
  return new Response(metrics.render(), {
    headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
  });
}
