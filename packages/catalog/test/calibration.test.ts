import { MemoryStore, SeededRandom } from "@longwave/base";
import { describe, expect, test } from "vitest";
import { Catalog, checkCalibration, falseProbability, fitCalibration } from "../src/index.ts";
import { melody } from "./signals.ts";

describe("fitCalibration", () => {
  test("predicts the share of fresh scores of the same kind within a factor of three", () => {
    const random = new SeededRandom(3);
    const scores = () => Array.from({ length: 4000 }, () => -25 * Math.log(1 - random.next()) - 10);
    const calibration = fitCalibration(scores());
    const fresh = scores();
    for (const score of [40, 60, 90, 120]) {
      const observed = fresh.filter((each) => each >= score).length / fresh.length;
      const predicted = falseProbability(score, calibration);
      expect(predicted / observed).toBeGreaterThan(1 / 3);
      expect(predicted / observed).toBeLessThan(3);
    }
  });

  test("the check agrees for an exponential tail, and shows it where the tail is another", () => {
    const random = new SeededRandom(5);
    const scores = Array.from({ length: 4000 }, () => -25 * Math.log(1 - random.next()));
    const rows = checkCalibration(scores);
    expect(rows.map(({ predicted }) => predicted)).toEqual([0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001]);
    for (const { predicted, observed } of rows.slice(0, 5)) {
      expect(observed / predicted).toBeGreaterThan(0.5);
      expect(observed / predicted).toBeLessThan(2);
    }
    // A heavy tail has more large scores than the fit promises.
    const heavy = checkCalibration(scores.map((score) => score ** 3 / 1000));
    expect(heavy.at(-1)!.observed).toBeGreaterThan(3 * heavy.at(-1)!.predicted);
    expect(checkCalibration(scores.slice(0, 99))).toEqual([]);
  });

  test("never rises with the score, and refuses few negatives", () => {
    const calibration = fitCalibration(Array.from({ length: 60 }, (_, i) => i));
    let last = 1;
    for (let score = -50; score < 2000; score += 7) {
      const p = falseProbability(score, calibration);
      expect(p).toBeLessThanOrEqual(last);
      last = p;
    }
    expect(() => fitCalibration([1, 2, 3])).toThrow(RangeError);
  });

  test("is stored with the catalog", async () => {
    const store = new MemoryStore();
    const catalog = await Catalog.open(store);
    for (let i = 0; i < 3; i++)
      await catalog.enroll({ id: `t${i}` }, { samples: melody(i, 6), sampleRate: 8000 });
    const negatives = Array.from({ length: 50 }, (_, i) => ({
      samples: melody(500 + i, 2),
      sampleRate: 8000,
    }));
    const calibration = await catalog.calibrate(negatives);
    const piece = { samples: melody(1, 6).slice(8000, 32_000), sampleRate: 8000 };
    const [before, after] = [
      await catalog.identify(piece),
      await (await Catalog.open(store)).identify(piece),
    ];
    expect(after.match?.pFalse).toBe(before.match?.pFalse);
    expect(falseProbability(before.match!.score, calibration)).toBeLessThanOrEqual(before.match!.pFalse);
    await catalog.compact();
    expect((await catalog.identify(piece)).match?.pFalse).toBe(before.match?.pFalse);
  });
});
