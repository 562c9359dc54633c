import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import type { Hono } from "hono";
import { type AppOptions, createApp } from "./app.ts";
import { Connections } from "./connections.ts";
import { ServerError } from "./errors.ts";
import { isLoopbackHost } from "./guard.ts";
import { Metrics } from "./metrics.ts";
import { createMetricsApp } from "./metrics-app.ts";
import { problemResponse } from "./problem.ts";
import { defaultStalledMs, endStalledResponses } from "./stalled-responses.ts";

export interface ListenOptions extends Omit<AppOptions, "loopback" | "corsOrigins" | "stopping"> {
  /** Address to bind; default 127.0.0.1. */
  readonly address?: string;
  /** TCP port, 0 for any free one. */
  readonly port: number;
  readonly corsOrigins?: readonly string[];
  /** A second address that serves /metrics and nothing else; none by default. */
  readonly metricsListen?: { readonly address: string; readonly port: number } | undefined;
  /** A client that takes nothing of its answer for so long loses its connection; default 120,000. */
  readonly stalledMs?: number;
  /** Connections at once; with more, those give way that have waited longest without a request. Default 512. */
  readonly maxConnections?: number;
}

/** A server that listens. */
export interface RunningServer {
  readonly url: string;
  readonly port: number;
  /** Where the metrics have an address of their own. */
  readonly metricsUrl?: string;
  /**
   * Stops accepting, ends live sound and events properly, lets other requests that run end for up to `graceMs`, then closes what is
   * left.
   */
  close(graceMs?: number): Promise<void>;
}

/** Time for a client to send its header and, from there, its body. */
const headersTimeoutMs = 10_000;
const requestTimeoutMs = 120_000;
/** How often these times are looked at. */
const timeoutChecksMs = 1000;
const defaultMaxConnections = 512;
/** At the address of the metrics alone. */
const maxCollectors = 32;

/**
 * Binds and serves.
 *
 * @throws ServerError `server/token-required` off loopback without a token, `server/port-in-use`, `server/no-permission`,
 * `server/cannot-listen`, `server/bad-option`
 */
export async function startServer(options: ListenOptions): Promise<RunningServer> {
  const address = options.address ?? "127.0.0.1";
  const { metricsListen, token } = options;
  const loopback = checkListen(address, options.port, token);
  const metricsLoopback =
    metricsListen === undefined || checkListen(metricsListen.address, metricsListen.port, token);
  const metrics = options.metrics ?? new Metrics();
  const stopping = new AbortController();
  const app = createApp({
    ...options,
    metrics,
    loopback,
    corsOrigins: options.corsOrigins ?? [],
    stopping: stopping.signal,
  });
  const server = await listen(app, address, options.port);
  const countShed = (by: number) =>
    metrics.count(
      "longwave_http_shed_total",
      "Connections that gave way to others because they had long waited without a request.",
      {},
      by,
    );
  countShed(0);
  const connections = new Connections(server, options.maxConnections ?? defaultMaxConnections, () =>
    countShed(1),
  );
  const close = (graceMs: number) => {
    stopping.abort();
    connections.close();
    return closeServer(server, graceMs);
  };
  const countStalled = (by: number) =>
    metrics.count(
      "longwave_http_stalled_total",
      "Connections that were closed because the client took nothing of its answer.",
      {},
      by,
    );
  countStalled(0);
  endStalledResponses(server, options.stalledMs ?? defaultStalledMs, () => countStalled(1));
  if (metricsListen === undefined) {
    return { ...placeOf(server, address), close: (graceMs = 3000) => close(graceMs) };
  }
  const figures = createMetricsApp(metrics, { token, loopback: metricsLoopback, corsOrigins: [] });
  let second: Server;
  try {
    second = await listen(figures, metricsListen.address, metricsListen.port);
    new Connections(second, maxCollectors, () => {});
  } catch (error) {
    await close(0);
    throw error;
  }
  return {
    ...placeOf(server, address),
    metricsUrl: `${placeOf(second, metricsListen.address).url}metrics`,
    close: async (graceMs = 3000) => {
      // A collector sees the server drain.
      await close(graceMs);
      await closeServer(second, 0);
    },
  };
}

/**
 * Whether a server may listen there, without listening.
 *
 * @returns whether the address is this machine's alone
 * @throws ServerError `server/bad-option`, `server/token-required`
 */
export function checkListen(address: string, port: number, token: string | undefined): boolean {
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new ServerError("server/bad-option", "usage", `A port is 0 to 65535, not ${port}.`);
  }
  if (token !== undefined && token.length < 16) {
    throw new ServerError("server/bad-option", "usage", "A token needs at least 16 characters.");
  }
  const loopback = isLoopbackHost(address);
  if (!loopback && token === undefined) {
    throw new ServerError(
      "server/token-required",
      "usage",
      `${address} can be reached by others; set a token with --token or LONGWAVE_TOKEN.`,
    );
  }
  return loopback;
}

function listen(app: Hono, address: string, port: number): Promise<Server> {
  const answer = getRequestListener(app.fetch, {
    hostname: address,
    // The application answers its own errors: what comes here is a request that names no possible address.
    errorHandler: (error) =>
      problemResponse(
        new ServerError("server/bad-request", "usage", `${(error as Error).message}.`, { cause: error }),
      ),
  });
  const server = createServer(
    {
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
      connectionsCheckingInterval: timeoutChecksMs,
    },
    answer,
  );
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => reject(listenError(cause, address, port)));
    server.listen(port, address, () => resolve(server));
  });
}

function placeOf(server: Server, address: string): { url: string; port: number } {
  const { port } = server.address() as AddressInfo;
  return { url: `http://${address === "::1" ? "[::1]" : address}:${port}/`, port };
}

function listenError(cause: NodeJS.ErrnoException, address: string, port: number): ServerError {
  if (cause.code === "EADDRINUSE") {
    return new ServerError(
      "server/port-in-use",
      "unavailable",
      `Port ${port} on ${address} is in use; choose another with --port ${port + 1}, or --port 0 for any free one.`,
      { cause },
    );
  }
  if (cause.code === "EACCES" || cause.code === "EPERM") {
    return new ServerError(
      "server/no-permission",
      "unavailable",
      `No permission to listen on port ${port}; choose one above 1023 with --port.`,
      { cause },
    );
  }
  return new ServerError(
    "server/cannot-listen",
    "unavailable",
    `Cannot listen on ${address}:${port}: ${cause.message}.`,
    {
      cause,
    },
  );
}

async function closeServer(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearTimeout(timer);
}
