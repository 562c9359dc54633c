import { SeededRandom } from "@longwave/base";
import { burstLoss, Experiment, type ExperimentAction, type ExperimentReport } from "@longwave/netsim";
import { describe, expect, test } from "vitest";

const payloadBytes = 1316;
/** One packet every 20 ms, as a live encoder gives them. */
const bitrateBps = 50 * 8 * payloadBytes;
const lte = {
  forward: { delayMs: 60, jitterMs: 8, loss: burstLoss(0.08, 4) },
  backward: { delayMs: 60, jitterMs: 8, loss: 0.01 },
};
const dsl = {
  forward: { delayMs: 15, jitterMs: 2, loss: burstLoss(0.01, 4) },
  backward: { delayMs: 15, jitterMs: 2, loss: 0.002 },
};

/** Everything (source, sender, links, receiver) stands still for 20 to 270 ms, again and again, and a link is cut early. */
function run(seed: number, cut: 0 | 1): { report: ExperimentReport; leastBps: number } {
  const random = new SeededRandom(seed, 77);
  const actions: ExperimentAction[] = [
    {
      atMs: 50 + random.below(500),
      run: ({ links }) => {
        links[cut]!.forward.set({ isUp: false });
        links[cut]!.backward.set({ isUp: false });
      },
    },
  ];
  for (let atMs = random.below(100); atMs < 15_000; ) {
    const pauseMs = 20 + random.below(250);
    actions.push({ atMs, run: ({ clock }) => clock.skip(1000 * pauseMs) });
    atMs += pauseMs + 20 + random.below(400);
  }
  let leastBps = Number.POSITIVE_INFINITY;
  const report = new Experiment({
    seed,
    bitrateBps,
    payloadBytes,
    bufferMs: 700,
    warmupMs: 0,
    durationMs: 12_000,
    links: [lte, dsl],
    actions,
    onSample: ({ sender }) => {
      leastBps = Math.min(leastBps, sender.stats().links[1 - cut]!.capacityBps);
    },
  }).run();
  return { report, leastBps };
}

describe("a link that is cut in the first half second, in a process that stands still now and again", () => {
  // With seeds 42 and 47 the pauses were once taken for a full link, and a tenth of the stream was given up.
  test.each([42, 47])(
    "leaves the other one without a limit and the stream whole (LTE left, seed %d)",
    (seed) => {
      const { report, leastBps } = run(seed, 1);
      expect(leastBps).toBeGreaterThan(bitrateBps);
      expect(report.sender.dropped).toBe(0);
      expect(report.stream.outOfOrder).toBe(0);
      expect(report.stream.residual).toBeLessThan(0.05);
    },
  );

  test.each([1, 2])(
    "leaves the other one without a limit and the stream whole (DSL left, seed %d)",
    (seed) => {
      const { report, leastBps } = run(seed, 0);
      expect(leastBps).toBeGreaterThan(bitrateBps);
      expect(report.stream.residual).toBeLessThan(0.01);
    },
  );
});
