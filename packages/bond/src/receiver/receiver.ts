import { silentHooks } from "@longwave/base";
import { portableCrypto } from "../crypto/crypto-port.ts";
import type { BondEnvironment } from "../environment.ts";
import { LatencyMeter } from "../estimate/latency-meter.ts";
import { RateMeter } from "../estimate/rate-meter.ts";
import { Feedback } from "../link/feedback.ts";
import { freshOf, type ReceiverSnapshot, snapshotVersion } from "../stats/link-snapshot.ts";
import { restoreNullPackets } from "../wire/null-packets.ts";
import { parseRistUri } from "../wire/rist-uri.ts";
import { RtpHeader } from "../wire/rtp.ts";
import { sequenceModulus, unwrapNear } from "../wire/sequence.ts";
import { TimestampUnwrapper } from "../wire/timestamp-clock.ts";
import { WireFault } from "../wire/wire-fault.ts";
import { AdaptiveLatency } from "./adaptive-latency.ts";
import { LossDetector } from "./loss-detector.ts";
import { NackWriter } from "./nack-writer.ts";
import { PacketQueue, type ReceivedPacket } from "./packet-queue.ts";
import { PlayoutClock } from "./playout-clock.ts";
import { ReceiveBuffer, receiveSlotBytes } from "./receive-buffer.ts";
import type { ReceiverLink } from "./receiver-link.ts";
import { ReceiverLinks } from "./receiver-links.ts";
import { type ReceiverOptions, resolveReceiverOptions } from "./receiver-options.ts";
import { type ReceiverStats, receiverLinkStats } from "./receiver-stats.ts";
import { StallGrace } from "./stall-grace.ts";

/** Period of playout, requests and reports. */
const tickUs = 4_000;
/** Without a stream there is only housekeeping. */
const idleTickUs = 20_000;
/** A jump of this many numbers or of this much time is a restart, once several packets agree on it. */
const restartTimeUs = 3_000_000;
const restartVotes = 3;
/** Extended numbers start here, so that numbers before the first packet stay positive. */
const firstEpoch = 0x10000 * 16;
/** A stream that is silent for this long may be replaced by another source at once. */
const replaceUs = 200_000;

/** What a handler learns about a packet; the object is reused for the next one. */
export interface PacketInfo {
  sequence: number;
  timeUs: number;
  isDiscontinuity: boolean;
}

/** Gets `bytes[start, end)`, valid only during the call. */
export type PacketHandler = (bytes: Uint8Array, start: number, end: number, info: PacketInfo) => void;

/**
 * Rebuilds one media stream from all links: strictly in order, each packet at media time + latency, never late, never
 * twice; what is missing then is skipped and the next packet carries a discontinuity.
 *
 * ```ts
 * const receiver = createReceiver({ listen: "rist://@0.0.0.0:7000", bufferMs: 500 });
 * for await (const packet of receiver) player.write(packet.payload);
 * ```
 */
export class Receiver {
  readonly #environment: BondEnvironment;
  readonly #buffer: ReceiveBuffer;
  readonly #links: ReceiverLinks;
  readonly #feedback: Feedback;
  readonly #nacks: NackWriter;
  readonly #detector: LossDetector;
  readonly #playout = new PlayoutClock();
  readonly #timestamps = new TimestampUnwrapper();
  readonly #header = new RtpHeader();
  readonly #queue: PacketQueue;
  readonly #rate = new RateMeter();
  readonly #latencies = new LatencyMeter();
  readonly #info: PacketInfo = { sequence: 0, timeUs: 0, isDiscontinuity: false };
  readonly #restored = new Uint8Array(receiveSlotBytes);
  #handler: PacketHandler | undefined;
  #isIterated = false;
  #ssrc = -1;
  #jumpVotes = 0;
  #highest = -1;
  #nextPlay = -1;
  #lastPacketUs: number = Number.NEGATIVE_INFINITY;
  #bufferUs: number;
  readonly #latency: AdaptiveLatency;
  readonly #grace: StallGrace;
  #isClosed = false;
  #timer = -1;
  #timerAtUs: number;
  #timerRanUs: number;
  #hasGap = false;
  #delivered = 0;
  #lost = 0;
  #recovered = 0;
  #duplicates = 0;
  #late = 0;
  #discontinuities = 0;
  #restarts = 0;

