import { type Clock, SeededRandom } from "@longwave/base";
import { type BondEnvironment, createReceiver, createSender } from "@longwave/bond";
import { VirtualNetwork } from "@longwave/netsim";
import type { BlockCodec } from "./block-codec.ts";
import { BondedPath, type BondedPathParts } from "./bonded-path.ts";
import { bondBufferMs, defaultLinks, type LinkPlan } from "./default-links.ts";

export interface VirtualLinksOptions {
  readonly clock: Clock;
  readonly seed: number;
  readonly codec: BlockCodec;
  readonly links?: readonly LinkPlan[];
  readonly onArrival?: BondedPathParts["onArrival"];
  readonly onBlock?: BondedPathParts["onBlock"];
  readonly playedAtUs?: BondedPathParts["playedAtUs"];
  /** See the receiver's option of this name; default 0: virtual time never stalls. */
  readonly maxStallMs?: number;
}

const receiverAddress = "10.0.9.1";
const port = 7000;

/** A bond over a virtual network: the real sender and receiver, no sockets, the same fates for the same seed. */
export function bondOverVirtualLinks(options: VirtualLinksOptions): BondedPath {
  const { clock, seed, codec, links = defaultLinks, maxStallMs = 0 } = options;
  const network = new VirtualNetwork(clock, seed);
  const environment: BondEnvironment = {
    clock,
    random: new SeededRandom(seed, 0x20_0000),
    openSocket: (request) => network.openSocket(request.address, request.port),
  };
  const virtual = links.map(({ id, forward, backward }, i) =>
    network.addLink(id, `10.0.${i + 1}.1`, receiverAddress, forward, backward),
  );
  const receiver = createReceiver(
    { listen: `rist://@${receiverAddress}:${port}`, bufferMs: bondBufferMs, maxStallMs },
    environment,
  );
  const sender = createSender(
    {
      bufferMs: bondBufferMs + maxStallMs,
      firstSequence: 0,
      payloadType: 96,
      links: links.map(({ id }, i) => ({
        id,
        to: `rist://${receiverAddress}:${port}`,
        localAddress: `10.0.${i + 1}.1`,
      })),
    },
    environment,
  );
  return new BondedPath({
    codec,
    sender,
    receiver,
    bufferMs: bondBufferMs,
    links: links.map(({ id, name }, i) => ({
      id,
      name,
      forward: virtual[i]!.forward,
      backward: virtual[i]!.backward,
    })),
    ...(options.onArrival !== undefined && { onArrival: options.onArrival }),
    ...(options.onBlock !== undefined && { onBlock: options.onBlock }),
    ...(options.playedAtUs !== undefined && { playedAtUs: options.playedAtUs }),
  });
}
