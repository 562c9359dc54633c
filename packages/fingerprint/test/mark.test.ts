import { describe, expect, test } from "vitest";
import { appendMarkPairs, createStream, extract, identity, PairList, profileOf } from "../src/index.ts";
import { MarkExtractor } from "../src/mark-extractor.ts";
import { MarkKernel, ReferenceMarkSpectrum } from "../src/mark-spectrum.ts";
import { oracleMarkPeaks } from "./mark-oracle.ts";
import { melody, noise } from "./signals.ts";

const sampleRate = 8000;

describe("mark-v1", () => {
  test.each([
    ["a melody", melody(31, 8, sampleRate)],
    ["noise", noise(32, 40_000, 0.3)],
    ["a melody after silence", Float32Array.of(...new Float32Array(20_000), ...melody(33, 3, sampleRate))],
    ["barely a second", melody(34, 1, sampleRate)],
  ])("finds the peaks of the definition written out, in %s", (_, samples) => {
    const records: number[] = [];
    const extractor = new MarkExtractor(undefined, undefined, new ReferenceMarkSpectrum());
    extractor.records.sink = (batch, count) => void records.push(...batch.subarray(0, 2 * count));
    extractor.push(samples, 0, samples.length);
    extractor.flush();
    extractor.records.drain();
    const found: [number, number][] = [];
    for (let i = 0; i < records.length; i += 2) found.push([records[i + 1]!, records[i]! / 256 - 10]);
    const expected = oracleMarkPeaks(samples);
    expect(expected.length).toBeGreaterThan(5);
    expect(found.map(([frame]) => frame)).toEqual(expected.map(([frame]) => frame));
    // Refinement moves a peak by at most half a column, at the borders by one and a half.
    for (const [i, [, column]] of found.entries())
      expect(Math.abs(column - expected[i]![1])).toBeLessThanOrEqual(1.5);
  });

  test("has a kernel whose levels are those of the plain form, within the rounding of its FFT", () => {
    const samples = melody(35, 2, sampleRate);
    const [kernel, plain] = [new MarkKernel(), new ReferenceMarkSpectrum()];
    let largest = 0;
    for (let start = 0; start + 1024 <= samples.length; start += 256) {
      kernel.compute(samples, start);
      plain.compute(samples, start);
      for (const [c, level] of plain.levels.entries()) {
        largest = Math.max(largest, Math.abs(level - kernel.levels[c]!));
      }
      let sum = 0;
      for (let d = 0; d <= 40; d++) sum += kernel.levels[100 + d]!;
      expect(kernel.columnSums[120]).toBe(sum);
    }
    // 1/1024 dB steps; the f32 FFT is off by less than 0.05 dB where the level is lowest.
    expect(largest).toBeLessThan(50);
  });

  test("keeps most peaks when the recording is cut elsewhere on the frame grid", () => {
    const samples = melody(36, 10, sampleRate);
    const places = (pcm: Float32Array, shift: number) => {
      const { records } = extract("mark-v1", pcm, { sampleRate });
      const set = new Set<string>();
      for (let i = 0; i < records.length; i += 2) set.add(`${records[i + 1]! + shift} ${records[i]! >> 9}`);
      return set;
    };
    const whole = places(samples, 0);
    const late = [...places(samples.slice(256 * 100), 100)].filter(
      (place) => Number.parseInt(place, 10) > 160,
    );
    expect(late.filter((place) => whole.has(place)).length).toBeGreaterThan(0.95 * late.length);
  });

  test("forms hashes of 22 bits, at most six an anchor, at the tempo and pitch of the hypothesis", () => {
    const { records } = extract("mark-v1", melody(37, 10, sampleRate), { sampleRate });
    const plain = new PairList();
    appendMarkPairs(records, identity, 0, plain);
    expect(plain.count).toBeLessThanOrEqual((records.length / 2) * 6);
    for (let i = 0; i < plain.count; i++) {
      expect(plain.hashes[i]!).toBeLessThan(2 ** 22);
      expect(plain.hashes[i]! & 63).toBeGreaterThanOrEqual(3);
      expect(plain.hashes[i]! & 63).toBeLessThanOrEqual(40);
    }
    // A query half as fast with everything an octave lower, taken back: the same hashes.
    const slow = records.map((value, i) => (i % 2 === 1 ? value * 2 : value / 2));
    const back = new PairList();
    appendMarkPairs(
      slow.map((value) => Math.round(value)),
      { tempo: 0.5, pitch: 2 },
      0,
      back,
    );
    const set = new Set(plain.hashes.subarray(0, plain.count));
    const kept = back.hashes.subarray(0, back.count).filter((hash) => set.has(hash)).length;
    expect(kept).toBeGreaterThan(0.9 * plain.count);
  });

  test("a stream hands a peak over 1.184 s after its frame began, at the latest", () => {
    const { hopSize, latencyMs } = profileOf("mark-v1");
    const samples = melody(11, 9, sampleRate);
    const stream = createStream("mark-v1");
    let latest = 0;
    const step = 32;
    for (let at = 0; at < samples.length; at += step) {
      const note = (records: Uint32Array, count: number) => {
        for (let i = 0; i < count; i++) latest = Math.max(latest, at + step - records[2 * i + 1]! * hopSize);
      };
      stream.push(samples, note, at, Math.min(samples.length, at + step));
    }
    expect((1000 * latest) / sampleRate).toBe(latencyMs);
    expect(latencyMs).toBeLessThanOrEqual(1200);
  });
});
