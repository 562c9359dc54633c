import { expect, test } from "vitest";
import { CapacityEstimator } from "../src/estimate/capacity.ts";

interface Situation {
  readonly deliveredBps: number;
  readonly offeredBps: number;
  readonly queueMs?: number;
  readonly commonQueueMs?: number;
  readonly isWaiting?: boolean;
  readonly hasDrops?: boolean;
}

/** Feeds one situation every 50 ms for `seconds`; returns the time of its end. */
function feed(estimator: CapacityEstimator, startS: number, seconds: number, situation: Situation): number {
  const {
    deliveredBps,
    offeredBps,
    queueMs = 80,
    commonQueueMs = 0,
    isWaiting = false,
    hasDrops = false,
  } = situation;
  for (let ms = 0; ms < seconds * 1000; ms += 50) {
    const nowUs = 1e6 * startS + 1000 * ms;
    const [queueUs, commonUs] = [1000 * queueMs, 1000 * commonQueueMs];
    estimator.update(nowUs, deliveredBps, offeredBps, queueUs, commonUs, 1000, 100_000, isWaiting, hasDrops);
  }
  return startS + seconds;
}

test("a link that gets more than it delivers is limited to a little less than it delivers", () => {
  const estimator = new CapacityEstimator();
  feed(estimator, 0, 1, { deliveredBps: 4e6, offeredBps: 6e6 });
  expect(estimator.limitBps).toBeCloseTo(3.4e6, -3);
});

test("a queue that no other link has counts after a second, also without a push", () => {
  const estimator = new CapacityEstimator();
  const at = feed(estimator, 0, 0.9, { deliveredBps: 4e6, offeredBps: 4e6 });
  expect(estimator.limitBps).toBe(Number.POSITIVE_INFINITY);
  feed(estimator, at, 0.4, { deliveredBps: 4e6, offeredBps: 4e6 });
  expect(estimator.limitBps).toBeCloseTo(3.4e6, -3);
});

test("late answers of a busy process, on all links at once, limit no link that delivers what it is given", () => {
  const estimator = new CapacityEstimator();
  feed(estimator, 0, 30, { deliveredBps: 20_000, offeredBps: 20_000, queueMs: 150, commonQueueMs: 140 });
  expect(estimator.limitBps).toBe(Number.POSITIVE_INFINITY);
});

test("a sudden takeover is no push: what was just given is not acknowledged yet", () => {
  const estimator = new CapacityEstimator();
  const late = { queueMs: 150, commonQueueMs: 140 };
  let at = feed(estimator, 0, 5, { deliveredBps: 20_000, offeredBps: 20_000, ...late });
  // Rates are compared one round trip apart, so both rise together.
  at = feed(estimator, at, 0.3, { deliveredBps: 500_000, offeredBps: 550_000, ...late });
  feed(estimator, at, 5, { deliveredBps: 4e6, offeredBps: 4e6, ...late });
  expect(estimator.limitBps).toBe(Number.POSITIVE_INFINITY);
});

test("drops at a lasting queue are evidence without a push", () => {
  const estimator = new CapacityEstimator();
  feed(estimator, 0, 0.6, { deliveredBps: 4e6, offeredBps: 4e6, hasDrops: true });
  expect(estimator.limitBps).toBeCloseTo(3.4e6, -3);
});

test("a limit that late acknowledgements suggest takes at most three tenths at a time", () => {
  const estimator = new CapacityEstimator();
  feed(estimator, 0, 0.8, { deliveredBps: 1e6, offeredBps: 10e6, commonQueueMs: 70 });
  expect(estimator.limitBps).toBeCloseTo(7e6, -3);
});

test("probing starts at 10 % a second and doubles every half second without a queue", () => {
  const estimator = new CapacityEstimator();
  const at = feed(estimator, 0, 1, { deliveredBps: 1e6, offeredBps: 2e6 });
  const first = estimator.limitBps;
  feed(estimator, at, 1, { deliveredBps: 850_000, offeredBps: 9e6, queueMs: 0, isWaiting: true });
  expect(estimator.limitBps / first).toBeCloseTo(1.15, 1);
  feed(estimator, at + 1, 9, { deliveredBps: 850_000, offeredBps: 9e6, queueMs: 0, isWaiting: true });
  expect(estimator.limitBps / first).toBeGreaterThan(4);
});
