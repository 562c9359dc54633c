import { parentPort, Worker } from "node:worker_threads";
import { serveTasks, type TaskPort, type TaskWorker } from "../task-pool.ts";

/** A worker thread for a `TaskPool`; `module` calls {@link serveNodeTasks}. It does not keep the process alive while it is idle. */
export function nodeTaskWorker(module: URL, workerData?: unknown): TaskWorker {
  // The parent's flags (a profiler, a test runner's loader) are not the worker's.
  const worker = new Worker(module, { workerData, execArgv: [] });
  let ended = false;
  return {
    postMessage: (message, transfer) => worker.postMessage(message, transfer as ArrayBuffer[]),
    addEventListener: (type, listener) => {
      if (type === "message") worker.on("message", (data) => listener({ data }));
      else {
        worker.on("error", ({ message }) => listener({ message }));
        worker.on("exit", (code) => {
          if (!ended) listener({ message: `it ended with ${code}` });
        });
      }
    },
    terminate: () => {
      ended = true;
      void worker.terminate();
    },
  };
}

/** Answers the tasks of the pool that made this worker thread; see `serveTasks`. */
export function serveNodeTasks<Task, Result>(
  work: (task: Task) => Promise<{ result: Result; transfer?: readonly ArrayBufferLike[] }>,
): void {
  if (parentPort === null)
    throw new Error("This module is the worker of a TaskPool; it does nothing by itself.");
  const port = parentPort;
  const line: TaskPort = {
    postMessage: (message, transfer) => port.postMessage(message, transfer as ArrayBuffer[]),
    addEventListener: (_, listener) => void port.on("message", (data) => listener({ data })),
  };
  serveTasks(line, work);
}
