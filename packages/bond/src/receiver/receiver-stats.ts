import type { ReceiverLink } from "./receiver-link.ts";

/** State and estimates of one link at the receiver. Rates in bits per second, times in milliseconds. */
export interface ReceiverLinkStats {
  readonly id: string;
  readonly address: string;
  readonly port: number;
  readonly alive: boolean;
  readonly rttMs: number;
  readonly jitterMs: number;
  /** Delay of this link beyond the fastest one, from recent arrivals. */
  readonly skewMs: number;
  /**
   * One-way delay of first transmissions over the last 10 to 20 s. Clocks are not compared: it is half of the smallest round trip of all
   * links, and what this link's packets took longer than the fastest.
   */
  readonly owdMs: { readonly p50: number; readonly p95: number; readonly p99: number };
  /** From the link's own datagram numbers (Main profile), 0 to 1. */
  readonly loss: number;
  readonly observedBps: number;
  readonly rxBytes: number;
  readonly txBytes: number;
  readonly rxPackets: number;
  readonly nacksSent: number;
}

/** Counters of the stream and of every link; `delivered + lost` is what the sender sent up to the playout point. */
export interface ReceiverStats {
  readonly delivered: number;
  readonly lost: number;
  /** Delivered packets that had been asked for. */
  readonly recovered: number;
  readonly duplicates: number;
  /** Packets that came after their slot. */
  readonly late: number;
  readonly outOfOrder: number;
  readonly discontinuities: number;
  readonly restarts: number;
  readonly queueDepth: number;
  readonly queueDropped: number;
  readonly missing: number;
  readonly bufferMs: number;
  readonly bufferBytes: number;
  /** From the arrival that the fastest path would have had to delivery, over the last 10 to 20 s. */
  readonly latencyMs: {
    readonly p50: number;
    readonly p95: number;
    readonly p99: number;
    readonly max: number;
  };
  /** Loss of first transmissions over all links. */
  readonly loss: number;
  readonly payloadBps: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly links: readonly ReceiverLinkStats[];
}

export function receiverLinkStats(links: readonly ReceiverLink[], nowUs: number): ReceiverLinkStats[] {
  let fastestUs = Number.POSITIVE_INFINITY;
  let leastRttUs = Number.POSITIVE_INFINITY;
  for (const link of links) {
    fastestUs = Math.min(fastestUs, link.fastestUs);
    if (link.path.rtt.sampleCount > 0) leastRttUs = Math.min(leastRttUs, link.path.rtt.minUs);
  }
  const fastestMs = Number.isFinite(leastRttUs) ? leastRttUs / 2000 : 0;
  return links.map((link) => ({
    id: link.id,
    address: link.path.address,
    port: link.path.controlPort,
    alive: link.isHeard(nowUs),
    rttMs: link.path.rtt.smoothedUs / 1000,
    jitterMs: link.jitterUs / 1000,
    skewMs: link.fastestUs === Number.POSITIVE_INFINITY ? 0 : (link.fastestUs - fastestUs) / 1000,
    owdMs: oneWayDelay(link, fastestMs),
    loss: link.datagramsExpected === 0 ? 0 : link.datagramsLost / link.datagramsExpected,
    observedBps: link.rate.bps(nowUs, 1_000_000),
    rxBytes: link.path.rxBytes,
    txBytes: link.path.txBytes,
    rxPackets: link.path.rxPackets,
    nacksSent: link.nacksSent,
  }));
}

function oneWayDelay(link: ReceiverLink, fastestMs: number): ReceiverLinkStats["owdMs"] {
  if (link.mediaPackets === 0) return { p50: 0, p95: 0, p99: 0 };
  const { p50, p95, p99 } = link.delays.summary();
  return { p50: fastestMs + p50, p95: fastestMs + p95, p99: fastestMs + p99 };
}
