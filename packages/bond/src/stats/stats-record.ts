import type { Clock } from "@longwave/base";
import type { ReceiverStats } from "../receiver/receiver-stats.ts";
import type { SenderStats } from "../sender/sender-stats.ts";

/** Version of the record; fields are fixed within a version. The schema is `schemas/stats-v1.json`. */
export const statsSchemaVersion = 1;

/** State of a budget: below 80 %, below 100 %, above. */
export type BudgetState = "ok" | "warn" | "alarm";

/** One statistics record as it goes over UDP, to standard output and into Prometheus. */
export interface StatsRecord {
  readonly schema_version: number;
  /** Grows by exactly one from record to record. */
  readonly stats_seq: number;
  readonly reason: "periodic" | "event";
  /** True on the fixed period, also where nothing has changed. */
  readonly heartbeat: boolean;
  /** Orders records, also when the wall clock jumps. */
  readonly mono_time_us: number;
  readonly wall_time_ms: number;
  readonly timestamp: string;
  readonly role: "sender" | "receiver";
  readonly stream_id: string;
  readonly flow: Readonly<Record<string, unknown>>;
  readonly links: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

const memoryBudgetBytes = 64_000_000;
/** Delivery may lag behind the playout latency by this much (timers, a busy machine). */
const latencyBudgetMs = 50;

/** What the surroundings know and the libraries do not. */
export interface StatsSurroundings {
  /** Part of one core that the stream used since the last call, 0 and up. */
  readonly cpuShare?: () => number;
  /** What the system says about a link's interface. */
  readonly interfaceOf?: (
    linkId: string,
  ) =>
    | { readonly iface?: string; readonly kind?: string; readonly mtu?: number; readonly operState?: string }
    | undefined;
}

/** Numbers records and turns snapshots into them. */
export class StatsRecorder {
  readonly #clock: Clock;
  readonly #streamId: string;
  readonly #surroundings: StatsSurroundings;
  #sequence = 0;
  #lastPayloadBytes = 0;
  #lastUs = 0;

  constructor(clock: Clock, streamId: string, surroundings: StatsSurroundings = {}) {
    this.#surroundings = surroundings;
    this.#clock = clock;
    this.#streamId = streamId;
  }

