import { chooseNackCopies } from "./arq-policy.ts";
import type { NackWriter } from "./nack-writer.ts";
import type { ReceiveBuffer } from "./receive-buffer.ts";
import type { ReceiverLink } from "./receiver-link.ts";

/** Copies of a NACK are at least this far apart. */
const copySpacingUs = 4_000;
const firstReorderUs = 0;
const maxReorderUs = 70_000;
const lossWindowUs = 2_000_000;

/**
 * Decides which missing packets are lost, asks for them, and asks again. A number is lost only when no link can still bring
 * its first transmission: every link that carries media has passed it or would have delivered it by now.
 */
export class LossDetector {
  readonly #buffer: ReceiveBuffer;
  readonly #links: readonly ReceiverLink[];
  readonly #writer: NackWriter;
  readonly #target: number;
  readonly #fixedCopies: number;
  #reorderUs: number = firstReorderUs;
  #windowUs = 0;
  #windowLost = 0;
  #windowExpected = 0;
  #loss = 0;
  #copies = 1;
  #best = -1;
  #second = -1;

  /**
   * @param fixedCopies copies of every NACK, or 0 to choose by measured loss
   * @param targetResidual residual loss that the choice aims at
   */
  constructor(
    buffer: ReceiveBuffer,
    links: readonly ReceiverLink[],
    writer: NackWriter,
    fixedCopies: number,
    targetResidual: number,
  ) {
    this.#buffer = buffer;
    this.#links = links;
    this.#writer = writer;
    this.#fixedCopies = fixedCopies;
    this.#target = targetResidual;
  }

  /** Measured loss of first transmissions, 0 to 1. */
  get loss(): number {
    return this.#loss;
  }

  get reorderUs(): number {
    return this.#reorderUs;
  }

  /** Starts from what was measured earlier. */
  restore(loss: number, reorderUs: number): void {
    this.#loss = Math.max(0, Math.min(1, loss));
    this.#reorderUs = Math.max(0, Math.min(maxReorderUs, reorderUs));
  }

  countExpected(count: number): void {
    this.#windowExpected += count;
  }

