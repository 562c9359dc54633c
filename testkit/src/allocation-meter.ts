/**
 * Heap bytes that one call of `call` costs, by the recipe: warm up, collect twice, compare the heap before and after
 * many calls, take the smallest of up to eight rounds (none is smaller than one that finds nothing: it ends the search; on
 * a busy machine the optimising compiler comes late, and what runs before it allocates). Needs
 * `--expose-gc --min-semi-space-size=64` (the test runner sets it).
 */
export function allocatedBytesPerCall(
  call: () => void,
  options: { warmupCalls?: number; calls?: number } = {},
): { heap: number; external: number } {
  const collect = globalThis.gc;
  if (collect === undefined) throw new Error("Start Node with --expose-gc to measure allocation.");
  const warmupCalls = options.warmupCalls ?? 20_000;
  const calls = options.calls ?? 5_000;
  for (let i = 0; i < warmupCalls; i++) call();
  let heap = Number.POSITIVE_INFINITY;
  let external = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 8; round++) {
    collect();
    collect();
    const before = process.memoryUsage();
    for (let i = 0; i < calls; i++) call();
    const after = process.memoryUsage();
    // memoryUsage() itself allocates its result object; 1 KB covers it and is far below one byte a call.
    heap = Math.min(heap, Math.max(0, after.heapUsed - before.heapUsed - 1024) / calls);
    external = Math.min(external, Math.max(0, after.external - before.external) / calls);
    if (heap === 0 && external === 0) break;
  }
  return { heap, external };
}
