// `longwave opus info` and `compare` on the fixtures of the media package, which opusenc, ffmpeg and Chromium made.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeWav } from "@longwave/media";
import { repositoryPath } from "@longwave/testkit";
import { afterAll, describe, expect, test } from "vitest";

const fixture = (name: string): string => repositoryPath(`packages/media/test/fixtures/${name}`);
const folder = mkdtempSync(join(tmpdir(), "longwave-opus-info-"));
afterAll(() => rmSync(folder, { recursive: true }));

function longwave(...parameters: string[]) {
  const main = repositoryPath("apps/cli/dist/main.js");
  return spawnSync(process.execPath, [main, "opus", ...parameters], { encoding: "utf8" });
}

function wav(name: string, pcm: Float32Array, sampleRate = 48_000, channels = 2): string {
  writeFileSync(join(folder, name), encodeWav(pcm, { sampleRate, channels }));
  return join(folder, name);
}

describe("opus info", () => {
  test("tells links, lengths, tags and packets as JSON", () => {
    const { status, stdout } = longwave("info", fixture("chained.opus"), "--json");
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      links: [
        {
          serial: 1,
          channels: 1,
          preSkip: 312,
          heardFrames48k: 24_013,
          packets: 26,
          r128TrackGainDb: -2,
          malformed: 0,
        },
        { serial: 2, channels: 2, heardFrames48k: 33_607, packets: 142, packetMs: { 5: 142 } },
      ],
      truncated: false,
      warnings: [],
    });
  });

  test("reads WebM, and one line a packet", () => {
    const { status, stdout } = longwave("info", fixture("stereo.webm"), "--packets");
    expect(status).toBe(0);
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.length).toBe(9);
    expect(lines[3]).toMatchObject({ index: 3, frames48k: 2880, channels: 2 });
  });

  test("a file that is no Opus, and one that is not there", () => {
    expect(longwave("info", wav("a.wav", new Float32Array(9600)))).toMatchObject({
      status: 3,
      stderr: expect.stringContaining("media/not-opus"),
    });
    expect(longwave("info", join(folder, "absent"))).toMatchObject({ status: 2, stdout: "" });
  });
});

describe("opus compare", () => {
  const tone = (factor: number): Float32Array =>
    Float32Array.from({ length: 48_000 }, (_, i) => factor * Math.sin((i >> 1) / 20) * (1 - (i & 1) / 3));

  test("equal sound has quality 100, another sound fails with exit code 3", () => {
    const reference = wav("reference.wav", tone(0.5));
    const same = longwave("compare", reference, wav("same.wav", tone(0.5)), "--json");
    expect(same.status).toBe(0);
    expect(JSON.parse(same.stdout)).toMatchObject({ quality: 100, passed: true, maxDifference: 0 });
    const other = longwave("compare", reference, wav("other.wav", tone(0.1)), "--json");
    expect(other.status).toBe(3);
    expect(JSON.parse(other.stdout)).toMatchObject({ passed: false, firstDifferenceFrame: 1 });
  });

  test("the wrong rate is a usage error", () => {
    const reference = wav("reference.wav", tone(0.5));
    expect(longwave("compare", reference, wav("rate.wav", tone(0.5), 44_100)).status).toBe(2);
  });

  test("packet by packet", () => {
    const { stdout } = longwave(
      "compare",
      "--packets",
      "--json",
      fixture("mono.opus"),
      fixture("chained.opus"),
    );
    expect(JSON.parse(stdout)).toMatchObject({ packets: 168, identical: 26, firstDifference: 26 });
  });
});
