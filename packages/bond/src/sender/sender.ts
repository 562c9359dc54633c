import { type Random, silentHooks } from "@longwave/base";
import { portableCrypto } from "../crypto/crypto-port.ts";
import type { BondEnvironment } from "../environment.ts";
import { BondError } from "../errors.ts";
import { RateMeter } from "../estimate/rate-meter.ts";
import { Feedback } from "../link/feedback.ts";
import type { RistProfile } from "../link/path.ts";
import { freshOf, type SenderSnapshot, snapshotVersion } from "../stats/link-snapshot.ts";
import { tunnelHeadroom } from "../wire/gre-tunnel.ts";
import { deleteNullPackets } from "../wire/null-packets.ts";
import { ristExtensionBytes, rtpHeaderBytes, writeRistExtension, writeRtpHeader } from "../wire/rtp.ts";
import { TimestampClock } from "../wire/timestamp-clock.ts";
import { DelayedCopies } from "./delayed-copies.ts";
import { NackHandler } from "./nack-handler.ts";
import { RetransmissionBudget } from "./retransmission-budget.ts";
import { RoundTripLesson } from "./round-trip-lesson.ts";
import { Scheduler } from "./scheduler.ts";
import { maxPayloadBytes, SendBuffer, slotBytes } from "./send-buffer.ts";
import type { SenderLink } from "./sender-link.ts";
import { SenderLinks } from "./sender-links.ts";
import { type ResolvedSenderOptions, resolveSenderOptions, type SenderOptions } from "./sender-options.ts";
import { type SenderStats, senderStats } from "./sender-stats.ts";
import { TailProbe } from "./tail-probe.ts";

/** Housekeeping period: estimation, life cycle, reports. */
const tickUs = 10_000;
/** A period that lasts this long means that the process got no CPU. */
const stalledUs = 60_000;
/** Shortest sleep while packets wait for pacing; timers are no finer than this anyway. */
const drainUs = 1_000;

/**
 * Sends one media stream over all its links at once: one RTP sequence space, repeats on request, new packets where they
 * are predicted to arrive first.
 *
 * ```ts
 * const sender = createSender({ links: [{ to: "rist://198.51.100.7:7000" }, { to: "rist://203.0.113.7:7000" }] });
 * sender.send(packet);
 * ```
 */
export class Sender {
  readonly #environment: BondEnvironment;
  readonly #options: ResolvedSenderOptions;
  readonly #buffer: SendBuffer;
  readonly #links: SenderLinks;
  readonly #scheduler: Scheduler;
  readonly #budget: RetransmissionBudget;
  readonly #copies = new DelayedCopies();
  readonly #lesson = new RoundTripLesson();
  /** New packets only: an allowance that grew with the repeats would feed itself. */
  readonly #streamRate = new RateMeter();
  readonly #tail = new TailProbe();
  readonly #feedback: Feedback;
  readonly #nacks: NackHandler;
  readonly #timestamps: TimestampClock;
  readonly #ssrc: number;
  readonly #headerBytes: number;
  #nextSequence: number;
  #timer = -1;
  #timerUs = Number.POSITIVE_INFINITY;
  #lastBudgetUs = 0;
  #isClosed = false;
  #payloadBytes = 0;
  #sent = 0;
  #dropped = 0;
  #lastRtpTimestamp = 0;

