import { batch, computed, signal } from "@preact/signals";
import { ApiError, getJson, needsToken, problemText } from "../api.ts";
import type { StationEvent, Stream } from "../model.ts";
import { followEvents } from "./event-stream.ts";
import { forgetFailure } from "./player.ts";
import { followScope } from "./scope-feed.ts";

export type Connection = "connecting" | "live" | "lost";

export const connection = signal<Connection>("connecting");
/** Ids of all streams of the server. */
export const streamIds = signal<readonly string[]>([]);
/** The one that was chosen; the first where it is absent or gone. */
export const chosenStream = signal<string | undefined>(undefined);
let stopFollowing: (() => void) | undefined;

/** Shows another stream from now on. */
export function chooseStream(id: string): void {
  chosenStream.value = id;
  stopFollowing?.();
}

export const stream = signal<Stream | undefined>(undefined);
/** When `stream` was read, on this page's clock: positions move on from there. */
export const streamReadAt = signal(0);
/** Newest first, at most `keptEvents`. */
export const events = signal<readonly StationEvent[]>([]);
/** Votes of the matches of the last minutes, oldest first. */
export const voteHistory = signal<readonly { atMs: number; votes: number }[]>([]);
export const lastProblem = signal<string | undefined>(undefined);

const keptEvents = 200;
const keptVotes = 240;
const pollMs = 500;
/** First wait after a failure; it doubles up to `longestRetryMs`. */
const firstRetryMs = 1000;
const longestRetryMs = 8000;

export const isLive = computed(() => connection.value === "live");

/** Follows the server for as long as the page is open; comes back by itself when the server does. */
export function startLive(): void {
  void follow();
}

async function follow(): Promise<void> {
  let retryMs = firstRetryMs;
  for (;;) {
    const stop = new AbortController();
    try {
      const { streams } = await getJson<{ streams: Stream[] }>("/v1/streams");
      const first = streams.find(({ id }) => id === chosenStream.value) ?? streams[0];
      if (first === undefined)
        throw new ApiError(404, "console/no-stream", "No station is running on this server.");
      batch(() => {
        streamIds.value = streams.map(({ id }) => id);
        voteHistory.value = [];
        take(first);
        connection.value = "live";
        forgetFailure();
        lastProblem.value = undefined;
        retryMs = firstRetryMs;
        events.value = [];
      });
      let isSwitching = false;
      const switched = new Promise<void>((resolve) => {
        stopFollowing = () => {
          isSwitching = true;
          resolve();
        };
      });
      await Promise.race([
        switched,
        poll(first.id, stop.signal),
        followEvents(first.id, takeEvent, stop.signal),
        followScope(first.id, stop.signal),
      ]);
      if (isSwitching) continue;
    } catch (error) {
      lastProblem.value = problemText(error);
    } finally {
      stop.abort();
    }
    connection.value = "lost";
    do await new Promise((resolve) => setTimeout(resolve, retryMs));
    while (needsToken.value);
    retryMs = Math.min(2 * retryMs, longestRetryMs);
  }
}

async function poll(id: string, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    take(await getJson<Stream>(`/v1/streams/${encodeURIComponent(id)}`, stop));
    await new Promise((resolve) => setTimeout(resolve, document.hidden ? 4 * pollMs : pollMs));
  }
}

function take(next: Stream): void {
  batch(() => {
    stream.value = next;
    streamReadAt.value = performance.now();
    const { heard } = next;
    const last = voteHistory.value.at(-1);
    const atMs = heard?.atMs ?? next.playedMs;
    if (last === undefined || atMs > last.atMs) {
      voteHistory.value = [...voteHistory.value.slice(1 - keptVotes), { atMs, votes: heard?.votes ?? 0 }];
    }
  });
}

function takeEvent(event: StationEvent): void {
  batch(() => {
    events.value = [event, ...events.value.slice(0, keptEvents - 1)];
    addPastVotes(event);
  });
}

/** What was heard before the page was opened is told by the events of that time, at longer distances. */
function addPastVotes({ type, atMs, votes }: StationEvent): void {
  const known = voteHistory.value;
  if (typeof atMs !== "number" || !type.startsWith("match.")) return;
  const next = known.findIndex((each) => each.atMs >= atMs);
  if (next < 0 || known[next]!.atMs === atMs) return;
  // Between two polls there is nothing to add.
  if (next > 0 && known[next]!.atMs - known[next - 1]!.atMs < 2 * pollMs) return;
  const point = { atMs, votes: typeof votes === "number" ? votes : 0 };
  voteHistory.value = [...known.slice(0, next), point, ...known.slice(next)].slice(-keptVotes);
}
