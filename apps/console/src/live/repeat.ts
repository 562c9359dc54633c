import type { Signal } from "@preact/signals";
import { problemText } from "../api.ts";

/** Waits after failures in a row: the first one may be a hiccup, a server that is away is left in peace. */
const retryMs = [500, 1000, 2000, 4000, 8000] as const;

/**
 * Runs a task at once and again `everyMs` after it ended, for as long as the returned function is not called; that also aborts the
 * task's signal. While it fails it is tried less and less often, and `problem` says why; it is empty otherwise.
 */
export function repeat(
  task: (signal: AbortSignal) => Promise<void>,
  everyMs: number,
  problem: Signal<string>,
): () => void {
  const stop = new AbortController();
  let failures = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const run = async () => {
    try {
      await task(stop.signal);
      if (stop.signal.aborted) return;
      failures = 0;
      problem.value = "";
    } catch (error) {
      if (stop.signal.aborted) return;
      failures++;
      problem.value = `${problemText(error)} Trying again.`;
    }
    timer = setTimeout(run, failures === 0 ? everyMs : retryMs[Math.min(failures, retryMs.length) - 1]);
  };
  void run();
  return () => {
    stop.abort();
    clearTimeout(timer);
  };
}
