import type { Clock, DatagramSocket, Hooks, Random } from "@longwave/base";
import type { BondCrypto } from "./crypto/crypto-port.ts";

/** A request for one UDP socket. */
export interface SocketRequest {
  /** Local address to bind, "0.0.0.0" or "::" for any. */
  readonly address: string;
  /** Local port; 0 lets the system choose. */
  readonly port: number;
  /** The only peer that this socket will talk to, where there is just one: the socket can be connected to it. */
  readonly peer?: { readonly address: string; readonly port: number };
}

/** A socket that may still be opening; packets sent before it is open wait or are dropped. */
export interface BondSocket extends DatagramSocket {
  /** Settles when the socket is open, or rejects with `bond/bind-failed`. Absent: it is open already. */
  readonly ready?: Promise<void>;
}

/** Everything from outside that a sender or receiver uses. With a virtual clock and network a run can be repeated exactly. */
export interface BondEnvironment {
  readonly clock: Clock;
  /** Initial sequence numbers, SSRCs and link names. */
  readonly random: Random;
  openSocket(request: SocketRequest): BondSocket;
  /** Default: the portable implementation over `random`. */
  readonly crypto?: BondCrypto;
  readonly hooks?: Hooks;
}
