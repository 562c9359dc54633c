// Long and hostile input through every streaming object: no throw, no growth. LONGWAVE_HOSTILE_SECONDS=36000 runs the
// whole ten hours (verify:exhaustive); here it is a minute of sound.
import { SeededRandom } from "@longwave/base";
import { BoxPeakPicker, DcBlocker, LogMel, LoudnessMeter, Resampler, Stft } from "@longwave/dsp";
import { describe, expect, test } from "vitest";

const seconds = Number(process.env["LONGWAVE_HOSTILE_SECONDS"] ?? 60);
const rate = 8000;
const timeout = Math.max(60_000, 30 * seconds);
const random = new SeededRandom(51);

const signals: Record<string, (n: number) => number> = {
  silence: () => 0,
  DC: () => 1,
  NaN: () => Number.NaN,
  infinity: (n) => (n % 2 === 0 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY),
  clipping: (n) => (Math.sin(n * 0.05) > 0 ? 1 : -1),
  "the largest numbers": (n) => (n % 3 === 0 ? 3.4e38 : -3.4e38),
  "subnormal numbers": () => 1e-42,
  noise: () => random.next() * 2 - 1,
};

/** All streaming objects behind each other, as a station has them. */
class Chain {
  readonly #blocker = new DcBlocker({ sampleRate: rate });
  readonly #resampler = new Resampler({ from: rate, to: 11_025 });
  readonly #stft = new Stft({ frameSize: 1024, hop: 512 });
  readonly #logMel = new LogMel({ sampleRate: rate, frameSize: 512, hop: 256, bands: 40 });
  readonly #meter = new LoudnessMeter({ sampleRate: rate, channels: 1 });
  readonly #picker = new BoxPeakPicker({ bins: 513, frameRadius: 15, binRadius: 15, threshold: -50 });
  readonly #output = new Float32Array(2 * rate);
  readonly #scratch = new Float32Array(rate);
  rows = 0;
  #onRow = () => void this.rows++;
  #onFrame = () => this.#picker.push(this.#stft.decibels(), this.#onRow);
  #onMel = () => {};

  push(samples: Float32Array): void {
    this.#stft.push(samples, this.#onFrame);
    this.#logMel.push(samples, this.#onMel);
    this.#meter.push(samples);
    this.#resampler.process(samples, this.#output);
    const blocked = samples.length === rate ? this.#scratch : this.#scratch.subarray(0, samples.length);
    blocked.set(samples);
    this.#blocker.process(blocked);
  }

  finish(): number {
    this.#picker.flush(this.#onRow);
    return this.#meter.integrated();
  }
}

describe.each(Object.keys(signals))("%s", (name) => {
  test(
    `${seconds} s: no throw, every row decided, no growth`,
    () => {
      const chain = new Chain();
      const block = Float32Array.from({ length: rate }, (_, n) => signals[name]!(n));
      chain.push(block);
      globalThis.gc?.();
      const before = process.memoryUsage();
      for (let second = 1; second < seconds; second++) chain.push(block);
      globalThis.gc?.();
      const after = process.memoryUsage();
      const loudness = chain.finish();
      expect(loudness).not.toBeNaN();
      expect(chain.rows).toBe(1 + Math.floor((seconds * rate - 1024) / 512));
      expect(after.heapUsed - before.heapUsed).toBeLessThan(2e6);
      expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(1e6);
    },
    timeout,
  );

  test("in pushes of one sample", () => {
    const chain = new Chain();
    for (let n = 0; n < 4000; n++) chain.push(Float32Array.of(signals[name]!(n)));
    expect(chain.finish()).not.toBeNaN();
    expect(chain.rows).toBe(1 + Math.floor((4000 - 1024) / 512));
  });
});
