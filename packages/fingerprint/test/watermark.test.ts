import { SeededRandom } from "@longwave/base";
import { describe, expect, it } from "vitest";
import {
  WatermarkDetector,
  WatermarkEmbedder,
  type WatermarkEmbedOptions,
  type WatermarkSpan,
} from "../src/watermark/index.ts";

const sampleRate = 16_000;
const seconds = 10;
const payload = Uint8Array.of(0xca, 0xfe, 0x00, 0x2a);

/** Noise of a falling spectrum whose loudness changes: dense enough to carry a mark everywhere. */
function sound(seed: number, rate = sampleRate, length = seconds): Float32Array {
  const random = new SeededRandom(seed);
  const [levels, sound] = [[1, 0.4, 0.8, 0.2, 0.6], new Float32Array(rate * length)];
  let low = 0;
  for (let i = 0; i < sound.length; i++) {
    low = 0.85 * low + (random.next() - 0.5);
    sound[i] = 0.2 * low * levels[Math.floor((5 * i) / rate) % levels.length]!;
  }
  return sound;
}

function embed(
  samples: Float32Array,
  options: Partial<WatermarkEmbedOptions> = {},
  cut = samples.length,
): Float32Array {
  const embedder = new WatermarkEmbedder({ sampleRate, key: "secret", payload, ...options });
  const marked = new Float32Array(samples.length);
  let given = 0;
  const output = new Float32Array(embedder.maxOutputFrames(cut) * embedder.channels);
  for (let at = 0; at < samples.length; at += cut) {
    const count = embedder.process(samples.subarray(at, at + cut), output);
    marked.set(output.subarray(0, count * embedder.channels), given);
    given += count * embedder.channels;
  }
  const rest = new Float32Array(embedder.maxOutputFrames() * embedder.channels);
  const last = embedder.flush(rest) * embedder.channels;
  expect(given + last).toBe(samples.length);
  marked.set(rest.subarray(0, last), given);
  return marked;
}

function detect(
  samples: Float32Array,
  options: Partial<ConstructorParameters<typeof WatermarkDetector>[0]> = {},
  cut = samples.length,
): WatermarkSpan[] {
  const spans: WatermarkSpan[] = [];
  const detector = new WatermarkDetector({ sampleRate, key: "secret", ...options });
  for (let at = 0; at < samples.length; at += cut) {
    detector.process(samples.subarray(at, at + cut), (span) => spans.push(span));
  }
  detector.flush((span) => spans.push(span));
  return spans;
}

describe("keyed watermark", () => {
  const original = sound(1);
  const marked = embed(original);

  it("is read back with its key, and keeps 30 dB below the sound", () => {
    expect(marked.length).toBe(original.length);
    let [signal, mark] = [0, 0];
    original.forEach((value, i) => {
      signal += value * value;
      mark += (marked[i]! - value) ** 2;
    });
    expect(signal / mark).toBeGreaterThan(1000);
    const spans = detect(marked);
    expect(spans.map((span) => [...span.payload])).toEqual([[...payload]]);
    expect(spans[0]!.end - spans[0]!.start).toBeGreaterThan(6);
    expect(spans[0]!.bitErrorRate).toBeLessThan(0.02);
  });

  it("is not there for another key, another length of payload, or a sound without it", () => {
    expect(detect(marked, { key: "other" })).toEqual([]);
    expect(detect(marked, { payloadBytes: 8 })).toEqual([]);
    expect(detect(original)).toEqual([]);
  });

  it("is found in 5 s from anywhere, at another loudness", () => {
    for (const start of [0.31, 1.77, 3.9]) {
      const from = Math.floor(start * sampleRate);
      const piece = marked.slice(from, from + 5 * sampleRate).map((value) => 0.07 * value);
      expect(detect(piece).map((span) => [...span.payload])).toEqual([[...payload]]);
    }
  });

  it("carries 8 bytes, in both channels of a stereo sound", () => {
    const [left, right] = [sound(2), sound(3)];
    const stereo = new Float32Array(2 * left.length);
    left.forEach((value, i) => {
      stereo[2 * i] = value;
      stereo[2 * i + 1] = right[i]!;
    });
    const long = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    const both = embed(stereo, { channels: 2, payload: long });
    expect(both.length).toBe(stereo.length);
    expect(detect(both, { channels: 2, payloadBytes: 8 }).map((span) => [...span.payload])).toEqual([
      [...long],
    ]);
    const alone = both.filter((_, i) => i % 2 === 1);
    expect(detect(alone, { payloadBytes: 8 }).map((span) => [...span.payload])).toEqual([[...long]]);
  });

  it("is the same bits for every cut of the stream, in both directions", () => {
    const short = original.slice(0, 3 * sampleRate);
    const whole = embed(short);
    for (const cut of [7777, 500]) expect(embed(short, {}, cut)).toEqual(whole);
    expect(detect(marked, {}, 3333)).toEqual(detect(marked));
  });

  it("takes silence, values that are not finite and an empty sound", () => {
    expect(embed(new Float32Array(sampleRate))).toEqual(new Float32Array(sampleRate));
    expect(embed(new Float32Array(0)).length).toBe(0);
    const broken = original.slice(0, 3 * sampleRate);
    broken.fill(Number.NaN, 1000, 1100);
    broken[5000] = Number.POSITIVE_INFINITY;
    expect(embed(broken).every(Number.isFinite)).toBe(true);
    expect(detect(broken)).toEqual([]);
    expect(detect(new Float32Array(6 * sampleRate))).toEqual([]);
    expect(detect(new Float32Array(10))).toEqual([]);
  });

  it("says what an option may be", () => {
    expect(() => embed(original, { payload: new Uint8Array(3) })).toThrow(/4 or 8 bytes, not 3/);
    expect(() => embed(original, { key: "" })).toThrow(/key is empty/);
    expect(() => embed(original, { sampleRate: 4000 })).toThrow(/8000 to 192000, not 4000/);
    expect(() => embed(original, { channels: 9 })).toThrow(/1 to 8, not 9/);
    expect(() => embed(original, { signalToMark: 10 })).toThrow(/24 to 60 dB, not 10/);
  });
});
