import type { FaultCounters } from "../link/fault-counters.ts";
import type { LinkState, LinkTransition } from "../link/link-lifecycle.ts";
import type { SenderLink } from "./sender-link.ts";

/** State and estimates of one sender link. Rates in bits per second, times in milliseconds, ratios from 0 to 1. */
export interface SenderLinkStats {
  readonly id: string;
  readonly phase: LinkState;
  readonly lastTransition: LinkTransition | undefined;
  readonly alive: boolean;
  readonly rttMs: number;
  readonly minRttMs: number;
  /** Age of the last round-trip sample; Infinity without one. */
  readonly rttAgeMs: number;
  readonly jitterMs: number;
  readonly loss: number;
  readonly queueDelayMs: number;
  /** Rate sent over the last second, with repeats and headers. */
  readonly observedBps: number;
  /** Limit that pacing obeys; Infinity while the link was never full. */
  readonly capacityBps: number;
  readonly estimatedCapacityBps: number;
  readonly confidence: number;
  readonly weight: number;
  /** Part of the stream's new packets that this link carried lately. */
  readonly share: number;
  readonly penaltyMs: number;
  readonly txBytes: number;
  readonly rxBytes: number;
  readonly txPackets: number;
  readonly retransmissions: number;
  readonly nacksReceived: number;
  readonly prematureNacks: number;
  readonly queueDepth: number;
  readonly sendErrors: number;
}

/** Counters of the stream and of every link. */
export interface SenderStats {
  readonly sent: number;
  readonly payloadBytes: number;
  /** Packets given up because no link could carry them in time. */
  readonly dropped: number;
  readonly nacksUnknown: number;
  readonly nacksExpired: number;
  /** Requests ignored because too many came at once. */
  readonly nacksLimited: number;
  readonly repeatsRefused: number;
  readonly bufferBytes: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly links: readonly SenderLinkStats[];
  /** What an encoder may use: nine tenths of the capacity of the good links; Infinity while no limit is known. */
  readonly recommendedBps: number;
}

export function senderStats(
  links: readonly SenderLink[],
  nowUs: number,
  flow: Omit<SenderStats, "links" | "faults" | "recommendedBps"> & { readonly faults: FaultCounters },
): SenderStats {
  let capacityBps = 0;
  for (const link of links) if (link.tier(nowUs) === 0) capacityBps += link.pacingBps;
  return {
    ...flow,
    faults: flow.faults.snapshot(),
    links: links.map((link) => linkStats(link, nowUs)),
    recommendedBps: 0.9 * capacityBps,
  };
}

function linkStats(link: SenderLink, nowUs: number): SenderLinkStats {
  const { path, lifecycle, capacity } = link;
  return {
    id: link.id,
    phase: lifecycle.state,
    lastTransition: lifecycle.lastTransition,
    alive: link.tier(nowUs) < 2,
    rttMs: path.rtt.smoothedUs / 1000,
    minRttMs: path.rtt.minUs / 1000,
    rttAgeMs: (nowUs - path.rtt.lastSampleUs) / 1000,
    jitterMs: path.rtt.jitterUs / 1000,
    loss: link.loss.loss(nowUs, link.feedbackLagUs),
    queueDelayMs: link.queueUs / 1000,
    observedBps: link.sentRate.bps(nowUs, 1_000_000),
    capacityBps: link.pacingBps,
    estimatedCapacityBps: capacity.estimateBps,
    confidence: capacity.confidence(nowUs),
    weight: link.weight,
    share: link.recentShare,
    penaltyMs: link.penaltyMs,
    txBytes: path.txBytes,
    rxBytes: path.rxBytes,
    txPackets: path.txPackets,
    retransmissions: link.retransmissions,
    nacksReceived: link.nacksReceived,
    prematureNacks: link.prematureNacks,
    queueDepth: link.fresh.length + link.repeats.length,
    sendErrors: path.sendErrors,
  };
}
