import { SeededRandom } from "@longwave/base";
import { ConstantQ } from "@longwave/dsp";
import { allocatedBytesPerCall } from "@longwave/testkit";
import { describe, expect, test } from "vitest";

const sampleRate = 11_025;

describe("ConstantQ", () => {
  const cq = new ConstantQ({ sampleRate, hop: 700, minHz: 65.406, octaves: 6 });

  test("a sine in the middle of a bin gives its amplitude there, and little two bins away", () => {
    for (const bin of [0, 1, 35, 36, 100, 180, 215]) {
      const hz = cq.frequencyOf(bin);
      const samples = Float32Array.from(
        { length: 33_000 },
        (_, n) => 0.5 * Math.sin((2 * Math.PI * hz * n) / sampleRate),
      );
      const magnitudes = new Float32Array(cq.frameCount(samples.length) * cq.bins);
      expect(cq.analyze(samples, magnitudes)).toBe(48);
      const row = magnitudes.subarray(24 * cq.bins, 25 * cq.bins);
      expect(row[bin], `bin ${bin}`).toBeGreaterThan(0.49);
      expect(row[bin], `bin ${bin}`).toBeLessThan(0.51);
      for (const [other, value] of row.entries()) {
        if (Math.abs(other - bin) > 4) expect(value, `bin ${other} for ${bin}`).toBeLessThan(0.005);
      }
    }
  });

  test("agrees with the sum of the definition on noise", () => {
    const random = new SeededRandom(41);
    const samples = Float32Array.from({ length: 20_000 }, () => random.next() * 2 - 1);
    const magnitudes = new Float32Array(cq.frameCount(samples.length) * cq.bins);
    cq.analyze(samples, magnitudes);
    const q = 1 / (2 ** (1 / 36) - 1);
    for (const bin of [40, 99, 144, 150, 215]) {
      const turns = cq.frequencyOf(bin) / sampleRate;
      const length = q / turns;
      for (const frame of [12, 15]) {
        let [re, im, weights] = [0, 0, 0];
        for (let n = -Math.floor(length / 2); n <= length / 2; n++) {
          const weight = 0.5 + 0.5 * Math.cos((2 * Math.PI * n) / length);
          const x = samples[frame * 700 + n]!;
          re += weight * x * Math.cos(2 * Math.PI * turns * n);
          im += weight * x * Math.sin(2 * Math.PI * turns * n);
          weights += weight;
        }
        const expected = (2 * Math.hypot(re, im)) / weights;
        const actual = magnitudes[frame * cq.bins + bin]!;
        // Halved octaves round the middle of the frame and the window's length to whole samples of the lower rate.
        expect(Math.abs(actual - expected), `bin ${bin}, frame ${frame}`).toBeLessThan(
          0.02 * expected + 0.001,
        );
      }
    }
  });

  test("gives the same bits for every way of cutting the stream, each frame in time", () => {
    const random = new SeededRandom(42);
    const samples = Float32Array.from({ length: 70_000 }, () => random.next() * 2 - 1);
    const whole = new Float32Array(cq.frameCount(samples.length) * cq.bins);
    const frames = cq.analyze(samples, whole);
    for (const most of [1, 300, 5000, 70_000]) {
      const cut = new Float32Array(whole.length);
      let given = 0;
      let latest = 0;
      const keep = (row: Float32Array, frame: number) => {
        expect(frame).toBe(given++);
        cut.set(row, frame * cq.bins);
      };
      for (let at = 0; at < samples.length; ) {
        const count = Math.min(samples.length - at, most === 1 ? 1 : 1 + random.below(most));
        cq.push(samples.subarray(at, at + count), keep);
        at += count;
        latest = Math.max(latest, at - given * cq.hop);
      }
      expect(latest, "samples behind the middle of a frame that was not given").toBeLessThanOrEqual(
        cq.lookaheadSamples,
      );
      cq.flush(keep);
      expect(given).toBe(frames);
      expect(Buffer.compare(Buffer.from(cut.buffer), Buffer.from(whole.buffer)), `pieces of ${most}`).toBe(0);
    }
  });

  test("allocates nothing a push", () => {
    const small = new ConstantQ({ sampleRate, hop: 256, minHz: 130, octaves: 5, binsPerOctave: 12 });
    const chunk = Float32Array.from({ length: 256 }, (_, n) => Math.sin(n * n));
    let frames = 0;
    const count = () => void frames++;
    const used = allocatedBytesPerCall(() => small.push(chunk, count), { warmupCalls: 3000, calls: 2000 });
    expect(used.heap).toBeLessThan(1);
    expect(used.external).toBeLessThan(1);
    expect(frames).toBeGreaterThan(4000);
    small.close();
  });

  test("refuses an upper end beyond 0.45 of the rate and short outputs", () => {
    expect(() => new ConstantQ({ sampleRate: 8000, hop: 100, minHz: 60, octaves: 6 })).toThrow(
      expect.objectContaining({ code: "dsp/bad-option" }),
    );
    expect(() => cq.analyze(new Float32Array(1000), new Float32Array(10))).toThrow(
      expect.objectContaining({ code: "dsp/bad-length" }),
    );
    expect(cq.analyze(new Float32Array(0), new Float32Array(0))).toBe(0);
  });
});
