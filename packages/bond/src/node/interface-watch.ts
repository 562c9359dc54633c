import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import type { Sender } from "../sender/sender.ts";

const periodMs = 500;

/** What the system says about the interface of a link; absent fields are unknown, not bad. */
export interface InterfaceHint {
  readonly iface?: string;
  /** Linux only. */
  readonly operState?: "up" | "down" | "unknown";
  /** Largest IP packet in bytes; Linux only. */
  readonly mtu?: number;
  /** From the interface's name. */
  readonly kind: "loopback" | "wired" | "wireless" | "cellular" | "unknown";
}

/** Looks up the interface that has `address` now; undefined where none has it. */
export function interfaceOf(address: string): InterfaceHint | undefined {
  for (const [iface, addresses] of Object.entries(networkInterfaces())) {
    if (addresses?.some((each) => each.address === address) !== true) continue;
    const operState = readSys(iface, "operstate");
    const mtu = Number(readSys(iface, "mtu"));
    return {
      iface,
      kind: kindOf(iface),
      ...(operState === "up" || operState === "down" || operState === "unknown" ? { operState } : {}),
      ...(Number.isInteger(mtu) && mtu > 0 ? { mtu } : {}),
    };
  }
  return undefined;
}

/**
 * Watches the local addresses of links, twice a second: a link whose address disappears or whose interface goes down is detached at
 * once instead of after the silence that would show it. Returns the function that stops the watch.
 * @param links ids and local addresses; links without an address are left alone
 */
export function watchInterfaces(
  sender: Pick<Sender, "detach">,
  links: readonly { readonly id: string; readonly localAddress?: string }[],
  lookUp: (address: string) => InterfaceHint | undefined = interfaceOf,
): () => void {
  const isUp = new Map<string, boolean>();
  const look = () => {
    for (const { id, localAddress } of links) {
      if (localAddress === undefined || localAddress === "0.0.0.0" || localAddress === "::") continue;
      const hint = lookUp(localAddress);
      const now = hint !== undefined && hint.operState !== "down";
      if (!now && isUp.get(id) === true) {
        sender.detach(id, hint === undefined ? "address is gone" : "interface is down");
      }
      isUp.set(id, now);
    }
  };
  look();
  const timer = setInterval(look, periodMs);
  timer.unref();
  return () => clearInterval(timer);
}

function readSys(iface: string, file: string): string | undefined {
  try {
    return readFileSync(`/sys/class/net/${iface}/${file}`, "utf8").trim();
  } catch {
    return undefined;
  }
}

function kindOf(iface: string): InterfaceHint["kind"] {
  if (/^lo\d*$/.test(iface)) return "loopback";
  if (/^(eth|en)/.test(iface)) return "wired";
  if (/^(wlan|wl)/.test(iface)) return "wireless";
  if (/^(wwan|ww|ppp|usb|rmnet)/.test(iface)) return "cellular";
  return "unknown";
}
