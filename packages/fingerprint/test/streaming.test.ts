import { SeededRandom } from "@longwave/base";
import { allocatedBytesPerCall } from "@longwave/testkit";
import { describe, expect, test } from "vitest";
import { createStream, extract, type FingerprintStream, profileIds, profileOf } from "../src/index.ts";
import { sortRecords } from "../src/sort-records.ts";
import { melody } from "./signals.ts";

/** All records of a stream fed in chunks of the sizes that `nextSize` gives, sorted. */
function streamed(stream: FingerprintStream, samples: Float32Array, nextSize: () => number): Uint32Array {
  const words = stream.profile.recordWords;
  const all: number[] = [];
  const keep = (records: Uint32Array, count: number) => {
    for (let i = 0; i < count * words; i++) all.push(records[i]!);
  };
  for (let at = 0; at < samples.length; ) {
    const end = Math.min(samples.length, at + nextSize());
    stream.push(samples.slice(at, end), keep);
    at = end;
  }
  stream.flush(keep);
  return sortRecords(Uint32Array.from(all), words);
}

describe.each(profileIds)("%s", (id) => {
  const { sampleRate } = profileOf(id);
  const samples = melody(11, 9, sampleRate);
  const whole = extract(id, samples, { sampleRate }).records;

  test.each([1, 7, 128, 4096])("gives the same records in chunks of %d samples as on the whole", (size) => {
    expect(whole.length).toBeGreaterThan(200);
    expect(streamed(createStream(id), samples, () => size)).toEqual(whole);
  });

  test("gives the same records in chunks of random sizes", () => {
    const random = new SeededRandom(5);
    expect(streamed(createStream(id), samples, () => 1 + random.below(3000))).toEqual(whole);
  });

  test("resamples a stream as it resamples the whole", () => {
    const wide = melody(12, 5, 44_100);
    const expected = extract(id, wide, { sampleRate: 44_100 }).records;
    expect(streamed(createStream(id, { sampleRate: 44_100 }), wide, () => 441)).toEqual(expected);
    expect(streamed(createStream(id, { sampleRate: 44_100 }), wide, () => 1)).toEqual(expected);
  });

  test("hands over nothing on a second flush and starts anew after reset", () => {
    const stream = createStream(id);
    const first = streamed(stream, samples, () => 500);
    let late = 0;
    stream.flush((_, count) => void (late += count));
    expect(late).toBe(0);
    stream.reset();
    expect(streamed(stream, samples, () => 333)).toEqual(first);
  });

  test("previews records without changing any, and what it previews lies in what is not final", () => {
    const random = new SeededRandom(6);
    const stream = createStream(id);
    const words = stream.profile.recordWords;
    const all: number[] = [];
    const collect = (into: number[]) => (records: Uint32Array, count: number) => {
      for (let i = 0; i < count * words; i++) into.push(records[i]!);
    };
    const isFinal = new Set<string>();
    for (let i = 0; i < whole.length; i += words) isFinal.add(whole.slice(i, i + words).join());
    let [previewed, came] = [0, 0];
    for (let at = 0; at < samples.length; ) {
      const end = Math.min(samples.length, at + 1 + random.below(3000));
      stream.push(samples.slice(at, end), collect(all));
      at = end;
      const early: number[] = [];
      stream.preview(collect(early));
      const again: number[] = [];
      stream.preview(collect(again));
      expect(again).toEqual(early);
      const lastFinal = all.length === 0 ? -1 : all[all.length - words + 1]!;
      for (let i = 0; i < early.length; i += words) {
        expect(early[i + 1]!).toBeGreaterThanOrEqual(lastFinal);
        expect(early[i + 1]!).toBeLessThan(at / stream.profile.hopSize);
        previewed++;
        if (isFinal.has(early.slice(i, i + words).join())) came++;
      }
    }
    stream.flush(collect(all));
    expect(sortRecords(Uint32Array.from(all), words)).toEqual(whole);
    const waits = id === "wang-v1" || id === "panako-v2";
    expect(previewed > 0).toBe(waits);
    if (waits) expect(came / previewed).toBeGreaterThan(0.6);
  });

  test.each([sampleRate, 44_100])(
    "counts samples that are not finite as silence, and none beside them, at %d Hz",
    (rate) => {
      const broken = samples.slice();
      const silenced = samples.slice();
      for (const [i, value] of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].entries()) {
        broken[20_000 + i] = value;
        silenced[20_000 + i] = 0;
      }
      const make = () => createStream(id, { sampleRate: rate });
      const stream = make();
      expect(streamed(stream, broken, () => 640)).toEqual(streamed(make(), silenced, () => 640));
      expect(stream.replacedSamples).toBe(3);
    },
  );

  test("allocates nothing per push", () => {
    const stream = createStream(id, { sampleRate: 48_000 });
    const chunk = melody(13, 0.02, 48_000);
    let records = 0;
    const sink = (_: Uint32Array, count: number) => void (records += count);
    const { heap, external } = allocatedBytesPerCall(() => stream.push(chunk, sink), {
      warmupCalls: 10_000,
      calls: 12_000,
    });
    expect(heap).toBeLessThan(1);
    expect(external).toBeLessThan(1);
    expect(records).toBeGreaterThan(0);
  });
});
