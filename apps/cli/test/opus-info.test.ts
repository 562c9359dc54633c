// `longwave opus info` and `compare` on the fixtures of the media package, which opusenc, ffmpeg and Chromium made.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeWav, OggOpusWriter, openOpusFile, plainOpusHead } from "@longwave/media";
import { repositoryPath } from "@longwave/testkit";
import { afterAll, describe, expect, test } from "vitest";
import { runHere } from "./run-here.ts";

const fixture = (name: string): string => repositoryPath(`packages/media/test/fixtures/${name}`);
const folder = mkdtempSync(join(tmpdir(), "longwave-opus-info-"));
afterAll(() => rmSync(folder, { recursive: true }));

const longwave = (...parameters: string[]) => runHere(["opus", ...parameters]);

function wav(name: string, pcm: Float32Array, sampleRate = 48_000, channels = 2): string {
  writeFileSync(join(folder, name), encodeWav(pcm, { sampleRate, channels }));
  return join(folder, name);
}

describe("opus info", () => {
  test("tells links, lengths, tags and packets as JSON", async () => {
    const { code, stdout } = await longwave("info", fixture("chained.opus"), "--json");
    expect(code).toBe(0);
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

  test("shows tags without control characters, and of long ones the start", async () => {
    const pieces: Uint8Array[] = [];
    const writer = new OggOpusWriter((bytes) => pieces.push(bytes.slice()), {
      head: plainOpusHead(1, 312),
      tags: {
        vendor: "v\u001b[2J",
        comments: ["TITLE=a\u001b[31mb\u0007", "LYRICS=one\ntwo", `PICTURE=${"x".repeat(5000)}`],
        binary: new Uint8Array(0),
      },
      serial: 1,
    });
    writer.write(Uint8Array.of(0xf8, 0xff, 0xfe));
    writer.finish();
    const path = join(folder, "tags.opus");
    writeFileSync(path, Buffer.concat(pieces));
    const { stdout } = await longwave("info", path);
    expect(stdout.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
    expect(stdout).toContain("TITLE=a\ufffd[31mb\ufffd\n  LYRICS=one\n    two\n");
    expect(stdout).toContain(`xx... (5008 characters)`);
    expect(stdout.length).toBeLessThan(2000);
    expect(JSON.parse((await longwave("info", path, "--json")).stdout).links[0].comments[0]).toBe(
      "TITLE=a\u001b[31mb\u0007",
    );
  });

  test("reads WebM, and one line a packet", async () => {
    const { code, stdout } = await longwave("info", fixture("stereo.webm"), "--packets");
    expect(code).toBe(0);
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.length).toBe(9);
    expect(lines[3]).toMatchObject({ index: 3, frames48k: 2880, channels: 2 });
  });

  test("tells what is in each packet: frames, redundancy, voice activity, granule; every parameter with --trace", async () => {
    const path = repositoryPath("packages/opus/test/fixtures/silk-wb-60.opus");
    const ranges = readFileSync(path.replace(".opus", ".ranges.txt"), "utf8").trim().split("\n");
    const lines = (await longwave("info", path, "--trace")).stdout.trim().split("\n");
    expect(lines.length).toBe(ranges.length);
    lines.forEach((text, i) => {
      const line = JSON.parse(text);
      expect(line.finalRange).toBe(Number(/(\d+)\]$/.exec(ranges[i]!)?.[1]));
      // The last packet is a shorter one.
      const durationMs = i < ranges.length - 1 ? 60 : 40;
      const granule = 2880 * i + 48 * durationMs;
      expect(line).toMatchObject({ mode: "silk", bandwidth: "wb", durationMs, granule });
      expect(line.frameBytes).toEqual([line.bytes - 1]);
      expect(line.voiceActivity.length).toBe(durationMs / 20);
      expect(line.frames[0]).toMatchObject({ kind: "silk", gainIndices: expect.any(Array) });
    });
  });

  test("takes the packets of several streams apart", async () => {
    const path = fixture("surround.opus");
    const [line] = (await longwave("info", path, "--packets")).stdout.split("\n", 1);
    expect(JSON.parse(line!).streams.map((stream: { channels: number }) => stream.channels)).toEqual([
      2, 2, 1, 1,
    ]);
    expect(JSON.parse((await longwave("info", path, "--json")).stdout).links[0]).toMatchObject({
      malformed: 0,
      modes: { celt: 11 },
    });
  });

  test("a file that is no Opus, and one that is not there", async () => {
    expect(await longwave("info", wav("a.wav", new Float32Array(9600)))).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("media/not-opus"),
    });
    expect(await longwave("info", join(folder, "absent"))).toMatchObject({ code: 2, stdout: "" });
  });
});

