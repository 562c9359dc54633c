import type { Clock } from "@longwave/base";
import type { StatsRecord } from "../stats/stats-record.ts";
import { UdpSocket } from "./udp-socket.ts";

/** Largest record that goes into one datagram. */
const maxRecordBytes = 60_000;

export interface StatsPublisherOptions {
  readonly clock: Clock;
  /** `host:port` that gets every record as one JSON datagram. */
  readonly destination?: string;
  /** Default 1000. */
  readonly intervalMs?: number;
  /** Makes a record of the present state; a link in another thread takes a moment to tell its state. */
  readonly record: (reason: "periodic" | "event") => StatsRecord | Promise<StatsRecord>;
  /** Gets every record too. */
  readonly onRecord?: (record: StatsRecord) => void;
}

/** Sends statistics on a fixed period, whether or not anything has changed, and at once on events. */
export class StatsPublisher {
  readonly #options: StatsPublisherOptions;
  readonly #socket: UdpSocket | undefined;
  readonly #target: { readonly address: string; readonly port: number } | undefined;
  #nextUs: number;
  #timer = -1;

  /** @throws TypeError where the destination is no `host:port` */
  constructor(options: StatsPublisherOptions) {
    this.#options = options;
    if (options.destination !== undefined) {
      const cut = options.destination.lastIndexOf(":");
      const port = Number(options.destination.slice(cut + 1));
      if (cut < 1 || !Number.isInteger(port) || port < 1 || port > 65_535) {
        throw new TypeError(
          `The destination of statistics is host:port, not ${JSON.stringify(options.destination)}.`,
        );
      }
      this.#target = { address: options.destination.slice(0, cut), port };
      this.#socket = new UdpSocket({ address: "0.0.0.0", port: 0, peer: this.#target });
      this.#socket.onError(() => undefined);
    }
    this.#nextUs = options.clock.nowUs();
    this.#arm();
  }

  /** Publishes a record now, outside the period. */
  event(): void {
    this.#publish("event");
  }

  close(): void {
    this.#options.clock.cancel(this.#timer);
    this.#socket?.close();
  }

  #arm(): void {
    this.#nextUs += 1000 * (this.#options.intervalMs ?? 1000);
    this.#timer = this.#options.clock.schedule(this.#nextUs, () => {
      this.#publish("periodic");
      this.#arm();
    });
  }

  #publish(reason: "periodic" | "event"): void {
    const record = this.#options.record(reason);
    if (!(record instanceof Promise)) this.#send(record);
    else {
      // A link that ends meanwhile has nothing more to tell.
      record.then(
        (each) => this.#send(each),
        () => undefined,
      );
    }
  }

  #send(record: StatsRecord): void {
    this.#options.onRecord?.(record);
    if (this.#socket === undefined || this.#target === undefined) return;
    const bytes = new TextEncoder().encode(JSON.stringify(record));
    if (bytes.length <= maxRecordBytes) this.#socket.sendLarge(bytes);
  }
}
