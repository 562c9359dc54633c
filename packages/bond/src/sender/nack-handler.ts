import { sequenceModulus, unwrapNear } from "../wire/sequence.ts";
import type { SendBuffer } from "./send-buffer.ts";
import type { SenderLink } from "./sender-link.ts";
import type { ResolvedSenderOptions } from "./sender-options.ts";

/** A repeat is not repeated again before this part of the round trip: copies of one NACK arrive meanwhile. */
const dedupRatio = 0.7;
/**
 * Bare ranges are in every report until the packet would be late, whether it has arrived or not: they tell of its first loss only,
 * and further repeats are a precaution.
 */
const bareRatio = 1.2;
const bareRounds = 3;
/** Numbers that are looked at in one period; a cut link asks for a few hundred, a storm of forged ranges for millions. */
const numbersPerPeriod = 4096;
const periodUs = 10_000;
/** Receivers that time the stream ask for packets that are due and were never made, as before a pause. */
const nextPackets = 16;

/** How a request names packets: the first and a mask, the first and how many follow, or so but without a header. */
export const NackForm = { bitmask: 0, range: 1, bareRange: 2 } as const;

export type NackForm = (typeof NackForm)[keyof typeof NackForm];

export interface NackTarget {
  /** Sends the packet in `slot` again, which was asked for over `via`. */
  repeat(slot: number, via: SenderLink, nowUs: number): void;
  /** A link has lost so many packets in a row that it must be dead. */
  onSuspect(link: SenderLink, nowUs: number): void;
  /** Newest extended sequence number. */
  newest(): number;
}

/**
 * Judges requests for repeats. A request that comes before the packet can have arrived is premature: the receiver saw a
 * faster link overtake a slower one; it is no loss and is not answered (a receiver that really misses it asks again).
 */
export class NackHandler {
  readonly #buffer: SendBuffer;
  readonly #links: readonly SenderLink[];
  readonly #bufferUs: number;
  readonly #target: NackTarget;
  /** Requests for numbers that were never sent or are no longer stored. */
  unknown = 0;
  /** Requests for packets that can no longer be in time. */
  expired = 0;
  /** Requests that were ignored because there were too many at once. */
  limited = 0;
  #periodUs = Number.NEGATIVE_INFINITY;
  #looked = 0;

  constructor(
    buffer: SendBuffer,
    links: readonly SenderLink[],
    options: ResolvedSenderOptions,
    target: NackTarget,
  ) {
    this.#buffer = buffer;
    this.#links = links;
    this.#bufferUs = 1000 * options.bufferMs;
    this.#target = target;
  }

  /**
   * One entry of a NACK that came over `via`.
   * @param first low 16 bits of the first number
   * @param extra count of following numbers (ranges), or the mask of the 16 following ones
   */
  take(via: SenderLink, first: number, extra: number, form: NackForm, nowUs: number): void {
    if (nowUs - this.#periodUs >= periodUs) {
      this.#periodUs = nowUs;
      this.#looked = 0;
    }
    const newest = this.#target.newest();
    const start = unwrapNear(first, newest, sequenceModulus);
    via.nacksReceived++;
    const isBare = form === NackForm.bareRange;
    this.#takeOne(via, start, isBare, nowUs);
    if (form !== NackForm.bitmask) {
      // A range of 65,535 is legal; only what is stored is looked at.
      const end = Math.min(start + extra, newest);
      const first = Math.max(start + 1, newest - this.#buffer.mask);
      for (let sequence = first; sequence <= end && this.#looked <= numbersPerPeriod; sequence++) {
        this.#takeOne(via, sequence, isBare, nowUs);
      }
    } else {
      for (let bit = 0; bit < 16; bit++) {
        if ((extra >> bit) & 1) this.#takeOne(via, start + 1 + bit, false, nowUs);
      }
    }
  }

  /** True if the packets from the low 16 bits `first` on, `extra` more behind it, are stored or would be the next ones. */
  isNear(first: number, extra: number): boolean {
    const newest = this.#target.newest();
    const start = unwrapNear(first, newest, sequenceModulus);
    return (start > newest || this.#buffer.find(start) >= 0) && start + extra <= newest + nextPackets;
  }

  /** When a packet has arrived, if it arrives. A receiver that acknowledges nothing leaves a doubt: the link's queue wavers. */
  #deliveryUs(link: SenderLink): number {
    const { rtt } = link.path;
    if (link.highestAcked >= 0) return rtt.minUs / 2;
    return Math.max(rtt.minUs / 2, rtt.smoothedUs - rtt.minUs / 2 + 2 * rtt.deviationUs);
  }

  #takeOne(via: SenderLink, sequence: number, isBare: boolean, nowUs: number): void {
    if (++this.#looked > numbersPerPeriod) {
      this.limited++;
      return;
    }
    const buffer = this.#buffer;
    const slot = buffer.find(sequence);
    if (slot < 0 || buffer.sends[slot] === 0) {
      this.unknown++;
      return;
    }
    const link = this.#links[buffer.lastLink[slot]!]!;
    const sentUs = buffer.lastSentUs[slot]!;
    // Links keep order: while acknowledgements advance but have not reached this transmission, it waits in a queue. Reports
    // that come apart from NACKs are older than these and prove nothing; GStreamer sends such, and may ask only once.
    const isQueued =
      via.hasReportWithNacks && link.isAdvancing(nowUs) && link.ackedNumber < buffer.linkNumber[slot]!;
    const earliestUs = sentUs + this.#deliveryUs(link) + via.path.rtt.minUs / 2;
    // Nor does a round trip that is only guessed, before its first sample or after a reset, refuse such a request.
    const isGuessed = link.path.rtt.sampleCount === 0 || via.path.rtt.sampleCount === 0;
    const isEarly = buffer.sends[slot] === 1 && nowUs < earliestUs - 2_000;
    if (isQueued || (isEarly && (via.hasReportWithNacks || !isGuessed))) {
      via.prematureNacks++;
      return;
    }
    const roundUs = (link.path.rtt.smoothedUs + via.path.rtt.smoothedUs) / 2;
    const isRepeated = buffer.sends[slot]! > 1;
    if (isRepeated && nowUs - sentUs < (isBare ? bareRatio : dedupRatio) * roundUs) return;
    if (isBare && buffer.rounds[slot]! >= bareRounds) return;
    if (buffer.isCounted[slot] === 0 && !(isBare && isRepeated)) {
      buffer.isCounted[slot] = 1;
      if (link.countLost(buffer.linkNumber[slot]!, sentUs, nowUs)) this.#target.onSuspect(link, nowUs);
    }
    if (nowUs + link.oneWayUs > buffer.acceptedUs[slot]! + this.#bufferUs + link.path.rtt.minUs) {
      this.expired++;
      return;
    }
    this.#target.repeat(slot, via, nowUs);
  }
}