  /** Use `createSender`. */
  constructor(options: SenderOptions, environment: BondEnvironment) {
    const { clock, random } = environment;
    const resolved = resolveSenderOptions(options);
    const restored = freshOf(options.restore, clock.wallUs() / 1000);
    const nowUs = clock.nowUs();
    this.#environment = environment;
    this.#options = resolved;
    this.#buffer = new SendBuffer(resolved.maxBufferBytes);
    // The lowest bit marks repeats; an odd SSRC would make every packet one.
    this.#ssrc = (random.nextU32() & ~1) >>> 0;
    this.#nextSequence = 0x10000 + (options.firstSequence ?? firstSequence(random, resolved.profile));
    this.#timestamps = new TimestampClock(random.nextU32());
    this.#headerBytes =
      rtpHeaderBytes + (resolved.deleteNullPackets || resolved.extendedSequence ? ristExtensionBytes : 0);
    const cname = options.cname ?? `longwave-${this.#ssrc.toString(16)}`;
    this.#feedback = new Feedback(clock, this.#ssrc, cname);
    this.#links = new SenderLinks(
      options,
      resolved,
      environment,
      environment.crypto ?? portableCrypto(random),
      {
        onNack: (link, first, extra, form, atUs) => this.#nacks.take(link, first, extra, form, atUs),
        onBlock: (link, ssrc, highest, atUs) => this.#takeBlock(link, ssrc, highest, atUs),
        onOtherReceiver: () => this.#lesson.restart(),
        onBareRequests: (atUs) => this.#budget.expectBlindRequests(atUs),
        isNear: (first, extra) => this.#nacks.isNear(first, extra),
        feedback: this.#feedback,
      },
    );
    this.#scheduler = new Scheduler(this.#links.all, resolved.scheduler);
    this.#budget = new RetransmissionBudget(resolved.retransmissionFactor);
    this.#nacks = new NackHandler(this.#buffer, this.#links.all, resolved, {
      repeat: (slot, via, atUs) => {
        if (via.isUntimed) this.#teach(slot, via.path.rtt.minUs, atUs);
        this.#repeat(slot, atUs);
      },
      onSuspect: (link, atUs) => this.#resendUnproven(link, atUs),
      newest: () => this.#nextSequence - 1,
    });
    if (restored !== undefined) this.#restore(restored, nowUs);
    this.#schedule(nowUs);
  }

  /** Resolves when every socket is open; rejects with `bond/bind-failed`. */
  get ready(): Promise<void> {
    return this.#links.ready;
  }

  /** The stream's synchronization source. */
  get ssrc(): number {
    return this.#ssrc;
  }

  /**
   * Takes one media packet; the bytes are copied. Never blocks: while links are slower than the stream packets wait, and the
   * oldest are dropped when they can no longer be in time.
   * @param payload 1 to 1456 bytes; 1316 = 7 transport stream packets is usual
   * @param timestampUs media time in microseconds; default now on the environment's clock
   * @throws BondError `bond/packet-too-large`, `bond/closed`
   */
  send(payload: Uint8Array, timestampUs?: number): void {
    if (this.#isClosed) throw new BondError("bond/closed", "usage", "The sender is closed; make a new one.");
    if (payload.length === 0 || payload.length > maxPayloadBytes) throw tooLarge(payload.length);
    const nowUs = this.#environment.clock.nowUs();
    const sequence = this.#nextSequence++;
    const slot = this.#buffer.claim(sequence, nowUs, 1500 * this.#options.bufferMs);
    this.#write(slot, sequence, payload, this.#timestamps.at(timestampUs ?? nowUs));
    this.#payloadBytes += payload.length;
    this.#sent++;
    this.#streamRate.add(payload.length, nowUs);
    this.#tail.onPacket(nowUs);
    this.#dispatch(sequence, slot, nowUs);
  }

  /** The next packet does not follow the last one: a number is left out, which every receiver reports as a gap. */
  markDiscontinuity(): void {
    this.#nextSequence++;
  }

  /** A snapshot of counters and estimates. */
  stats(): SenderStats {
    return senderStats(this.#links.all, this.#environment.clock.nowUs(), {
      sent: this.#sent,
      payloadBytes: this.#payloadBytes,
      dropped: this.#dropped,
      nacksUnknown: this.#nacks.unknown,
      nacksExpired: this.#nacks.expired,
      nacksLimited: this.#nacks.limited,
      repeatsRefused: this.#budget.refused,
      faults: this.#links.faults,
      bufferBytes: this.#buffer.bytes.length,
    });
  }

  /** What was learned about the links, for `restore` of a later sender. */
  snapshot(): SenderSnapshot {
    const limits = this.#links.all.map((link) => {
      const { limitBps } = link.capacity;
      return [link.id, { capacityBps: Number.isFinite(limitBps) ? Math.round(limitBps) : null }];
    });
    const wallMs = Math.floor(this.#environment.clock.wallUs() / 1000);
    return { version: snapshotVersion, wallMs, links: Object.fromEntries(limits) };
  }

  /**
   * Changes a link while it runs.
   * @throws BondError `bond/bad-option` for an unknown id
   */
  tune(
    linkId: string,
    change: { readonly weight?: number; readonly maxBitrateBps?: number; readonly penaltyMs?: number },
  ): void {
    const link = this.#links.byId(linkId);
    if (change.weight !== undefined) link.weight = change.weight;
    if (change.maxBitrateBps !== undefined) link.limit(change.maxBitrateBps);
    if (change.penaltyMs !== undefined) link.penaltyMs = change.penaltyMs;
  }

  /** The interface of a link went away or changed its address: it starts over, and its packets go elsewhere. */
  detach(linkId: string, cause: string): void {
    const nowUs = this.#environment.clock.nowUs();
    const link = this.#links.byId(linkId);
    link.lifecycle.detach(cause, nowUs);
    this.#onTransition(link, nowUs);
  }

  /** Says goodbye (Main profile) and closes the sockets. Packets that still wait are dropped. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#timer >= 0) this.#environment.clock.cancel(this.#timer);
    this.#links.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #restore(snapshot: SenderSnapshot, nowUs: number): void {
    for (const link of this.#links.all) {
      const capacityBps = snapshot.links[link.id]?.capacityBps ?? null;
      if (capacityBps !== null) link.capacity.restore(capacityBps, nowUs);
      link.limit(link.maxBitrateBps);
    }
  }

  #write(slot: number, sequence: number, payload: Uint8Array, rtpTimestamp: number): void {
    const { bytes, end } = this.#buffer;
    const { deleteNullPackets: hasDeletion, extendedSequence, payloadType } = this.#options;
    const start = slot * slotBytes + tunnelHeadroom;
    const body = start + this.#headerBytes;
    const removed = hasDeletion ? deleteNullPackets(payload, 0, payload.length, bytes, body) : -1;
    if (removed < 0) bytes.set(payload, body);
    const hasExtension = this.#headerBytes > rtpHeaderBytes;
    const low = sequence % 0x10000;
    const at = writeRtpHeader(bytes, start, payloadType, false, low, rtpTimestamp, this.#ssrc, hasExtension);
    if (hasExtension) {
      const high = extendedSequence ? Math.floor(sequence / 0x10000) % 0x10000 : -1;
      writeRistExtension(bytes, at, high, removed < 0 ? -1 : removed & 0xffff);
    }
    end[slot] = body + (removed < 0 ? payload.length : removed >> 16);
    this.#lastRtpTimestamp = rtpTimestamp;
  }

  #dispatch(sequence: number, slot: number, nowUs: number): void {
    const links = this.#links.all;
    const length = this.#lengthOf(slot);
    const deadlineUs = nowUs + 1000 * this.#options.bufferMs;
    const isBroadcast = this.#options.scheduler.mode === "broadcast";
    const chosen = isBroadcast ? -1 : this.#scheduler.choose(length, nowUs, deadlineUs);
    for (let i = 0; i < links.length; i++) {
      const link = links[i]!;
      // Weight 0 duplicates on this link, as librist does.
      const isCopied = isBroadcast || link.weight === 0;
      const isWanted = i === chosen || (isCopied && link.tier(nowUs) < 2);
      if (isWanted || (!isCopied && link.takeProbe(nowUs))) this.#enqueue(link, sequence, slot, nowUs);
    }
    if (isBroadcast && this.#buffer.sends[slot] === 0) {
      for (let i = 0; i < links.length; i++) this.#enqueue(links[i]!, sequence, slot, nowUs);
    }
  }

  #enqueue(link: SenderLink, sequence: number, slot: number, nowUs: number): void {
    if (link.path.mediaPort === 0) return;
    link.fresh.push(sequence);
    link.queuedBytes += this.#lengthOf(slot);
    this.#drain(link, nowUs);
  }

  #repeat(slot: number, nowUs: number): void {
    const sequence = this.#buffer.sequence[slot]!;
    const length = this.#lengthOf(slot);
    if (!this.#budget.take(length)) return;
    const lostOn = this.#buffer.lastLink[slot]!;
    const index = this.#scheduler.chooseForRepeat(length, nowUs, lostOn);
    if (index < 0) return;
    const link = this.#links.all[index]!;
    link.repeats.push(sequence);
    link.queuedBytes += length;
    const round = this.#buffer.rounds[slot]! + 1;
    this.#buffer.rounds[slot] = Math.min(255, round);
    // A second copy where no further round can help, or, in robust mode, from the second round on.
    const arrivalUs = nowUs + link.oneWayUs;
    const roundUs = 1.05 * link.path.rtt.smoothedUs + 10_000;
    const isLast = arrivalUs + roundUs > this.#buffer.acceptedUs[slot]! + 1000 * this.#options.bufferMs;
    // A packet whose link died was not lost by chance; one repeat over a good link is enough.
    const wasDead = lostOn >= 0 && this.#links.all[lostOn]!.suspectUs >= 0;
    const wantsCopy = (isLast && !wasDead) || (this.#options.repeatCopies === "robust" && round >= 2);
    // Requests that waited for a rare report may not come again.
    const hasWaited = !this.#mayMeasure(slot, nowUs);
    this.#drain(link, nowUs);
    if (wantsCopy ? this.#budget.take(length) : hasWaited && this.#budget.takeSpare(length)) {
      this.#copies.push(sequence, nowUs);
      this.#schedule(this.#copies.nextUs);
    }
  }

  #sendCopies(nowUs: number): void {
    for (let sequence = this.#copies.due(nowUs); sequence >= 0; sequence = this.#copies.due(nowUs)) {
      const slot = this.#buffer.find(sequence);
      if (slot < 0) continue;
      const length = this.#lengthOf(slot);
      const first = this.#buffer.lastLink[slot]!;
      const second = this.#scheduler.chooseSecond(length, nowUs, first);
      const index = second >= 0 && this.#links.all[second]!.tier(nowUs) === 0 ? second : first;
      if (index >= 0) this.#sendCopy(index, slot, nowUs);
    }
    for (let sequence = this.#lesson.due(nowUs); sequence >= 0; sequence = this.#lesson.due(nowUs)) {
      const slot = this.#buffer.find(sequence);
      if (slot >= 0 && this.#budget.takeSpare(this.#lengthOf(slot)))
        this.#sendCopy(this.#buffer.lastLink[slot]!, slot, nowUs);
    }
  }

  #sendCopy(index: number, slot: number, nowUs: number): void {
    const link = this.#links.all[index]!;
    link.repeats.push(this.#buffer.sequence[slot]!);
    link.queuedBytes += this.#lengthOf(slot);
    this.#drain(link, nowUs);
  }

  #mayMeasure(slot: number, nowUs: number): boolean {
    const { sequence, acceptedUs } = this.#buffer;
    return this.#lesson.mayMeasure(sequence[slot]!, nowUs - acceptedUs[slot]!);
  }

  #teach(slot: number, roundTripUs: number, nowUs: number): void {
    const ageUs = nowUs - this.#buffer.acceptedUs[slot]!;
    if (this.#lesson.begin(this.#buffer.sequence[slot]!, ageUs, roundTripUs, nowUs))
      this.#schedule(this.#lesson.nextUs);
  }

  /** Sends what the link's pacing permits; repeats first. */
  #drain(link: SenderLink, nowUs: number): void {
    const bufferUs = 1000 * this.#options.bufferMs;
    while (link.repeats.length > 0 || link.fresh.length > 0) {
      if (link.nextSendUs > nowUs && link.pacingBps !== Number.POSITIVE_INFINITY) {
        link.waitedUs = nowUs;
        this.#schedule(Math.max(link.nextSendUs, nowUs + drainUs));
        return;
      }
      const isRepeat = link.repeats.length > 0;
      const sequence = isRepeat ? link.repeats.shift() : link.fresh.shift();
      const slot = this.#buffer.find(sequence);
      if (slot < 0) continue;
      link.queuedBytes = Math.max(0, link.queuedBytes - this.#lengthOf(slot));
      if (nowUs - this.#buffer.acceptedUs[slot]! > bufferUs) {
        if (!isRepeat) this.#dropped++;
        continue;
      }
      this.#transmit(link, slot, isRepeat, nowUs);
    }
    link.queuedBytes = 0;
  }

  #transmit(link: SenderLink, slot: number, isRepeat: boolean, nowUs: number): void {
    const buffer = this.#buffer;
    const start = slot * slotBytes + tunnelHeadroom;
    const end = buffer.end[slot]!;
    const lowSsrc = start + 11;
    const isMarked = isRepeat && this.#mayMeasure(slot, nowUs);
    buffer.bytes[lowSsrc] = (buffer.bytes[lowSsrc]! & 0xfe) | (isMarked ? 1 : 0);
    link.path.sendMedia(buffer.bytes, start, end);
    link.countSent(end - start, nowUs, 1000 * this.#options.burstMs);
    if (isRepeat) link.retransmissions++;
    if (buffer.sends[slot] === 0) {
      buffer.firstLink[slot] = link.index;
      buffer.linkBytes[slot] = link.bytesSent;
      buffer.firstNumber[slot] = link.transmissions;
    }
    buffer.sends[slot] = Math.min(255, buffer.sends[slot]! + 1);
    buffer.lastSentUs[slot] = nowUs;
    buffer.lastLink[slot] = link.index;
    buffer.linkNumber[slot] = link.transmissions;
    buffer.isCounted[slot] = 0;
    if (!isRepeat) link.lastFreshUs = nowUs;
  }

  /**
   * The link seems dead: what it was given since its last acknowledgement goes over the others at once, instead of after
   * one more round trip. Only for receivers that acknowledge, and only where another link is good.
   */
  #resendUnproven(dead: SenderLink, nowUs: number): void {
    if (dead.highestAcked < 0 || this.#scheduler.chooseSecond(0, nowUs, dead.index) < 0) return;
    const newest = this.#nextSequence - 1;
    const first = Math.max(dead.highestAcked + 1, newest - this.#buffer.mask);
    for (let sequence = first; sequence <= newest; sequence++) {
      const slot = this.#buffer.find(sequence);
      if (slot < 0 || this.#buffer.sends[slot] !== 1 || this.#buffer.lastLink[slot] !== dead.index) continue;
      this.#repeat(slot, nowUs);
    }
  }

  #repeatNewest(nowUs: number): void {
    const newest = this.#nextSequence - 1;
    const slot = this.#buffer.find(newest);
    if (slot < 0 || this.#buffer.sends[slot] === 0) return;
    for (const link of this.#links.all) if (link.highestAcked >= newest) return;
    this.#repeat(slot, nowUs);
  }

  /** A report block says how far this link's packets came. */
  #takeBlock(link: SenderLink, mediaSsrc: number, highest: number, nowUs: number): void {
    if (mediaSsrc !== this.#ssrc) return;
    const newest = this.#nextSequence - 1;
    const sequence = newest - ((newest - highest) & 0xffff);
    const slot = this.#buffer.find(sequence);
    if (slot < 0) return;
    link.clearSuspicion(this.#buffer.acceptedUs[slot]!);
    if (this.#buffer.firstLink[slot] !== link.index) return;
    link.acknowledge(sequence, this.#buffer.linkBytes[slot]!, this.#buffer.firstNumber[slot]!, nowUs);
  }

  #lengthOf(slot: number): number {
    return this.#buffer.end[slot]! - slot * slotBytes - tunnelHeadroom;
  }

  #schedule(atUs: number): void {
    if (atUs >= this.#timerUs || this.#isClosed) return;
    if (this.#timer >= 0) this.#environment.clock.cancel(this.#timer);
    this.#timerUs = atUs;
    this.#timer = this.#environment.clock.schedule(atUs, this.#onTimer);
  }

  readonly #onTimer = (): void => {
    this.#timer = -1;
    this.#timerUs = Number.POSITIVE_INFINITY;
    if (this.#isClosed) return;
    const nowUs = this.#environment.clock.nowUs();
    if (nowUs - this.#lastBudgetUs >= tickUs) this.#housekeep(nowUs);
    this.#sendCopies(nowUs);
    for (const link of this.#links.all) this.#drain(link, nowUs);
    this.#schedule(Math.min(this.#lastBudgetUs + tickUs, this.#copies.nextUs, this.#lesson.nextUs));
  };

  #housekeep(nowUs: number): void {
    const hasStalled = nowUs - this.#lastBudgetUs > stalledUs;
    this.#lastBudgetUs = nowUs;
    let sentBps = 0;
    let loss = 0;
    for (const link of this.#links.all) {
      if (hasStalled) link.capacity.distrust(nowUs, link.path.rtt.smoothedUs);
      if (link.update(nowUs, this.#links.leastQueueUs(link, nowUs))) this.#onTransition(link, nowUs);
      const bps = link.sentRate.bps(nowUs, 1_000_000);
      sentBps += bps;
      loss += bps * link.loss.loss(nowUs, link.feedbackLagUs);
    }
    const streamBps = this.#streamRate.bps(nowUs, 1_000_000);
    this.#budget.refill(nowUs, streamBps, sentBps > 0 ? loss / sentBps : 0);
    if (this.#tail.takeDue(nowUs)) this.#repeatNewest(nowUs);
    this.#links.report(nowUs, this.#lastRtpTimestamp, this.#sent, this.#payloadBytes, sentBps);
  }

  #onTransition(link: SenderLink, nowUs: number): void {
    const transition = link.lifecycle.lastTransition!;
    (this.#environment.hooks ?? silentHooks).log?.("info", "link state", { link: link.id, ...transition });
    if (transition.to !== "reset") return;
    // What waits here goes to the links that still work.
    for (let count = link.fresh.length; count > 0; count--) {
      const sequence = link.fresh.shift();
      const slot = this.#buffer.find(sequence);
      if (slot >= 0) this.#dispatch(sequence, slot, nowUs);
    }
    for (let sequence = link.repeats.shift(); sequence >= 0; sequence = link.repeats.shift()) {
      const slot = this.#buffer.find(sequence);
      const index = slot < 0 ? -1 : this.#scheduler.chooseForRepeat(this.#lengthOf(slot), nowUs, link.index);
      if (index < 0 || index === link.index) continue;
      this.#links.all[index]!.repeats.push(sequence);
      this.#drain(this.#links.all[index]!, nowUs);
    }
  }
}

/** Random, but in the Simple profile far from the numbers for which GStreamer's requests lose their header (0xa000 to 0xbfff). */
function firstSequence(random: Random, profile: RistProfile): number {
  return profile === "simple" ? 0xc000 + random.below(0x2000) : random.below(0x10000);
}

function tooLarge(length: number): BondError {
  return new BondError(
    "bond/packet-too-large",
    "usage",
    `A media packet has 1 to ${maxPayloadBytes} bytes, not ${length}; split it (1316 bytes fit every path).`,
  );
}

/** Makes a sender on the given environment; `@longwave/bond/node` has one that fills it in. */
export function createSenderOn(options: SenderOptions, environment: BondEnvironment): Sender {
  return new Sender(options, environment);
}
