import { SeededRandom } from "@longwave/base";
import { Resampler } from "@longwave/dsp";
import { allocatedBytesPerCall } from "@longwave/testkit";
import { describe, expect, test } from "vitest";

const random = new SeededRandom(21);

/** Whole stream through `resampler` in chunks. */
function convert(resampler: Resampler, input: Float32Array, nextFrames: () => number): Float32Array {
  const { channels } = resampler;
  const parts: Float32Array[] = [];
  for (let at = 0; at < input.length; ) {
    const chunk = input.subarray(at, at + nextFrames() * channels);
    const output = new Float32Array(resampler.maxOutputFrames(chunk.length / channels) * channels);
    parts.push(output.subarray(0, resampler.process(chunk, output) * channels));
    at += chunk.length;
  }
  const tail = new Float32Array(resampler.maxOutputFrames() * channels);
  parts.push(tail.subarray(0, resampler.flush(tail) * channels));
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const tone = (hz: number, rate: number, length: number) =>
  Float32Array.from({ length }, (_, n) => Math.sin((2 * Math.PI * hz * n) / rate));

/** Signal to noise of `actual` against `expected` in dB, away from the ends. */
function snr(actual: Float32Array, expected: (n: number) => number, margin: number): number {
  let signal = 0;
  let noise = 0;
  for (let n = margin; n < actual.length - margin; n++) {
    signal += expected(n) ** 2;
    noise += (actual[n]! - expected(n)) ** 2;
  }
  return 10 * Math.log10(signal / noise);
}

/** Level in dB of the part of `signal` at `hz` relative to a full-scale sine, by a Hann-weighted correlation. */
function levelAt(signal: Float32Array, hz: number, rate: number, margin: number): number {
  let re = 0;
  let im = 0;
  let weights = 0;
  const length = signal.length - 2 * margin;
  for (let n = 0; n < length; n++) {
    const weight = (0.5 - 0.5 * Math.cos((2 * Math.PI * n) / length)) ** 2;
    const angle = (2 * Math.PI * hz * n) / rate;
    re += weight * signal[n + margin]! * Math.cos(angle);
    im += weight * signal[n + margin]! * Math.sin(angle);
    weights += weight;
  }
  return 20 * Math.log10((2 * Math.hypot(re, im)) / weights + 1e-12);
}

const pairs = [
  [44_100, 48_000],
  [48_000, 44_100],
  [48_000, 8000],
  [8000, 48_000],
  [44_100, 8000],
  [44_101, 48_000],
  [48_000, 11_027],
] as const;

describe("Resampler", () => {
  test("44.1 kHz to 48 kHz keeps a swept sine with at least 100 dB", () => {
    const seconds = 1;
    const sweep = (t: number) => Math.sin(2 * Math.PI * (20 * t + ((20_000 - 20) * t * t) / (2 * seconds)));
    const input = Float32Array.from({ length: 44_100 * seconds }, (_, n) => 0.9 * sweep(n / 44_100));
    const output = convert(new Resampler({ from: 44_100, to: 48_000 }), input, () => 1024);
    expect(output.length).toBe(48_000 * seconds);
    expect(snr(output, (n) => 0.9 * sweep(n / 48_000), 400)).toBeGreaterThan(100);
  });

  test.each(pairs)("%i to %i Hz: exact in time and flat within 0.05 dB to 0.91 of Nyquist", (from, to) => {
    const nyquist = Math.min(from, to) / 2;
    for (const part of [0.01, 0.3, 0.7, 0.91]) {
      const hz = part * nyquist;
      const output = convert(new Resampler({ from, to }), tone(hz, from, from >> 2), () => 5000);
      const margin = Math.ceil((200 * Math.max(1, from / to) * to) / from);
      const error = 10 ** (-snr(output, (n) => Math.sin((2 * Math.PI * hz * n) / to), margin) / 20);
      // 0.05 dB is a factor of 1.00577; the deviation of value, time included, must stay below.
      expect(error).toBeLessThan(0.0057);
    }
  });

  test.each(pairs)("%i to %i Hz: aliases and images are under -100 dB", (from, to) => {
    const resampler = new Resampler({ from, to });
    const lower = Math.min(from, to) / 2;
    const margin = 3000;
    for (const part of [1.0, 1.02, 1.2, 1.9]) {
      const length = Math.ceil((from / to) * 12_000) + 8000;
      if (to < from) {
        // A tone above the new Nyquist frequency must vanish, at whatever frequency it would fold to.
        const hz = Math.min(part * lower + 1, from / 2 - 1);
        const output = convert(resampler, tone(hz, from, length), () => 4096);
        const middle = output.subarray(1000, output.length - 1000);
        const rms = Math.sqrt(middle.reduce((sum, x) => sum + x * x, 0) / middle.length);
        expect(20 * Math.log10(rms * Math.SQRT2 + 1e-12), `${hz} Hz`).toBeLessThan(-100);
      } else {
        // A tone below the old Nyquist frequency must not appear mirrored at it.
        const hz = (2 - Math.max(1.002, part)) * lower;
        const image = from - hz;
        if (image >= to / 2) continue;
        const output = convert(resampler, tone(hz, from, Math.max(length, 12_000)), () => 4096);
        expect(levelAt(output, image, to, margin), `${hz} Hz`).toBeLessThan(-100);
      }
    }
  });

  test("the output is the same bits for every cut of the stream, and as long as promised", () => {
    const input = Float32Array.from({ length: 9001 }, () => random.next() * 2 - 1);
    for (const [from, to] of [...pairs, [7, 3], [1, 256], [256, 1]] as const) {
      const resampler = new Resampler({ from, to });
      const whole = convert(resampler, input, () => input.length);
      expect(whole.length).toBe(Math.ceil((input.length * to) / from));
      for (const next of [() => 1, () => 7, () => 1 + random.below(5000)]) {
        expect(
          Buffer.compare(Buffer.from(convert(resampler, input, next).buffer), Buffer.from(whole.buffer)),
        ).toBe(0);
      }
      resampler.close();
    }
  });

  test("a part of an array is taken as that part alone", () => {
    const input = Float32Array.from({ length: 3000 }, () => random.next() * 2 - 1);
    for (const [from, channels] of [
      [44_100, 1],
      [44_100, 2],
      [8000, 2],
    ] as const) {
      const [whole, part] = [0, 1].map(() => new Resampler({ from, to: 8000, channels })) as [
        Resampler,
        Resampler,
      ];
      const expected = new Float32Array(3000);
      const output = new Float32Array(3000);
      const count = whole.process(input.slice(100, 2500), expected);
      expect(part.process(input, output, 100, 2500)).toBe(count);
      expect(output).toEqual(expected);
      expect(() => part.process(input, output, 100, 3100)).toThrow("values");
      expect(() => part.process(input, output, -2, 100)).toThrow("values");
    }
  });

  test("channels are independent", () => {
    const left = Float32Array.from({ length: 3000 }, () => random.next() * 2 - 1);
    const right = Float32Array.from({ length: 3000 }, () => random.next() * 2 - 1);
    const both = Float32Array.from({ length: 6000 }, (_, i) => (i % 2 === 0 ? left : right)[i >> 1]!);
    const stereo = convert(new Resampler({ from: 44_100, to: 16_000, channels: 2 }), both, () => 700);
    const mono = new Resampler({ from: 44_100, to: 16_000 });
    expect(stereo.filter((_, i) => i % 2 === 0)).toEqual(convert(mono, left, () => 999));
    expect(stereo.filter((_, i) => i % 2 === 1)).toEqual(convert(mono, right, () => 999));
  });

  test("equal rates pass samples through", () => {
    const input = Float32Array.from({ length: 100 }, () => random.next());
    const resampler = new Resampler({ from: 48_000, to: 48_000, channels: 2 });
    expect(resampler.lookaheadFrames).toBe(0);
    expect(convert(resampler, input, () => 7)).toEqual(input);
  });

  test("a constant stays constant, NaN and infinities stay local", () => {
    const resampler = new Resampler({ from: 8000, to: 11_025 });
    const input = new Float32Array(20_000).fill(0.5);
    input[100] = Number.NaN;
    input[200] = Number.NEGATIVE_INFINITY;
    const output = convert(resampler, input, () => 20_000);
    for (let n = 1000; n < output.length - 1000; n++) expect(Math.abs(output[n]! - 0.5)).toBeLessThan(1e-6);
  });

  test("refuses bad rates, partial frames and short outputs", () => {
    const bad = (code: string) => expect.objectContaining({ code, kind: "usage" });
    expect(() => new Resampler({ from: 0, to: 1 })).toThrow(bad("dsp/bad-option"));
    expect(() => new Resampler({ from: 44_100.5, to: 48_000 })).toThrow(bad("dsp/bad-option"));
    expect(() => new Resampler({ from: 257, to: 1 })).toThrow(bad("dsp/bad-option"));
    const resampler = new Resampler({ from: 1, to: 2, channels: 2 });
    expect(() => resampler.process(new Float32Array(3), new Float32Array(99))).toThrow(bad("dsp/bad-length"));
    expect(() => resampler.process(new Float32Array(8), new Float32Array(8))).toThrow(bad("dsp/bad-length"));
    expect(() => resampler.flush(new Float32Array(8))).toThrow(bad("dsp/bad-length"));
  });

  test("allocates nothing a call", () => {
    const resampler = new Resampler({ from: 44_100, to: 48_000 });
    const input = Float32Array.from({ length: 441 }, () => random.next());
    const output = new Float32Array(resampler.maxOutputFrames(441));
    const used = allocatedBytesPerCall(() => resampler.process(input, output), {
      warmupCalls: 5000,
      calls: 2000,
    });
    expect(used.heap).toBeLessThan(1);
  });
});
