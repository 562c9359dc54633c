import type { StationEvent } from "@longwave/station";
import { ServerError } from "../errors.ts";
import { type Host, hostedStation } from "../host.ts";
import type { Route } from "../route.ts";

/** A client that lags behind by this many events is cut off; it reconnects with Last-Event-ID and loses nothing. */
const maxQueuedEvents = 500;
const maxClients = 64;
/** Comments that keep proxies from closing a quiet connection. */
const heartbeatMs = 15_000;

/** The event log as server-sent events. */
export function eventRoutes(host: Host): Route[] {
  let clients = 0;
  return [
    {
      method: "get",
      path: "/v1/events",
      tag: "Events",
      summary: "The events of a stream as they happen (server-sent events)",
      parameters: [
        {
          name: "stream",
          in: "query",
          description: "Id of the stream; default the first.",
          schema: { type: "string" },
        },
        {
          name: "after",
          in: "query",
          description: "Begin after this sequence number; the header Last-Event-ID means the same and wins.",
          schema: { type: "integer", minimum: -1 },
        },
      ],
      answer: {
        status: 200,
        description:
          "One event a message: id is its sequence number, event its type, data the event as JSON.",
        contentType: "text/event-stream",
      },
      handle: (context) => {
        const first = host.stations.keys().next().value ?? "";
        const { station } = hostedStation(host, context.req.query("stream") ?? first);
        const after = context.req.header("last-event-id") ?? context.req.query("after") ?? "-1";
        if (!/^-?\d{1,15}$/.test(after)) {
          throw new ServerError(
            "server/bad-request",
            "usage",
            `after must be an integer, not ${JSON.stringify(after.slice(0, 50))}.`,
          );
        }
        if (clients >= maxClients) {
          throw new ServerError(
            "server/busy",
            "unavailable",
            `At most ${maxClients} clients may follow the events.`,
          );
        }
        clients++;
        const body = eventBody(
          station.log.since(Number(after)),
          (take) => station.log.subscribe(take),
          () => {
            clients--;
          },
        );
        return new Response(body, {
          headers: {
            "content-type": "text/event-stream",
            "cache-control": "no-store",
            "x-accel-buffering": "no",
          },
        });
      },
    },
  ];
}

function eventBody(
  past: readonly StationEvent[],
  subscribe: (take: (event: StationEvent) => void) => () => void,
  onEnd: () => void,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let stop = () => {};
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const end = () => {
          clearInterval(heartbeat);
          unsubscribe();
          onEnd();
        };
        const send = (textOfMessage: string) => {
          if ((controller.desiredSize ?? 0) <= -maxQueuedEvents) {
            end();
            controller.close();
            return;
          }
          controller.enqueue(encoder.encode(textOfMessage));
        };
        const unsubscribe = subscribe((event) => send(message(event)));
        const heartbeat = setInterval(() => send(": still here\n\n"), heartbeatMs);
        heartbeat.unref();
        stop = end;
        send(`retry: 2000\n\n${past.map(message).join("")}`);
      },
      cancel() {
        stop();
      },
    },
    { highWaterMark: 1 },
  );
}

function message(event: StationEvent): string {
  return `id: ${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}
