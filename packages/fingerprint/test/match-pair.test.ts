import { describe, expect, test } from "vitest";
import { extract, matchPair, profileOf } from "../src/index.ts";
import { melody, noise } from "./signals.ts";

describe.each(["wang-v1", "panako-v2", "haitsma-v1"] as const)("matchPair of %s", (id) => {
  const { sampleRate } = profileOf(id);
  const song = melody(41, 40, sampleRate);
  const reference = extract(id, song, { sampleRate });

  test("finds a piece, also under light noise, at its place", () => {
    const piece = song.slice(12 * sampleRate, 22 * sampleRate);
    const hiss = noise(42, piece.length, 0.003);
    for (const query of [piece, piece.map((value, i) => value + hiss[i]!)]) {
      const result = matchPair(extract(id, query, { sampleRate }), reference);
      expect(result.matched && Math.abs(result.offsetMs - 12_000)).toBeLessThanOrEqual(40);
    }
  });

  test("does not find another melody, silence, or noise", () => {
    for (const query of [
      melody(43, 10, sampleRate),
      new Float32Array(8 * sampleRate),
      noise(44, 8 * sampleRate, 0.2),
    ]) {
      expect(matchPair(extract(id, query, { sampleRate }), reference).matched).toBe(false);
    }
    const empty = { ...reference, records: new Uint32Array(0) };
    expect(matchPair(empty, reference).matched).toBe(false);
    expect(matchPair(reference, empty).matched).toBe(false);
  });

  test("survives hash floods in bounded time", () => {
    const flood = {
      ...reference,
      records: reference.records.map((value, i) => (i % reference.recordWords === 0 ? 5 : value)),
    };
    expect(matchPair(flood, flood)).toBeDefined();
  });

  test("refuses fingerprints of another profile or of other settings", () => {
    expect(() => matchPair({ ...reference, configHash: "0000000000000000" }, reference)).toThrow(
      /extract both alike/,
    );
  });
});

test("panako-v2 tells the tempo and the place of a query that is 5 % too fast", () => {
  const reference = extract("panako-v2", melody(45, 30, 8000), { sampleRate: 8000 });
  // The hashes of a piece from frame 600 on, at times that pass 5 % faster.
  const records: number[] = [];
  for (let i = 0; i < reference.records.length; i += 4) {
    const [hash, ...frames] = reference.records.subarray(i, i + 4);
    if (frames[0]! < 600 || frames[0]! > 1200) continue;
    records.push(hash!, ...frames.map((frame) => Math.round((frame - 600) / 1.05)));
  }
  const result = matchPair({ ...reference, records: Uint32Array.from(records) }, reference);
  expect(result.matched && Math.abs(result.tempo - 1.05)).toBeLessThan(0.01);
  expect(result.matched && Math.abs(result.offsetFrames - 600)).toBeLessThanOrEqual(4);
});
