import { CapacityEstimator } from "../estimate/capacity.ts";
import { DeliveryRate } from "../estimate/delivery-rate.ts";
import { LossMeter } from "../estimate/loss-meter.ts";
import { RateMeter } from "../estimate/rate-meter.ts";
import { UsualLoss } from "../estimate/usual-loss.ts";
import { type LifecycleOptions, LinkLifecycle } from "../link/link-lifecycle.ts";
import type { Path } from "../link/path.ts";
import { SequenceQueue } from "./sequence-queue.ts";

/** Bytes of IPv4, UDP, GRE and RTP around a payload: what a link carries beside it. */
export const perPacketOverheadBytes = 52;
const queueCapacity = 4096;
/** So many lost packets in a row are no coincidence even at 30 % loss (6 in a million). */
const suspectRun = 10;
/** Acknowledgements that advanced within this time show that the link carries media. */
const advancingUs = 80_000;
/** A suspect link gets a copy of a packet at first so often, then at doubling intervals. */
const firstProbeUs = 30_000;
const lastProbeUs = 1_000_000;
/** Peers that acknowledge nothing: suspicion ends after this time, doubling with each repeat. */
const blindSuspicionUs = 1_000_000;
const ramp = { startShare: 0.05, factor: 2 } as const;

/** How the scheduler may use a link now: 0 best. */
export type LinkTier = 0 | 1 | 2;

/** One link of a sender: its path, its queues, and everything that is estimated about it. */
export class SenderLink {
  readonly index: number;
  readonly id: string;
  readonly path: Path;
  readonly lifecycle: LinkLifecycle;
  readonly loss: LossMeter = new LossMeter();
  readonly capacity: CapacityEstimator = new CapacityEstimator();
  readonly delivery: DeliveryRate = new DeliveryRate();
  readonly sentRate: RateMeter = new RateMeter();
  readonly #lostRate = new RateMeter();
  readonly #usualLoss = new UsualLoss();
  /** Packets to repeat; they go before new ones. */
  readonly repeats: SequenceQueue = new SequenceQueue(queueCapacity);
  readonly fresh: SequenceQueue = new SequenceQueue(queueCapacity);
  readonly bufferMs: number;
  /** Share in DWRR mode; 0 duplicates everything here. */
  weight: number;
  /** Configured limit in bits per second. */
  maxBitrateBps: number;
  /** Bits per second that may be sent here now; Infinity without a limit. A field, so that reading it allocates nothing. */
  pacingBps: number;
  /** Milliseconds added to the predicted arrival: a way to make a link less welcome. */
  penaltyMs = 0;

  /** All bytes sent so far, first and repeated transmissions, with overhead. */
  bytesSent = 0;
  highestAcked = -1;
  ackedBytes = 0;
  /** Number of the transmission that was acknowledged last, and when that advanced. */
  ackedNumber = -1;
  lastAdvanceUs: number = Number.NEGATIVE_INFINITY;
  nextSendUs = 0;
  queuedBytes = 0;
  waitedUs: number = Number.NEGATIVE_INFINITY;
  shareCap = 1;
  shareCredit = 1;
  dwrrCredit = 0;
  scheduled = 0;
  recentShare = 0;
  /** When so many packets in a row were lost that the link must be dead; -1 otherwise. Ends with media that arrives. */
  suspectUs = -1;
  #suspicions = 0;
  #probeAtUs = 0;
  #probeIntervalUs = firstProbeUs;
  /** Packets that this link was given, new and repeated. */
  transmissions = 0;
  lastFreshUs: number = Number.NEGATIVE_INFINITY;
  #lostRun = 0;
  #lastLostNumber = -1;
  retransmissions = 0;
  nacksReceived = 0;
  prematureNacks = 0;
  /** The compound that is being read has a report block before its NACKs: acknowledgements are as fresh as requests. */
  hasReportWithNacks = false;
  proofAtAttachUs = 0;
  /** Source of the latest report with a block, or -1. */
  reporter = -1;
  /** The peer answers echo requests, so reports need not serve for the round trip. */
  hasEchoes = false;
  #previousRttUs = 0;
  #lastRttSeen = 0;
  #queueUs = 0;
  #rampAtUs = 0;

  constructor(
    index: number,
    id: string,
    path: Path,
    lifecycle: LifecycleOptions,
    weight: number,
    maxBitrateBps: number,
    bufferMs: number,
    nowUs: number,
  ) {
    this.index = index;
    this.id = id;
    this.path = path;
    this.lifecycle = new LinkLifecycle(lifecycle, nowUs);
    this.weight = weight;
    this.maxBitrateBps = maxBitrateBps;
    this.pacingBps = maxBitrateBps;
    this.bufferMs = bufferMs;
  }

  /** The peer reports, but answers no echo: it measures round trips in a way of its own, as GStreamer does. */
  get isUntimed(): boolean {
    return !this.hasEchoes && this.path.profile === "simple" && this.path.rtt.sampleCount > 0;
  }