  sender(stats: SenderStats, reason: "periodic" | "event"): StatsRecord {
    const nowUs = this.#clock.nowUs();
    const elapsedUs = nowUs - this.#lastUs;
    const payloadBps = elapsedUs > 0 ? ((stats.payloadBytes - this.#lastPayloadBytes) * 8e6) / elapsedUs : 0;
    if (reason === "periodic") {
      this.#lastPayloadBytes = stats.payloadBytes;
      this.#lastUs = nowUs;
    }
    const alive = stats.links.filter((link) => link.alive);
    const carried = alive.reduce((sum, link) => sum + link.observedBps, 0);
    const flow = {
      payload_bps: Math.round(payloadBps),
      total_capacity_bps: alive.reduce((sum, link) => sum + Math.round(link.estimatedCapacityBps), 0),
      alive_links: alive.length,
      total_dead_drops: stats.dropped,
      sent: stats.sent,
      traffic_weighted_rtt_ms:
        carried === 0
          ? null
          : round(alive.reduce((sum, link) => sum + link.rttMs * link.observedBps, 0) / carried),
      queue_depth: stats.links.reduce((sum, link) => sum + link.queueDepth, 0),
      recommended_bps: finite(stats.recommendedBps),
      faults: stats.faults,
      budget: { memory: budget(stats.bufferBytes / memoryBudgetBytes), ...this.#cpuBudget() },
    };
    const links = stats.links.map((link) => [
      link.id,
      {
        ...this.#interface(link.id),
        phase: link.phase,
        last_transition: link.lastTransition ?? null,
        alive: link.alive,
        rtt_ms: round(link.rttMs),
        min_rtt_ms: round(link.minRttMs),
        rtt_age_ms: finite(link.rttAgeMs),
        loss: round(link.loss),
        jitter_ms: round(link.jitterMs),
        capacity_bps: finite(link.capacityBps),
        estimated_capacity_bps: Math.round(link.estimatedCapacityBps),
        confidence: round(link.confidence),
        observed_bps: Math.round(link.observedBps),
        tx_bytes: link.txBytes,
        rx_bytes: link.rxBytes,
        rtx_packets: link.retransmissions,
        nack_rx: link.nacksReceived,
        premature_nacks: link.prematureNacks,
        queue_depth: link.queueDepth,
        queue_delay_ms: round(link.queueDelayMs),
        penalty: link.penaltyMs,
        weight: link.weight,
        share: round(link.share),
        send_errors: link.sendErrors,
      },
    ]);
    return this.#record("sender", reason, flow, Object.fromEntries(links));
  }

  receiver(stats: ReceiverStats, reason: "periodic" | "event"): StatsRecord {
    const flow = {
      payload_bps: Math.round(stats.payloadBps),
      alive_links: stats.links.filter((link) => link.alive).length,
      delivered: stats.delivered,
      lost: stats.lost,
      recovered: stats.recovered,
      duplicates: stats.duplicates,
      late: stats.late,
      out_of_order: stats.outOfOrder,
      discontinuities: stats.discontinuities,
      buffer_ms: stats.bufferMs,
      queue_depth: stats.queueDepth,
      loss: round(stats.loss),
      faults: stats.faults,
      latency_ms: stats.latencyMs,
      budget: {
        memory: budget(stats.bufferBytes / memoryBudgetBytes),
        latency: budget((stats.latencyMs.p95 - stats.bufferMs) / latencyBudgetMs),
        ...this.#cpuBudget(),
      },
    };
    const links = stats.links.map((link) => [
      link.id,
      {
        alive: link.alive,
        rtt_ms: round(link.rttMs),
        jitter_ms: round(link.jitterMs),
        skew_ms: round(link.skewMs),
        owd_ms: { p50: round(link.owdMs.p50), p95: round(link.owdMs.p95), p99: round(link.owdMs.p99) },
        loss: round(link.loss),
        observed_bps: Math.round(link.observedBps),
        tx_bytes: link.txBytes,
        rx_bytes: link.rxBytes,
        nack_tx: link.nacksSent,
      },
    ]);
    return this.#record("receiver", reason, flow, Object.fromEntries(links));
  }

  #cpuBudget(): { readonly cpu?: BudgetState } {
    const share = this.#surroundings.cpuShare?.();
    return share === undefined ? {} : { cpu: budget(share) };
  }

  #interface(linkId: string): Readonly<Record<string, unknown>> {
    const hint = this.#surroundings.interfaceOf?.(linkId);
    if (hint === undefined) return {};
    const { iface, kind, mtu, operState } = hint;
    return {
      iface: iface ?? null,
      kind: kind ?? "unknown",
      mtu: mtu ?? null,
      os_up: operState === "up" ? true : operState === "down" ? false : null,
    };
  }

  #record(
    role: "sender" | "receiver",
    reason: "periodic" | "event",
    flow: StatsRecord["flow"],
    links: StatsRecord["links"],
  ): StatsRecord {
    const wallMs = Math.floor(this.#clock.wallUs() / 1000);
    return {
      schema_version: statsSchemaVersion,
      stats_seq: this.#sequence++,
      reason,
      heartbeat: reason === "periodic",
      mono_time_us: this.#clock.nowUs(),
      wall_time_ms: wallMs,
      timestamp: new Date(wallMs).toISOString(),
      role,
      stream_id: this.#streamId,
      flow,
      links,
    };
  }
}

function budget(used: number): BudgetState {
  return used > 1 ? "alarm" : used > 0.8 ? "warn" : "ok";
}

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}

/** JSON has no infinity: null stands for "no limit" or "never". */
function finite(value: number): number | null {
  return Number.isFinite(value) ? Math.round(value) : null;
}
