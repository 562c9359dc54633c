import { SeededRandom } from "@longwave/base";
import { createWindow, Stft } from "@longwave/dsp";
import { allocatedBytesPerCall } from "@longwave/testkit";
import { describe, expect, test } from "vitest";
import { powerSpectrogram } from "./oracle/log-mel.ts";

const random = new SeededRandom(11);
const noise = (length: number) => Float32Array.from({ length }, () => random.next() * 2 - 1);

function framesOf(stft: Stft, samples: Float32Array, nextChunk: () => number): Float32Array[] {
  const frames: Float32Array[] = [];
  stft.reset();
  for (let at = 0; at < samples.length; ) {
    const size = nextChunk();
    stft.push(samples.subarray(at, at + size), () => frames.push(stft.power().slice()));
    at += size;
  }
  return frames;
}

describe("Stft", () => {
  test.each([
    [1024, 256],
    [2048, 64],
    [480, 480],
    [30, 7],
  ])("frame %i, hop %i: power agrees with the definition", (frameSize, hop) => {
    const stft = new Stft({ frameSize, hop });
    const samples = noise(frameSize * 3 + 5);
    const expected = powerSpectrogram(samples, frameSize, hop);
    const actual = framesOf(stft, samples, () => samples.length);
    expect(actual.length).toBe(expected.length);
    expect(stft.frameCount(samples.length)).toBe(expected.length);
    for (const [frame, row] of actual.entries()) {
      const scale = Math.max(...expected[frame]!);
      for (const [bin, value] of row.entries()) {
        expect(Math.abs(value - expected[frame]![bin]!)).toBeLessThan(3e-6 * scale);
      }
    }
  });

  test("gives the same bits for every way of cutting the stream", () => {
    const stft = new Stft({ frameSize: 256, hop: 100 });
    const samples = noise(30_000);
    const whole = framesOf(stft, samples, () => samples.length);
    expect(whole.length).toBe(stft.frameCount(samples.length));
    for (const next of [() => 1, () => 7, () => 4096, () => 1 + random.below(900)]) {
      expect(framesOf(stft, samples, next)).toEqual(whole);
    }
  });

  test("decibels are 10 log10 of the power, with a floor", () => {
    const stft = new Stft({ frameSize: 512, hop: 512 });
    const loud = noise(512);
    stft.push(loud, () => {
      const power = stft.power().slice();
      const decibels = stft.decibels();
      for (const [bin, value] of decibels.entries()) {
        expect(Math.abs(value - 10 * Math.log10(Math.max(power[bin]!, 1e-12)))).toBeLessThan(1e-5);
      }
    });
    stft.push(new Float32Array(512), () => {
      for (const value of stft.decibels()) expect(value).toBeCloseTo(-120, 4);
    });
  });

  test("a NaN or infinity spoils only the frames that contain it", () => {
    const stft = new Stft({ frameSize: 64, hop: 16 });
    const samples = noise(2000);
    const clean = framesOf(stft, samples, () => 2000);
    samples[1000] = Number.NaN;
    samples[1001] = Number.POSITIVE_INFINITY;
    const spoilt = framesOf(stft, samples, () => 13);
    for (const [frame, row] of spoilt.entries()) {
      const touched = frame * 16 <= 1001 && frame * 16 + 64 > 1000;
      if (touched) expect(row[0]).toBeNaN();
      else expect(row).toEqual(clean[frame]);
    }
  });

  test("refuses bad options", () => {
    const refusal = (code: string) => expect.objectContaining({ code });
    expect(() => new Stft({ frameSize: 22, hop: 1 })).toThrow(refusal("dsp/bad-size"));
    expect(() => new Stft({ frameSize: 15, hop: 1 })).toThrow(refusal("dsp/bad-size"));
    expect(() => new Stft({ frameSize: 16, hop: 0 })).toThrow(refusal("dsp/bad-option"));
    expect(() => new Stft({ frameSize: 16, hop: 17 })).toThrow(refusal("dsp/bad-option"));
    expect(() => new Stft({ frameSize: 16, hop: 4, window: new Float32Array(15) })).toThrow(
      refusal("dsp/bad-length"),
    );
    expect(() => createWindow("none" as "hann", 4)).toThrow(refusal("dsp/bad-option"));
  });

  test("allocates nothing a push", () => {
    const stft = new Stft({ frameSize: 1024, hop: 256 });
    const samples = noise(960);
    const onFrame = () => void stft.decibels();
    const used = allocatedBytesPerCall(() => stft.push(samples, onFrame));
    expect(used.heap).toBeLessThan(1);
  });
});

describe("createWindow", () => {
  const formulas: Record<string, (x: number) => number> = {
    rectangular: () => 1,
    hann: (x) => 0.5 - 0.5 * Math.cos(x),
    hamming: (x) => 0.54 - 0.46 * Math.cos(x),
    blackman: (x) => 0.42 - 0.5 * Math.cos(x) + 0.08 * Math.cos(2 * x),
    "blackman-harris": (x) =>
      0.35875 - 0.48829 * Math.cos(x) + 0.14128 * Math.cos(2 * x) - 0.01168 * Math.cos(3 * x),
  };

  test.each(Object.keys(formulas))("%s is its cosine sum, periodic and symmetric", (name) => {
    for (const symmetric of [false, true]) {
      const values = createWindow(name as "hann", 1024, { symmetric });
      for (const [n, value] of values.entries()) {
        const x = (2 * Math.PI * n) / (symmetric ? 1023 : 1024);
        expect(Math.abs(value - Math.fround(formulas[name]!(x)))).toBeLessThan(1e-7);
      }
    }
  });

  test("kaiser is symmetric, 1 in the middle and 1/I0(beta) at the ends", () => {
    const values = createWindow("kaiser", 65, { symmetric: true, beta: 8 });
    expect(values[32]).toBe(1);
    // I0(8) = 427.564115721804785 (Abramowitz and Stegun, table 9.8).
    expect(values[0]).toBeCloseTo(1 / 427.5641157218, 8);
    for (let n = 0; n < 32; n++) expect(values[n]).toBe(values[64 - n]);
  });

  test("one value is 1", () => {
    expect([...createWindow("hann", 1, { symmetric: true })]).toEqual([1]);
  });
});
