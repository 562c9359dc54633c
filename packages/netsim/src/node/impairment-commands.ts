import { NetsimError } from "../errors.ts";
import { checkModel, type LinkModel } from "../link-model.ts";

/** A program with its arguments. */
export type SystemCommand = readonly [program: string, ...args: string[]];

/** What the system can do to packets that leave a device. */
export interface SystemAbilities {
  /** The queueing discipline `netem`: delay, jitter, loss, duplicates, corruption. */
  readonly hasNetem: boolean;
  /** The program `nft`: loss without `netem`. */
  readonly hasNft: boolean;
}

const packetBits = 8 * 1500;
/** Packets of netem's queue where no bottleneck says how many fit. */
const freeQueuePackets = 10_000;
/** Bytes that the token bucket lets through at once: ten packets. */
const burstBytes = 15_000;

/**
 * The commands that make `device` do what `model` says to everything it sends, one after the other, replacing what was before.
 * Loss by `nft` counts packets in ten thousandths.
 * @throws NetsimError `netsim/bad-model`; `netsim/unsupported` naming the first field that this system cannot do
 */
export function impairmentCommands(
  device: string,
  model: LinkModel,
  abilities: SystemAbilities,
): readonly SystemCommand[] {
  checkModel(model);
  const commands: SystemCommand[] = [["ip", "link", "set", "dev", device, "mtu", String(model.mtu ?? 1500)]];
  if (model.isUp === false) return [...commands, discipline(device, "blackhole")];
  if ((model.reorder ?? 0) > 0)
    throw unsupported("reorder", "the kernel reorders by sending early, not by holding back");
  if (abilities.hasNetem) return [...commands, discipline(device, "netem", ...netemArguments(model))];
  for (const field of ["delayMs", "jitterMs", "duplicate", "corrupt"] as const) {
    if ((model[field] ?? 0) > 0) throw unsupported(field, "the kernel has no netem");
  }
  const { rateBps, queueMs = 200, loss = 0 } = model;
  commands.push(
    rateBps === undefined
      ? discipline(device, "pfifo")
      : discipline(
          device,
          ...["tbf", "rate", `${Math.round(rateBps)}bit`, "burst", String(burstBytes)],
          ...["latency", `${Math.max(1, Math.round(queueMs))}ms`],
        ),
  );
  if (typeof loss !== "number") throw unsupported("loss", "bursts need netem");
  if (loss > 0 && !abilities.hasNft) throw unsupported("loss", "there is neither netem nor nft");
  if (abilities.hasNft) commands.push(...dropCommands(device, loss));
  return commands;
}

function discipline(device: string, ...args: string[]): SystemCommand {
  return ["tc", "qdisc", "replace", "dev", device, "root", ...args];
}

function netemArguments(model: LinkModel): string[] {
  const { delayMs = 0, jitterMs = 0, rateBps, queueMs = 200, loss = 0, duplicate = 0, corrupt = 0 } = model;
  const args = ["limit", String(queuePackets(rateBps, queueMs + delayMs + jitterMs))];
  // Jitter is added to the delay, uniform from 0; netem's is around the middle.
  if (delayMs + jitterMs > 0) {
    args.push("delay", `${delayMs + jitterMs / 2}ms`, ...(jitterMs > 0 ? [`${jitterMs / 2}ms`] : []));
  }
  if (typeof loss !== "number") {
    const { toBad, toGood, lossInBad = 1, lossInGood = 0 } = loss;
    args.push("loss", "gemodel", ...[toBad, toGood, 1 - lossInBad, lossInGood].map(percent));
  } else if (loss > 0) args.push("loss", percent(loss));
  if (duplicate > 0) args.push("duplicate", percent(duplicate));
  if (corrupt > 0) args.push("corrupt", percent(corrupt));
  if (rateBps !== undefined) args.push("rate", `${Math.round(rateBps)}bit`);
  return args;
}

function queuePackets(rateBps: number | undefined, milliseconds: number): number {
  if (rateBps === undefined) return freeQueuePackets;
  return Math.max(2, Math.ceil((rateBps * milliseconds) / 1000 / packetBits));
}

function dropCommands(device: string, loss: number): readonly SystemCommand[] {
  const table = ["inet", `longwave_${device}`];
  const commands: SystemCommand[] = [
    ["nft", "add", "table", ...table],
    ["nft", "delete", "table", ...table],
  ];
  if (loss === 0) return commands;
  const hook = "{ type filter hook output priority 0 ; }";
  const rule = `numgen random mod 10000 < ${Math.round(loss * 10_000)} drop`;
  return [
    ...commands,
    ["nft", "add", "table", ...table],
    ["nft", "add", "chain", ...table, "output", hook],
    ["nft", "add", "rule", ...table, "output", "oifname", device, ...rule.split(" ")],
  ];
}

function percent(ratio: number): string {
  return `${Number((100 * ratio).toFixed(4))}%`;
}

function unsupported(field: string, reason: string): NetsimError {
  return new NetsimError(
    "netsim/unsupported",
    "unsupported",
    `${field} cannot be had in network namespaces here: ${reason}. Use the UDP proxy or virtual time.`,
  );
}
