import { describe, expect, test } from "vitest";
import { elementaryFunctions } from "../src/model/core.ts";
import { MersenneTwister } from "../src/sampling/mersenne-twister.ts";
import { TorchRandom } from "../src/sampling/torch-random.ts";
import { goldenFolder, goldenSets, maxDifference, openTensors } from "./goldens.ts";

/** Two units in the last place of a single-precision value around 1 to 2. */
const twoUlp = 3e-7;

test("the twister gives the published values for its default seed", () => {
  // C++ [rand.predef]: the 10000th value of mt19937 seeded with 5489.
  const twister = new MersenneTwister(5489);
  for (let i = 0; i < 9999; i++) twister.nextU32();
  expect(twister.nextU32()).toBe(4123659995);
});

test("elementary functions agree with the engine's to the last places", () => {
  const { cosine, sine, exponential, logarithm } = elementaryFunctions();
  for (let i = 0; i < 5000; i++) {
    const x = (i - 2500) * 0.37 + i * i * 1e-3;
    expect(Math.abs(cosine(x) - Math.cos(x))).toBeLessThan(4e-12);
    expect(Math.abs(sine(x) - Math.sin(x))).toBeLessThan(4e-12);
    const e = (i - 2500) / 5;
    expect(Math.abs(exponential(e) / Math.exp(e) - 1)).toBeLessThan(1e-15);
    const l = (i + 1) * 0.013;
    expect(Math.abs(logarithm(l) - Math.log(l))).toBeLessThan(1e-15 * Math.max(1, Math.abs(Math.log(l))));
  }
});

test("narrow truncation stays inside its bounds and ends", () => {
  const values = new Float32Array(64);
  new TorchRandom(5).fillTruncatedNormal(values, 1, 0.01);
  for (const value of values) expect(Math.abs(value)).toBeLessThanOrEqual(0.0100001);
  expect(new Set(values).size).toBeGreaterThan(60);
});

test("a seed that is no whole number is refused", () => {
  expect(() => new TorchRandom(1.5)).toThrow(/whole number/);
});

for (const set of goldenSets) {
  const folder = goldenFolder(set);
  describe.skipIf(folder === undefined)(`random goldens of data/tts/${set}`, () => {
    const tensors = folder === undefined ? undefined : openTensors(`${folder}/golden.safetensors`);
    const names = [...(tensors?.tensors.keys() ?? [])];

    test("normals of every recorded count follow torch, two fills in a row", () => {
      const counts = names.map((name) => /^rng\.normal(\d+)$/.exec(name)?.[1]).filter((n) => n !== undefined);
      expect(counts.length).toBeGreaterThan(2);
      for (const count of counts.map(Number)) {
        const random = new TorchRandom(1234);
        const values = new Float32Array(count);
        random.fillNormal(values, Math.sqrt(0.7));
        expect(maxDifference(values, tensors!.floats(`rng.normal${count}`))).toBeLessThan(twoUlp * 2);
        random.fillNormal(values, 1);
        expect(maxDifference(values, tensors!.floats(`rng.normal${count}b`))).toBeLessThan(twoUlp * 2);
      }
    });

    test("uniforms are equal and truncated normals follow torch", () => {
      const random = new TorchRandom(1234);
      expect(Array.from({ length: 8 }, () => random.uniform())).toEqual([...tensors!.floats("rng.rand8")]);
      const values = new Float32Array(32);
      new TorchRandom(1234).fillTruncatedNormal(values, Math.sqrt(0.7), 1);
      expect(maxDifference(values, tensors!.floats("rng.trunc32"))).toBeLessThan(twoUlp);
    });
  });
}
