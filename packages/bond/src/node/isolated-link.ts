import { Worker } from "node:worker_threads";
import type { ErrorKind, Hooks } from "@longwave/base";
import { BondError, type BondErrorCode, badOption } from "../errors.ts";
import type { PacketHandler, PacketInfo } from "../receiver/receiver.ts";
import type { ReceiverOptions } from "../receiver/receiver-options.ts";
import type { ReceiverStats } from "../receiver/receiver-stats.ts";
import { maxPayloadBytes } from "../sender/send-buffer.ts";
import type { SenderOptions } from "../sender/sender-options.ts";
import type { SenderStats } from "../sender/sender-stats.ts";
import type { LinkChange, LinkFailure, LinkMessage, LinkRequest, LinkWorkerData } from "./link-worker.ts";
import { PacketRing } from "./packet-ring.ts";

// Workers need JavaScript: run from source (tests), the built file is used.
const workerUrl = new URL(
  import.meta.url.endsWith(".ts") ? "../../dist/node/link-worker.js" : "./link-worker.js",
  import.meta.url,
);
/** Packets between the threads: 2 s at 10 Mbit/s, 3 MB. */
const defaultRingPackets = 2048;

export interface IsolationOptions {
  /** How many packets wait between the threads before the oldest is dropped; 2 to 65,536, default 2048. */
  readonly ringPackets?: number;
  /** Gets the thread's log, called in the owner's thread. */
  readonly hooks?: Hooks;
}

/** A request without its number. */
type Question = LinkRequest extends infer Each
  ? Each extends { readonly id: number }
    ? Omit<Each, "id">
    : never
  : never;

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: BondError) => void;
}

/** A thread that runs one end of a link, and the shared queue to it. */
class LinkThread {
  readonly ring: PacketRing;
  readonly ready: Promise<void>;
  ssrc = 0;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #onWake: () => void = () => undefined;

