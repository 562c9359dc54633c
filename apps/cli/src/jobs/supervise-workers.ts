import { type ChildProcess, spawn } from "node:child_process";
import { CliError } from "../errors.ts";

/** Status of a worker that did its work, in which a job failed for good. */
export const jobFailedStatus = 1;
/** What a worker tells whoever started it when a job fails: it may be killed later, and then has no status. */
export const jobFailedMessage = "a job failed";

/** Pause before a worker that died is started again. */
const restartMs = 1000;

/**
 * Runs this very command line in `count` processes with one worker each. A process that is killed, or runs out of memory on a bad file, is
 * started again; its job goes to another. Ends when all of them ended by themselves, or with Ctrl-C.
 * @throws CliError `cli/worker-failed` with what the process ended with where it refused to work
 */
export async function superviseWorkers(count: number): Promise<void> {
  const running = new Set<ChildProcess>();
  let stopping = false;
  let hasFailed = false;
  const stop = (signal: NodeJS.Signals) => {
    stopping = true;
    for (const child of running) child.kill(signal);
  };
  const onSignal = (signal: NodeJS.Signals) => stop(signal);
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  try {
    await Promise.all(Array.from({ length: count }, () => keepRunning()));
    if (hasFailed) process.exitCode = jobFailedStatus;
  } finally {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  }

  async function keepRunning(): Promise<void> {
    while (!stopping) {
      const { status, jobFailed } = await runOnce();
      hasFailed ||= jobFailed;
      if (status === 0 || (status === jobFailedStatus && jobFailed) || stopping) return;
      if (status !== null) {
        stop("SIGTERM");
        throw new CliError("cli/worker-failed", "unavailable", `A worker ended with ${status}; see above.`);
      }
      process.stderr.write("longwave: A worker was killed; starting another.\n");
      await new Promise((resolve) => setTimeout(resolve, restartMs));
    }
  }

  /** @returns the exit code, null where a signal ended it, and whether a job failed in its hands */
  function runOnce(): Promise<{ status: number | null; jobFailed: boolean }> {
    // The last --jobs counts. The channel tells the worker when this process is gone, however it went.
    const child = spawn(process.execPath, [...process.argv.slice(1), "--jobs", "1"], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    running.add(child);
    let jobFailed = false;
    child.on("message", (message) => {
      jobFailed ||= message === jobFailedMessage;
    });
    return new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (status) => {
        running.delete(child);
        resolve({ status, jobFailed });
      });
    });
  }
}
