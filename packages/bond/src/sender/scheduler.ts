import { perPacketOverheadBytes, type SenderLink } from "./sender-link.ts";

/** How packets are spread: by predicted arrival, by static weights, or everything everywhere. */
export type SchedulerMode = "eat" | "dwrr" | "broadcast";

export interface SchedulerOptions {
  readonly mode: SchedulerMode;
  /** Largest part of the stream that one link may carry while others can take it. */
  readonly maxShare: number;
  /** Every good link carries a packet at least this often, so that its state stays known and a cut elsewhere shows soon. */
  readonly maxIdleMs: number;
  /** Added to the predicted arrival of a degraded link, in milliseconds. */
  readonly degradePenaltyMs: number;
}

export const defaultScheduler: SchedulerOptions = {
  mode: "eat",
  maxShare: 1,
  maxIdleMs: 30,
  degradePenaltyMs: 50,
};

/**
 * Chooses the link for each packet: the one where it is predicted to arrive first, counting our own queue, the time to
 * serialize it, the one-way delay and penalties, among the best tier of links (section 4.5 of the design).
 */
export class Scheduler {
  readonly options: SchedulerOptions;
  readonly #links: readonly SenderLink[];

  constructor(links: readonly SenderLink[], options: SchedulerOptions) {
    this.#links = links;
    this.options = options;
  }

  /** The link for a new packet of `length` bytes that must arrive by `deadlineUs`, or -1 without any link. */
  choose(length: number, nowUs: number, deadlineUs: number): number {
    const links = this.#links;
    const tier = this.#bestTier(nowUs, -1);
    let chosen = this.options.mode === "dwrr" ? this.#byWeight(tier, nowUs) : -1;
    if (chosen < 0) chosen = this.#earliest(length, nowUs, tier, -1, true);
    if (chosen < 0) chosen = this.#earliest(length, nowUs, tier, -1, false);
    if (chosen < 0) return -1;
    if (tier === 0 && this.options.mode === "eat") {
      const present = this.#present(length, nowUs, deadlineUs, chosen);
      if (present >= 0) chosen = present;
    }
    for (let i = 0; i < links.length; i++) {
      const link = links[i]!;
      link.recentShare += ((i === chosen ? 1 : 0) - link.recentShare) / 128;
      link.shareCredit = Math.min(2, link.shareCredit + link.shareCap) - (i === chosen ? 1 : 0);
    }
    links[chosen]!.scheduled++;
    return chosen;
  }

  /** The link for a repeated packet: not the one that lost it, unless it is the only good one. */
  chooseForRepeat(length: number, nowUs: number, lostOn: number): number {
    const tier = this.#bestTier(nowUs, -1);
    const other = this.#earliest(length, nowUs, tier, lostOn, false);
    if (other < 0) return this.#earliest(length, nowUs, tier, -1, false);
    if (lostOn < 0 || this.#links[lostOn]!.tier(nowUs) > tier) return other;
    // Another link is safer against bursts, but only while it is not overloaded or very late.
    const lost = this.#links[lostOn]!;
    const waitUs = this.#arrivalUs(other, length, nowUs) - this.#arrivalUs(lostOn, length, nowUs);
    return waitUs < Math.max(20_000, lost.path.rtt.smoothedUs) ? other : lostOn;
  }

  /** A second link for a copy, or -1. */
  chooseSecond(length: number, nowUs: number, first: number): number {
    return this.#earliest(length, nowUs, this.#bestTier(nowUs, first), first, false);
  }

  /** Predicted arrival over link `index`, in microseconds. */
  #arrivalUs(index: number, length: number, nowUs: number): number {
    const link = this.#links[index]!;
    const bps = link.pacingBps;
    const serializeUs =
      bps === Number.POSITIVE_INFINITY ? 0 : ((length + perPacketOverheadBytes) * 8e6) / bps;
    const penaltyMs =
      link.penaltyMs + (link.lifecycle.state === "degrade" ? this.options.degradePenaltyMs : 0);
    return link.freeUs(nowUs) + serializeUs + link.oneWayUs + penaltyMs * 1000;
  }

  #bestTier(nowUs: number, except: number): number {
    let best = 2;
    for (let i = 0; i < this.#links.length; i++) {
      if (i === except) continue;
      const tier = this.#links[i]!.tier(nowUs);
      if (tier < best) best = tier;
    }
    return best;
  }

  #earliest(length: number, nowUs: number, tier: number, except: number, isCapped: boolean): number {
    const links = this.#links;
    let best = -1;
    let bestUs = Number.POSITIVE_INFINITY;
    for (let i = 0; i < links.length; i++) {
      const link = links[i]!;
      if (i === except || link.tier(nowUs) > tier || link.lifecycle.state === "init") continue;
      if (isCapped && (link.shareCredit < 1 || link.recentShare > this.options.maxShare)) continue;
      const atUs = this.#arrivalUs(i, length, nowUs);
      // Equal arrivals go to the link that was used less.
      if (
        atUs < bestUs - 100 ||
        (best >= 0 && atUs < bestUs + 100 && link.recentShare < links[best]!.recentShare)
      ) {
        best = i;
        bestUs = atUs;
      }
    }
    return best;
  }

  /** A good link that was idle for too long and would still be in time. */
  #present(length: number, nowUs: number, deadlineUs: number, chosen: number): number {
    const idleUs = 1000 * this.options.maxIdleMs;
    for (let i = 0; i < this.#links.length; i++) {
      const link = this.#links[i]!;
      if (i === chosen || nowUs - link.lastFreshUs < idleUs || link.tier(nowUs) > 0 || link.weight === 0)
        continue;
      if (this.#arrivalUs(i, length, nowUs) < deadlineUs - link.path.rtt.smoothedUs) return i;
    }
    return -1;
  }

  #byWeight(tier: number, nowUs: number): number {
    const links = this.#links;
    let best = -1;
    let total = 0;
    for (let i = 0; i < links.length; i++) {
      const link = links[i]!;
      if (link.weight === 0 || link.tier(nowUs) > tier || link.lifecycle.state === "init") continue;
      link.dwrrCredit += link.weight;
      total += link.weight;
      if (best < 0 || link.dwrrCredit > links[best]!.dwrrCredit) best = i;
    }
    if (best >= 0) links[best]!.dwrrCredit -= total;
    return best;
  }
}
