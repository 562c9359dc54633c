import { describe, expect, test } from "vitest";
import { StallGrace } from "../src/receiver/stall-grace.ts";

const tickUs = 5000;

/** A timer of 5 ms for `seconds`, late by `lateUs` every `everyUs`. @returns the longest postponement */
function run(grace: StallGrace, seconds: number, lateUs: number, everyUs: number): number {
  let most = 0;
  let lastUs = 0;
  let stallAtUs = everyUs;
  while (lastUs < seconds * 1e6) {
    const plannedUs = lastUs + tickUs;
    const nowUs = plannedUs >= stallAtUs ? plannedUs + lateUs : plannedUs;
    if (nowUs !== plannedUs) stallAtUs = nowUs + everyUs;
    grace.update(nowUs, plannedUs, lastUs);
    lastUs = nowUs;
    most = Math.max(most, grace.us);
  }
  return most;
}

describe("putting playout off", () => {
  test("by twice a stall, which comes back at 5 % of real time", () => {
    const grace = new StallGrace(3_000_000);
    expect(run(grace, 5, 400_000, 4_000_000)).toBe(800_000);
    run(grace, 20, 0, Number.POSITIVE_INFINITY);
    expect(grace.us).toBe(0);
  });

  test("by the sum of stalls that take most of the time, up to the limit", () => {
    // Three quarters of the time this process does not run: no single stall is longer than 150 ms.
    const grace = new StallGrace(3_000_000);
    expect(run(grace, 1, 150_000, 50_000)).toBeGreaterThan(900_000);
    expect(run(grace, 10, 150_000, 50_000)).toBe(3_000_000);
  });

  test("not by more for stalls that are seldom, and never without a limit", () => {
    expect(run(new StallGrace(3_000_000), 30, 60_000, 500_000)).toBe(120_000);
    expect(run(new StallGrace(0), 5, 150_000, 50_000)).toBe(0);
  });
});
