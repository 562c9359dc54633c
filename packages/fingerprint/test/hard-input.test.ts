import { describe, expect, test } from "vitest";
import { extract, type Fingerprint, matchPair, profileIds, profileOf } from "../src/index.ts";
import { WatermarkDetector, WatermarkEmbedder } from "../src/watermark/index.ts";
import { melody, noise } from "./signals.ts";

const seconds = 4;
const tone = (rate: number, length = seconds * rate) =>
  Float32Array.from({ length }, (_, i) => 0.5 * Math.sin((2 * Math.PI * 1000 * i) / rate));

describe.each(profileIds)("%s", (id) => {
  const { sampleRate, recordWords } = profileOf(id);
  const length = seconds * sampleRate;
  const silence = extract(id, new Float32Array(length), { sampleRate });
  const music = extract(id, melody(71, seconds, sampleRate), { sampleRate });
  const of = (samples: Float32Array) => extract(id, samples, { sampleRate });
  const perSecond = ({ records }: Fingerprint) => records.length / recordWords / seconds;

  test.each([
    ["a constant", new Float32Array(length).fill(0.5)],
    ["one tone", tone(sampleRate)],
    ["noise", noise(72, length, 0.5)],
    ["clipped noise", noise(73, length, 4).map((value) => Math.max(-1, Math.min(1, value)))],
    ["the loudest samples there are", noise(74, length, 3e38)],
  ])("takes %s, and matches no music with it", (_, samples) => {
    const fingerprint = of(samples);
    // Haitsma has a word for every frame; the others keep within their budgets of peaks and pairs.
    expect(perSecond(fingerprint)).toBeLessThanOrEqual(310);
    if (id !== "mark-v1") expect(matchPair(fingerprint, music).matched).toBe(false);
  });

  test("gives records of music", () => expect(music.records.length).toBeGreaterThan(0));

  test("says nothing about silence", () => {
    const { records } = silence;
    expect(perSecond(silence)).toBeLessThanOrEqual(310);
    if (id !== "haitsma-v1") expect(records.length).toBe(0);
    else expect(records.every((value, i) => i % 2 === 1 || value === 0)).toBe(true);
    if (id !== "mark-v1") {
      expect(matchPair(silence, music).matched).toBe(false);
      expect(matchPair(music, silence).matched).toBe(false);
    }
  });
});

test("a flood of hashes ends at the limit", () => {
  const settings = { peaksPerSecond: 500, fanOut: 64, zoneFrames: 512, zoneBins: 512 };
  const flood = noise(75, 8000 * 245, 0.5);
  expect(() => extract("wang-v1", flood, { sampleRate: 8000, settings })).toThrow(/more than 500000 hashes/);
});

describe("a watermark", () => {
  const sampleRate = 16_000;
  /** More than a period: all rounds of the embedder, and a look of the detector before the one at the end. */
  const length = 2.5 * sampleRate;
  const options = { sampleRate, key: "secret" };
  const payload = Uint8Array.of(1, 2, 3, 4);
  const sounds: [string, Float32Array][] = [
    ["a constant", new Float32Array(length).fill(0.5)],
    ["one tone", tone(sampleRate, length)],
    ["noise", noise(76, length, 0.5)],
    ["less than a frame", noise(77, 500, 0.5)],
    ["no number at all", new Float32Array(length).fill(Number.NaN)],
  ];

  test.each(sounds)(
    "is put into %s without harm, and not found without having been put there",
    (_, sound) => {
      const embedder = new WatermarkEmbedder({ ...options, payload });
      const marked = new Float32Array(embedder.maxOutputFrames(sound.length));
      const given = embedder.process(sound, marked);
      const written = given + embedder.flush(marked.subarray(given));
      expect(written).toBe(sound.length);
      let [host, mark] = [0, 0];
      for (let i = 0; i < written; i++) {
        const value = Number.isNaN(sound[i]!) ? 0 : sound[i]!;
        host += value * value;
        mark += (marked[i]! - value) ** 2;
      }
      expect(mark).toBeLessThanOrEqual(host / 500);
      let found = 0;
      const detector = new WatermarkDetector(options);
      detector.process(sound, () => found++);
      detector.flush(() => found++);
      expect(found).toBe(0);
    },
  );
});