  /** Use `createReceiver`. */
  constructor(options: ReceiverOptions, environment: BondEnvironment) {
    const { clock, random } = environment;
    const addresses = typeof options.listen === "string" ? [options.listen] : options.listen;
    const uris = addresses.map(parseRistUri);
    const uriBufferMs = uris.find((uri) => uri.bufferMs !== undefined)?.bufferMs;
    const resolved = resolveReceiverOptions(options, uris.length, uriBufferMs);
    const restored = freshOf(options.restore, clock.wallUs() / 1000);
    this.#environment = environment;
    this.#bufferUs = 1000 * resolved.bufferMs;
    this.#latency = new AdaptiveLatency(1000 * resolved.minBufferMs, 1000 * resolved.maxBufferMs);
    this.#grace = new StallGrace(1000 * resolved.maxStallMs);
    this.#buffer = new ReceiveBuffer(resolved.maxBufferBytes);
    this.#queue = new PacketQueue(resolved.queuePackets);
    const ssrc = (random.nextU32() & ~1) >>> 0;
    this.#feedback = new Feedback(clock, ssrc, options.cname ?? `longwave-${ssrc.toString(16)}`);
    this.#nacks = new NackWriter(this.#feedback, resolved.nackFormat);
    const crypto = environment.crypto ?? portableCrypto(random);
    this.#links = new ReceiverLinks(uris, options, resolved, environment, crypto, {
      feedback: this.#feedback,
      onMedia: (link, bytes, start, end, nowUs) => this.#onMedia(link, bytes, start, end, nowUs),
    });
    this.#detector = new LossDetector(
      this.#buffer,
      this.#links.all,
      this.#nacks,
      resolved.nackCopies,
      resolved.targetResidual,
    );
    if (restored !== undefined) {
      const { loss, reorderMs, bufferMs } = restored;
      this.#detector.restore(loss, 1000 * reorderMs);
      // A latency that adapts starts where it had come to.
      const most = resolved.maxBufferMs;
      if (this.#latency.isAdaptive) this.bufferMs = Math.max(resolved.minBufferMs, Math.min(most, bufferMs));
    }
    this.#timerRanUs = clock.nowUs();
    this.#timerAtUs = this.#timerRanUs + tickUs;
    this.#timer = clock.schedule(this.#timerAtUs, this.#onTimer);
  }

  /** Resolves when every socket is open; rejects with `bond/bind-failed`. */
  get ready(): Promise<void> {
    return this.#links.ready;
  }

  /** Sets the one handler of packets; it runs at playout time and must not throw. */
  onPacket(handler: PacketHandler): void {
    this.#handler = handler;
  }

  /** Packets as copies; a consumer that falls behind loses the oldest and sees a discontinuity. */
  [Symbol.asyncIterator](): AsyncGenerator<ReceivedPacket, void, void> {
    this.#isIterated = true;
    return this.#queue.drain();
  }

  /** Playout latency in milliseconds; may be changed while running within 10 to 60,000. */
  get bufferMs(): number {
    return this.#bufferUs / 1000;
  }

  set bufferMs(value: number) {
    this.#bufferUs = 1000 * Math.min(60_000, Math.max(10, value));
  }

  /** A snapshot of counters and estimates. */
  stats(): ReceiverStats {
    const nowUs = this.#environment.clock.nowUs();
    return {
      delivered: this.#delivered,
      lost: this.#lost,
      recovered: this.#recovered,
      duplicates: this.#duplicates,
      late: this.#late,
      outOfOrder: 0,
      discontinuities: this.#discontinuities,
      restarts: this.#restarts,
      queueDepth: this.#queue.length,
      queueDropped: this.#queue.dropped,
      missing: this.#buffer.missingCount,
      bufferMs: this.bufferMs,
      bufferBytes: this.#buffer.bytes.length,
      latencyMs: this.#latencies.summary(),
      loss: this.#detector.loss,
      payloadBps: this.#rate.bps(nowUs, 1_000_000),
      faults: this.#links.faults.snapshot(),
      links: receiverLinkStats(this.#links.all, nowUs),
    };
  }

  /** What was learned about the path, for `restore` of a later receiver. */
  snapshot(): ReceiverSnapshot {
    return {
      version: snapshotVersion,
      wallMs: Math.floor(this.#environment.clock.wallUs() / 1000),
      bufferMs: this.bufferMs,
      loss: this.#detector.loss,
      reorderMs: this.#detector.reorderUs / 1000,
    };
  }

  /** Says goodbye (Main profile) and closes the sockets; packets that wait are dropped. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#environment.clock.cancel(this.#timer);
    this.#links.close();
    this.#queue.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #onMedia(link: ReceiverLink, bytes: Uint8Array, start: number, end: number, nowUs: number): boolean {
    const header = this.#header;
    if (header.parse(bytes, start, end) !== WireFault.none) return false;
    if (header.payloadEnd - header.payloadStart > receiveSlotBytes) return false;
    link.lastMediaUs = nowUs;
    link.rate.add(end - start, nowUs);
    if (header.ssrc !== this.#ssrc && !this.#admitSource(nowUs)) return true;
    this.#lastPacketUs = nowUs;
    const sequence = this.#extend();
    const timeUs = this.#timestamps.timeUs(header.timestamp | 0);
    if (this.#isJump(sequence, timeUs, nowUs)) return true;
    if (!header.isRetransmission) {
      link.addOriginal(sequence, timeUs, nowUs);
      this.#playout.add(timeUs, nowUs, this.#bufferUs);
      link.delays.add(nowUs - timeUs - this.#playout.offsetUs, nowUs);
    }
    this.#store(link, sequence, timeUs, bytes, nowUs);
    return true;
  }

  /** Decides about a packet of another source; true where the stream now is that source's. */
  #admitSource(nowUs: number): boolean {
    const { ssrc, isRetransmission } = this.#header;
    if (isRetransmission) return false;
    if (this.#ssrc >= 0 && nowUs - this.#lastPacketUs < replaceUs) {
      // Two senders at once: the first one keeps the stream.
      return false;
    }
    this.#restart(ssrc, this.#ssrc >= 0 ? "another source" : "first packet");
    return true;
  }

  #restart(ssrc: number, cause: string): void {
    const { hooks } = this.#environment;
    (hooks ?? silentHooks).log?.("info", "stream starts", { ssrc, cause });
    if (this.#ssrc >= 0) this.#restarts++;
    this.#hasGap = this.#ssrc >= 0 || this.#hasGap;
    this.#ssrc = ssrc;
    this.#nacks.mediaSsrc = ssrc;
    this.#nacks.hasExtendedSequence = false;
    this.#buffer.clear();
    this.#playout.reset();
    this.#timestamps.reset();
    this.#highest = -1;
    this.#nextPlay = -1;
    this.#jumpVotes = 0;
    for (const link of this.#links.all) link.resetStream();
  }

  #extend(): number {
    const { sequence, sequenceHigh } = this.#header;
    const near =
      this.#highest < 0 ? firstEpoch + sequence : unwrapNear(sequence, this.#highest, sequenceModulus);
    if (sequenceHigh < 0) return near;
    this.#nacks.hasExtendedSequence = true;
    const full = sequenceHigh * 0x10000 + sequence;
    const epoch = 0x1_0000_0000;
    return this.#highest < 0 ? epoch + full : unwrapNear(full, this.#highest, epoch);
  }

  /** True where the packet does not belong to the window; enough of them restart the stream. */
  #isJump(sequence: number, timeUs: number, nowUs: number): boolean {
    if (this.#highest < 0) return false;
    const isFar = sequence > this.#highest + 20_000 || sequence < this.#highest - 32_000;
    const drift = Math.abs(nowUs - timeUs - this.#playout.offsetUs);
    const isOutOfTime = drift > restartTimeUs + this.#bufferUs;
    if (!isFar && !isOutOfTime && this.#buffer.ensure(Math.max(1, sequence - this.#nextPlay + 1))) {
      this.#jumpVotes = 0;
      return false;
    }
    if (this.#header.isRetransmission) return true;
    if (++this.#jumpVotes >= restartVotes) this.#restart(this.#ssrc, "jump");
    return true;
  }

  #store(link: ReceiverLink, sequence: number, timeUs: number, bytes: Uint8Array, nowUs: number): void {
    const buffer = this.#buffer;
    const { payloadStart, payloadEnd, isRetransmission } = this.#header;
    if (this.#highest < 0) {
      this.#highest = sequence;
      this.#nextPlay = sequence;
    } else if (sequence > this.#highest) {
      for (let each = this.#highest + 1; each < sequence; each++) buffer.addMissing(each, nowUs, timeUs);
      this.#detector.countExpected(sequence - this.#highest);
      this.#highest = sequence;
    } else if (sequence < this.#nextPlay) {
      if (this.#delivered === 0 && !isRetransmission && this.#tryPrepend(sequence)) {
        // Reordered before anything was played: the stream starts earlier.
      } else {
        if (buffer.has(sequence)) this.#duplicates++;
        else this.#late++;
        return;
      }
    } else if (buffer.has(sequence)) {
      this.#duplicates++;
      return;
    }
    const slot = sequence & buffer.mask;
    if (buffer.missing[slot] === sequence) {
      const wasRequested = buffer.nackCount[slot]! > 0;
      if (!isRetransmission) this.#detector.onLateOriginal(nowUs - buffer.seenUs[slot]!, wasRequested);
      if (wasRequested) this.#recovered++;
      // GStreamer answers no echo: the time from a single request to its answer serves instead.
      if (isRetransmission && link.path.responses === 0 && buffer.nackCount[slot] === 1) {
        link.path.rtt.add(nowUs - buffer.lastNackUs[slot]!, nowUs);
      }
      buffer.removeMissing(slot);
    }
    buffer.sequence[slot] = sequence;
    buffer.timeUs[slot] = timeUs;
    buffer.length[slot] = this.#copyPayload(bytes, payloadStart, payloadEnd, slot * receiveSlotBytes);
  }

  #tryPrepend(sequence: number): boolean {
    const missing = this.#nextPlay - sequence;
    if (missing > 64 || !this.#buffer.ensure(this.#highest - sequence + 1)) return false;
    this.#nextPlay = sequence;
    return true;
  }

  #copyPayload(bytes: Uint8Array, start: number, end: number, at: number): number {
    const header = this.#header;
    const to = this.#buffer.bytes;
    if (header.hasDeletedNulls) {
      const length = restoreNullPackets(
        bytes,
        start,
        end,
        header.nullBits,
        header.originalCount,
        header.is204,
        this.#restored,
      );
      if (length >= 0) {
        for (let i = 0; i < length; i++) to[at + i] = this.#restored[i]!;
        return length;
      }
    }
    const length = end - start;
    for (let i = 0; i < length; i++) to[at + i] = bytes[start + i]!;
    return length;
  }

  readonly #onTimer = (): void => {
    if (this.#isClosed) return;
    const { clock } = this.#environment;
    const nowUs = clock.nowUs();
    this.#grace.update(nowUs, this.#timerAtUs, this.#timerRanUs);
    this.#timerRanUs = nowUs;
    const isActive = nowUs - this.#lastPacketUs < 1_000_000 || this.#nextPlay <= this.#highest;
    if (isActive && this.#highest >= 0) {
      if (this.#latency.isAdaptive) this.#adapt(nowUs);
      this.#play(nowUs);
      const playoutUs = this.#playout.offsetUs + this.#bufferUs + this.#grace.us;
      this.#detector.run(nowUs, playoutUs, this.#bufferUs);
    }
    this.#links.report(nowUs, Math.max(0, this.#ssrc), this.#rate.bps(nowUs, 1_000_000), this.bufferMs);
    this.#timerAtUs = nowUs + (isActive ? tickUs : idleTickUs);
    this.#timer = clock.schedule(this.#timerAtUs, this.#onTimer);
  };

  /** Delivers everything whose time has come; a gap is skipped when the packet behind it is due. */
  #play(nowUs: number): void {
    const buffer = this.#buffer;
    const dueUs = nowUs - this.#playout.offsetUs - this.#bufferUs - this.#grace.us;
    while (this.#nextPlay <= this.#highest) {
      let sequence = this.#nextPlay;
      while (sequence <= this.#highest && !buffer.has(sequence)) sequence++;
      if (sequence > this.#highest || buffer.timeUs[sequence & buffer.mask]! > dueUs) return;
      for (let each = this.#nextPlay; each < sequence; each++) {
        this.#lost++;
        this.#hasGap = true;
        if (buffer.isMissing(each)) buffer.removeMissing(each & buffer.mask);
      }
      this.#nextPlay = sequence + 1;
      this.#playout.start();
      // More than the restart margin behind: a packet that waited for a stalled process is not in time any more.
      if (buffer.timeUs[sequence & buffer.mask]! < dueUs - this.#lateUs) {
        this.#late++;
        this.#lost++;
        this.#hasGap = true;
        continue;
      }
      this.#deliver(sequence, nowUs);
    }
  }

  #adapt(nowUs: number): void {
    let rttUs = 0;
    let skewUs = 0;
    for (const link of this.#links.all) {
      if (!link.isHeard(nowUs)) continue;
      rttUs = Math.max(rttUs, link.path.rtt.smoothedUs);
      const delayUs = link.slowestUs - this.#playout.offsetUs;
      if (Number.isFinite(delayUs)) skewUs = Math.max(skewUs, delayUs);
    }
    const needUs = 7 * rttUs + this.#detector.reorderUs + skewUs;
    this.#bufferUs = this.#latency.step(this.#bufferUs, needUs, this.#late, nowUs);
  }

  /** How far behind its slot a packet may leave: timers are late on a busy machine. */
  get #lateUs(): number {
    return Math.max(100_000, this.#bufferUs / 2) + this.#grace.mostUs;
  }

  #deliver(sequence: number, nowUs: number): void {
    const buffer = this.#buffer;
    const slot = sequence & buffer.mask;
    const start = slot * receiveSlotBytes;
    const end = start + buffer.length[slot]!;
    const info = this.#info;
    info.sequence = sequence;
    info.timeUs = buffer.timeUs[slot]!;
    info.isDiscontinuity = this.#hasGap;
    if (this.#hasGap) this.#discontinuities++;
    this.#hasGap = false;
    this.#delivered++;
    this.#rate.add(end - start, nowUs);
    this.#latencies.add(nowUs - info.timeUs - this.#playout.offsetUs, nowUs);
    this.#handler?.(buffer.bytes, start, end, info);
    if (this.#isIterated) this.#queue.push({ ...info, payload: buffer.bytes.slice(start, end) });
  }
}

/** Makes a receiver on the given environment; `@longwave/bond/node` has one that fills it in. */
export function createReceiverOn(options: ReceiverOptions, environment: BondEnvironment): Receiver {
  return new Receiver(options, environment);
}
