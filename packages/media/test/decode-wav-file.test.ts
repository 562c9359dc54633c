import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeWav } from "@longwave/media";
import { decodeAudioBytes, decodeAudioFile } from "@longwave/media/node";
import { sharedPath } from "@longwave/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

/** Where the header of the `data` chunk begins. */
function dataChunk(bytes: Uint8Array): { dataAt: number; view: DataView } {
  const dataAt = Buffer.from(bytes).indexOf("data");
  return { dataAt, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}

const galway = sharedPath("data/audio/galway.wav");

describe("decodeAudioFile on WAV", () => {
  let directory = "";
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "longwave-media-"));
  });
  afterAll(() => rm(directory, { recursive: true }));

  const write = async (name: string, bytes: Uint8Array): Promise<string> => {
    await writeFile(join(directory, name), bytes);
    return join(directory, name);
  };

  test("returns what was written, whatever the file is called", async () => {
    const pcm = Float32Array.from({ length: 20_000 }, (_, i) => ((i * 37) % 65_536) / 32_768 - 1);
    const path = await write("song.mp3", encodeWav(pcm, { sampleRate: 32_000, channels: 2 }));
    const audio = await decodeAudioFile(path);
    expect(audio).toMatchObject({
      sampleRate: 32_000,
      channels: 2,
      frames: 10_000,
      format: "wav",
      truncated: false,
    });
    expect(audio.pcm).toEqual(pcm);
  });

  test("mixes to mono", async () => {
    const path = await write(
      "a.wav",
      encodeWav(Float32Array.of(0.5, 0.25, -1, 0), { sampleRate: 8000, channels: 2 }),
    );
    expect((await decodeAudioFile(path, { channels: 1 })).pcm).toEqual(Float32Array.of(0.375, -0.5));
  });

  test("changes the rate: length, level and frequency are right, whatever the piece sizes", async () => {
    const tone = (rate: number, frames: number) =>
      Float32Array.from({ length: frames }, (_, i) => 0.5 * Math.sin((2 * Math.PI * 997 * i) / rate));
    const path = await write(
      "tone.wav",
      encodeWav(tone(44_100, 44_100), { sampleRate: 44_100, channels: 1, encoding: "f32" }),
    );
    for (const sampleRate of [48_000, 11_025, 16_000]) {
      const audio = await decodeAudioFile(path, { sampleRate });
      expect(audio).toMatchObject({
        sampleRate,
        frames: sampleRate,
        source: { sampleRate: 44_100, frames: 44_100 },
      });
      const expected = tone(sampleRate, sampleRate);
      let worst = 0;
      // The ends differ: the resampler takes silence for granted beyond them.
      for (let i = 500; i < sampleRate - 500; i++)
        worst = Math.max(worst, Math.abs(audio.pcm[i]! - expected[i]!));
      expect(worst).toBeLessThan(1e-3);
    }
  });

  test("a resampler passed in takes the place of ours", async () => {
    const path = await write(
      "c.wav",
      encodeWav(Float32Array.of(0.5, 0.25), { sampleRate: 8000, channels: 1 }),
    );
    const audio = await decodeAudioFile(path, {
      sampleRate: 16_000,
      rateConverter: () => ({
        push: (pcm, frames, out) =>
          out(
            Float32Array.from({ length: 2 * frames }, (_, i) => pcm[i >> 1]!),
            2 * frames,
          ),
        flush: () => undefined,
      }),
    });
    expect(audio.pcm).toEqual(Float32Array.of(0.5, 0.5, 0.25, 0.25));
  });

  test("an absent file, a directory, an empty and a foreign file each have their error", async () => {
    await expect(decodeAudioFile(join(directory, "absent"))).rejects.toMatchObject({
      code: "media/not-found",
      kind: "usage",
    });
    await expect(decodeAudioFile(directory)).rejects.toMatchObject({ code: "media/unreadable" });
    const empty = await write("empty.wav", new Uint8Array(0));
    await expect(decodeAudioFile(empty)).rejects.toMatchObject({ code: "media/empty" });
    const text = await write("text.wav", new TextEncoder().encode("Dear diary, ".repeat(100)));
    await expect(decodeAudioFile(text)).rejects.toMatchObject({ code: "media/unknown-format" });
  });

  test("limits on bytes, duration and samples are checked", async () => {
    const path = await write(
      "long.wav",
      encodeWav(new Float32Array(48_000), { sampleRate: 48_000, channels: 1 }),
    );
    for (const limits of [{ maxBytes: 1000 }, { maxSeconds: 0.5 }, { maxSamples: 47_999 }]) {
      await expect(decodeAudioFile(path, { limits })).rejects.toMatchObject({ code: "media/limit" });
    }
    await expect(
      decodeAudioFile(path, { limits: { maxSeconds: 1, maxSamples: 48_000 } }),
    ).resolves.toBeDefined();
  });

  test("a header that promises more than the file holds refuses nothing: what is there is read, and it is said", async () => {
    const sampleRate = 44_100;
    const sound = Float32Array.from({ length: 6 * sampleRate }, (_, i) => ((i * 37) % 65_536) / 32_768 - 1);
    const bytes = encodeWav(sound, { sampleRate, channels: 1 });
    const { dataAt, view } = dataChunk(bytes);
    // 13 h, as of a recording that was cut after 6 s; and one byte of an odd length is no frame.
    for (const [claimed, frames, cut] of [
      [13 * 3600 * sampleRate * 2, sound.length, 0],
      [13 * 3600 * sampleRate * 2 + 1, sound.length - 1, 1],
    ] as const) {
      view.setUint32(dataAt + 4, claimed, true);
      const path = await write("cut.wav", bytes.subarray(0, bytes.length - cut));
      for (const audio of [
        await decodeAudioFile(path),
        await decodeAudioBytes(bytes.subarray(0, bytes.length - cut)),
      ]) {
        expect(audio).toMatchObject({ frames, truncated: true });
        expect(audio.warnings).toEqual([
          "The file ends early: its header promises 46800.0 s of sound, 6.0 s are there.",
        ]);
      }
    }
    // What is really too long is refused at once, in words that fit a program and a command line.
    view.setUint32(dataAt + 4, 2 * sound.length, true);
    const path = await write("long.wav", bytes);
    await expect(decodeAudioFile(path, { limits: { maxSeconds: 5 } })).rejects.toMatchObject({
      code: "media/limit",
      message: expect.stringMatching(/lasts 6\.0 s or more; the limit is 5 s\. Cut it into parts/),
    });
  });

  test.each([0, 0xffff_ffff, 0x8000_0000])("a size of %i that a recorder never filled in", async (size) => {
    const bytes = encodeWav(Float32Array.of(0.5, -0.5, 0.25), { sampleRate: 8000, channels: 1 });
    const { dataAt, view } = dataChunk(bytes);
    view.setUint32(dataAt + 4, size, true);
    const audio = await decodeAudioFile(await write("crashed.wav", bytes));
    expect(audio).toMatchObject({ truncated: false, warnings: [] });
    expect(audio.pcm.subarray(0, 3)).toEqual(Float32Array.of(0.5, -0.5, 0.25));
  });

  test("an aborted signal stops it", async () => {
    const path = await write("b.wav", encodeWav(new Float32Array(100), { sampleRate: 48_000, channels: 1 }));
    await expect(decodeAudioFile(path, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: "media/aborted",
    });
  });

  test.skipIf(galway === undefined)("galway.wav of the shared data has 698,194 samples", async () => {
    const audio = await decodeAudioFile(galway!);
    expect(audio).toMatchObject({ sampleRate: 44_100, channels: 1, frames: 698_194 });
  });
});