  /** Changes the configured limit. */
  limit(maxBitrateBps: number): void {
    this.maxBitrateBps = maxBitrateBps;
    this.pacingBps = Math.min(maxBitrateBps, this.capacity.limitBps);
  }

  /** Queueing delay of the link in microseconds: latest round trips against the smallest. */
  get queueUs(): number {
    return this.#queueUs;
  }

  proofAgeUs(nowUs: number): number {
    return nowUs - Math.max(this.path.lastProofUs, this.proofAtAttachUs);
  }

  /** True while an answer came within three round trips or 300 ms. */
  isProven(nowUs: number): boolean {
    return (
      this.path.responses > 0 &&
      nowUs - this.path.lastProofUs <= Math.max(3 * this.path.rtt.smoothedUs, 300_000)
    );
  }

  tier(nowUs: number): LinkTier {
    const state = this.lifecycle.state;
    const isUp = state === "live" || state === "warm" || state === "degrade";
    if (isUp && this.suspectUs < 0 && this.isProven(nowUs)) return 0;
    if (state !== "init" && state !== "reset" && this.path.responses > 0 && this.isProven(nowUs)) return 1;
    return 2;
  }

  /** When a packet given now would leave, in microseconds. */
  freeUs(nowUs: number): number {
    const bps = this.pacingBps;
    if (bps === Number.POSITIVE_INFINITY) return nowUs;
    return Math.max(nowUs, this.nextSendUs) + (this.queuedBytes * 8e6) / bps;
  }

  /** Predicted one-way delay without our own queue: half the smallest round trip, and the queue in the network. */
  get oneWayUs(): number {
    return this.path.rtt.minUs / 2 + this.#queueUs;
  }

  /** Counts one transmission of `length` bytes. */
  countSent(length: number, nowUs: number, burstUs: number): void {
    this.transmissions++;
    const bytes = length + perPacketOverheadBytes;
    this.bytesSent += bytes;
    this.loss.countSent(nowUs);
    this.sentRate.add(bytes, nowUs);
    const bps = this.pacingBps;
    if (bps !== Number.POSITIVE_INFINITY) {
      this.nextSendUs = Math.max(this.nextSendUs, nowUs - burstUs) + (bytes * 8e6) / bps;
    }
  }

