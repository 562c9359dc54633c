import { describe, expect, test } from "vitest";
import { defaultLifecycle, LinkLifecycle, type LinkSignals } from "../src/link/link-lifecycle.ts";

const good: LinkSignals = {
  rttUs: 50_000,
  queueUs: 0,
  jitterUs: 1000,
  loss: 0,
  bufferMs: 1000,
  proofAgeUs: 20_000,
  responses: 3,
};
const bad: LinkSignals = { ...good, loss: 0.4 };
const border: LinkSignals = { ...good, loss: 0.15 };

/** Feeds signals every 10 ms; returns the states with their times of entry. */
function drive(steps: readonly (readonly [number, LinkSignals])[], startMs = 0) {
  const lifecycle = new LinkLifecycle(defaultLifecycle, 0);
  lifecycle.attach(0);
  const seen: [string, number][] = [];
  let timeMs = startMs;
  for (const [durationMs, signals] of steps) {
    for (const endMs = timeMs + durationMs; timeMs < endMs; timeMs += 10) {
      if (lifecycle.update(signals, 1000 * timeMs)) seen.push([lifecycle.state, timeMs]);
    }
  }
  return seen;
}

describe("the life cycle of a link", () => {
  test("goes through warm to live in a second of good (judged every 10 ms)", () => {
    expect(drive([[3000, good]])).toEqual([
      ["warm", 0],
      ["live", 1010],
    ]);
  });

  test("judges by duration: 250 ms of bad are forgiven, 300 ms are not", () => {
    expect(
      drive([
        [2000, good],
        [250, bad],
        [1000, good],
      ]).map(([state]) => state),
    ).toEqual(["warm", "live"]);
    expect(
      drive([
        [2000, good],
        [310, bad],
      ]).at(-1),
    ).toEqual(["degrade", 2300]);
  });

  test("does not flap at the border between good and bad", () => {
    const states = drive([
      [2000, good],
      [400, bad],
      [20_000, border],
    ]);
    expect(states.filter(([state]) => state === "warm" || state === "live")).toHaveLength(2);
  });

  test("cools down for 2 s, then 4 s, when it stays bad", () => {
    const times = drive([
      [2000, good],
      [20_000, bad],
    ]);
    const pairs = times.map(([state, at], index) => [state, at - (times[index - 1]?.[1] ?? 0)]);
    const cooldowns = pairs
      .filter((_, index) => times[index - 1]?.[0] === "cooldown")
      .map(([, stay]) => stay);
    expect(cooldowns.slice(0, 2)).toEqual([2000, 4000]);
  });

  test("resets when proof is missing for 500 ms", () => {
    expect(
      drive([
        [2000, good],
        [10, { ...good, proofAgeUs: 500_001 }],
      ]).at(-1)?.[0],
    ).toBe("reset");
  });
});