  /** The first transmission of a number that was missing came after all, `lateUs` after the gap was seen. */
  onLateOriginal(lateUs: number, wasRequested: boolean): void {
    if (wasRequested) this.#windowLost = Math.max(0, this.#windowLost - 1);
    if (lateUs > this.#reorderUs) this.#reorderUs = Math.min(maxReorderUs, 1.25 * lateUs);
  }

  /** Sends what is due. `playoutUs` is the offset from media time to playout. */
  run(nowUs: number, playoutUs: number, bufferUs: number): void {
    this.#rankLinks(nowUs);
    if (nowUs - this.#windowUs > lossWindowUs / 4) this.#roll(nowUs, bufferUs);
    if (this.#best < 0) return;
    const buffer = this.#buffer;
    const roundUs = this.#roundUs(nowUs);
    const shortestUs = 0.8 * this.#links[this.#best]!.path.rtt.minUs;
    for (let slot = buffer.missingHead; slot >= 0; slot = buffer.missingNext[slot]!) {
      if (buffer.nackCount[slot] === 0) {
        if (!this.#isLost(slot, nowUs)) continue;
        this.#windowLost++;
      } else if (nowUs < buffer.nextNackUs[slot]!) continue;
      // No answer could be in time.
      if (nowUs + shortestUs > buffer.timeUs[slot]! + playoutUs) continue;
      this.#request(slot, nowUs, roundUs);
    }
    this.#writer.flush(nowUs);
  }

  #request(slot: number, nowUs: number, roundUs: number): void {
    const buffer = this.#buffer;
    const isFirstCopy = buffer.copiesLeft[slot] === 0;
    const sequence = buffer.missing[slot]!;
    if (isFirstCopy) {
      buffer.copiesLeft[slot] = this.#copies - 1;
      this.#writer.add(0, this.#links[this.#best]!, sequence);
      // A link that has just died still looks best: the copy takes another way at once.
      if (this.#second >= 0) {
        this.#writer.add(1, this.#links[this.#second]!, sequence);
        if (buffer.copiesLeft[slot]! > 0) buffer.copiesLeft[slot]!--;
      }
    } else {
      buffer.copiesLeft[slot]!--;
      this.#writer.add(0, this.#links[this.#best]!, sequence);
    }
    const copies = buffer.copiesLeft[slot]!;
    const usedUs = isFirstCopy ? 0 : copySpacingUs * Math.max(0, this.#copies - 1 - copies);
    buffer.nextNackUs[slot] = copies > 0 ? nowUs + copySpacingUs : nowUs + roundUs - usedUs;
    buffer.nackCount[slot] = Math.min(255, buffer.nackCount[slot]! + 1);
    buffer.lastNackUs[slot] = nowUs;
  }

  #isLost(slot: number, nowUs: number): boolean {
    const buffer = this.#buffer;
    if (nowUs < buffer.seenUs[slot]! + this.#reorderUs) return false;
    const sequence = buffer.missing[slot]!;
    const timeUs = buffer.timeUs[slot]!;
    for (let i = 0; i < this.#links.length; i++) {
      if (this.#links[i]!.mayStillBring(sequence, timeUs, nowUs)) return false;
    }
    return true;
  }

  /** Time after which a request without answer is repeated. */
  #roundUs(nowUs: number): number {
    const best = this.#links[this.#best]!.path.rtt;
    let slowestUs = best.smoothedUs;
    for (let i = 0; i < this.#links.length; i++) {
      const link = this.#links[i]!;
      if (nowUs - link.lastMediaUs < 500_000 && link.path.rtt.sampleCount > 0) {
        slowestUs = Math.max(slowestUs, link.path.rtt.smoothedUs);
      }
    }
    // Out over the best link, back over any that carries media.
    const rttUs = (best.smoothedUs + slowestUs) / 2;
    // The last copy may be the one that is answered. Where round trips waver by more than the copies' distance, that is room enough.
    const copiesUs = copySpacingUs * (this.#copies - 1);
    return rttUs + Math.max(0.03 * rttUs + copiesUs, 2 * best.deviationUs);
  }

  #rankLinks(nowUs: number): void {
    this.#best = -1;
    this.#second = -1;
    let bestCost = Number.POSITIVE_INFINITY;
    let secondCost = Number.POSITIVE_INFINITY;
    for (let i = 0; i < this.#links.length; i++) {
      const link = this.#links[i]!;
      const { path } = link;
      if (path.controlPort === 0) continue;
      const silentUs = nowUs - path.lastReceivedUs;
      // Silence is worse than any round trip: what was heard last is proven best.
      const cost = path.rtt.smoothedUs + (silentUs > 120_000 ? 1_000_000 + silentUs : 0);
      if (cost < bestCost) {
        this.#second = this.#best;
        secondCost = bestCost;
        this.#best = i;
        bestCost = cost;
      } else if (cost < secondCost) {
        this.#second = i;
        secondCost = cost;
      }
    }
    if (this.#second >= 0 && !this.#links[this.#second]!.isHeard(nowUs)) this.#second = -1;
  }

  #roll(nowUs: number, bufferUs: number): void {
    this.#windowUs = nowUs;
    if (this.#windowExpected > 0) {
      const measured = Math.min(1, this.#windowLost / this.#windowExpected);
      this.#loss += (measured - this.#loss) * (measured > this.#loss ? 0.5 : 0.125);
    }
    this.#windowLost = 0;
    this.#windowExpected = 0;
    // Reordering margin shrinks slowly when nothing is reordered.
    this.#reorderUs *= 0.98;
    const rttUs = this.#best < 0 ? 200_000 : this.#links[this.#best]!.path.rtt.smoothedUs;
    const chosen = chooseNackCopies(this.#loss, rttUs, bufferUs, this.#reorderUs + 10_000, this.#target);
    this.#copies = this.#fixedCopies > 0 ? this.#fixedCopies : chosen;
  }
}
