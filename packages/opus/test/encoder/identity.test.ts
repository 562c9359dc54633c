import { describe, expect, test } from "vitest";
import { syntheticSpeech } from "../silk/synthetic-speech.ts";
import { compareWithOracle, type EncodeProfile } from "./oracle-comparison.ts";
import { syntheticMusic } from "./synthetic-music.ts";

const celt: EncodeProfile[] = [];
for (const [index, frameMs] of [2.5, 5, 10, 20].entries()) {
  for (const channels of [1, 2] as const) {
    for (const [step, complexity] of [0, 1, 2, 3, 4, 5, 6].entries()) {
      const bitrateBps = [32000, 64000, 96000, 160000][(step + index) % 4]!;
      const kind = (step + channels) % 3;
      celt.push({
        rateHz: 48000,
        channels,
        frameMs,
        bitrateBps,
        complexity,
        application: "lowdelay",
        vbr: kind !== 0,
        vbrConstraint: kind === 1,
      });
    }
  }
}

describe("packets are the oracle's", () => {
  test.each(celt)(
    "CELT $frameMs ms, $channels ch, complexity $complexity, $bitrateBps bit/s",
    async (profile) => {
      const music = syntheticMusic(profile.rateHz, profile.channels, 0.8, profile.complexity + 1);
      const { count, wrong } = await compareWithOracle(profile, music);
      expect(count).toBeGreaterThan(30);
      expect(wrong).toEqual([]);
    },
  );

  test.each([
    { rateHz: 24000, channels: 2, frameMs: 20, bitrateBps: 64000, complexity: 6 },
    { rateHz: 16000, channels: 1, frameMs: 10, bitrateBps: 64000, complexity: 5 },
    { rateHz: 48000, channels: 2, frameMs: 60, bitrateBps: 128000, complexity: 6 },
    { rateHz: 48000, channels: 2, frameMs: 40, bitrateBps: 96000, complexity: 4, vbr: false },
    { rateHz: 48000, channels: 2, frameMs: 20, bitrateBps: 24000, complexity: 6, signal: "music" },
  ] as EncodeProfile[])("music at $rateHz Hz, $frameMs ms, $bitrateBps bit/s", async (profile) => {
    const music = syntheticMusic(profile.rateHz, profile.channels, 2);
    expect((await compareWithOracle(profile, music)).wrong).toEqual([]);
  });

  test.each([
    { rateHz: 48000, channels: 2, frameMs: 20, bitrateBps: 96000, complexity: 9 },
    { rateHz: 48000, channels: 1, frameMs: 10, bitrateBps: 64000, complexity: 10, vbr: false },
    { rateHz: 24000, channels: 2, frameMs: 20, bitrateBps: 48000, complexity: 9 },
    { rateHz: 48000, channels: 2, frameMs: 20, bitrateBps: 32000, complexity: 10, application: "voip" },
    { rateHz: 48000, channels: 2, frameMs: 60, bitrateBps: 32000, complexity: 8 },
    { rateHz: 16000, channels: 1, frameMs: 20, bitrateBps: 16000, complexity: 7, application: "voip" },
  ] as EncodeProfile[])(
    "automatic decisions: $rateHz Hz, $bitrateBps bit/s, complexity $complexity",
    async (profile) => {
      const music = syntheticMusic(profile.rateHz, profile.channels, 2);
      expect((await compareWithOracle(profile, music)).wrong).toEqual([]);
      const speech = syntheticSpeech(profile.rateHz, profile.channels, 2);
      expect((await compareWithOracle(profile, speech)).wrong).toEqual([]);
    },
  );

  test.each([
    { rateHz: 48000, channels: 1, frameMs: 20, bitrateBps: 28000, complexity: 6 },
    { rateHz: 48000, channels: 2, frameMs: 20, bitrateBps: 44000, complexity: 6 },
    { rateHz: 48000, channels: 1, frameMs: 10, bitrateBps: 36000, complexity: 5, vbr: false },
    { rateHz: 24000, channels: 1, frameMs: 20, bitrateBps: 24000, complexity: 3 },
    { rateHz: 48000, channels: 1, frameMs: 60, bitrateBps: 32000, complexity: 6 },
  ] as EncodeProfile[])("hybrid speech: $rateHz Hz, $channels ch, $frameMs ms", async (profile) => {
    const voice: EncodeProfile = { ...profile, application: "voip", signal: "voice" };
    const { wrong, configurations } = await compareWithOracle(
      voice,
      syntheticSpeech(profile.rateHz, profile.channels, 2),
    );
    expect([...configurations.keys()].some((c) => c >= 12 && c < 16)).toBe(true);
    expect(wrong).toEqual([]);
  });
});
