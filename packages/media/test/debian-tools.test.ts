// Files made by Debian's own tools, through the facade: every format that it names, and what it leaves to ffmpeg.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeWav } from "@longwave/media";
import { decodeAudioFile, type NodeDecodeOptions } from "@longwave/media/node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const has = (tool: string, flag = "-version") => spawnSync(tool, [flag]).status === 0;
const tools = { ffmpeg: has("ffmpeg"), flac: has("flac", "--version"), sox: has("sox", "--version") };
const frames = 50_001;
const directory = mkdtempSync(join(tmpdir(), "longwave-tools-"));
afterAll(() => rmSync(directory, { recursive: true }));

/** Two tones and a little noise in 24 bit, stereo at 44.1 kHz; an odd number of frames. */
const pcm = Float32Array.from({ length: 2 * frames }, (_, i) => {
  const n = i >> 1;
  const value = 0.4 * Math.sin(n / (9 + 5 * (i & 1))) + 0.01 * (((n * 7919) % 101) / 50 - 1);
  return Math.round(value * 8_388_608) / 8_388_608;
});

beforeAll(() => {
  writeFileSync(
    join(directory, "in.wav"),
    encodeWav(pcm, { sampleRate: 44_100, channels: 2, encoding: "s24" }),
  );
});

function make(tool: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(tool, args, { cwd: directory, encoding: "utf8" });
  if (status !== 0) throw new Error(`${tool} ${args.join(" ")}: ${stderr}`);
}

async function decode(name: string, options?: NodeDecodeOptions) {
  const audio = await decodeAudioFile(join(directory, name), options);
  expect(audio).toMatchObject({ sampleRate: 44_100, channels: 2, truncated: false });
  return audio;
}

/** Power of the difference over that of the sound, in dB, over the frames that both have. */
function errorDb(decoded: Float32Array): number {
  let [error, signal] = [0, 0];
  for (let i = 0; i < Math.min(decoded.length, pcm.length); i++) {
    error += (decoded[i]! - pcm[i]!) ** 2;
    signal += pcm[i]! ** 2;
  }
  return 10 * Math.log10(error / signal);
}

describe.skipIf(!tools.ffmpeg)(`ffmpeg${tools.ffmpeg ? "" : " (skipped: absent)"}`, () => {
  test("RF64 in 24 bit, extensible: equal to the source, sample by sample", async () => {
    make("ffmpeg", "-v", "error", "-i", "in.wav", "-rf64", "always", "-c:a", "pcm_s24le", "rf64.wav");
    expect(readFileSync(join(directory, "rf64.wav")).subarray(0, 4).toString()).toBe("RF64");
    const audio = await decode("rf64.wav", { ffmpeg: false });
    expect(audio).toMatchObject({ format: "wav", decoder: "wav", frames });
    expect(errorDb(audio.pcm)).toBe(Number.NEGATIVE_INFINITY);
  });

  test.each([
    ["constant rate", ["-b:a", "192k"]],
    ["variable rate", ["-q:a", "2"]],
  ])("MP3 of LAME, %s: aligned, delay and padding taken away", async (_, quality) => {
    make("ffmpeg", "-v", "error", "-y", "-i", "in.wav", "-c:a", "libmp3lame", ...quality, "song.mp3");
    const audio = await decode("song.mp3", { ffmpeg: false });
    expect(audio).toMatchObject({ format: "mp3", decoder: "mp3", frames });
    expect(errorDb(audio.pcm)).toBeLessThan(-25);
  });

  test("Ogg Vorbis: exact length, aligned", async () => {
    make("ffmpeg", "-v", "error", "-i", "in.wav", "-c:a", "libvorbis", "-q:a", "6", "song.ogg");
    const audio = await decode("song.ogg", { ffmpeg: false });
    expect(audio).toMatchObject({ decoder: "vorbis", frames });
    expect(errorDb(audio.pcm)).toBeLessThan(-25);
  });

  test.each([
    ["ALAC in MP4", "song.m4a", ["-c:a", "alac", "-sample_fmt", "s32p"], -300],
    ["AIFF", "song.aiff", ["-c:a", "pcm_s24be"], -300],
    ["WavPack", "song.wv", ["-c:a", "wavpack"], -300],
    ["ADPCM in WAV", "adpcm.wav", ["-c:a", "adpcm_ms"], -25],
  ])("%s is left to an ffmpeg process, and refused without one", async (_, name, codec, limit) => {
    make("ffmpeg", "-v", "error", "-i", "in.wav", ...codec, name);
    const audio = await decode(name);
    expect(audio.decoder).toBe("ffmpeg");
    expect(audio.frames).toBeGreaterThanOrEqual(frames);
    expect(errorDb(audio.pcm)).toBeLessThan(limit);
    await expect(decode(name, { ffmpeg: false })).rejects.toMatchObject({
      kind: "unsupported",
      message: expect.stringContaining(name),
    });
  });
});

describe.skipIf(!tools.flac)(`flac${tools.flac ? "" : " (skipped: absent)"}`, () => {
  test.each([
    ["as it comes", "plain.flac", ["-8"]],
    ["in Ogg", "in-ogg.oga", ["-5", "--ogg"]],
  ])("FLAC in 24 bit, %s: equal to the source, sample by sample", async (_, name, options) => {
    make("flac", "--silent", ...options, "-o", name, "in.wav");
    const audio = await decode(name, { ffmpeg: false });
    expect(audio).toMatchObject({ decoder: "flac", frames });
    expect(errorDb(audio.pcm)).toBe(Number.NEGATIVE_INFINITY);
  });
});

describe.skipIf(!tools.sox)(`sox${tools.sox ? "" : " (skipped: absent)"}`, () => {
  test.each([
    ["32-bit float", ["-e", "floating-point", "-b", "32"], Number.NEGATIVE_INFINITY],
    ["64-bit float", ["-e", "floating-point", "-b", "64"], Number.NEGATIVE_INFINITY],
    ["32-bit integer", ["-e", "signed", "-b", "32"], Number.NEGATIVE_INFINITY],
    ["16-bit integer", ["-D", "-e", "signed", "-b", "16"], -80],
    ["8-bit", ["-D", "-e", "unsigned", "-b", "8"], -35],
  ])("WAV, %s", async (_, form, limit) => {
    const dither = form.filter((each) => each === "-D");
    make("sox", ...dither, "in.wav", ...form.filter((each) => each !== "-D"), "form.wav");
    const audio = await decode("form.wav", { ffmpeg: false });
    expect(audio.frames).toBe(frames);
    expect(errorDb(audio.pcm)).toBeLessThanOrEqual(limit);
  });
});
