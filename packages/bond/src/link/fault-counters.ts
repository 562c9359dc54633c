import { type Hooks, silentHooks } from "@longwave/base";
import { type WireFault, wireFaultNames } from "../wire/wire-fault.ts";

/** Counts what was refused, by cause. */
export class FaultCounters {
  readonly #hooks: Hooks;
  readonly #wire = new Int32Array(wireFaultNames.length);
  readonly #other = new Map<string, number>();

  constructor(hooks: Hooks | undefined) {
    this.#hooks = hooks ?? silentHooks;
  }

  /** Counts a datagram that could not be read; returns false, for the caller to return. */
  countWire(fault: WireFault): false {
    this.#wire[fault]!++;
    return false;
  }

  count(cause: string): void {
    this.#other.set(cause, (this.#other.get(cause) ?? 0) + 1);
  }

  /** One report for the first bad packet under a nonce; the rest is only counted. */
  reportBadKey(where: string): void {
    this.#hooks.log?.("warn", "packets cannot be decrypted: compare the passphrases and aes-type", { where });
  }

  /** How an exchange of EAP-SRP ended. */
  reportAuthentication(link: string, isSuccess: boolean, reason: string): void {
    if (isSuccess) this.#hooks.log?.("info", "authenticated", { link, username: reason });
    else {
      this.count("authentication");
      this.#hooks.log?.("warn", "authentication failed", { link, reason });
    }
  }

  /** Causes that occurred, with their counts. */
  snapshot(): Record<string, number> {
    const result: Record<string, number> = Object.fromEntries(this.#other);
    for (let i = 1; i < this.#wire.length; i++)
      if (this.#wire[i]! > 0) result[wireFaultNames[i]!] = this.#wire[i]!;
    return result;
  }
}
