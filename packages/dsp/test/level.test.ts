import { DcBlocker, fadeLinear, normalizePeak } from "@longwave/dsp";
import { allocatedBytesPerCall } from "@longwave/testkit";
import { describe, expect, test } from "vitest";

describe("normalizePeak", () => {
  test("brings the largest magnitude to the peak and returns the factor", () => {
    const samples = Float32Array.of(0.1, -0.25, 0.2);
    expect(normalizePeak(samples, 0.5)).toBeCloseTo(2, 6);
    expect(samples[1]).toBeCloseTo(-0.5, 6);
  });

  test("leaves silence alone and ignores what is not finite", () => {
    expect(normalizePeak(new Float32Array(4))).toBe(1);
    const samples = Float32Array.of(Number.NaN, Number.POSITIVE_INFINITY, 0.5);
    expect(normalizePeak(samples)).toBe(2);
    expect(samples[2]).toBe(1);
    expect(() => normalizePeak(samples, 0)).toThrow(expect.objectContaining({ code: "dsp/bad-option" }));
  });
});

describe("fadeLinear", () => {
  test("is a line, and fades that meet join", () => {
    const samples = new Float32Array(16).fill(1);
    fadeLinear(samples, { start: 0, end: 4, from: 0, to: 1 }, 2);
    fadeLinear(samples, { start: 4, end: 8, from: 1, to: 0 }, 2);
    expect([...samples]).toEqual([
      0, 0, 0.25, 0.25, 0.5, 0.5, 0.75, 0.75, 1, 1, 0.75, 0.75, 0.5, 0.5, 0.25, 0.25,
    ]);
  });

  test("refuses a range outside the samples", () => {
    for (const range of [
      { start: 0, end: 5 },
      { start: 3, end: 2 },
      { start: -1, end: 2 },
    ]) {
      expect(() => fadeLinear(new Float32Array(8), { ...range, from: 0, to: 1 }, 2)).toThrow(
        expect.objectContaining({ code: "dsp/bad-option" }),
      );
    }
  });
});

describe("DcBlocker", () => {
  test("removes an offset and keeps a tone, per channel", () => {
    const blocker = new DcBlocker({ sampleRate: 48_000, channels: 2 });
    const samples = Float32Array.from({ length: 96_000 }, (_, i) =>
      i % 2 === 0 ? 0.5 : 0.25 * Math.sin((2 * Math.PI * 1000 * (i >> 1)) / 48_000),
    );
    for (let at = 0; at < samples.length; at += 1000) blocker.process(samples.subarray(at, at + 1000));
    const end = samples.subarray(90_000);
    expect(Math.max(...end.filter((_, i) => i % 2 === 0).map(Math.abs))).toBeLessThan(1e-6);
    expect(Math.max(...end.filter((_, i) => i % 2 === 1))).toBeCloseTo(0.25, 3);
  });

  test("survives samples that are not finite", () => {
    const blocker = new DcBlocker({ sampleRate: 8000 });
    const samples = Float32Array.of(0.1, Number.NaN, Number.NEGATIVE_INFINITY, 0.1);
    blocker.process(samples);
    expect(samples.every(Number.isFinite)).toBe(true);
  });

  test("allocates nothing a call", () => {
    const blocker = new DcBlocker({ sampleRate: 48_000, channels: 2 });
    const samples = new Float32Array(480).fill(0.3);
    const used = allocatedBytesPerCall(() => {
      blocker.process(samples);
      fadeLinear(samples, fade, 2);
    });
    expect(used.heap).toBeLessThan(1);
  });
  const fade = { start: 0, end: 240, from: 1, to: 0.5 };
});
