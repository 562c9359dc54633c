import type { Hooks } from "@longwave/base";
import type { StatsSurroundings } from "@longwave/bond";
import { interfaceOf } from "@longwave/bond/node";

/** Warnings of libraries, one line each on standard error. */
export const warnings: Hooks = {
  log: (level, message, fields) => {
    if (level !== "warn" && level !== "error") return;
    const details = Object.entries(fields ?? {}).map(([key, value]) => `${key} ${String(value)}`);
    process.stderr.write(`longwave: ${message}${details.length > 0 ? ` (${details.join(", ")})` : ""}\n`);
  },
};

/** CPU time of this process and the interfaces of links with a local address, for statistics. */
export function surroundingsOf(localAddresses: ReadonlyMap<string, string> = new Map()): StatsSurroundings {
  let before = process.cpuUsage();
  let at = performance.now();
  return {
    cpuShare: () => {
      const used = process.cpuUsage(before);
      const elapsedMs = performance.now() - at;
      before = process.cpuUsage();
      at = performance.now();
      return elapsedMs > 0 ? (used.user + used.system) / 1000 / elapsedMs : 0;
    },
    interfaceOf: (linkId) => {
      const address = localAddresses.get(linkId);
      return address === undefined ? undefined : interfaceOf(address);
    },
  };
}
