// Long and hostile input through every streaming object: no throw, no growth. LONGWAVE_HOSTILE_SECONDS=36000 runs the
// whole ten hours (verify:exhaustive), noise also in pushes of one sample; here it is a minute of sound.
import { SeededRandom } from "@longwave/base";
import { BoxPeakPicker, ConstantQ, DcBlocker, LogMel, LoudnessMeter, Resampler, Stft } from "@longwave/dsp";
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
  readonly #constantQ = new ConstantQ({
    sampleRate: rate,
    hop: 512,
    minHz: 65.4,
    octaves: 5,
    binsPerOctave: 12,
  });
  readonly #meter = new LoudnessMeter({ sampleRate: rate, channels: 1 });
  readonly #picker = new BoxPeakPicker({ bins: 513, frameRadius: 15, binRadius: 15, threshold: -50 });
  readonly #output = new Float32Array(2 * rate);
  readonly #scratch = new Float32Array(rate);
  readonly #one = new Float32Array(1);
  rows = 0;
  #onRow = () => void this.rows++;
  #onFrame = () => this.#picker.push(this.#stft.decibels(), this.#onRow);
  #onMel = () => {};

  push(samples: Float32Array): void {
    this.#stft.push(samples, this.#onFrame);
    this.#logMel.push(samples, this.#onMel);
    this.#meter.push(samples);
    this.#resampler.process(samples, this.#output);
    this.#constantQ.push(samples, this.#onMel);
    const blocked = samples.length === rate ? this.#scratch : this.#one;
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

  const count = name === "noise" && seconds > 60 ? seconds * rate : 4000;
  test(
    `${count} pushes of one sample: no growth`,
    () => {
      const chain = new Chain();
      const sample = new Float32Array(1);
      let before = process.memoryUsage();
      for (let n = 0; n < count; n++) {
        sample[0] = signals[name]!(n);
        chain.push(sample);
        if (n === 3000) {
          globalThis.gc?.();
          before = process.memoryUsage();
        }
      }
      globalThis.gc?.();
      const after = process.memoryUsage();
      expect(after.heapUsed - before.heapUsed).toBeLessThan(2e6);
      expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(1e6);
      expect(chain.finish()).not.toBeNaN();
      expect(chain.rows).toBe(1 + Math.floor((count - 1024) / 512));
    },
    timeout,
  );
});
