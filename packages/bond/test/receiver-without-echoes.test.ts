import { expect, test } from "vitest";
import { roundTripUs, startSender } from "./scripted-receiver.ts";

test("the first prompt request of a receiver that answers no echo is repeated, and taught a round trip later", () => {
  const { sender, clock, lost, repeats, repeatedUs, bare, askFor } = startSender({
    answersEchoes: false,
    answersReports: true,
  });
  const askedUs = clock.nowUs();
  askFor(bare());
  clock.runUntil(askedUs + 50_000);
  expect(repeats).toEqual([lost]);
  clock.runUntil(askedUs + 200_000);
  expect(repeats.filter((sequence) => sequence === lost)).toHaveLength(9);
  expect(repeatedUs[1]! - askedUs).toBeGreaterThanOrEqual(0.8 * roundTripUs);
  sender.close();
});

test("a receiver that answers echoes gets what it asks for and no more", () => {
  const { sender, clock, lost, repeats, bare, askFor } = startSender();
  askFor(bare());
  clock.runUntil(clock.nowUs() + 90_000);
  expect(repeats).toEqual([lost]);
  sender.close();
});

test("a repeat whose request waited for a report is sent twice and not marked: nothing is measured on it", () => {
  const { sender, clock, lost, repeats, plain, bare, askFor } = startSender({
    answersEchoes: false,
    answersReports: true,
  });
  clock.runUntil(clock.nowUs() + 400_000);
  askFor(bare());
  clock.runUntil(clock.nowUs() + 20_000);
  expect(repeats).not.toContain(lost);
  expect(plain.filter((sequence) => sequence === lost)).toHaveLength(1 + 2);
  sender.close();
});
