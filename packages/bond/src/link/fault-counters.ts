import { type Hooks, silentHooks } from "@longwave/base";
import { WireFault, wireFaultNames } from "../wire/wire-fault.ts";

/** So many datagrams of one kind are no accident. */
const suspiciousCount = 50;

/** What to look at, said once, where a fault goes on. */
const hints: Readonly<Partial<Record<WireFault, string>>> = {
  [WireFault.version]:
    "many packets are in no known format: compare the profiles (main or simple) of both ends",
  [WireFault.key]:
    "many packets are refused: only one of the two ends has a passphrase, or the passphrases differ",
};

/** Counts what was refused, by cause. */
export class FaultCounters {
  readonly #hooks: Hooks;
  readonly #wire = new Int32Array(wireFaultNames.length);
  readonly #other = new Map<string, number>();
  #isKeyReported = false;

  constructor(hooks: Hooks | undefined) {
    this.#hooks = hooks ?? silentHooks;
  }

  /** Counts a datagram that could not be read; returns false, for the caller to return. */
  countWire(fault: WireFault): false {
    const count = ++this.#wire[fault]!;
    const hint = hints[fault];
    if (count === suspiciousCount && hint !== undefined && !this.#isKeyReported)
      this.#hooks.log?.("warn", hint);
    return false;
  }

  count(cause: string): void {
    this.#other.set(cause, (this.#other.get(cause) ?? 0) + 1);
  }

  /** One report for the first bad packet under a nonce; the rest is only counted. */
  reportBadKey(where: string): void {
    this.#isKeyReported = true;
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
