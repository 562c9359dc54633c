import { describe, expect, test } from "vitest";
import { compatResample, extract } from "../src/index.ts";
import { goldenPath, goldenWords, pianoInput, syntheticInput } from "./golden-input.ts";

const files = {
  "wang-v1": "wang_v1",
  "panako-v2": "panako_v2",
  "haitsma-v1": "haitsma_v1",
};
const rates = { "wang-v1": 8000, "panako-v2": 8000, "haitsma-v1": 5000 };

const piano = pianoInput();

describe.each(["wang-v1", "panako-v2", "haitsma-v1"] as const)("%s", (id) => {
  const hashesOnly = (records: Uint32Array, words: number) => records.filter((_, i) => i % words === 0);

  test.skipIf(goldenPath("README.md") === undefined)("reproduces data/fingerprint, synthetic input", () => {
    const { records } = extract(id, syntheticInput(rates[id]), { sampleRate: rates[id], strictRate: true });
    const expected = goldenWords(`${files[id]}.bin`, 8);
    if (id === "haitsma-v1") {
      expect(hashesOnly(records, 2)).toEqual(expected);
      expect(records[1]).toBe(1);
    } else expect(records).toEqual(expected);
  });

  test.skipIf(piano === undefined)("reproduces data/fingerprint, piano (needs ffmpeg and data/audio)", () => {
    const samples = compatResample(piano!, 48_000, rates[id]);
    const { records, recordWords } = extract(id, samples, { sampleRate: rates[id] });
    expect(hashesOnly(records, recordWords)).toEqual(goldenWords(`${files[id]}_piano.bin`, 0));
  });
});
