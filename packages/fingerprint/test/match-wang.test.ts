import { describe, expect, test } from "vitest";
import { extract, matchWang } from "../src/index.ts";
import { melody, noise } from "./signals.ts";

const sampleRate = 8000;
const song = melody(21, 30, sampleRate);
const reference = extract("wang-v1", song, { sampleRate });

describe("matchWang", () => {
  test("finds a piece at its place", () => {
    const query = extract("wang-v1", song.slice(64_000, 64_000 + 48_000), { sampleRate });
    const result = matchWang(query, reference);
    expect(result.matched && result.offsetFrames).toBe(500);
    expect(result.matched && result.offsetMs).toBe(8000);
    expect(result.score).toBeGreaterThan(0.5);
  });

  test("finds a piece under noise", () => {
    const hiss = noise(3, 80_000, 0.02);
    const query = song.slice(80_000, 160_000).map((value, i) => value + hiss[i]!);
    const result = matchWang(extract("wang-v1", query, { sampleRate }), reference);
    expect(result.matched && Math.abs(result.offsetMs - 10_000)).toBeLessThan(20);
  });

  test("gives a negative offset where the query begins before the reference", () => {
    const late = extract("wang-v1", song.slice(32_000), { sampleRate });
    const result = matchWang(extract("wang-v1", song.slice(0, 120_000), { sampleRate }), late);
    expect(result.matched && result.offsetMs).toBe(-4000);
  });

  test("does not find another melody, nor anything in nothing", () => {
    const other = extract("wang-v1", melody(22, 10, sampleRate), { sampleRate });
    const empty = extract("wang-v1", new Float32Array(16_000), { sampleRate });
    expect(matchWang(other, reference)).toMatchObject({ matched: false, reason: "below-threshold" });
    expect(matchWang(empty, reference)).toMatchObject({ matched: false, reason: "no-peaks" });
    expect(matchWang(reference, empty)).toMatchObject({ matched: false, reason: "no-peaks" });
  });
});
