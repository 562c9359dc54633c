import { SeededRandom } from "@longwave/base";
import { SystemClock } from "@longwave/base/node";
import type { BondEnvironment } from "../environment.ts";
import { createReceiverOn, type Receiver } from "../receiver/receiver.ts";
import type { ReceiverOptions } from "../receiver/receiver-options.ts";
import { createSenderOn, type Sender } from "../sender/sender.ts";
import type { SenderOptions } from "../sender/sender-options.ts";
import { nodeCrypto } from "./node-crypto.ts";
import { UdpSocket } from "./udp-socket.ts";

/** The machine's clock, randomness, cryptography and UDP; any part can be replaced. */
export function nodeEnvironment(parts: Partial<BondEnvironment> = {}): BondEnvironment {
  const seed = nodeCrypto.randomBytes(6).reduce((sum, byte) => sum * 256 + byte, 0);
  return {
    clock: new SystemClock(),
    random: new SeededRandom(seed),
    crypto: nodeCrypto,
    openSocket: (request) => new UdpSocket(request, parts.hooks),
    ...parts,
  };
}

/**
 * A sender over UDP. Sockets open in the background: `await sender.ready` to see them fail.
 * @throws BondError `bond/bad-uri`, `bond/bad-option`
 */
export function createSender(options: SenderOptions, parts?: Partial<BondEnvironment>): Sender {
  return createSenderOn(options, nodeEnvironment(parts));
}

/**
 * A receiver over UDP. Sockets open in the background: `await receiver.ready` to see them fail.
 * @throws BondError `bond/bad-uri`, `bond/bad-option`
 */
export function createReceiver(options: ReceiverOptions, parts?: Partial<BondEnvironment>): Receiver {
  return createReceiverOn(options, nodeEnvironment(parts));
}
