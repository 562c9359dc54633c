import type { Server, ServerResponse } from "node:http";

/** An answer of which a client takes nothing for so long is given up, and its connection closed. */
export const defaultStalledMs = 120_000;
/** Looks in that time: an answer is given up at most a quarter later than it says. */
const looks = 4;

interface Look {
  /** What the connection had taken, by its own count, when it was seen for the first time to take nothing. */
  readonly bytes: number;
  readonly sinceMs: number;
}

/**
 * Closes the connections of clients that have vanished without a word, or that read nothing: their queue is bounded, but the
 * connection itself would stay for as long as they like. One that reads slowly, and one that waits for sound, are left alone.
 *
 * @param onEnd told for each that was closed
 */
export function endStalledResponses(server: Server, stalledMs: number, onEnd: () => void): void {
  const open = new Map<ServerResponse, Look | undefined>();
  server.on("request", (_, response) => {
    open.set(response, undefined);
    response.once("close", () => open.delete(response));
  });
  const timer = setInterval(() => {
    const nowMs = performance.now();
    for (const [response, before] of open) {
      const bytes = response.socket?.bytesWritten ?? 0;
      // What was written since it began to wait shows that it took something in between.
      const isStuck = response.writableNeedDrain && (before === undefined || before.bytes === bytes);
      if (!isStuck) open.set(response, undefined);
      else if (before === undefined) open.set(response, { bytes, sinceMs: nowMs });
      else if (nowMs - before.sinceMs >= stalledMs) {
        response.destroy();
        onEnd();
      }
    }
  }, stalledMs / looks).unref();
  server.once("close", () => clearInterval(timer));
}
