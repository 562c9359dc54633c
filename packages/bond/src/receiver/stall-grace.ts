/** A timer that is later than this was kept waiting by a stalled process, not by its own coarseness. */
const stallUs = 10_000;
/** What is put off comes back at 5 % of real time: slow enough for what was asked for anew to arrive. */
const returnRate = 0.05;
/** Stalls add up where together they take more than this share of the time: then every round of requests takes longer. */
const bearableShare = 0.25;

/**
 * A process that could not run finds everything late at once: packets wait in its own sockets, requests for missing ones were not
 * sent. Where the listener bears a later sound better than a hole, playout is put off by twice the stall and comes back slowly. Many
 * short stalls, of a process that gets too little of its processor, count together.
 */
export class StallGrace {
  readonly mostUs: number;
  #us = 0;
  /** Stalls of late, less what is bearable. */
  #stalledUs = 0;

  /** @param mostUs longest postponement; 0 keeps playout where it is */
  constructor(mostUs: number) {
    this.mostUs = mostUs;
  }

  /** Postponement now, in microseconds. */
  get us(): number {
    return this.#us;
  }

  /** A timer that was to run at `plannedUs` runs at `nowUs`; the one before it ran at `lastUs`. */
  update(nowUs: number, plannedUs: number, lastUs: number): void {
    if (this.mostUs === 0) return;
    const lateUs = nowUs - plannedUs;
    const tookUs = nowUs - lastUs;
    this.#us = Math.max(0, this.#us - tookUs * returnRate);
    this.#stalledUs = Math.max(0, this.#stalledUs - tookUs * bearableShare);
    if (lateUs <= stallUs) return;
    this.#stalledUs = Math.min(this.mostUs, this.#stalledUs + lateUs);
    this.#us = Math.min(this.mostUs, Math.max(this.#us, 2 * Math.max(lateUs, this.#stalledUs)));
  }
}
