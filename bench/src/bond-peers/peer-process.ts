import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";

/** Clock ticks per second of /proc/<pid>/stat on Linux. */
const ticksPerSecond = 100;

/** A reference implementation running beside us, with its output and its use of CPU time. */
export class PeerProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  output = "";

  constructor(command: string, args: readonly string[]) {
    this.#child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    const collect = (chunk: Buffer) => {
      if (this.output.length < 200_000) this.output += chunk.toString();
    };
    this.#child.stdout?.on("data", collect);
    this.#child.stderr?.on("data", collect);
    this.#exited = new Promise((resolve) => {
      this.#child.once("exit", () => resolve());
      this.#child.once("error", () => resolve());
    });
  }

  /** CPU seconds used so far, all threads; NaN where the system does not say. */
  cpuSeconds(): number {
    try {
      const fields = readFileSync(`/proc/${this.#child.pid}/stat`, "utf8").split(") ")[1]!.split(" ");
      return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
    } catch {
      return Number.NaN;
    }
  }

  /** Resident memory in megabytes; NaN where the system does not say. */
  rssMb(): number {
    try {
      const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
      return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1000;
    } catch {
      return Number.NaN;
    }
  }

  /** Resolves when it has printed a line on standard output, or has ended. */
  async firstLine(): Promise<void> {
    const { stdout } = this.#child;
    if (stdout === null || this.output.includes("\n")) return;
    await Promise.race([once(stdout, "data"), this.#exited]);
  }

  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 1500);
    await this.#exited;
    clearTimeout(timer);
  }
}

/** True if a program is installed. */
export function isInstalled(program: string): boolean {
  return spawnSync("which", [program], { stdio: "ignore" }).status === 0;
}

/** True if GStreamer has the element. */
export function hasElement(element: string): boolean {
  return isInstalled("gst-inspect-1.0") && spawnSync("gst-inspect-1.0", ["--exists", element]).status === 0;
}

/** First line that a program prints for `--version` or `--help` that names a version, or "absent". */
export function versionOf(program: string): string {
  if (!isInstalled(program)) return "absent";
  const result = spawnSync(program, [program.startsWith("rist") ? "--help" : "--version"], {
    encoding: "utf8",
  });
  const text = `${result.stdout}${result.stderr}`;
  return /(\d+\.\d+\.\d+)/.exec(text.replace(/^\d+\.\d+\|/gm, ""))?.[1] ?? "unknown";
}
