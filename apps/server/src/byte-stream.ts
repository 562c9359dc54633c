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

/** A response body of pieces that are made as the client takes them; a client that goes away ends their making. */
export function iterableBody(pieces: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await pieces.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await pieces.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}
