import type { SrpOptions } from "../auth/link-authentication.ts";
import { badOption } from "../errors.ts";
import type { RistProfile } from "../link/path.ts";
import { checkRange, maxLinks } from "../sender/sender-options.ts";
import type { ReceiverSnapshot } from "../stats/link-snapshot.ts";
import type { NackFormat } from "./nack-writer.ts";

export interface ReceiverOptions extends SrpOptions {
  /**
   * Where to wait for senders, `rist://@host:port` (one address serves many links), and/or senders to call,
   * `rist://host:port` (Main profile). 1 to 16 addresses.
   */
  readonly listen: string | readonly string[];
  /** Default "main". */
  readonly profile?: RistProfile;
  /** Playout latency in milliseconds, 10 to 60,000; default from the address (`?buffer=`), else 1000. */
  readonly bufferMs?: number;
  /** Bounds of an adaptive latency; it is fixed at `bufferMs` where both are absent. */
  readonly minBufferMs?: number;
  readonly maxBufferMs?: number;
  /**
   * A process that is kept from running may put playout off by this much, instead of giving up what waits in its own
   * sockets; it comes back slowly. In milliseconds, 0 to 10,000; default 0: never late.
   */
  readonly maxStallMs?: number;
  /** Pre-shared key (Main profile); default from the address. */
  readonly secret?: string;
  readonly aesBits?: 128 | 256;
  readonly cname?: string;
  /** Copies of every NACK, 1 to 3; default "auto": as many as the measured loss needs. */
  readonly nackCopies?: "auto" | 1 | 2 | 3;
  /** Default "auto". */
  readonly nackFormat?: NackFormat;
  /** Residual loss that "auto" aims at; default 1e-4. */
  readonly targetResidual?: number;
  /** Packets that an async iterator may be behind before the oldest are dropped; default 2048. */
  readonly queuePackets?: number;
  /** Limit of the memory for waiting packets; default 64 MB. */
  readonly maxBufferBytes?: number;
  /** What `snapshot()` of an earlier receiver gave; used for ten minutes. */
  readonly restore?: ReceiverSnapshot;
}

/** Options with every default filled in, without addresses. */
export interface ResolvedReceiverOptions {
  readonly profile: RistProfile;
  readonly bufferMs: number;
  readonly minBufferMs: number;
  readonly maxBufferMs: number;
  readonly maxStallMs: number;
  readonly nackCopies: number;
  readonly nackFormat: NackFormat;
  readonly targetResidual: number;
  readonly queuePackets: number;
  readonly maxBufferBytes: number;
}

/**
 * @param uriBufferMs buffer of the first address that names one
 * @throws BondError `bond/bad-option`
 */
export function resolveReceiverOptions(
  options: ReceiverOptions,
  addressCount: number,
  uriBufferMs: number | undefined,
): ResolvedReceiverOptions {
  if (addressCount < 1 || addressCount > maxLinks)
    throw badOption("listen", addressCount, `1 to ${maxLinks} addresses`);
  checkRange("bufferMs", options.bufferMs, 10, 60_000);
  checkRange("minBufferMs", options.minBufferMs, 10, 60_000);
  checkRange("maxBufferMs", options.maxBufferMs, options.minBufferMs ?? 10, 60_000);
  checkRange("maxStallMs", options.maxStallMs, 0, 10_000);
  checkRange("targetResidual", options.targetResidual, 0, 1);
  checkRange("queuePackets", options.queuePackets, 1, 1_000_000);
  checkRange("maxBufferBytes", options.maxBufferBytes, 1_000_000, 1_000_000_000);
  const bufferMs = options.bufferMs ?? uriBufferMs ?? options.minBufferMs ?? 1000;
  const copies = options.nackCopies ?? "auto";
  if (copies !== "auto") checkRange("nackCopies", copies, 1, 3);
  return {
    profile: options.profile ?? "main",
    bufferMs,
    minBufferMs: options.minBufferMs ?? bufferMs,
    maxBufferMs: options.maxBufferMs ?? bufferMs,
    maxStallMs: options.maxStallMs ?? 0,
    nackCopies: copies === "auto" ? 0 : copies,
    nackFormat: options.nackFormat ?? "auto",
    targetResidual: options.targetResidual ?? 1e-4,
    queuePackets: options.queuePackets ?? 2048,
    maxBufferBytes: options.maxBufferBytes ?? 64_000_000,
  };
}
