import { request } from "../api.ts";
import type { StationEvent } from "../model.ts";

/** Follows the server-sent events of a stream until it ends or `stop` aborts. (EventSource cannot send a token.) */
export async function followEvents(
  streamId: string,
  take: (event: StationEvent) => void,
  stop: AbortSignal,
): Promise<void> {
  const response = await request(`/v1/events?stream=${encodeURIComponent(streamId)}`, { signal: stop });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const messages = (rest + value).split("\n\n");
    rest = messages.pop() ?? "";
    for (const message of messages) {
      const data = message.split("\n").find((line) => line.startsWith("data: "));
      if (data !== undefined) take(JSON.parse(data.slice(6)) as StationEvent);
    }
  }
}
