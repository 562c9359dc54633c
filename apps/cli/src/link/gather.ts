/**
 * Lets what arrives within a few milliseconds be handled by one turn of the event loop instead of one each: a wake-up costs as much
 * as handling several packets. The thread sleeps once after the first packet of a turn, as a network card holds its interrupt back.
 * @param milliseconds how long everything in this thread may be late by; 0 returns a function that does nothing
 * @returns the function to call for every packet
 */
export function gatherArrivals(milliseconds: number): () => void {
  if (milliseconds <= 0) return () => undefined;
  const never = new Int32Array(new SharedArrayBuffer(4));
  let isScheduled = false;
  const sleep = () => {
    isScheduled = false;
    Atomics.wait(never, 0, 0, milliseconds);
  };
  return () => {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(sleep);
  };
}
