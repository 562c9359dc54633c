import type { SrpOptions } from "../auth/link-authentication.ts";
import { badOption } from "../errors.ts";
import { defaultLifecycle, type LifecycleOptions } from "../link/link-lifecycle.ts";
import type { RistProfile } from "../link/path.ts";
import type { SenderSnapshot } from "../stats/link-snapshot.ts";
import { defaultScheduler, type SchedulerOptions } from "./scheduler.ts";

/** One link of a sender. */
export interface SenderLinkOptions {
  /** `rist://host:port`, or `rist://@host:port` to wait for the receiver (Main profile). */
  readonly to: string;
  /** Name in statistics; default `link-1`, `link-2`, ... */
  readonly id?: string;
  /** Local address to send from, which selects the interface. */
  readonly localAddress?: string;
  /** Share in DWRR mode, 1 to 1000; 0 duplicates every packet on this link; default from the address, else 5. */
  readonly weight?: number;
  /** Limit in bits per second; default none. */
  readonly maxBitrateBps?: number;
}

export interface SenderOptions extends SrpOptions {
  readonly links: readonly SenderLinkOptions[];
  /** Default "main". */
  readonly profile?: RistProfile;
  /** How long packets are kept for repeating, and what the receiver is expected to buffer; 10 to 60,000 ms, default 1000. */
  readonly bufferMs?: number;
  /** RTP payload type, 0 to 127; default 33 (MPEG transport stream). */
  readonly payloadType?: number;
  /** Pre-shared key (Main profile); default from the address. */
  readonly secret?: string;
  readonly aesBits?: 128 | 256;
  /** Removes null packets of transport streams; default false. */
  readonly deleteNullPackets?: boolean;
  /** Carries the upper 16 bits of the sequence number in every packet, for receivers that know the extension; default false. */
  readonly extendedSequence?: boolean;
  readonly cname?: string;
  /** First sequence number, 0 to 65535; default random (Simple profile: from 0xc000 to 0xdfff). */
  readonly firstSequence?: number;
  readonly scheduler?: Partial<SchedulerOptions>;
  readonly lifecycle?: Partial<LifecycleOptions>;
  /** "auto" repeats twice in the last possible round, "robust" from the second round on; default "auto". */
  readonly repeatCopies?: "auto" | "robust";
  /** Retransmissions allowed relative to the measured loss; default 1.5. */
  readonly retransmissionFactor?: number;
  /** Burst that pacing lets through, in milliseconds; default 10. */
  readonly burstMs?: number;
  /** What `snapshot()` of an earlier sender gave: limits of links with the same ids, as upper hints, for ten minutes. */
  readonly restore?: SenderSnapshot;
  /** Limit of the memory for stored packets; default 64 MB. */
  readonly maxBufferBytes?: number;
}

/** Options with every default filled in. */
export interface ResolvedSenderOptions {
  readonly profile: RistProfile;
  readonly bufferMs: number;
  readonly payloadType: number;
  readonly deleteNullPackets: boolean;
  readonly extendedSequence: boolean;
  readonly scheduler: SchedulerOptions;
  readonly lifecycle: LifecycleOptions;
  readonly repeatCopies: "auto" | "robust";
  readonly retransmissionFactor: number;
  readonly burstMs: number;
  readonly maxBufferBytes: number;
}

/** Most links of one sender or receiver. */
export const maxLinks = 16;

/** @throws BondError `bond/bad-option` naming option, value and range */
export function resolveSenderOptions(options: SenderOptions): ResolvedSenderOptions {
  if (options.links.length < 1 || options.links.length > maxLinks) {
    throw badOption("links", options.links.length, `1 to ${maxLinks} of them`);
  }
  for (const link of options.links) checkRange("weight", link.weight, 0, 1000);
  checkRange("bufferMs", options.bufferMs, 10, 60_000);
  checkRange("payloadType", options.payloadType, 0, 127);
  checkRange("firstSequence", options.firstSequence, 0, 65_535);
  checkRange("burstMs", options.burstMs, 1, 1000);
  checkRange("retransmissionFactor", options.retransmissionFactor, 0, 100);
  checkRange("maxBufferBytes", options.maxBufferBytes, 1_000_000, 1_000_000_000);
  return {
    profile: options.profile ?? "main",
    bufferMs: options.bufferMs ?? 1000,
    payloadType: options.payloadType ?? 33,
    deleteNullPackets: options.deleteNullPackets ?? false,
    extendedSequence: options.extendedSequence ?? false,
    scheduler: { ...defaultScheduler, ...options.scheduler },
    lifecycle: { ...defaultLifecycle, ...options.lifecycle },
    repeatCopies: options.repeatCopies ?? "auto",
    retransmissionFactor: options.retransmissionFactor ?? 1.5,
    burstMs: options.burstMs ?? 10,
    maxBufferBytes: options.maxBufferBytes ?? 64_000_000,
  };
}

/** @throws BondError `bond/bad-option` unless `value` is absent or from `least` to `most` */
export function checkRange(name: string, value: number | undefined, least: number, most: number): void {
  if (value === undefined || (value >= least && value <= most)) return;
  throw badOption(name, value, `from ${least} to ${most}`);
}
