import { type Clock, type DatagramSocket, type Random, SeededRandom } from "@longwave/base";
import { NetsimError } from "./errors.ts";
import { ImpairedPath } from "./impaired-path.ts";
import type { LinkModel } from "./link-model.ts";

const slotBytes = 2048;
type MessageHandler = (bytes: Uint8Array, length: number, fromAddress: string, fromPort: number) => void;

/** Both directions of a route between two addresses. */
export interface VirtualLink {
  readonly name: string;
  /** From the first address to the second. */
  readonly forward: ImpairedPath;
  /** From the second address to the first. */
  readonly backward: ImpairedPath;
}

/** Tells of every datagram's fate as it is decided; for event logs. `arrivalUs` is -1 for a drop. */
export type DatagramObserver = (
  link: string,
  isForward: boolean,
  sentUs: number,
  arrivalUs: number,
  bytes: Uint8Array,
  start: number,
  end: number,
) => void;

/**
 * A network of addresses, routes and sockets on a clock, normally a `VirtualClock`. Same seed, same traffic: same fates.
 *
 * ```ts
 * const network = new VirtualNetwork(clock, 7);
 * const link = network.addLink("lte", "10.0.0.1", "10.0.9.1", { delayMs: 60, loss: 0.08 }, { delayMs: 60 });
 * const socket = network.openSocket("10.0.0.1", 0);
 * ```
 */
export class VirtualNetwork {
  readonly #clock: Clock;
  readonly #seed: number;
  readonly #routes = new Map<string, Map<string, { link: VirtualLink; isForward: boolean }>>();
  readonly #sockets = new Map<string, Map<number, VirtualSocket>>();
  readonly #links: VirtualLink[] = [];
  readonly #free: Uint8Array[] = [];
  /** How sockets of an address appear outside, where a translator (NAT) is in between. */
  readonly #mappings = new Map<string, { readonly address: string; readonly portOffset: number }>();
  readonly #insideOf = new Map<string, string>();
  #nextPort = 49_152;
  #observer: DatagramObserver | undefined;

  constructor(clock: Clock, seed: number) {
    this.#clock = clock;
    this.#seed = seed;
  }

  get links(): readonly VirtualLink[] {
    return this.#links;
  }

  /** One observer of all datagrams; setting it again replaces it. */
  observe(observer: DatagramObserver): void {
    this.#observer = observer;
  }

