import { describe, expect, test } from "vitest";
import { PlayoutClock } from "../src/receiver/playout-clock.ts";

const second = 1e6;
const latencyUs = 700_000;

/** Feeds a packet every 20 ms of media time in [fromUs, toUs), each `delayUs` behind its media time. */
function feed(clock: PlayoutClock, fromUs: number, toUs: number, delayUs: number): void {
  for (let timeUs = fromUs; timeUs < toUs; timeUs += 20_000) clock.add(timeUs, timeUs + delayUs, latencyUs);
}

describe("the playout clock", () => {
  test("slews by half a millisecond a second while packets are in time", () => {
    const clock = new PlayoutClock();
    feed(clock, 0, 5 * second, 50_000);
    clock.start();
    feed(clock, 5 * second, 45 * second, 350_000);
    expect(clock.offsetUs).toBeGreaterThan(50_000);
    expect(clock.offsetUs).toBeLessThanOrEqual(50_000 + 40 * 500);
  });

  test("follows a source that paused within 16 s, not in the half hour that slewing takes", () => {
    const clock = new PlayoutClock();
    feed(clock, 0, 20 * second, 50_000);
    clock.start();
    feed(clock, 20 * second, 30 * second, 1_050_000);
    expect(clock.offsetUs).toBeLessThan(100_000);
    feed(clock, 30 * second, 40 * second, 1_050_000);
    expect(clock.offsetUs).toBe(1_050_000);
  });
});
