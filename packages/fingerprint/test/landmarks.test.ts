import { describe, expect, test } from "vitest";
import { extract } from "../src/index.ts";
import { oraclePeaks, oracleWang } from "./landmark-oracle.ts";
import { melody, noise } from "./signals.ts";

const sampleRate = 8000;

function steps(period: number, count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => (i % period === 0 ? 0.5 : 0));
}

describe("wang-v1", () => {
  test.each([
    ["a melody", melody(1, 6, sampleRate)],
    ["noise", noise(2, 40_000, 0.3)],
    ["clicks at the hop, where whole plateaus are equal", steps(128, 24_000)],
    ["clicks beside the hop", steps(500, 24_000)],
    ["silence, then a melody", Float32Array.of(...new Float32Array(16_000), ...melody(3, 3, sampleRate))],
  ])("equals the definition written out, for %s", (_, samples) => {
    const peaks = oraclePeaks(samples);
    const seen: { t: number; f: number; db: number }[] = [];
    const onPeak = (t: number, f: number, db: number) => void seen.push({ t, f, db });
    const { records } = extract("wang-v1", samples, { sampleRate, onPeak });
    // The kernel's FFT may round the level's last bits differently; the places must be the same.
    expect(seen.map(({ t, f }) => [t, f])).toEqual(peaks.map(({ t, f }) => [t, f]));
    expect(records).toEqual(oracleWang(peaks));
  });

  test("gives nothing for silence, and few hashes for a constant", () => {
    expect(extract("wang-v1", new Float32Array(32_000), { sampleRate }).records.length).toBe(0);
    const constant = extract("wang-v1", new Float32Array(32_000).fill(0.25), { sampleRate });
    expect(constant.records.length).toBeLessThanOrEqual(30 * 4 * 10 * 2);
  });
});
