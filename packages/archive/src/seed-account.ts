import type { SeededStart } from "./seeded-start.ts";
import type { StateDifference } from "./state-difference.ts";

/** Seeds take this share of the packets' bytes at the most; with lengths, digests and headers the index then stays below 12 %. */
const share = 0.08;
/** What quiet times can save up for. */
const mostBytes = 8192;
/** What a seed deflates to, point and form included: little of its own words, less of the excitation of noise. */
const wordBytes = 60;
const wordShare = 0.65;
const noiseShare = 0.28;
/** What a state deflates to. */
const stateShare = 0.35;
/** And a difference of whole states. */
const differenceShare = 0.18;

/**
 * What seeds may take. A share of all packets so far, not of the chunk's: pauses, where seeds are needed, have hardly any bytes of their
 * own.
 */
export class SeedAccount {
  /** What is there; less than nothing behind a dear state. */
  bytes = 0;

  earn(packetBytes: number): void {
    this.bytes = Math.min(mostBytes, this.bytes + share * packetBytes);
  }

  /** @param must take it on credit */
  spend({ lasting }: SeededStart, must: boolean): boolean {
    const words = Math.min(lasting.length, wordBytes);
    const cost = wordShare * words + noiseShare * (lasting.length - words);
    if (!must && this.bytes < cost) return false;
    this.bytes -= cost;
    return true;
  }

  /** A state that has to be stored takes of the same share. */
  spendOnState(state: Uint8Array, difference: StateDifference | undefined): void {
    if (difference?.whole !== false)
      this.bytes -= (difference === undefined ? stateShare : differenceShare) * state.length;
  }
}
