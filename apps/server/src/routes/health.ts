import { degradedParts, type Host } from "../host.ts";
import type { Metrics } from "../metrics.ts";
import { flag, json, listOf, number, objectOf, type Route, text, textOrNull } from "../route.ts";

/** Is it alive, is it ready, which version, how is it doing. */
export function healthRoutes(host: Host, metrics: Metrics): Route[] {
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
          "It is. status is ok, or degraded where a service it uses is away: then degraded says which, a sentence each, and the rest goes on.",
        contentType: "application/json",
        schema: objectOf({
          status: { type: "string", enum: ["ok", "degraded"] },
          uptimeSeconds: number,
          waitingFor: textOrNull,
          degraded: listOf(text),
        }),
      },
      handle: () => {
        const degraded = degradedParts(host);
        return json({
          status: degraded.length === 0 ? "ok" : "degraded",
          uptimeSeconds: Math.round(process.uptime() * 1000) / 1000,
          waitingFor: host.notReady() ?? null,
          degraded,
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
        const degraded = degradedParts(host);
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
