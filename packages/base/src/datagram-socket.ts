/** One end of a datagram path. Implementations: UDP in Node (`@longwave/bond/node`), the virtual network of netsim. */
export interface DatagramSocket {
  readonly localAddress: string;
  readonly localPort: number;
  /** Sends a copy of `bytes[start, end)`; false where the datagram was dropped at once because a queue was full. */
  send(bytes: Uint8Array, start: number, end: number, toAddress: string, toPort: number): boolean;
  /** The receiver owns `bytes` only during the call. One handler; setting it again replaces it. */
  onMessage(
    handler: (bytes: Uint8Array, length: number, fromAddress: string, fromPort: number) => void,
  ): void;
  /** Errors of the path that are not fatal, such as ICMP unreachable. */
  onError(handler: (error: Error) => void): void;
  close(): void;
}
