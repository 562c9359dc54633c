import { ServerError } from "../errors.ts";
import { EventFollower } from "../event-follower.ts";
import { type Host, hostedStation } from "../host.ts";
import type { Metrics } from "../metrics.ts";
import type { Route } from "../route.ts";
import { StreamAnswer } from "../stream-answer.ts";

const maxClients = 64;

/** The event log as server-sent events. */
export function eventRoutes(host: Host, metrics: Metrics): Route[] {
  let clients = 0;
  let dropped = 0;
  metrics.onCollect(() => {
    metrics.set("longwave_event_clients", "Clients that follow the events now.", clients);
    metrics.set(
      "longwave_event_clients_dropped_total",
      "Clients that were cut off because they lagged behind the events.",
      dropped,
      {},
      "counter",
    );
  });
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
        const open = () => {
          if (clients >= maxClients) {
            throw new ServerError(
              "server/busy",
              "unavailable",
              `At most ${maxClients} clients may follow the events.`,
            );
          }
          clients++;
          const past = station.log.since(Number(after));
          return new EventFollower(
            past,
            (take) => station.log.subscribe(take),
            (isTooSlow) => {
              clients--;
              if (isTooSlow) dropped++;
            },
          );
        };
        return new StreamAnswer(
          open,
          { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" },
          { isEndless: true },
        );
      },
    },
  ];
}
