import { createInterface } from "node:readline";
import { burstLoss, type LinkModel } from "@longwave/netsim";
import { UdpProxy } from "@longwave/netsim/node";
import { printLine, progress } from "../output.ts";
import { untilStopped } from "../until-stopped.ts";
import { LinkError } from "./errors.ts";

interface ProxyOptions {
  readonly listen: number;
  readonly target: string;
  readonly delay: number;
  readonly jitter: number;
  readonly loss: number;
  readonly burst?: number;
  readonly rate?: number;
  readonly queue: number;
  readonly pair?: boolean;
  readonly seed: number;
  readonly json?: boolean;
}

/** `longwave link proxy`: an impaired link. A line such as `{"loss": 0.2}` or `{"isUp": false}` changes both directions. */
export async function proxy(options: ProxyOptions): Promise<void> {
  const cut = options.target.lastIndexOf(":");
  const targetPort = Number(options.target.slice(cut + 1));
  if (cut < 1 || !Number.isInteger(targetPort) || targetPort < 1) {
    throw new LinkError("link/bad-target", "usage", `The target is host:port, not ${options.target}.`);
  }
  const isBursty = options.burst !== undefined && options.loss > 0 && options.loss < 1;
  const forward: LinkModel = {
    delayMs: options.delay,
    jitterMs: options.jitter,
    loss: isBursty ? burstLoss(options.loss, options.burst!) : options.loss,
    rateBps: options.rate,
    queueMs: options.queue,
  };
  const running = await UdpProxy.open({
    address: "0.0.0.0",
    port: options.listen,
    targetAddress: options.target.slice(0, cut),
    targetPort,
    hasPair: options.pair === true,
    forward,
    backward: forward,
    seed: options.seed,
  });
  progress(`port ${running.port} -> ${options.target}; JSON lines change the link, Ctrl-C ends`);
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => {
    try {
      const change = JSON.parse(line) as LinkModel;
      running.forward.set(change);
      running.backward.set(change);
    } catch (error) {
      process.stderr.write(`longwave: ${(error as Error).message}\n`);
    }
  });
  const timer = setInterval(() => {
    if (options.json === true) printLine(JSON.stringify(running.counters()));
  }, 1000);
  await untilStopped();
  clearInterval(timer);
  const { forward: to, backward: back } = running.counters();
  progress(
    `${to.deliveredPackets} of ${to.offeredPackets} there, ${back.deliveredPackets} of ${back.offeredPackets} back`,
  );
  running.close();
  process.exit(0);
}
