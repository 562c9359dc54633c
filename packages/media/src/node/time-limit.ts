import { MediaError } from "../errors.ts";

/**
 * Runs `work` with a signal that fires when `outer` does or when `timeoutMs` are over (reason `media/timeout`). The work
 * itself must heed the signal; what cannot (foreign code) belongs in a worker or subprocess that it ends.
 */
export async function withTimeLimit<T>(
  timeoutMs: number,
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const abort = () => controller.abort(outer?.reason);
  if (outer?.aborted)
    throw new MediaError("media/aborted", "Decoding was aborted by its caller.", { cause: outer.reason });
  outer?.addEventListener("abort", abort, { once: true });
  const timer = setTimeout(
    () => {
      controller.abort(
        new MediaError(
          "media/timeout",
          `Decoding took longer than ${timeoutMs} ms; raise limits.timeoutMs to allow it.`,
        ),
      );
    },
    Math.min(timeoutMs, 2 ** 31 - 1),
  );
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
    outer?.removeEventListener("abort", abort);
  }
}
