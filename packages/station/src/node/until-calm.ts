import { setTimeout as sleep } from "node:timers/promises";

/** A thread that comes so much too late to a timer has something else to do. */
const lateMs = 15;
const lookMs = 10;
/** Looks in a row in which it was in time. */
const calmLooks = 3;
/** A machine that is never calm goes on air all the same. */
const longestMs = 1500;

/**
 * Waits until this thread has nothing better to do: a station that is being opened loads and prepares for some tenths of a second, and what
 * went on air before the end of that would begin with a stall.
 */
export async function untilCalm(): Promise<void> {
  const beganMs = performance.now();
  for (let calm = 0; calm < calmLooks && performance.now() - beganMs < longestMs; ) {
    const beforeMs = performance.now();
    await sleep(lookMs);
    calm = performance.now() - beforeMs - lookMs < lateMs ? calm + 1 : 0;
  }
}
