import type { Random } from "@longwave/base";
import { checkModel, type LinkModel } from "./link-model.ts";

/** Bytes of IPv4 and UDP header that every datagram costs on a link. */
export const ipUdpHeaderBytes = 28;

/** What happened to the packets of one direction so far; bytes include IP and UDP headers. */
export interface PathCounters {
  offeredPackets: number;
  offeredBytes: number;
  deliveredPackets: number;
  deliveredBytes: number;
  lostPackets: number;
  queueDrops: number;
  cutDrops: number;
  mtuDrops: number;
  duplicates: number;
  corrupted: number;
}

/**
 * One direction of a link. It decides each packet's fate from its own random sequence, always drawing the same number of
 * values, so that the fate of packet n depends neither on other links nor on what else is switched on.
 */
export class ImpairedPath {
  readonly counters: PathCounters = {
    offeredPackets: 0,
    offeredBytes: 0,
    deliveredPackets: 0,
    deliveredBytes: 0,
    lostPackets: 0,
    queueDrops: 0,
    cutDrops: 0,
    mtuDrops: 0,
    duplicates: 0,
    corrupted: 0,
  };
  readonly #random: Random;
  #model: LinkModel;
  #isBad = false;
  #busyUntilUs = 0;
  #lastArrivalUs = 0;
  /** After `offer`: when the copy arrives, or -1 without one. */
  duplicateUs = -1;
  /** After `offer`: which bit of the datagram flips, as a fraction of its length in [0, 1), or -1. */
  corruptAt = -1;

  constructor(model: LinkModel, random: Random) {
    checkModel(model);
    this.#model = model;
    this.#random = random;
  }

  get model(): LinkModel {
    return this.#model;
  }

  /** Changes the given fields from the next packet on. */
  set(change: LinkModel): void {
    checkModel(change);
    this.#model = { ...this.#model, ...change };
  }

  /** How long a packet offered at `nowUs` would wait in the queue, in microseconds. */
  queueDelayUs(nowUs: number): number {
    return Math.max(0, this.#busyUntilUs - nowUs);
  }

  /** True mean loss of the present model without queue drops, from 0 to 1. */
  get meanLoss(): number {
    const { loss, isUp } = this.#model;
    if (isUp === false) return 1;
    if (loss === undefined || typeof loss === "number") return loss ?? 0;
    const bad = loss.toBad + loss.toGood === 0 ? 0 : loss.toBad / (loss.toBad + loss.toGood);
    return bad * (loss.lossInBad ?? 1) + (1 - bad) * (loss.lossInGood ?? 0);
  }

  /** Offers a datagram of `length` bytes; returns its time of arrival in microseconds, or -1 where it is dropped. */
  offer(nowUs: number, length: number): number {
    const model = this.#model;
    const random = this.#random;
    const lossDraw = random.next();
    const jitterDraw = random.next();
    const duplicateDraw = random.next();
    const reorderDraw = random.next();
    const corruptDraw = random.next();
    const bytes = length + ipUdpHeaderBytes;
    const counters = this.counters;
    this.duplicateUs = -1;
    this.corruptAt = -1;
    counters.offeredPackets++;
    counters.offeredBytes += bytes;
    const isLost = this.#stepLoss(lossDraw, jitterDraw);
    if (model.isUp === false) {
      counters.cutDrops++;
      return -1;
    }
    if (model.mtu !== undefined && bytes > model.mtu) {
      counters.mtuDrops++;
      return -1;
    }
    let departureUs = nowUs;
    if (model.rateBps !== undefined) {
      const waitUs = this.queueDelayUs(nowUs);
      if (waitUs > (model.queueMs ?? 200) * 1000) {
        counters.queueDrops++;
        return -1;
      }
      departureUs = nowUs + waitUs + Math.ceil((bytes * 8e6) / model.rateBps);
      this.#busyUntilUs = departureUs;
    }
    if (isLost) {
      counters.lostPackets++;
      return -1;
    }
    let arrivalUs =
      departureUs + Math.round((model.delayMs ?? 0) * 1000 + jitterDraw * (model.jitterMs ?? 0) * 1000);
    if (reorderDraw < (model.reorder ?? 0)) arrivalUs += Math.round((model.reorderMs ?? 10) * 1000);
    else if (model.keepsOrder !== false) {
      arrivalUs = Math.max(arrivalUs, this.#lastArrivalUs);
      this.#lastArrivalUs = arrivalUs;
    }
    if (duplicateDraw < (model.duplicate ?? 0)) {
      this.duplicateUs = arrivalUs + 1000;
      counters.duplicates++;
    }
    if (corruptDraw < (model.corrupt ?? 0)) {
      this.corruptAt = corruptDraw / model.corrupt!;
      counters.corrupted++;
    }
    counters.deliveredPackets++;
    counters.deliveredBytes += bytes;
    return arrivalUs;
  }

  #stepLoss(draw: number, stateDraw: number): boolean {
    const { loss } = this.#model;
    if (loss === undefined) return false;
    if (typeof loss === "number") return draw < loss;
    // The state moves by the packet's second value, so that loss inside a state stays independent of the move.
    if (this.#isBad ? stateDraw < loss.toGood : stateDraw < loss.toBad) this.#isBad = !this.#isBad;
    return draw < (this.#isBad ? (loss.lossInBad ?? 1) : (loss.lossInGood ?? 0));
  }
}
