import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import {
  encodeProfile,
  identicalPercent,
  profileSound,
  readEncoderFixtures,
  soundDigest,
} from "./encoder-profiles.ts";

const { provenance, profiles } = readEncoderFixtures();
const thresholds = JSON.parse(
  readFileSync(fileURLToPath(new URL("../../../../quality/thresholds.json", import.meta.url)), "utf8"),
)["encoder profiles, identical packets in percent"] as Readonly<Record<string, number>>;

describe("the encoder's pinned profiles", () => {
  test.each(profiles.map((profile) => [profile.name, profile] as const))("%s", (name, profile) => {
    const pcm = profileSound(profile);
    expect(soundDigest(pcm)).toBe(profile.input);
    expect(identicalPercent(profile, encodeProfile(profile, pcm))).toBeGreaterThanOrEqual(thresholds[name]!);
  });

  test("cover CELT 2.5 to 20 ms, SILK of all bandwidths 10 to 60 ms and hybrid, mono and stereo", () => {
    const seen = new Set(
      profiles.map(({ mode, bandwidth, frameMs, channels }) => `${mode} ${bandwidth} ${frameMs} ${channels}`),
    );
    const wanted = [
      ...[2.5, 5, 10, 20].flatMap((ms) => [`celt fb ${ms} 1`, `celt fb ${ms} 2`]),
      ...[10, 20].flatMap((ms) => ["nb", "mb", "wb"].map((bandwidth) => `silk ${bandwidth} ${ms} 1`)),
      ...["silk nb 60 1", "silk mb 40 1", "silk wb 40 1", "silk wb 60 1", "silk wb 60 2"],
      ...["nb", "mb", "wb"].map((bandwidth) => `silk ${bandwidth} 20 2`),
      ...["swb", "fb"].flatMap((bandwidth) => [`hybrid ${bandwidth} 10 1`, `hybrid ${bandwidth} 20 1`]),
      ...["hybrid swb 20 2", "hybrid fb 20 2"],
    ];
    expect(wanted.length).toBeGreaterThanOrEqual(23);
    expect(wanted.filter((form) => !seen.has(form))).toEqual([]);
  });

  test("say where they come from, and each has a floor", () => {
    expect(provenance["oracle"]).toMatch(/^libopus 1\.6\.1 /);
    expect(provenance["command"]).toContain("opus_encode");
    expect(provenance["input"]).toContain("syntheticSpeech");
    expect(Object.keys(thresholds).sort()).toEqual(profiles.map(({ name }) => name).sort());
    for (const { packets } of profiles) expect(packets).toMatch(/^([0-9a-f]{8}){5,}$/);
  });

  test("a changed setting is seen", () => {
    const profile = profiles.find(({ name }) => name === "silk-wb-20-mono")!;
    const pcm = profileSound(profile);
    const digests = encodeProfile({ ...profile, complexity: 2 }, pcm);
    expect(identicalPercent(profile, digests)).toBeLessThan(50);
  });
});