  /**
   * Transmission `number` of this link, sent at `sentUs`, was lost. Returns true if that makes the link suspect: it must be
   * avoided at once, before the life cycle has judged it.
   */
  countLost(number: number, sentUs: number, nowUs: number): boolean {
    this.loss.countLost(sentUs);
    this.#lostRate.add(this.bytesSent / this.transmissions, nowUs);
    this.#lostRun = number === this.#lastLostNumber + 1 ? this.#lostRun + 1 : 1;
    this.#lastLostNumber = number;
    if (this.#lostRun < suspectRun || this.suspectUs >= 0 || this.isAdvancing(nowUs)) return false;
    this.suspectUs = nowUs;
    this.#suspicions++;
    this.#probeIntervalUs = firstProbeUs;
    this.#probeAtUs = nowUs + this.#probeIntervalUs;
    return true;
  }

  /** True while acknowledgements show that media arrives over this link. */
  isAdvancing(nowUs: number): boolean {
    return nowUs - this.lastAdvanceUs < advancingUs;
  }

  /** True where a suspect link is due for a copy of a packet, which tells whether it carries media again. */
  takeProbe(nowUs: number): boolean {
    if (this.suspectUs < 0 || nowUs < this.#probeAtUs || !this.isProven(nowUs)) return false;
    this.#probeIntervalUs = Math.min(lastProbeUs, 2 * this.#probeIntervalUs);
    this.#probeAtUs = nowUs + this.#probeIntervalUs;
    return true;
  }

  /** The peer reports that this packet, accepted at `acceptedUs`, or a later one came over this link. */
  clearSuspicion(acceptedUs: number): void {
    if (this.suspectUs >= 0 && acceptedUs > this.suspectUs) this.suspectUs = -1;
  }

  /** The peer reports that packets up to here came over this link; the latest was transmission `number`. */
  acknowledge(sequence: number, bytesUpTo: number, number: number, nowUs: number): void {
    if (sequence <= this.highestAcked || bytesUpTo < this.ackedBytes) return;
    this.highestAcked = sequence;
    this.ackedBytes = bytesUpTo;
    this.ackedNumber = number;
    this.lastAdvanceUs = nowUs;
    this.delivery.add(nowUs, bytesUpTo);
  }

  /**
   * Re-estimates and judges; call it every 10 to 100 ms. Returns true if the life cycle moved.
   * @param commonQueueUs least queue of the other links that are up; Infinity without others
   */
  update(nowUs: number, commonQueueUs: number): boolean {
    const { rtt } = this.path;
    if (rtt.sampleCount !== this.#lastRttSeen) {
      // The smaller of two successive samples: one late answer is no queue.
      this.#queueUs = Math.max(0, Math.min(rtt.lastUs, this.#previousRttUs || rtt.lastUs) - rtt.minUs);
      this.#previousRttUs = rtt.lastUs;
      this.#lastRttSeen = rtt.sampleCount;
    }
    const loss = this.loss.loss(nowUs, this.feedbackLagUs);
    this.#usualLoss.add(loss, nowUs);
    this.#forgetBlindSuspicion(nowUs);
    this.capacity.update(
      nowUs,
      this.deliveredBps(nowUs, loss),
      // Without acknowledgements the two rates are the same; then every lasting queue must count.
      this.highestAcked < 0
        ? Number.POSITIVE_INFINITY
        : this.sentRate.bps(nowUs, this.#deliveryWindowUs(nowUs), rtt.lastUs),
      nowUs - rtt.lastSampleUs < 500_000 ? this.#queueUs : 0,
      commonQueueUs,
      rtt.jitterUs,
      rtt.smoothedUs,
      nowUs - this.waitedUs < 200_000,
      this.#hasDrops(nowUs),
    );
    this.limit(this.maxBitrateBps);
    const hasChanged = this.lifecycle.update(
      {
        rttUs: rtt.smoothedUs,
        queueUs: this.#queueUs,
        jitterUs: rtt.jitterUs,
        loss,
        bufferMs: this.bufferMs,
        proofAgeUs: this.proofAgeUs(nowUs),
        responses: this.path.responses,
      },
      nowUs,
    );
    if (hasChanged) this.#onTransition(nowUs);
    this.#rampShare(nowUs);
    return hasChanged;
  }

  /** Peers that acknowledge nothing cannot clear a link; it gets another chance after a while. */
  #forgetBlindSuspicion(nowUs: number): void {
    if (this.suspectUs < 0 || this.highestAcked >= 0) return;
    const waitUs = blindSuspicionUs * 2 ** Math.min(5, this.#suspicions - 1);
    if (nowUs - this.suspectUs <= waitUs) return;
    this.suspectUs = -1;
    this.shareCap = ramp.startShare;
    this.#rampAtUs = nowUs;
  }

  /** Time after which a report about a packet should have come. */
  get feedbackLagUs(): number {
    return this.path.rtt.smoothedUs + 4 * this.path.rtt.deviationUs + 60_000;
  }

  /** Rate that arrives at the peer in bits per second; 0 where nothing is known yet. */
  deliveredBps(nowUs: number, loss: number): number {
    if (this.highestAcked >= 0) {
      if (nowUs - this.delivery.lastSampleUs > 500_000) return 0;
      const windowUs = this.#deliveryWindowUs(nowUs);
      const acknowledgedBps = this.delivery.bps(windowUs);
      const lostBps = this.#lostRate.bps(nowUs, windowUs);
      // What a full queue dropped lies below the highest acknowledged number too; what the link loses anyway used it.
      const droppedBps = lostBps - (0.1 + this.#usualLoss.ratio) * acknowledgedBps;
      return droppedBps > 0
        ? Math.max(0, (1 + this.#usualLoss.ratio) * acknowledgedBps - lostBps)
        : acknowledgedBps;
    }
    // Peers that do not report progress: what was sent one queue ago, less what was lost. Random losses happen behind the
    // bottleneck and use it too; drops at a full queue do not.
    const kept = loss > 0.1 ? 1 - loss : 1;
    return this.sentRate.bps(nowUs, 500_000) * kept;
  }

  /** Losses jump above what this link loses anyway: a queue overflows. */
  #hasDrops(nowUs: number): boolean {
    const windowUs = this.#deliveryWindowUs(nowUs);
    const limit = (0.1 + 2.5 * this.#usualLoss.ratio) * this.delivery.bps(windowUs);
    return limit > 0 && this.#lostRate.bps(nowUs, windowUs) > limit;
  }

  /** While the link is full only that time counts. */
  #deliveryWindowUs(nowUs: number): number {
    const fullUs = this.capacity.fullForUs(nowUs);
    return fullUs === 0 ? 500_000 : Math.min(1_000_000, Math.max(200_000, fullUs));
  }

  #onTransition(nowUs: number): void {
    const { state } = this.lifecycle;
    if (state === "reset") {
      this.path.responses = 0;
      this.path.rtt.reset();
      this.path.reportsSent = 0;
      this.path.nextReportUs = nowUs;
      this.proofAtAttachUs = nowUs;
      this.capacity.reset();
      this.delivery.reset();
      this.loss.reset();
      this.#usualLoss.reset();
      this.suspectUs = -1;
      this.#queueUs = 0;
      this.#previousRttUs = 0;
    } else if (state === "warm") {
      this.shareCap = ramp.startShare;
      this.#rampAtUs = nowUs;
    } else if (state === "probe") this.proofAtAttachUs = nowUs;
  }

  /** From 5 % the permitted share doubles every round trip. */
  #rampShare(nowUs: number): void {
    if (this.shareCap >= 1 || nowUs - this.#rampAtUs < this.path.rtt.smoothedUs) return;
    this.shareCap = Math.min(1, this.shareCap * ramp.factor);
    this.#rampAtUs = nowUs;
  }
}
