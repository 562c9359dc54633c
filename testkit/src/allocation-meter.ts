const QUICK_ROUNDS = 3;
const PAUSE_MS = 50;
/** Below this nothing better is looked for: what is left is the odd object of the engine, not one a call. */
const NOTHING = 0.5;

/**
 * Heap bytes that one call of `call` costs: warm up, collect twice, compare the heap before and after `calls` calls, take
 * the smallest of at most `rounds` (100). A round that finds nothing ends the search. What allocates on every call does
 * so in every round; what runs before the optimising compiler is done (it works beside the program, and late on a busy
 * machine) does so in the first ones only, so from the fourth round on the meter pauses for 50 ms before each.
 * Needs `--expose-gc --min-semi-space-size=64` (the test runner sets it).
 */
export function allocatedBytesPerCall(
  call: () => void,
  options: { warmupCalls?: number; calls?: number; rounds?: number } = {},
): { heap: number; external: number } {
  const collect = globalThis.gc;
  if (collect === undefined) throw new Error("Start Node with --expose-gc to measure allocation.");
  const warmupCalls = options.warmupCalls ?? 20_000;
  const calls = options.calls ?? 5_000;
  const rounds = options.rounds ?? 100;
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let i = 0; i < warmupCalls; i++) call();
  let heap = Number.POSITIVE_INFINITY;
  let external = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    if (round >= QUICK_ROUNDS) Atomics.wait(pause, 0, 0, PAUSE_MS);
    collect();
    collect();
    const before = process.memoryUsage();
    for (let i = 0; i < calls; i++) call();
    const after = process.memoryUsage();
    // memoryUsage() itself allocates its result object; 1 KB covers it and is far below one byte a call.
    heap = Math.min(heap, Math.max(0, after.heapUsed - before.heapUsed - 1024) / calls);
    external = Math.min(external, Math.max(0, after.external - before.external) / calls);
    if (heap < NOTHING && external === 0) break;
  }
  return { heap, external };
}
