import { SeededRandom } from "@longwave/base";
import { ComplexFft, RealFft } from "@longwave/dsp";
import { allocatedBytesPerCall } from "@longwave/testkit";
import { describe, expect, test } from "vitest";
import { fourier, spectrumError } from "./oracle/fourier.ts";

const random = new SeededRandom(1965);
const noise = (length: number) => Float32Array.from({ length }, () => random.next() * 2 - 1);

/** Every 2^a 3^b 5^c from 1 to `limit`, in order. */
function smoothSizes(limit: number): number[] {
  const sizes: number[] = [];
  for (let two = 1; two <= limit; two *= 2)
    for (let three = two; three <= limit; three *= 3)
      for (let five = three; five <= limit; five *= 5) sizes.push(five);
  return sizes.sort((a, b) => a - b);
}

// f32 twiddles and sums: the error grows with the logarithm of the size; 4e-6 of the spectrum's rms is above all of it.
const tolerance = 4e-6;
const small = smoothSizes(700);
const large = [
  720, 960, 1024, 1536, 1875, 1920, 2048, 3125, 3645, 4096, 6561, 10_000, 15_625, 16_384, 32_768, 65_536,
];

describe("ComplexFft", () => {
  test("agrees with the definition for every size up to 700 and large ones up to 65,536", () => {
    for (const size of [...small, ...large]) {
      const fft = new ComplexFft(size);
      const [re, im] = [noise(size), noise(size)];
      const [outRe, outIm] = [new Float32Array(size), new Float32Array(size)];
      fft.forward(re, im, outRe, outIm);
      expect(spectrumError(outRe, outIm, fourier(re, im)), `size ${size}`).toBeLessThan(tolerance);
      fft.inverse(outRe, outIm, outRe, outIm);
      expect(spectrumError(outRe, outIm, { re, im }), `inverse of size ${size}`).toBeLessThan(tolerance);
      fft.close();
    }
  });

  test("shows a single tone as a single bin, for all 65,536-smooth sizes in a sample", () => {
    for (const size of smoothSizes(65_536).filter((_, index) => index % 7 === 0)) {
      const fft = new ComplexFft(size);
      const bin = random.below(size);
      for (let n = 0; n < size; n++) {
        const angle = (2 * Math.PI * ((bin * n) % size)) / size;
        fft.inputRe[n] = Math.cos(angle);
        fft.inputIm[n] = Math.sin(angle);
      }
      fft.transform();
      let worst = Math.abs(fft.outputRe[bin]! - size) + Math.abs(fft.outputIm[bin]!);
      for (let k = 0; k < size; k++) {
        if (k !== bin) worst = Math.max(worst, Math.abs(fft.outputRe[k]!), Math.abs(fft.outputIm[k]!));
      }
      expect(worst / size, `size ${size}`).toBeLessThan(1e-6);
      fft.close();
    }
  });

  test.each([0, -4, 7, 11, 1022, 65_537, 131_072, 2.5, Number.NaN, Number.POSITIVE_INFINITY])(
    "refuses size %d",
    (size) => {
      expect(() => new ComplexFft(size)).toThrow(
        expect.objectContaining({ code: "dsp/bad-size", kind: "usage" }),
      );
      expect(() => new RealFft(size)).toThrow(expect.objectContaining({ code: "dsp/bad-size" }));
    },
  );

  test("refuses arrays of another length", () => {
    const fft = new ComplexFft(16);
    const right = new Float32Array(16);
    expect(() => fft.forward(right, right, right, new Float32Array(15))).toThrow(
      expect.objectContaining({ code: "dsp/bad-length" }),
    );
  });
});

describe("RealFft", () => {
  test("agrees with the definition for every size up to 700 and large ones up to 65,536", () => {
    for (const size of [...small, ...large]) {
      const fft = new RealFft(size);
      const samples = noise(size);
      const [re, im] = [new Float32Array(fft.bins), new Float32Array(fft.bins)];
      fft.forward(samples, re, im);
      expect(spectrumError(re, im, fourier(samples, new Float32Array(size))), `size ${size}`).toBeLessThan(
        tolerance,
      );
      const back = new Float32Array(size);
      fft.inverse(re, im, back);
      const none = new Float32Array(size);
      expect(spectrumError(back, none, { re: samples, im: none }), `inverse of ${size}`).toBeLessThan(
        tolerance,
      );
      fft.close();
    }
  });

  test("keeps its input", () => {
    const fft = new RealFft(240);
    const samples = noise(240);
    fft.input.set(samples);
    fft.transform();
    expect(fft.input).toEqual(samples);
  });

  test("confines NaN and infinities to the call that had them", () => {
    const fft = new RealFft(64);
    const [re, im] = [new Float32Array(33), new Float32Array(33)];
    fft.forward(new Float32Array(64).fill(Number.NaN), re, im);
    expect(re[3]).toBeNaN();
    fft.forward(new Float32Array(64).fill(Number.POSITIVE_INFINITY), re, im);
    fft.forward(new Float32Array(64).fill(1), re, im);
    expect(re[0]).toBe(64);
    expect(Math.max(...re.subarray(1))).toBe(0);
  });
});

describe("a transform allocates nothing", () => {
  test("real and complex, with and without copies", () => {
    const real = new RealFft(1024);
    const complex = new ComplexFft(480);
    const samples = noise(1024);
    const [re, im] = [new Float32Array(513), new Float32Array(513)];
    const [a, b] = [noise(480), noise(480)];
    const used = allocatedBytesPerCall(() => {
      real.forward(samples, re, im);
      real.inverse(re, im, samples);
      real.transform();
      complex.forward(a, b, a, b);
      complex.inverse(a, b, a, b);
    });
    expect(used.heap).toBeLessThan(1);
    expect(used.external).toBeLessThan(1);
  });
});

test("objects that are closed or dropped give their memory back", async () => {
  for (let i = 0; i < 60; i++) new RealFft(65_536).close();
  for (let round = 0; round < 5; round++) {
    for (let i = 0; i < 80; i++) new RealFft(60_000);
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
});