  /** Joins two addresses; `backward` defaults to the forward model. The n-th link always has the same random streams. */
  addLink(
    name: string,
    from: string,
    to: string,
    forward: LinkModel,
    backward: LinkModel = forward,
  ): VirtualLink {
    const stream = 2 * this.#links.length;
    const link = {
      name,
      forward: new ImpairedPath(forward, this.#random(stream)),
      backward: new ImpairedPath(backward, this.#random(stream + 1)),
    };
    this.#links.push(link);
    this.#route(from, to, { link, isForward: true });
    this.#route(to, from, { link, isForward: false });
    return link;
  }

  /**
   * The translator in front of `address` forgets its ports, as after a pause or a change of cell: from now on its sockets appear with
   * other ports, and under `outside` where that is given; what is sent to the old ones is lost.
   */
  rebind(address: string, outside: string = address): void {
    const portOffset = (this.#mappings.get(address)?.portOffset ?? 0) + 100;
    this.#mappings.set(address, { address: outside, portOffset });
    this.#insideOf.set(outside, address);
    this.#insideOf.set(address, address);
  }

  /**
   * Opens a socket; port 0 picks one.
   * @throws NetsimError `netsim/address-in-use`
   */
  openSocket(address: string, port: number): DatagramSocket {
    let ports = this.#sockets.get(address);
    if (ports === undefined) this.#sockets.set(address, (ports = new Map()));
    const chosen = port === 0 ? this.#nextPort++ : port;
    if (ports.has(chosen)) {
      throw new NetsimError("netsim/address-in-use", "unavailable", `${address}:${chosen} is already open.`);
    }
    const socket = new VirtualSocket(this, address, chosen);
    ports.set(chosen, socket);
    return socket;
  }

  /** @internal */
  close(socket: VirtualSocket): void {
    this.#sockets.get(socket.localAddress)?.delete(socket.localPort);
  }

  /** @internal */
  send(
    from: VirtualSocket,
    bytes: Uint8Array,
    start: number,
    end: number,
    to: string,
    toPort: number,
  ): boolean {
    const inside = this.#insideOf.get(to);
    if (inside !== undefined) {
      const mapping = this.#mappings.get(inside)!;
      // The old mapping leads nowhere.
      if (mapping.address !== to) return true;
      return this.#send(from, bytes, start, end, inside, toPort - mapping.portOffset);
    }
    return this.#send(from, bytes, start, end, to, toPort);
  }

  #send(
    from: VirtualSocket,
    bytes: Uint8Array,
    start: number,
    end: number,
    to: string,
    toPort: number,
  ): boolean {
    const length = end - start;
    const nowUs = this.#clock.nowUs();
    const route = this.#routes.get(from.localAddress)?.get(to);
    if (length > slotBytes || (route === undefined && from.localAddress !== to)) return false;
    let arrivalUs = nowUs;
    let duplicateUs = -1;
    let corruptAt = -1;
    if (route !== undefined) {
      const path = route.isForward ? route.link.forward : route.link.backward;
      arrivalUs = path.offer(nowUs, length);
      duplicateUs = path.duplicateUs;
      corruptAt = path.corruptAt;
      this.#observer?.(route.link.name, route.isForward, nowUs, arrivalUs, bytes, start, end);
    }
    if (arrivalUs >= 0) this.#deliverAt(arrivalUs, corruptAt, from, bytes, start, end, to, toPort);
    if (duplicateUs >= 0) this.#deliverAt(duplicateUs, -1, from, bytes, start, end, to, toPort);
    return true;
  }

  #deliverAt(
    arrivalUs: number,
    corruptAt: number,
    from: VirtualSocket,
    bytes: Uint8Array,
    start: number,
    end: number,
    to: string,
    toPort: number,
  ): void {
    const slot = this.#free.pop() ?? new Uint8Array(slotBytes);
    const length = end - start;
    slot.set(bytes.subarray(start, end));
    if (corruptAt >= 0) {
      const bit = Math.floor(corruptAt * length * 8);
      slot[bit >> 3] = slot[bit >> 3]! ^ (1 << (bit & 7));
    }
    const mapping = this.#mappings.get(from.localAddress);
    const localAddress = mapping?.address ?? from.localAddress;
    const localPort = from.localPort + (mapping?.portOffset ?? 0);
    this.#clock.schedule(arrivalUs, () => {
      this.#sockets.get(to)?.get(toPort)?.receive(slot, length, localAddress, localPort);
      this.#free.push(slot);
    });
  }

  #route(from: string, to: string, route: { link: VirtualLink; isForward: boolean }): void {
    let routes = this.#routes.get(from);
    if (routes === undefined) this.#routes.set(from, (routes = new Map()));
    routes.set(to, route);
  }

  #random(stream: number): Random {
    return new SeededRandom(this.#seed, stream);
  }
}

class VirtualSocket implements DatagramSocket {
  readonly localAddress: string;
  readonly localPort: number;
  readonly #network: VirtualNetwork;
  #handler: MessageHandler | undefined;
  #isOpen = true;

  constructor(network: VirtualNetwork, address: string, port: number) {
    this.#network = network;
    this.localAddress = address;
    this.localPort = port;
  }

  send(bytes: Uint8Array, start: number, end: number, toAddress: string, toPort: number): boolean {
    return this.#isOpen && this.#network.send(this, bytes, start, end, toAddress, toPort);
  }

  onMessage(handler: MessageHandler): void {
    this.#handler = handler;
  }

  onError(): void {}

  close(): void {
    this.#isOpen = false;
    this.#network.close(this);
  }

  receive(bytes: Uint8Array, length: number, fromAddress: string, fromPort: number): void {
    if (this.#isOpen) this.#handler?.(bytes, length, fromAddress, fromPort);
  }
}
