import { createSocket } from "node:dgram";
import { SystemClock } from "@longwave/base/node";
import {
  parseRistUri,
  type Sender,
  type SenderOptions,
  StatsRecorder,
  senderOptionsOf,
} from "@longwave/bond";
import { createSender, IsolatedSender, watchInterfaces } from "@longwave/bond/node";
import { printLine, progress } from "../output.ts";
import { untilStopped } from "../until-stopped.ts";
import { checkProfile, readConfiguration, readSrpUsers } from "./configuration.ts";
import { LinkError } from "./errors.ts";
import { type ObserveOptions, observe } from "./observe.ts";
import { keepHeapSmall } from "./small-heap.ts";
import { runSource } from "./source.ts";
import { surroundingsOf, warnings } from "./surroundings.ts";

interface SendOptions extends ObserveOptions {
  readonly source: string;
  readonly dest?: string;
  readonly bitrate: number;
  readonly gather: number;
  readonly profile?: string;
  readonly buffer?: number;
  readonly srpFile?: string;
  readonly firstSequence?: number;
  readonly npd?: boolean;
  readonly isolate?: boolean;
  readonly config?: string;
  readonly control?: number;
}

/** `longwave link send`: a source over all links until it ends or the command is stopped. */
export async function send(options: SendOptions): Promise<void> {
  keepHeapSmall();
  const config = readConfiguration(options.config);
  const base = senderOptionsOf(config);
  const profile = checkProfile(options.profile);
  const links = options.dest === undefined ? base.links : options.dest.split(",").map((to) => ({ to }));
  if (links.length === 0) {
    throw new LinkError(
      "link/no-destination",
      "usage",
      "Say where to send: --dest rist://host:port, or [[links]] in --config.",
    );
  }
  const stats = config.tables["stats"]!;
  const sender = await openSender(
    {
      ...base,
      links,
      ...(profile === undefined ? {} : { profile }),
      ...(options.buffer === undefined ? {} : { bufferMs: options.buffer }),
      ...readSrpUsers(options.srpFile, config),
      ...(options.firstSequence === undefined ? {} : { firstSequence: options.firstSequence }),
      ...(options.npd === true ? { deleteNullPackets: true } : {}),
    },
    options.isolate === true,
  );
  const addresses = localAddressesOf(links);
  const recorder = new StatsRecorder(new SystemClock(), sender.ssrc.toString(16), surroundingsOf(addresses));
  const stopWatching = watchInterfaces(
    sender,
    [...addresses].map(([id, localAddress]) => ({ id, localAddress })),
  );
  const statsDest = options.statsDest ?? (stats["dest"] as string | undefined);
  const stopObserving = await observe(
    async (reason) => recorder.sender(await sender.stats(), reason),
    {
      ...options,
      ...(statsDest === undefined ? {} : { statsDest }),
      intervalMs: stats["interval_ms"] as number,
    },
    printLine,
  );
  const closeControl = options.control === undefined ? () => undefined : openControl(sender, options.control);
  progress(`sending ${options.source} over ${links.length} links; Ctrl-C ends`);
  const abort = new AbortController();
  const stopped = untilStopped().then(() => abort.abort());
  try {
    await Promise.race([
      runSource(
        options.source,
        options.bitrate,
        options.gather,
        (packet) => sender.send(packet),
        abort.signal,
      ),
      stopped,
    ]);
    // Requests for the last packets still come for a while.
    if (!abort.signal.aborted) await Promise.race([pause(options.buffer ?? 1000), stopped]);
  } finally {
    abort.abort();
    stopObserving();
    stopWatching();
    closeControl();
    await sender.close();
  }
  // Standard input and signal handlers would keep the process alive.
  process.exit(0);
}

/** What this command uses of a sender, in this thread or in one of its own. */
interface RunningSender {
  readonly ssrc: number;
  send(packet: Uint8Array): void;
  stats(): ReturnType<Sender["stats"]> | Promise<ReturnType<Sender["stats"]>>;
  tune(...args: Parameters<Sender["tune"]>): void | Promise<void>;
  detach(...args: Parameters<Sender["detach"]>): void | Promise<void>;
  close(): void | Promise<void>;
}

/** Opens the sender; `isIsolated` keeps its timing from whatever the source does to this thread. */
async function openSender(options: SenderOptions, isIsolated: boolean): Promise<RunningSender> {
  const sender = isIsolated
    ? new IsolatedSender({ ...options, hooks: warnings })
    : createSender(options, { hooks: warnings });
  try {
    await sender.ready;
  } catch (error) {
    await sender.close();
    throw error;
  }
  return sender;
}

/** Local addresses of the links that name one, by the ids that they have. */
function localAddressesOf(
  links: readonly { readonly to: string; readonly id?: string; readonly localAddress?: string }[],
): ReadonlyMap<string, string> {
  const entries = links.map((link, index) => [
    link.id ?? `link-${index + 1}`,
    link.localAddress ?? parseRistUri(link.to).localAddress,
  ]);
  return new Map(entries.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** Live changes: `{"link": "link-1", "weight": 3}`, also `maxBitrateBps`, `penaltyMs`, `detach`. Answers with JSON. */
function openControl(sender: Pick<RunningSender, "tune" | "detach">, port: number): () => void {
  const socket = createSocket("udp4");
  socket.on("message", async (bytes, from) => {
    let answer: object;
    try {
      const { link, detach, ...change } = JSON.parse(bytes.toString()) as { link: string; detach?: boolean };
      if (detach === true) await sender.detach(link, "asked to");
      else await sender.tune(link, change);
      answer = { ok: true };
    } catch (error) {
      answer = { ok: false, error: (error as Error).message };
    }
    socket.send(JSON.stringify(answer), from.port, from.address);
  });
  socket.on("error", (error) => process.stderr.write(`longwave: control: ${error.message}\n`));
  socket.bind(port, "127.0.0.1");
  return () => socket.close();
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
