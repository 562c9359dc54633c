import type { Server } from "node:http";
import { serve } from "@hono/node-server";
import { type AppOptions, createApp } from "./app.ts";
import { ServerError } from "./errors.ts";
import { isLoopbackHost } from "./guard.ts";

export interface ListenOptions extends Omit<AppOptions, "loopback" | "corsOrigins"> {
  /** Address to bind; default 127.0.0.1. */
  readonly address?: string;
  /** TCP port, 0 for any free one. */
  readonly port: number;
  readonly corsOrigins?: readonly string[];
}

/** A server that listens. */
export interface RunningServer {
  readonly url: string;
  readonly port: number;
  /** Stops accepting, lets running requests end for up to `graceMs`, then closes what is left. */
  close(graceMs?: number): Promise<void>;
}

/** Time for a client to send its header and, from there, its body. */
const headersTimeoutMs = 10_000;
const requestTimeoutMs = 120_000;

/**
 * Binds and serves.
 *
 * @throws ServerError `server/token-required` off loopback without a token, `server/port-in-use`, `server/no-permission`,
 * `server/cannot-listen`, `server/bad-option`
 */
export async function startServer(options: ListenOptions): Promise<RunningServer> {
  const address = options.address ?? "127.0.0.1";
  const loopback = isLoopbackHost(address);
  if (!Number.isInteger(options.port) || options.port < 0 || options.port > 65535) {
    throw new ServerError("server/bad-option", "usage", `A port is 0 to 65535, not ${options.port}.`);
  }
  if (!loopback && options.token === undefined) {
    throw new ServerError(
      "server/token-required",
      "usage",
      `${address} can be reached by others; set a token with --token or LONGWAVE_TOKEN.`,
    );
  }
  if (options.token !== undefined && options.token.length < 16) {
    throw new ServerError("server/bad-option", "usage", "A token needs at least 16 characters.");
  }
  const app = createApp({ ...options, loopback, corsOrigins: options.corsOrigins ?? [] });
  const server = await bind(
    (listening) => serve({ fetch: app.fetch, hostname: address, port: options.port }, listening),
    address,
    options.port,
  );
  server.headersTimeout = headersTimeoutMs;
  server.requestTimeout = requestTimeoutMs;
  server.maxConnections = 512;
  const bound = server.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : options.port;
  const name = address === "::1" ? "[::1]" : address;
  return { url: `http://${name}:${port}/`, port, close: (graceMs = 3000) => closeServer(server, graceMs) };
}

function bind(start: (listening: () => void) => unknown, address: string, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server: Server = start(() => resolve(server)) as Server;
    server.once("error", (cause: NodeJS.ErrnoException) => reject(listenError(cause, address, port)));
  });
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
