import { expect, test } from "vitest";
import { CapacityEstimator } from "../src/estimate/capacity.ts";

/** A lasting queue of 80 ms while `deliveredBps` arrives, for `seconds`. */
function congest(estimator: CapacityEstimator, deliveredBps: number, seconds: number): void {
  for (let ms = 0; ms < seconds * 1000; ms += 50)
    estimator.update(ms * 1000, deliveredBps, 80_000, 1000, 100_000, true);
}

test("a link that is full is limited to a little less than it delivers", () => {
  const estimator = new CapacityEstimator();
  congest(estimator, 4_000_000, 1);
  expect(estimator.limitBps).toBeCloseTo(3_400_000, -3);
});

test("a link with a small share, judged by late answers, keeps room to take over", () => {
  const estimator = new CapacityEstimator();
  congest(estimator, 20_000, 30);
  expect(estimator.limitBps).toBeGreaterThanOrEqual(256_000);
});
