import { SeededRandom } from "@longwave/base";
import { hzToMel, LogMel, MelFilterbank, melToHz } from "@longwave/dsp";
import { allocatedBytesPerCall } from "@longwave/testkit";
import { describe, expect, test } from "vitest";
import { powerSpectrogram, slaneyWeights } from "./oracle/log-mel.ts";

const random = new SeededRandom(12);
const noise = (length: number) => Float32Array.from({ length }, () => random.next() * 2 - 1);

describe("the mel scales", () => {
  test("Slaney's has its knee at 1 kHz and 27 steps for a factor of 6.4", () => {
    expect(hzToMel(0)).toBe(0);
    expect(hzToMel(1000)).toBeCloseTo(15, 12);
    expect(hzToMel(6400)).toBeCloseTo(42, 12);
    for (const hz of [0, 20, 440, 999, 1001, 8000]) expect(melToHz(hzToMel(hz))).toBeCloseTo(hz, 9);
  });

  test("HTK's gives 1000 mel near 1 kHz", () => {
    expect(hzToMel(1000, "htk")).toBeCloseTo(2595 * Math.log10(1 + 1000 / 700), 9);
    for (const hz of [0, 20, 440, 8000]) expect(melToHz(hzToMel(hz, "htk"), "htk")).toBeCloseTo(hz, 9);
  });
});

describe("MelFilterbank", () => {
  test("sums under Slaney's triangles", () => {
    const weights = slaneyWeights(16_000, 1024, 128, 0, 8000);
    const bank = new MelFilterbank({ sampleRate: 16_000, frameSize: 1024, bands: 128 });
    const power = noise(513).map((value) => value * value);
    const output = new Float32Array(128);
    bank.apply(power, output);
    for (const [band, row] of weights.entries()) {
      const expected = row.reduce((sum, weight, bin) => sum + weight * power[bin]!, 0);
      expect(Math.abs(output[band]! - expected)).toBeLessThan(1e-5 * expected + 1e-12);
    }
  });

  test("without normalisation a triangle's peak is 1", () => {
    const bank = new MelFilterbank({
      sampleRate: 8000,
      frameSize: 65_536,
      bands: 3,
      normalize: "none",
      scale: "htk",
    });
    const output = new Float32Array(3);
    for (let bin = 0, best = 0; bin < bank.bins; bin += 97) {
      const power = new Float32Array(bank.bins);
      power[bin] = 1;
      bank.apply(power, output);
      best = Math.max(best, ...output);
      expect(best).toBeLessThanOrEqual(1);
    }
  });

  test("refuses impossible options", () => {
    const good = { sampleRate: 8000, frameSize: 256, bands: 20 };
    for (const bad of [
      { bands: 0 },
      { minHz: 4000 },
      { maxHz: 4001 },
      { minHz: -1 },
      { sampleRate: Number.NaN },
    ]) {
      expect(() => new MelFilterbank({ ...good, ...bad })).toThrow(
        expect.objectContaining({ code: "dsp/bad-option" }),
      );
    }
  });
});

describe("LogMel", () => {
  test("agrees with the plain oracle to 1e-5 (STFT 1024/256, 80 bands)", () => {
    const samples = noise(16_000);
    const logMel = new LogMel({ sampleRate: 16_000, frameSize: 1024, hop: 256, bands: 80 });
    const weights = slaneyWeights(16_000, 1024, 80, 0, 8000);
    const expected = powerSpectrogram(samples, 1024, 256).map((power) =>
      weights.map((row) =>
        Math.log10(row.reduce((sum, weight, bin) => sum + weight * power[bin]!, 0) + 1e-10),
      ),
    );
    let frames = 0;
    logMel.push(samples, (values, frame) => {
      frames++;
      for (const [band, value] of values.entries()) {
        expect(Math.abs(value - expected[frame]![band]!)).toBeLessThan(1e-5);
      }
    });
    expect(frames).toBe(expected.length);
  });

  test("silence gives the logarithm of the addend", () => {
    const logMel = new LogMel({ sampleRate: 16_000, frameSize: 1024, hop: 320, bands: 128 });
    logMel.push(new Float32Array(1024), (values) => {
      for (const value of values) expect(value).toBeCloseTo(-10, 5);
    });
  });

  test("allocates nothing a push", () => {
    const logMel = new LogMel({ sampleRate: 16_000, frameSize: 512, hop: 160, bands: 80 });
    const samples = noise(320);
    const onFrame = () => {};
    expect(allocatedBytesPerCall(() => logMel.push(samples, onFrame)).heap).toBeLessThan(1);
  });
});