describe("opus compare", () => {
  const tone = (factor: number): Float32Array =>
    Float32Array.from({ length: 48_000 }, (_, i) => factor * Math.sin((i >> 1) / 20) * (1 - (i & 1) / 3));

  test("equal sound has quality 100, another sound fails with exit code 3", async () => {
    const reference = wav("reference.wav", tone(0.5));
    const same = await longwave("compare", reference, wav("same.wav", tone(0.5)), "--json");
    expect(same.code).toBe(0);
    expect(JSON.parse(same.stdout)).toMatchObject({ quality: 100, passed: true, maxDifference: 0 });
    const other = await longwave("compare", reference, wav("other.wav", tone(0.1)), "--json");
    expect(other.code).toBe(3);
    expect(JSON.parse(other.stdout)).toMatchObject({ passed: false, firstDifferenceFrame: 1 });
  });

  test("raw samples as well, with the first one that differs", async () => {
    const samples = Int16Array.from(tone(0.5), (value) => Math.round(value * 32_767));
    const raw = (name: string) => {
      writeFileSync(join(folder, name), new Uint8Array(samples.buffer));
      return join(folder, name);
    };
    const reference = raw("reference.sw");
    samples[20_001]! += 8;
    const { code, stdout } = await longwave("compare", "--raw", "--json", reference, raw("tested.sw"));
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      maxDifference: 8 / 32_768,
      firstDifference: { frame: 10_000, channel: 1, tested: samples[20_001]! / 32_768 },
    });
    writeFileSync(join(folder, "odd.sw"), new Uint8Array(4001));
    expect((await longwave("compare", "--raw", reference, join(folder, "odd.sw"))).code).toBe(3);
  });

  test("the wrong rate is a usage error", async () => {
    const reference = wav("reference.wav", tone(0.5));
    expect((await longwave("compare", reference, wav("rate.wav", tone(0.5), 44_100))).code).toBe(2);
  });

  test("packet by packet", async () => {
    const { stdout } = await longwave(
      "compare",
      "--packets",
      "--json",
      fixture("mono.opus"),
      fixture("chained.opus"),
    );
    expect(JSON.parse(stdout)).toMatchObject({ packets: 168, identical: 26, firstDifference: 26 });
  });

  test("names the first parameter that differs", async () => {
    const bytes = readFileSync(repositoryPath("packages/opus/test/fixtures/silk-wb-60.opus"));
    const files = [0, 0x55].map(async (change) => {
      const reader = await openOpusFile(bytes);
      const pages: Uint8Array[] = [];
      const { head } = reader.links[0]!;
      const writer = new OggOpusWriter((page) => pages.push(page.slice()), { head, serial: 1 });
      let index = 0;
      for await (const { data } of reader.packets()) {
        if (index++ === 3) data[data.length >> 1]! ^= change;
        writer.write(data);
      }
      writer.finish();
      writeFileSync(join(folder, `changed-${change}.opus`), Buffer.concat(pages));
      return join(folder, `changed-${change}.opus`);
    });
    const [one, two] = await Promise.all(files);
    const { stdout } = await longwave("compare", "--packets", "--json", one!, two!);
    expect(JSON.parse(stdout)).toMatchObject({
      firstDifference: 3,
      firstSymbol: { path: expect.stringMatching(/^\[0\]\.frames\[\d\]\.\w+/) },
    });
  });
});
