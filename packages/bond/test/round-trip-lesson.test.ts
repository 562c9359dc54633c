import { describe, expect, test } from "vitest";
import { RoundTripLesson } from "../src/sender/round-trip-lesson.ts";

const requestUs = 40_000;
const mostRequests = 7;

/**
 * What rtpjitterbuffer measures, which has measured nothing before: it asks each 40 ms, seven times at the most, until the packet is
 * there; the repeat that makes as many as it had asked for gives the time since the last request.
 * @param waitUs how long its first request waits for a report
 */
function measure(roundTripUs: number, waitUs: number): number {
  const lesson = new RoundTripLesson();
  const askedUs = waitUs + roundTripUs / 2;
  // The gap shows three packets later; the packet left half a round trip and that before the first request.
  expect(lesson.begin(1, askedUs + roundTripUs / 2 + 16_000, roundTripUs, askedUs)).toBe(true);
  const arrivals = [askedUs];
  for (let nowUs = askedUs; lesson.nextUs < Number.POSITIVE_INFINITY; nowUs += 1000)
    for (let sequence = lesson.due(nowUs); sequence >= 0; sequence = lesson.due(nowUs)) arrivals.push(nowUs);
  const firstUs = arrivals[0]! + roundTripUs / 2;
  const requests = Math.min(mostRequests, 1 + Math.floor(firstUs / requestUs));
  expect(arrivals.length).toBeGreaterThanOrEqual(requests);
  return arrivals[requests - 1]! + roundTripUs / 2 - (requests - 1) * requestUs;
}

/** Takes all copies that are left. */
function drain(lesson: RoundTripLesson): boolean {
  while (lesson.due(1e12) >= 0);
  return true;
}

describe("the lesson in the round trip", () => {
  test.each([10, 50, 100, 150, 250, 400])(
    "is near %i ms, whatever the receiver had counted",
    (roundTripMs) => {
      for (let waitMs = 0; waitMs <= 100; waitMs += 5) {
        const measuredMs = measure(1000 * roundTripMs, 1000 * waitMs) / 1000;
        expect(measuredMs).toBeGreaterThanOrEqual(0.85 * roundTripMs);
        expect(measuredMs).toBeLessThanOrEqual(2 * roundTripMs + 120);
      }
    },
  );

  test("is not given with a request that waited: the receiver has stopped asking by then", () => {
    const lesson = new RoundTripLesson();
    expect(lesson.begin(1, 480_000, 100_000, 0)).toBe(false);
    expect(lesson.nextUs).toBe(Number.POSITIVE_INFINITY);
    expect(lesson.begin(2, 150_000, 100_000, 0)).toBe(true);
  });

  test("is given with the last packet that one report asks for", () => {
    const lesson = new RoundTripLesson();
    for (const sequence of [1, 5, 9]) expect(lesson.begin(sequence, 300_000, 100_000, 0)).toBe(true);
    const copies: number[] = [];
    for (let next = lesson.due(1e6); next >= 0; next = lesson.due(1e6)) copies.push(next);
    expect(copies).toEqual([9, 9, 9, 9, 9, 9, 9, 9]);
    // That counted once.
    expect([2, 3, 4].map((second) => lesson.begin(1, 0, 100_000, 1e6 * second) && drain(lesson))).toEqual([
      true,
      true,
      false,
    ]);
  });

  test("ends with its last copy: later repeats of the packet are not measured", () => {
    const lesson = new RoundTripLesson();
    lesson.begin(1, 200_000, 100_000, 0);
    expect(lesson.mayMeasure(1, 300_000)).toBe(true);
    drain(lesson);
    expect(lesson.mayMeasure(1, 300_000)).toBe(false);
    expect(lesson.mayMeasure(1, 200_000)).toBe(true);
  });

  test("is given three times to a receiver, one after the other, and anew to the next receiver", () => {
    const lesson = new RoundTripLesson();
    const give = (nowUs: number) => {
      const isGiven = lesson.begin(1, 0, 100_000, nowUs);
      expect(lesson.begin(2, 0, 100_000, nowUs + 1)).toBe(false);
      drain(lesson);
      return isGiven;
    };
    expect([0, 1, 2, 3].map((second) => give(1e6 * second))).toEqual([true, true, true, false]);
    lesson.restart();
    expect(give(9e6)).toBe(true);
  });
});
