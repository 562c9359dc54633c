import { LatencyMeter } from "../estimate/latency-meter.ts";
import { RateMeter } from "../estimate/rate-meter.ts";
import type { Path } from "../link/path.ts";

const halfWindowUs = 250_000;
/** A link that brought no media for this long says nothing about where a missing packet may be. */
const idleUs = 1_000_000;

/** One link of a receiver: its path and what its arrivals tell. */
export class ReceiverLink {
  readonly id: string;
  readonly path: Path;
  readonly rate: RateMeter = new RateMeter();
  /** Delay of first transmissions beyond the fastest one of all links. */
  readonly delays: LatencyMeter = new LatencyMeter();
  /** Source port of media in the Simple profile, where it may differ from that of feedback; 0 = not seen. */
  mediaSourcePort = 0;
  controlSourcePort = 0;
  readonly createdUs: number;
  /** Highest extended sequence number of a first transmission over this link, or -1. */
  highest = -1;
  lastMediaUs: number = Number.NEGATIVE_INFINITY;
  mediaPackets = 0;
  nacksSent = 0;
  /** From the link's datagram numbers (Main profile): gaps and late ones. */
  datagramsExpected = 0;
  datagramsLost = 0;
  highestDatagram = -1;
  #slotUs = 0;
  #currentMaxUs = Number.NEGATIVE_INFINITY;
  #previousMaxUs = Number.NEGATIVE_INFINITY;
  #currentMinUs = Number.POSITIVE_INFINITY;
  #previousMinUs = Number.POSITIVE_INFINITY;
  #lastDelayUs = 0;
  #jitterUs = 0;

  constructor(id: string, path: Path, nowUs: number) {
    this.id = id;
    this.path = path;
    this.createdUs = nowUs;
  }

  /** A first transmission with the given number and media time arrived. */
  addOriginal(sequence: number, timeUs: number, nowUs: number): void {
    const delayUs = nowUs - timeUs;
    if (sequence > this.highest) this.highest = sequence;
    if (nowUs - this.#slotUs > halfWindowUs) {
      const isRecent = nowUs - this.#slotUs < 2 * halfWindowUs;
      this.#previousMaxUs = isRecent ? this.#currentMaxUs : Number.NEGATIVE_INFINITY;
      this.#previousMinUs = isRecent ? this.#currentMinUs : Number.POSITIVE_INFINITY;
      this.#currentMaxUs = Number.NEGATIVE_INFINITY;
      this.#currentMinUs = Number.POSITIVE_INFINITY;
      this.#slotUs = nowUs;
    }
    if (delayUs > this.#currentMaxUs) this.#currentMaxUs = delayUs;
    if (delayUs < this.#currentMinUs) this.#currentMinUs = delayUs;
    if (this.mediaPackets > 0)
      this.#jitterUs += (Math.abs(delayUs - this.#lastDelayUs) - this.#jitterUs) / 16;
    this.#lastDelayUs = delayUs;
    this.mediaPackets++;
  }

  /** Counts a datagram number; small steps back are reordering. */
  addDatagram(number: number): void {
    if (this.highestDatagram < 0 || Math.abs(number - this.highestDatagram) > 10_000) {
      this.highestDatagram = number;
      return;
    }
    const step = number - this.highestDatagram;
    if (step > 0) {
      this.datagramsExpected += step;
      this.datagramsLost += step - 1;
      this.highestDatagram = number;
    } else if (this.datagramsLost > 0) this.datagramsLost--;
  }

  /** True where a missing packet could still come as a first transmission over this link. */
  mayStillBring(sequence: number, timeUs: number, nowUs: number): boolean {
    if (nowUs - this.lastMediaUs > idleUs || this.highest < 0) return false;
    return this.highest < sequence && nowUs < timeUs + this.slowestUs + 3 * this.#jitterUs;
  }

  /** Largest recent (arrival - media time). */
  get slowestUs(): number {
    return Math.max(this.#currentMaxUs, this.#previousMaxUs);
  }

  /** Smallest recent (arrival - media time). */
  get fastestUs(): number {
    return Math.min(this.#currentMinUs, this.#previousMinUs);
  }

  /** Mean absolute difference of successive delays. */
  get jitterUs(): number {
    return this.#jitterUs;
  }

  /** True while the peer has been heard within three round trips or 300 ms, so that feedback over it makes sense. */
  isHeard(nowUs: number): boolean {
    return (
      this.path.controlPort !== 0 &&
      nowUs - this.path.lastReceivedUs <= Math.max(3 * this.path.rtt.smoothedUs, 300_000)
    );
  }

  /** `highest` as reports carry it: 32 bits. */
  get highestOnWire(): number {
    return Math.max(0, this.highest) % 0x1_0000_0000;
  }

  /** The stream restarted: old numbers mean nothing. */
  resetStream(): void {
    this.delays.reset();
    this.highest = -1;
    this.#currentMaxUs = Number.NEGATIVE_INFINITY;
    this.#previousMaxUs = Number.NEGATIVE_INFINITY;
    this.#currentMinUs = Number.POSITIVE_INFINITY;
    this.#previousMinUs = Number.POSITIVE_INFINITY;
    this.#jitterUs = 0;
  }
}
