import { createSocket, type Socket } from "node:dgram";
import { isIP, isIPv6 } from "node:net";
import { type Hooks, silentHooks } from "@longwave/base";
import type { BondSocket, SocketRequest } from "../environment.ts";
import { BondError } from "../errors.ts";

const slotBytes = 2048;
/** Datagrams that may wait inside Node for a full socket at once; more are dropped and counted. */
const slotCount = 1024;
/** Of so many datagrams one is sent with a callback: each costs a turn of the queue of ticks, and errors last longer than that. */
const checkedEvery = 8;
/** Receive buffer to ask for: the default loses half of a burst of 256 packets. */
const receiveBufferBytes = 4 * 1024 * 1024;
/** Below this a burst of 256 packets loses some (Linux reports twice what it grants). */
const smallReceiveBufferBytes = 1024 * 1024;

/**
 * A UDP socket. It copies what it is given to send, so that the caller may reuse its buffer at once, and it is connected
 * where it has one peer only, which saves a third of the cost of sending and makes ICMP errors visible.
 */
export class UdpSocket implements BondSocket {
  readonly ready: Promise<void>;
  readonly #socket: Socket;
  readonly #isConnected: boolean;
  readonly #hooks: Hooks;
  /** Copies of what is sent. As a rule a datagram leaves within the call, and the first slot is free again. */
  readonly #slots: Buffer[] = [];
  #slot = 0;
  #unchecked = checkedEvery;
  #isOpen = false;
  #isClosed = false;
  #onError: ((error: Error) => void) | undefined;
  #localPort = 0;
  #localAddress: string;

  constructor(request: SocketRequest, hooks: Hooks = silentHooks) {
    this.#hooks = hooks;
    const isSix = isIPv6(request.address) || isIPv6(request.peer?.address ?? "");
    this.#localAddress = request.address;
    this.#isConnected = request.peer !== undefined;
    this.#socket = createSocket({
      type: isSix ? "udp6" : "udp4",
      // Addresses need no resolver; without this every datagram waits for the next turn of the event loop.
      ...(request.peer === undefined || isIP(request.peer.address) !== 0
        ? {
            lookup: (
              host: string,
              _options: unknown,
              done: (error: null, address: string, family: number) => void,
            ) => done(null, host, isSix ? 6 : 4),
          }
        : {}),
    });
    this.#socket.on("error", (error) => this.#onError?.(error));
    this.ready = this.#open(request, isSix);
    this.ready.catch(() => undefined);
  }

  get localAddress(): string {
    return this.#localAddress;
  }

  /** 0 until the socket is open. */
  get localPort(): number {
    return this.#localPort;
  }

  /** Size of the receive buffer that the system granted, in bytes (Linux reports twice what was asked for). */
  get receiveBufferBytes(): number {
    return this.#isOpen && !this.#isClosed ? this.#socket.getRecvBufferSize() : 0;
  }

  send(bytes: Uint8Array, start: number, end: number, toAddress: string, toPort: number): boolean {
    const length = end - start;
    if (!this.#isOpen || this.#isClosed || length > slotBytes) return false;
    const slot = this.#takeSlot();
    if (slot === undefined) return false;
    slot.set(bytes.subarray(start, end));
    const done = ++this.#unchecked >= checkedEvery ? this.#onSent : undefined;
    if (done !== undefined) this.#unchecked = 0;
    if (this.#isConnected) this.#socket.send(slot, 0, length, done);
    else this.#socket.send(slot, 0, length, toPort, toAddress, done);
    return true;
  }

  /** A slot that is not under way: datagrams leave in order, so the ones that still wait lie in the slots taken last. */
  #takeSlot(): Buffer | undefined {
    const waiting = this.#socket.getSendQueueCount();
    if (waiting >= slotCount) return undefined;
    this.#slot = waiting === 0 ? 0 : (this.#slot + 1) % slotCount;
    let slot = this.#slots[this.#slot];
    if (slot === undefined) {
      slot = Buffer.allocUnsafeSlow(slotBytes);
      this.#slots[this.#slot] = slot;
    }
    return slot;
  }

  /** While datagrams fail every one is checked, so that failures are counted. */
  readonly #onSent = (error: Error | null): void => {
    if (error === null) return;
    this.#unchecked = checkedEvery;
    this.#onError?.(error);
  };

  /** Sends a datagram of any size to the one peer of a connected socket; the bytes must not change afterwards. */
  sendLarge(bytes: Uint8Array): boolean {
    if (!this.#isOpen || this.#isClosed || !this.#isConnected) return false;
    this.#socket.send(bytes, (error) => {
      if (error !== null) this.#onError?.(error);
    });
    return true;
  }

  onMessage(
    handler: (bytes: Uint8Array, length: number, fromAddress: string, fromPort: number) => void,
  ): void {
    this.#socket.removeAllListeners("message");
    this.#socket.on("message", (message, from) => handler(message, message.length, from.address, from.port));
  }

  onError(handler: (error: Error) => void): void {
    this.#onError = handler;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.close();
  }

  async #open(request: SocketRequest, isSix: boolean): Promise<void> {
    const address = request.address === "0.0.0.0" && isSix ? "::" : request.address;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#socket.once("error", reject);
        this.#socket.bind({ address, port: request.port }, () => {
          this.#socket.off("error", reject);
          resolve();
        });
      });
      if (request.peer !== undefined) await this.#connect(request.peer.address, request.peer.port);
    } catch (error) {
      throw new BondError(
        "bond/bind-failed",
        "unavailable",
        `Cannot open UDP ${request.address}:${request.port}${request.peer ? ` towards ${request.peer.address}:${request.peer.port}` : ""}: ${(error as Error).message}.`,
        { cause: error },
      );
    }
    if (this.#isClosed) return;
    try {
      this.#socket.setRecvBufferSize(receiveBufferBytes);
    } catch {
      // The system's limit is smaller; the default stays.
    }
    this.#warnOfSmallBuffer(request);
    const bound = this.#socket.address();
    this.#localAddress = bound.address;
    this.#localPort = bound.port;
    this.#isOpen = true;
  }

  #warnOfSmallBuffer(request: SocketRequest): void {
    const grantedBytes = this.#socket.getRecvBufferSize();
    if (grantedBytes >= smallReceiveBufferBytes) return;
    this.#hooks.log?.("warn", "the system grants a small receive buffer: bursts will be lost", {
      port: request.port,
      grantedBytes,
      remedy: "sysctl net.core.rmem_max=4194304",
    });
  }

  #connect(address: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.connect(port, address, (error?: Error) => (error ? reject(error) : resolve()));
    });
  }
}
