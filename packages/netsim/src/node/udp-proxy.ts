import { type Clock, SeededRandom } from "@longwave/base";
import { SystemClock } from "@longwave/base/node";
import { UdpSocket } from "@longwave/bond/node";
import { DelayQueue } from "../delay-queue.ts";
import { NetsimError } from "../errors.ts";
import { ImpairedPath, type PathCounters } from "../impaired-path.ts";
import type { LinkModel } from "../link-model.ts";

/** Clients (source addresses) that one proxy serves at once; the longest silent one gives way. */
const maxClients = 64;

export interface UdpProxyOptions {
  /** Address to listen on; default 127.0.0.1. */
  readonly address?: string;
  /** Port to listen on; 0 lets the system choose (without `hasPair` only). */
  readonly port: number;
  readonly targetAddress?: string;
  readonly targetPort: number;
  /** Serves `port + 1` towards `targetPort + 1` too, as the Simple profile of RIST needs; default false. */
  readonly hasPair?: boolean;
  /** Towards the target. */
  readonly forward: LinkModel;
  /** Back to the client; default: the forward model. */
  readonly backward?: LinkModel;
  /** Fates are a function of the seed and the packets; default 1. */
  readonly seed?: number;
  readonly clock?: Clock;
}

interface Client {
  readonly upstream: UdpSocket;
  lastUs: number;
}

/**
 * A link as a process: forwards UDP datagrams between clients and a target and does to them what a `LinkModel` says. All
 * fields of the model can be changed while it runs.
 *
 * ```ts
 * const proxy = await UdpProxy.open({ port: 7100, targetPort: 7000, forward: { delayMs: 60, loss: 0.08 } });
 * proxy.forward.set({ isUp: false });
 * ```
 */
export class UdpProxy {
  readonly forward: ImpairedPath;
  readonly backward: ImpairedPath;
  readonly #options: UdpProxyOptions;
  readonly #clock: Clock;
  readonly #queue: DelayQueue;
  readonly #listeners: UdpSocket[] = [];
  readonly #clients = new Map<string, Client>();

  private constructor(options: UdpProxyOptions) {
    this.#options = options;
    this.#clock = options.clock ?? new SystemClock();
    this.#queue = new DelayQueue(this.#clock);
    const seed = options.seed ?? 1;
    this.forward = new ImpairedPath(options.forward, new SeededRandom(seed, 0));
    this.backward = new ImpairedPath(options.backward ?? options.forward, new SeededRandom(seed, 1));
  }

  /** @throws NetsimError `netsim/bad-model`, `netsim/bind-failed` */
  static async open(options: UdpProxyOptions): Promise<UdpProxy> {
    const proxy = new UdpProxy(options);
    try {
      await proxy.#listen(0);
      if (options.hasPair === true) await proxy.#listen(1);
    } catch (error) {
      proxy.close();
      throw new NetsimError("netsim/bind-failed", "unavailable", (error as Error).message, { cause: error });
    }
    return proxy;
  }

  /** Port that it listens on. */
  get port(): number {
    return this.#listeners[0]?.localPort ?? this.#options.port;
  }

  /** Cuts or restores both directions. */
  set isCut(value: boolean) {
    this.forward.set({ isUp: !value });
    this.backward.set({ isUp: !value });
  }

  get isCut(): boolean {
    return this.forward.model.isUp === false;
  }

  counters(): { readonly forward: PathCounters; readonly backward: PathCounters } {
    return { forward: { ...this.forward.counters }, backward: { ...this.backward.counters } };
  }

  close(): void {
    this.#queue.close();
    for (const socket of this.#listeners) socket.close();
    for (const client of this.#clients.values()) client.upstream.close();
    this.#clients.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  async #listen(offset: 0 | 1): Promise<void> {
    const { address = "127.0.0.1", port } = this.#options;
    const socket = new UdpSocket({ address, port: port === 0 ? 0 : port + offset });
    this.#listeners.push(socket);
    await socket.ready;
    socket.onError(() => undefined);
    socket.onMessage((bytes, length, fromAddress, fromPort) => {
      const client = this.#clientOf(fromAddress, fromPort);
      client.lastUs = this.#clock.nowUs();
      const { targetAddress = "127.0.0.1", targetPort } = this.#options;
      this.#impair(this.forward, bytes, length, (copy, end) => {
        client.upstream.send(copy, 0, end, targetAddress, targetPort + offset);
      });
    });
  }

  /** One upstream socket per client for both ports, so that the target sees one source, as behind a NAT. */
  #clientOf(address: string, port: number): Client {
    const key = `${address}:${port}`;
    const known = this.#clients.get(key);
    if (known !== undefined) return known;
    if (this.#clients.size >= maxClients) this.#dropOldest();
    const upstream = new UdpSocket({ address: this.#options.address ?? "127.0.0.1", port: 0 });
    upstream.onError(() => undefined);
    upstream.onMessage((bytes, length, _from, fromPort) => {
      // Answers leave from the port that belongs to the one they came from.
      const offset = fromPort === this.#options.targetPort + 1 && this.#listeners.length > 1 ? 1 : 0;
      this.#impair(this.backward, bytes, length, (copy, end) => {
        this.#listeners[offset]?.send(copy, 0, end, address, port);
      });
    });
    const client = { upstream, lastUs: this.#clock.nowUs() };
    this.#clients.set(key, client);
    return client;
  }

  #dropOldest(): void {
    let oldest: string | undefined;
    for (const [key, client] of this.#clients) {
      if (oldest === undefined || client.lastUs < this.#clients.get(oldest)!.lastUs) oldest = key;
    }
    if (oldest === undefined) return;
    this.#clients.get(oldest)?.upstream.close();
    this.#clients.delete(oldest);
  }

  #impair(
    path: ImpairedPath,
    bytes: Uint8Array,
    length: number,
    target: (bytes: Uint8Array, length: number) => void,
  ): void {
    const atUs = path.offer(this.#clock.nowUs(), length);
    const { duplicateUs, corruptAt } = path;
    if (corruptAt >= 0 && length > 0) {
      const bit = Math.floor(corruptAt * length * 8);
      bytes[bit >> 3] = bytes[bit >> 3]! ^ (1 << (bit & 7));
    }
    if (atUs >= 0) this.#queue.push(atUs, bytes, length, target);
    if (duplicateUs >= 0) this.#queue.push(duplicateUs, bytes, length, target);
  }
}
