import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";
import { NetsimError } from "../errors.ts";
import type { LinkModel } from "../link-model.ts";
import { impairmentCommands, type SystemAbilities, type SystemCommand } from "./impairment-commands.ts";

const runFile = promisify(execFile);
/** Links of one pair of namespaces; the link's number is a byte of its addresses. */
const mostLinks = 16;
let made = 0;

/** The two ends of `NetworkNamespaces`. */
export type NamespaceEnd = "sender" | "receiver";

export interface NamespaceLinkOptions {
  /** From the sender's end to the receiver's. */
  readonly forward: LinkModel;
  /** Default: the forward model. */
  readonly backward?: LinkModel;
}

/** A pair of virtual Ethernet devices between the namespaces. */
export class NamespaceLink {
  readonly senderAddress: string;
  readonly receiverAddress: string;
  readonly #device: string;
  readonly #run: (end: NamespaceEnd, command: SystemCommand) => Promise<void>;
  readonly #abilities: SystemAbilities;

  /** @internal */
  constructor(
    index: number,
    abilities: SystemAbilities,
    run: (end: NamespaceEnd, command: SystemCommand) => Promise<void>,
  ) {
    this.senderAddress = `10.77.${index}.1`;
    this.receiverAddress = `10.77.${index}.2`;
    this.#device = `lw${index}`;
    this.#abilities = abilities;
    this.#run = run;
  }

  /**
   * Changes what happens to packets that leave `end`.
   * @throws NetsimError `netsim/bad-model`, `netsim/unsupported`, `netsim/command-failed`
   */
  async set(end: NamespaceEnd, model: LinkModel): Promise<void> {
    for (const command of impairmentCommands(this.#device, model, this.#abilities))
      await this.#run(end, command);
  }
}

/**
 * Two network namespaces of the Linux kernel with impaired links between them: real sockets, real queues, no proxy. It needs root (or
 * CAP_SYS_ADMIN and CAP_NET_ADMIN) and the programs `ip` and `tc`; delay and bursts need a kernel with `netem`, loss needs that or `nft`.
 *
 * ```ts
 * const lab = await NetworkNamespaces.open([{ forward: { rateBps: 6e6 } }, { forward: { rateBps: 3e6 } }]);
 * const [program, ...args] = lab.command("receiver", ["longwave", "link", "receive", "--bind", "rist://@0.0.0.0:7000"]);
 * await lab.links[0].set("sender", { isUp: false });
 * await lab.close();
 * ```
 */
export class NetworkNamespaces {
  readonly links: readonly NamespaceLink[];
  readonly #names: Readonly<Record<NamespaceEnd, string>>;

  private constructor(names: Readonly<Record<NamespaceEnd, string>>, links: readonly NamespaceLink[]) {
    this.#names = names;
    this.links = links;
  }

  /** True where this process may make namespaces and shape what they send. */
  static isPermitted(): boolean {
    const name = `lw-try-${process.pid}`;
    const run = (...args: string[]) => spawnSync("ip", args, { stdio: "ignore" }).status === 0;
    if (!run("netns", "add", name)) return false;
    const isPermitted =
      run("-n", name, "link", "add", "lw0", "type", "veth", "peer", "name", "lw1") &&
      run("netns", "exec", name, "tc", "qdisc", "replace", "dev", "lw0", "root", "blackhole");
    run("netns", "del", name);
    return isPermitted;
  }

  /** @throws NetsimError `netsim/bad-model`, `netsim/unsupported`, `netsim/command-failed` */
  static async open(links: readonly NamespaceLinkOptions[]): Promise<NetworkNamespaces> {
    if (links.length < 1 || links.length > mostLinks) {
      throw new NetsimError(
        "netsim/bad-model",
        "usage",
        `There are 1 to ${mostLinks} links, not ${links.length}.`,
      );
    }
    const prefix = `lw-${process.pid}-${++made}`;
    const names = { sender: `${prefix}-s`, receiver: `${prefix}-r` };
    const run = (end: NamespaceEnd, command: SystemCommand) =>
      execute(["ip", "netns", "exec", names[end], ...command]);
    try {
      for (const name of Object.values(names)) await execute(["ip", "netns", "add", name]);
      const abilities = await findAbilities(names.sender);
      const opened = links.map((_, index) => new NamespaceLink(index, abilities, run));
      for (const [index, link] of opened.entries()) {
        const device = `lw${index}`;
        const pair = ["link", "add", device, "type", "veth", "peer", "name", device, "netns", names.receiver];
        await execute(["ip", "-n", names.sender, ...pair]);
        for (const end of ["sender", "receiver"] as const) {
          const address = end === "sender" ? link.senderAddress : link.receiverAddress;
          await execute(["ip", "-n", names[end], "address", "add", `${address}/30`, "dev", device]);
          await execute(["ip", "-n", names[end], "link", "set", "dev", device, "up"]);
        }
        await link.set("sender", links[index]!.forward);
        await link.set("receiver", links[index]!.backward ?? links[index]!.forward);
      }
      return new NetworkNamespaces(names, opened);
    } catch (error) {
      await remove(names);
      throw error;
    }
  }

  /** The command that runs `command` inside a namespace. */
  command(end: NamespaceEnd, command: readonly string[]): SystemCommand {
    return ["ip", "netns", "exec", this.#names[end], ...command];
  }

  /** Removes both namespaces with everything in them; processes inside lose their network. */
  close(): Promise<void> {
    return remove(this.#names);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

async function remove(names: Readonly<Record<NamespaceEnd, string>>): Promise<void> {
  for (const name of Object.values(names)) await execute(["ip", "netns", "del", name]).catch(() => undefined);
}

/** Tries the discipline on the loopback device of a namespace. */
async function findAbilities(name: string): Promise<SystemAbilities> {
  const works = (command: SystemCommand) =>
    execute(["ip", "netns", "exec", name, ...command]).then(
      () => true,
      () => false,
    );
  const hasNetem = await works(["tc", "qdisc", "replace", "dev", "lo", "root", "netem", "delay", "1ms"]);
  return { hasNetem, hasNft: await works(["nft", "list", "tables"]) };
}

async function execute(command: SystemCommand): Promise<void> {
  const [program, ...args] = command;
  try {
    await runFile(program, args, { timeout: 10_000 });
  } catch (cause) {
    const { stderr = "", message } = cause as Error & { stderr?: string };
    throw new NetsimError(
      "netsim/command-failed",
      "unavailable",
      `${command.join(" ")}: ${stderr.trim() || message}. Network namespaces need root, iproute2 and a Linux kernel with them.`,
      { cause },
    );
  }
}