  constructor(data: Omit<LinkWorkerData, "memory">, options: IsolationOptions) {
    const { ringPackets = defaultRingPackets, hooks } = options;
    if (!(Number.isInteger(ringPackets) && ringPackets >= 2 && ringPackets <= 65_536)) {
      throw badOption("ringPackets", ringPackets, "a whole number from 2 to 65536");
    }
    if (data.options.srpUsers !== undefined) {
      throw badOption("srpUsers", "set", "absent for a link in a thread; use srp or the address");
    }
    const memory = PacketRing.allocate(ringPackets);
    this.ring = new PacketRing(memory);
    this.#worker = new Worker(workerUrl, { workerData: { ...data, memory }, execArgv: [] });
    this.ready = new Promise((resolve, reject) => {
      this.#worker.on("message", (message: LinkMessage) => {
        if (message.kind === "wake") this.#onWake();
        else if (message.kind === "log") hooks?.log?.(message.level, message.message, message.fields);
        else if (message.kind === "answer") this.#take(message.id)?.resolve(message.value);
        else if (message.kind === "refused") this.#take(message.id)?.reject(failure(message));
        else if (message.kind === "failed") reject(failure(message));
        else {
          this.ssrc = message.ssrc;
          resolve();
        }
      });
      this.#worker.once("error", (cause) => {
        reject(
          new BondError("bond/worker-failed", "unavailable", `The link's thread ended: ${cause.message}.`, {
            cause,
          }),
        );
      });
      this.#worker.once("exit", () => {
        const ended = new BondError("bond/closed", "usage", "The link's thread has ended; make a new one.");
        for (const each of this.#waiting.values()) each.reject(ended);
        this.#waiting.clear();
      });
    });
    this.ready.catch(() => undefined);
  }

  onWake(handler: () => void): void {
    this.#onWake = handler;
  }

  post(request: LinkRequest): void {
    this.#worker.postMessage(request);
  }

  /** Asks the thread and waits for its answer. */
  ask(question: Question): Promise<unknown> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.post({ ...question, id });
    });
  }

  async close(): Promise<void> {
    const ended = new Promise<void>((resolve) => this.#worker.once("exit", () => resolve()));
    this.post({ kind: "close" });
    const timer = setTimeout(() => void this.#worker.terminate(), 1000);
    await ended;
    clearTimeout(timer);
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }
}

/**
 * A receiver in a thread of its own: playout, requests for repeats and keep-alives go on while the owner's thread is busy. What the
 * owner does not take in time is dropped, oldest first, with a discontinuity.
 */
export class IsolatedReceiver {
  readonly #thread: LinkThread;
  readonly #packet = PacketRing.packet();
  readonly #info: PacketInfo = { sequence: 0, timeUs: 0, isDiscontinuity: false };
  #handler: PacketHandler | undefined;

  /** @throws BondError `bond/bad-option` */
  constructor(options: ReceiverOptions & IsolationOptions) {
    const { ringPackets: _, hooks: __, ...rest } = options;
    this.#thread = new LinkThread({ role: "receiver", options: rest }, options);
    this.#thread.onWake(() => this.#drain());
  }

  /** Resolves when every socket is open; rejects as `Receiver.ready` or with `bond/bad-option`, `bond/bad-uri`. */
  get ready(): Promise<void> {
    return this.#thread.ready;
  }

  /** Packets dropped because this thread was too far behind. */
  get dropped(): number {
    return this.#thread.ring.dropped;
  }

  /** Packets that are due and wait for this thread. */
  get waiting(): number {
    return this.#thread.ring.length;
  }

  /** Sets the one handler of packets; bytes and info are valid during the call only. */
  onPacket(handler: PacketHandler): void {
    this.#handler = handler;
    this.#drain();
  }

  stats(): Promise<ReceiverStats> {
    return this.#thread.ask({ kind: "stats" }) as Promise<ReceiverStats>;
  }

  close(): Promise<void> {
    return this.#thread.close();
  }

  #drain(): void {
    if (this.#handler === undefined) return;
    const packet = this.#packet;
    while (this.#thread.ring.shift(packet)) {
      this.#info.sequence = packet.sequence;
      this.#info.timeUs = packet.timeUs;
      this.#info.isDiscontinuity = packet.isDiscontinuity;
      this.#handler(packet.bytes, 0, packet.length, this.#info);
    }
  }
}

/** A sender in a thread of its own: repeats, pacing and keep-alives go on while the owner's thread is busy. */
export class IsolatedSender {
  readonly #thread: LinkThread;
  #hasGap = false;

  /** @throws BondError `bond/bad-option` */
  constructor(options: SenderOptions & IsolationOptions) {
    const { ringPackets: _, hooks: __, ...rest } = options;
    this.#thread = new LinkThread({ role: "sender", options: rest }, options);
  }

  /** Resolves when every socket is open; rejects as `Sender.ready` or with `bond/bad-option`, `bond/bad-uri`. */
  get ready(): Promise<void> {
    return this.#thread.ready;
  }

  /** Packets dropped because the link's thread was too far behind. */
  get dropped(): number {
    return this.#thread.ring.dropped;
  }

  /**
   * As `Sender.send`; the bytes are copied into shared memory.
   * @throws BondError `bond/packet-too-large`
   */
  send(payload: Uint8Array, timestampUs: number = Math.floor(performance.now() * 1000)): void {
    const { length } = payload;
    if (length === 0 || length > maxPayloadBytes) {
      throw new BondError(
        "bond/packet-too-large",
        "usage",
        `A media packet has 1 to ${maxPayloadBytes} bytes, not ${length}; split it (1316 bytes fit every path).`,
      );
    }
    const wasEmpty = this.#thread.ring.push(payload, 0, length, 0, timestampUs, this.#hasGap);
    this.#hasGap = false;
    if (wasEmpty) this.#thread.post({ kind: "wake" });
  }

  /** As `Sender.markDiscontinuity`: the next packet does not follow the last one. */
  markDiscontinuity(): void {
    this.#hasGap = true;
  }

  /** The stream's synchronization source; 0 before `ready`. */
  get ssrc(): number {
    return this.#thread.ssrc;
  }

  stats(): Promise<SenderStats> {
    return this.#thread.ask({ kind: "stats" }) as Promise<SenderStats>;
  }

  /** As `Sender.tune`; rejects with `bond/bad-option` for an unknown id. */
  async tune(linkId: string, change: LinkChange): Promise<void> {
    await this.#thread.ask({ kind: "tune", link: linkId, change });
  }

  /** As `Sender.detach`; rejects with `bond/bad-option` for an unknown id. */
  async detach(linkId: string, cause: string): Promise<void> {
    await this.#thread.ask({ kind: "detach", link: linkId, cause });
  }

  close(): Promise<void> {
    return this.#thread.close();
  }
}

function failure(message: LinkFailure): BondError {
  const code = message.code === "" ? "bond/worker-failed" : (message.code as BondErrorCode);
  return new BondError(
    code,
    message.error === "" ? "unavailable" : (message.error as ErrorKind),
    message.message,
  );
}
