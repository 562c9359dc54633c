import { isLongwaveError } from "@longwave/base";
import { describe, expect, test } from "vitest";
import { cosSinTurn, naturalLog, PairTransform } from "../../src/compare/spectrum.ts";
import { opusCompare } from "../../src/index.ts";
import { syntheticSpeech } from "../silk/synthetic-speech.ts";

const reference = syntheticSpeech(48000, 2, 0.5);

test("equal signals have quality 100", () => {
  expect(opusCompare(reference, reference)).toEqual({ quality: 100, error: 0, passed: true });
});

test("quality falls with the error and fails at a different sound", () => {
  let before = 100;
  for (const gain of [0.999, 0.98, 0.9, 0.5]) {
    const { quality } = opusCompare(
      reference,
      reference.map((value) => value * gain),
    );
    expect(quality).toBeLessThan(before);
    before = quality;
  }
  expect(opusCompare(reference, syntheticSpeech(48000, 2, 0.5, 5).reverse()).passed).toBe(false);
});

test("a mono decode is held against the mean of the reference", () => {
  const mono = new Int16Array(reference.length / 2).map(
    (_, i) => (reference[2 * i]! + reference[2 * i + 1]!) >> 1,
  );
  expect(opusCompare(reference, mono, { channels: 1 }).quality).toBeGreaterThan(99);
});

test("lengths that do not fit are refused", () => {
  try {
    opusCompare(reference, reference.subarray(2));
    expect.unreachable();
  } catch (error) {
    expect(isLongwaveError(error, "opus/bad-argument")).toBe(true);
  }
});

describe("spectrum", () => {
  test.each([480, 240, 160, 120, 80])("the transform of %i points is the definition", (n) => {
    const first = Float64Array.from({ length: n }, (_, i) => ((i * 37) % 101) - 50);
    const second = Float64Array.from({ length: n }, (_, i) => ((i * 53) % 97) - 48);
    const powers = new Float64Array(n);
    new PairTransform(n).powers(first, second, n / 2, powers);
    for (const bin of [0, 1, 7, n / 2 - 1]) {
      for (const [index, signal] of [first, second].entries()) {
        let re = 0;
        let im = 0;
        for (let i = 0; i < n; i++) {
          re += signal[i]! * Math.cos((2 * Math.PI * bin * i) / n);
          im -= signal[i]! * Math.sin((2 * Math.PI * bin * i) / n);
        }
        expect(powers[2 * bin + index]! / (re * re + im * im)).toBeCloseTo(1, 9);
      }
    }
  });

  test("sines and logarithms are those of the engine, up to rounding", () => {
    for (let k = 0; k < 479; k++) {
      const [c, s] = cosSinTurn(k, 479);
      expect(c).toBeCloseTo(Math.cos((2 * Math.PI * k) / 479), 14);
      expect(s).toBeCloseTo(Math.sin((2 * Math.PI * k) / 479), 14);
    }
    for (const x of [1e-9, 0.3, 0.99999, 1, 1.13, 2, 1e12])
      expect(naturalLog(x)).toBeCloseTo(Math.log(x), 12);
  });
});
