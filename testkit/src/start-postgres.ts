import { type ChildProcess, execFile, spawn } from "node:child_process";
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { repositoryPath } from "./shared-data.ts";

/** A PostgreSQL server of one's own, reached through a socket in its folder. */
export interface PostgresServer {
  /** Folder of the socket: the `host` of a client. */
  readonly socketFolder: string;
  readonly user: string;
  /** Cuts clients off and ends the server, as a restart begins; its data stays. */
  stop(): Promise<void>;
  /** Starts it again, at the same socket; nothing where it runs. */
  start(): Promise<void>;
  /** Ends the server and deletes its data. */
  close(): Promise<void>;
}

const versionsFolder = "/usr/lib/postgresql";

/** Folder of Debian's newest PostgreSQL programs; undefined where none is installed. */
export function postgresPrograms(): string | undefined {
  if (!existsSync(versionsFolder)) return undefined;
  const [newest] = readdirSync(versionsFolder).sort((a, b) => Number(b) - Number(a));
  const folder = newest === undefined ? undefined : join(versionsFolder, newest, "bin");
  return folder !== undefined && existsSync(join(folder, "initdb")) ? folder : undefined;
}

/** Makes a cluster in a temporary folder and starts it; no network, and no flushing of what is thrown away anyway. */
export async function startPostgres(programs: string): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), "longwave-postgres-"));
  const identity = unprivileged();
  if (identity !== undefined) chownSync(folder, identity.uid, identity.gid);
  const data = join(folder, "data");
  const options = { ...identity, env: { PATH: process.env["PATH"], LC_ALL: "C" }, cwd: folder };
  await makeCluster(programs, data, options);
  const settings = {
    fsync: "off",
    listen_addresses: "",
    unix_socket_directories: folder,
    shared_buffers: "16MB",
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  let server: ChildProcess | undefined;
  const start = async () => {
    if (server?.exitCode === null) return;
    server = spawn(join(programs, "postgres"), ["-D", data, ...flags], {
      ...options,
      stdio: ["ignore", "ignore", "pipe"],
    });
    await untilReady(server, folder);
  };
  const stop = async () => {
    const ended = new Promise((resolve) => server?.once("exit", resolve));
    // Fast shutdown: clients are cut off, data is flushed.
    if (server?.exitCode === null && server.kill("SIGINT")) await ended;
  };
  await start();
  return {
    socketFolder: folder,
    user,
    stop,
    start,
    close: async () => {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Superuser of every cluster. */
const user = "longwave";
const execute = promisify(execFile);

interface ProgramOptions {
  readonly uid?: number;
  readonly gid?: number;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
}

/**
 * Copies the cluster that was made first on this machine: making one costs more than a second of processor time, and most files of tests
 * want one. It lies beside the installed packages, and goes with them.
 */
async function makeCluster(programs: string, data: string, options: ProgramOptions): Promise<void> {
  const version = programs.split("/").at(-2);
  const first = repositoryPath(
    `node_modules/.cache/longwave/postgres-${version}-${options.uid ?? process.getuid?.()}`,
  );
  if (!existsSync(first)) {
    const flags = ["-U", user, "-A", "trust", "--no-sync", "--locale=C", "-E", "UTF8"];
    await execute(join(programs, "initdb"), ["-D", data, ...flags], options);
    await keep(data, first);
  } else await execute("cp", ["-a", first, data]);
}

/** Keeps a copy of a cluster for the tests to come, where it can and nobody was quicker. */
async function keep(data: string, first: string): Promise<void> {
  let copy: string | undefined;
  try {
    mkdirSync(dirname(first), { recursive: true });
    copy = mkdtempSync(`${first}-`);
    await execute("cp", ["-a", `${data}/.`, copy]);
    renameSync(copy, first);
  } catch {
    if (copy !== undefined) rmSync(copy, { recursive: true, force: true });
  }
}

/** PostgreSQL refuses to run as root: then it runs as the user that Debian made for it, or as nobody. */
function unprivileged(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = readFileSync("/etc/passwd", "utf8").split("\n");
  const line =
    users.find((each) => each.startsWith("postgres:")) ?? users.find((each) => each.startsWith("nobody:"));
  const [, , uid, gid] = line!.split(":");
  return { uid: Number(uid), gid: Number(gid) };
}

/** Waits for the line that says so; fails with the server's own words where it ends before. */
function untilReady(server: ChildProcess, folder: string): Promise<void> {
  let said = "";
  return new Promise((resolve, reject) => {
    server.stderr!.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-10_000);
      if (!said.includes("ready to accept connections")) return;
      server.off("exit", fail);
      resolve();
    });
    const fail = (code: number | null) => {
      rmSync(folder, { recursive: true, force: true });
      reject(new Error(`postgres ended with ${code}: ${said}`));
    };
    server.once("exit", fail);
  });
}
