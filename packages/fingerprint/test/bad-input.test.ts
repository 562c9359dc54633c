import { describe, expect, test } from "vitest";
import { createStream, extract, fromEnvelope, fromSerialV1, toEnvelope, toSerialV1 } from "../src/index.ts";
import { melody } from "./signals.ts";

const sampleRate = 8000;
const samples = melody(4, 4, sampleRate);

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return "no error";
}

describe("extract", () => {
  test("names the first sample that is no number", () => {
    const broken = samples.slice();
    broken[1234] = Number.NaN;
    expect(() => extract("wang-v1", broken, { sampleRate })).toThrow(/Sample 1234/);
    expect(codeOf(() => extract("wang-v1", broken, { sampleRate }))).toBe("fp/non-finite");
  });

  test.each([
    ["fp/too-short", () => extract("wang-v1", samples.slice(0, 15_999), { sampleRate })],
    ["fp/too-short", () => extract("wang-v1", new Float32Array(0), { sampleRate })],
    ["fp/rate", () => extract("wang-v1", samples, { sampleRate: 0 })],
    ["fp/rate", () => extract("wang-v1", samples, { sampleRate: Number.NaN })],
    ["fp/rate", () => extract("wang-v1", samples, { sampleRate: 44_100, strictRate: true })],
    ["fp/channels", () => extract("wang-v1", samples, { sampleRate, channels: 0 })],
    ["fp/channels", () => extract("wang-v1", samples.slice(1), { sampleRate, channels: 2 })],
    ["fp/limit", () => extract("wang-v1", new Float32Array(14_400_001), { sampleRate })],
    ["fp/settings", () => extract("wang-v1", samples, { sampleRate, settings: { peaksPerSecond: 0 } })],
    ["fp/settings", () => createStream("wang-v1", { settings: { fanOut: Number.NaN } })],
    ["fp/profile-mismatch", () => createStream("no-such" as "wang-v1")],
  ])("answers %s", (code, work) => {
    expect(codeOf(work)).toBe(code);
  });

  test("averages channels", () => {
    const stereo = new Float32Array(samples.length * 2);
    for (let i = 0; i < samples.length; i++) stereo[2 * i] = 2 * samples[i]!;
    const mono = extract("wang-v1", samples, { sampleRate });
    expect(extract("wang-v1", stereo, { sampleRate, channels: 2 })).toEqual(mono);
  });

  test("takes settings into the config hash", () => {
    const plain = extract("wang-v1", samples, { sampleRate });
    const other = extract("wang-v1", samples, { sampleRate, settings: { fanOut: 3 } });
    expect(other.configHash).not.toBe(plain.configHash);
    expect(other.records.length).toBeLessThan(plain.records.length);
  });
});

describe("envelopes", () => {
  const fingerprint = extract("wang-v1", samples, { sampleRate });

  test("give back what went in", () => {
    expect(fromEnvelope(toEnvelope(fingerprint))).toEqual(fingerprint);
    expect(fromSerialV1(toSerialV1(fingerprint)).records).toEqual(fingerprint.records);
  });

  test("find every single flipped bit", () => {
    const bytes = toEnvelope(extract("wang-v1", samples.slice(0, 16_000), { sampleRate }));
    for (let bit = 0; bit < bytes.length * 8; bit += 3) {
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      expect(["fp/envelope", "fp/version"]).toContain(codeOf(() => fromEnvelope(bytes)));
      bytes[bit >> 3]! ^= 1 << (bit & 7);
    }
  });

  test("refuse every truncation", () => {
    const bytes = toEnvelope(fingerprint);
    for (let length = 0; length < bytes.length; length += 5) {
      expect(codeOf(() => fromEnvelope(bytes.slice(0, length)))).toBe("fp/envelope");
    }
  });

  test("refuse counts that the bytes do not hold, without allocating for them", () => {
    const bytes = toSerialV1(fingerprint);
    new DataView(bytes.buffer).setUint32(10, 0xffff_ffff, true);
    expect(codeOf(() => fromSerialV1(bytes))).toBe("fp/envelope");
    expect(codeOf(() => fromSerialV1(Uint8Array.of(1, 2, 3)))).toBe("fp/envelope");
  });
});
