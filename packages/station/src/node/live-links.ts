import type { BondSocket, SocketRequest } from "@longwave/bond";
import { createReceiver, createSender, UdpSocket } from "@longwave/bond/node";
import { UdpProxy } from "@longwave/netsim/node";
import type { BlockCodec } from "../transport/block-codec.ts";
import { BondedPath, type BondedPathParts } from "../transport/bonded-path.ts";
import { bondBufferMs, defaultLinks, type LinkPlan } from "../transport/default-links.ts";

export interface LiveLinksOptions {
  readonly seed: number;
  readonly codec: BlockCodec;
  readonly links?: readonly LinkPlan[];
  readonly onArrival?: BondedPathParts["onArrival"];
  readonly onBlock?: BondedPathParts["onBlock"];
  readonly playedAtUs?: BondedPathParts["playedAtUs"];
  readonly onSent?: BondedPathParts["onSent"];
}

/** Studio and receiver share a thread: what a busy machine keeps waiting is late, not lost. */
const maxStallMs = 3000;

/**
 * A bond over UDP on loopback, each link through a proxy that impairs it. Ports are whatever is free.
 *
 * @throws BondError `bond/bind-failed`, NetsimError `netsim/bind-failed`
 */
export async function bondOverLoopback(options: LiveLinksOptions): Promise<BondedPath> {
  const { seed, codec, links = defaultLinks } = options;
  const sockets: UdpSocket[] = [];
  // An address must name a port; the system is asked for a free one all the same.
  const openSocket = (request: SocketRequest): BondSocket => {
    const socket = new UdpSocket({ ...request, port: 0 });
    sockets.push(socket);
    return socket;
  };
  const receiver = createReceiver(
    { listen: "rist://@127.0.0.1:7000", bufferMs: bondBufferMs, maxStallMs },
    { openSocket },
  );
  await receiver.ready;
  const targetPort = sockets[0]!.localPort;
  const proxies: UdpProxy[] = [];
  try {
    for (const [i, { forward, backward }] of links.entries()) {
      proxies.push(await UdpProxy.open({ port: 0, targetPort, forward, backward, seed: seed + i }));
    }
    const sender = createSender({
      bufferMs: bondBufferMs + maxStallMs,
      firstSequence: 0,
      payloadType: 96,
      links: links.map(({ id }, i) => ({ id, to: `rist://127.0.0.1:${proxies[i]!.port}` })),
    });
    await sender.ready;
    return new BondedPath({
      codec,
      sender,
      receiver,
      bufferMs: bondBufferMs,
      links: links.map(({ id, name }, i) => ({
        id,
        name,
        forward: proxies[i]!.forward,
        backward: proxies[i]!.backward,
      })),
      close: () => {
        for (const proxy of proxies) proxy.close();
      },
      ...(options.onArrival !== undefined && { onArrival: options.onArrival }),
      ...(options.onBlock !== undefined && { onBlock: options.onBlock }),
      ...(options.playedAtUs !== undefined && { playedAtUs: options.playedAtUs }),
      ...(options.onSent !== undefined && { onSent: options.onSent }),
    });
  } catch (error) {
    receiver.close();
    for (const proxy of proxies) proxy.close();
    throw error;
  }
}
