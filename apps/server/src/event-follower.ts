import type { StationEvent } from "@longwave/station";
import type { ByteSource } from "./stream-answer.ts";

/** A client that lags behind by this many messages is cut off; it reconnects with Last-Event-ID and loses nothing. */
const maxQueuedMessages = 500;
/** Comments that keep proxies from closing a quiet connection. */
const heartbeatMs = 15_000;

const encoder = new TextEncoder();

/** The events of a log as the messages of one client (server-sent events, WHATWG HTML section 9.2). */
export class EventFollower implements ByteSource {
  readonly #onEnd: (isTooSlow: boolean) => void;
  readonly #unsubscribe: () => void;
  readonly #heartbeat: NodeJS.Timeout;
  #messages: string[];
  #wake: (() => void) | undefined;
  #isClosed = false;

  /** @param onEnd told once, and whether because the client was too slow */
  constructor(
    past: readonly StationEvent[],
    subscribe: (take: (event: StationEvent) => void) => () => void,
    onEnd: (isTooSlow: boolean) => void,
  ) {
    this.#messages = [`retry: 2000\n\n${past.map(message).join("")}`];
    this.#onEnd = onEnd;
    this.#unsubscribe = subscribe((event) => this.#push(message(event)));
    this.#heartbeat = setInterval(() => {
      if (this.#messages.length === 0) this.#push(": still here\n\n");
    }, heartbeatMs);
    this.#heartbeat.unref();
  }

  async next(): Promise<Uint8Array | undefined> {
    while (this.#messages.length === 0 && !this.#isClosed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#messages.length === 0) return undefined;
    return encoder.encode(this.#messages.splice(0).join(""));
  }

  close(): void {
    this.#end(false);
  }

  #push(text: string): void {
    if (this.#messages.length < maxQueuedMessages) this.#messages.push(text);
    else {
      this.#messages = [];
      this.#end(true);
    }
    this.#wake?.();
  }

  #end(isTooSlow: boolean): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#heartbeat);
    this.#unsubscribe();
    this.#wake?.();
    this.#onEnd(isTooSlow);
  }
}

function message(event: StationEvent): string {
  return `id: ${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}
