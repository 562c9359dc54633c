import type { NatsConnection } from "@nats-io/nats-core";
import type { MonitorEvent } from "../monitor.ts";

/** Publishes the events of a monitor, one message each, for whoever listens, and gives them on. */
export async function* publishEvents(
  connection: NatsConnection,
  subject: string,
  events: AsyncIterable<MonitorEvent>,
): AsyncIterable<MonitorEvent> {
  for await (const event of events) {
    const plain = (_: string, value: unknown) => (value instanceof Int32Array ? [...value] : value);
    connection.publish(subject, new TextEncoder().encode(JSON.stringify(event, plain)));
    yield event;
  }
}

/** Events that others publish on `subject` (wildcards allowed), from now on. */
export async function* followEvents(
  connection: NatsConnection,
  subject: string,
  signal?: AbortSignal,
): AsyncIterable<{ readonly subject: string; readonly event: MonitorEvent }> {
  const subscription = connection.subscribe(subject);
  const stop = () => subscription.unsubscribe();
  signal?.addEventListener("abort", stop, { once: true });
  try {
    if (signal?.aborted === true) return;
    for await (const message of subscription)
      yield { subject: message.subject, event: message.json<MonitorEvent>() };
  } finally {
    signal?.removeEventListener("abort", stop);
    subscription.unsubscribe();
  }
}
