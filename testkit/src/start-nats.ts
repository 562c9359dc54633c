import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A NATS server of one's own, with JetStream. */
export interface NatsServer {
  /** Address for a client. */
  readonly servers: string;
  /** Ends the server and starts it again, at the same address and with its data. */
  restart(): Promise<void>;
  /** Ends the server and deletes its data. */
  close(): Promise<void>;
}

/** True where `nats-server` can be started. */
export function hasNats(): boolean {
  return spawnSync("nats-server", ["--version"]).status === 0;
}

/** Starts a server on a free port of loopback, its data in a temporary folder; with a login it lets in nobody without. */
export async function startNats(login?: {
  readonly user: string;
  readonly password: string;
}): Promise<NatsServer> {
  const folder = mkdtempSync(join(tmpdir(), "longwave-nats-"));
  const flags = login === undefined ? [] : ["--user", login.user, "--pass", login.password];
  let running = await start(folder, "-1", flags);
  const { port } = running;
  return {
    servers: `127.0.0.1:${port}`,
    restart: async () => {
      await stop(running.server);
      running = await start(folder, port, flags);
    },
    close: async () => {
      await stop(running.server);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function start(
  folder: string,
  wanted: string,
  flags: readonly string[],
): Promise<{ server: ChildProcess; port: string }> {
  const server = spawn("nats-server", ["-a", "127.0.0.1", "-p", wanted, "-js", "-sd", folder, ...flags], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  const port = await new Promise<string>((resolve, reject) => {
    let found: string | undefined;
    server.stderr.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-10_000);
      found ??= /Listening for client connections on 127\.0\.0\.1:(\d+)/.exec(said)?.[1];
      if (found !== undefined && said.includes("Server is ready")) resolve(found);
    });
    server.once("error", reject);
    server.once("exit", (code) => reject(new Error(`nats-server ended with ${code}: ${said}`)));
  });
  return { server, port };
}

async function stop(server: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => server.once("exit", resolve));
  if (server.exitCode === null && server.kill()) await ended;
}
