import type { Listener } from "@longwave/station";

/**
 * A response body that hands on what a listener hears, after `head`. It pulls: a client that reads slowly fills its own
 * bounded queue and nobody else's. The place is given back when the client goes away.
 */
export function listenerBody(listener: Listener, head?: Uint8Array): ReadableStream<Uint8Array> {
  let first = head;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (first !== undefined) {
          controller.enqueue(first);
          first = undefined;
          return;
        }
        const block = await listener.next();
        if (block === undefined) controller.close();
        else controller.enqueue(block);
      },
      cancel() {
        listener.close();
      },
    },
    { highWaterMark: 0 },
  );
}
