import { describe, expect, test } from "vitest";
import { evidenceAboveChance } from "../src/chance-evidence.ts";

const lengths = [0.2, 1, 1.5, 2, 3, 4, 5, 7, 10, 20, 30, 300];
const catalogs = [0, 1000, 65_000, 200_000, 12e6, 120e6];

describe("evidenceAboveChance", () => {
  test("rises with the evidence at every length and size", () => {
    for (const seconds of lengths) {
      for (const frames of catalogs) {
        let last = Number.NEGATIVE_INFINITY;
        for (let evidence = -30; evidence < 200; evidence += 5) {
          const worth = evidenceAboveChance(evidence, seconds, frames);
          expect(worth).toBeGreaterThan(last);
          last = worth;
        }
      }
    }
  });

  test("the same evidence is worth less in a larger catalog", () => {
    for (const seconds of lengths) {
      const worth = catalogs.map((frames) => evidenceAboveChance(10, seconds, frames));
      for (let i = 1; i < worth.length; i++) expect(worth[i]!).toBeLessThanOrEqual(worth[i - 1]!);
      expect(worth.at(-1)!).toBeLessThan(worth[2]!);
    }
  });

  test("changes with the length without a step", () => {
    for (let seconds = 0.5; seconds < 40; seconds *= 1.01) {
      const [before, after] = [
        evidenceAboveChance(10, seconds, 65_000),
        evidenceAboveChance(10, seconds * 1.01, 65_000),
      ];
      expect(Math.abs(after - before)).toBeLessThan(0.2);
    }
  });
});
