import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isLongwaveError, SeededRandom } from "@longwave/base";
import { type AudioDecoder, encodeWav, MediaError } from "@longwave/media";
import { decodeAudioBytes, decodeAudioFile } from "@longwave/media/node";
import { mutateBytes, sharedPath } from "@longwave/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const hasShared = sharedPath("data/audio") !== undefined;
const hasFfmpeg = spawnSync("ffmpeg", ["-version"]).status === 0;
const shared = (name: string): string => sharedPath(`data/audio/${name}`) ?? "";

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "longwave-media-"));
});
afterAll(() => rm(directory, { recursive: true }));

const write = async (name: string, bytes: Uint8Array | string): Promise<string> => {
  await writeFile(join(directory, name), bytes);
  return join(directory, name);
};

/** Largest difference of two signals over the frames that both have. */
function maxDifference(a: Float32Array, b: Float32Array): number {
  let max = 0;
  for (let i = 0; i < Math.min(a.length, b.length); i++) max = Math.max(max, Math.abs(a[i]! - b[i]!));
  return max;
}

/** Index of the first sample that differs, -1 where there is none; matchers of arrays this long take minutes. */
function firstDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) if (a[i] !== b[i]) return i;
  return -1;
}

function correlation(a: Float32Array, b: Float32Array): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    ab += a[i]! * b[i]!;
    aa += a[i]! * a[i]!;
    bb += b[i]! * b[i]!;
  }
  return ab / Math.sqrt(aa * bb);
}

describe.skipIf(!hasShared)("the forms of one track in the shared data", () => {
  test.each([
    ["galway.wav", 698_194, 1, "wav"],
    ["galway.flac", 698_194, 1, "flac"],
    ["galway_stereo.flac", 698_194, 2, "flac"],
    ["galway.mp3", 699_311, 1, "mp3"],
    ["galway_stereo.mp3", 699_311, 2, "mp3"],
    ["galway.ogg", 698_194, 1, "vorbis"],
  ])("%s has %i sample frames of %i channels", async (name, frames, channels, decoder) => {
    const audio = await decodeAudioFile(shared(name), { ffmpeg: false });
    expect(audio).toMatchObject({ sampleRate: 44_100, channels, frames, decoder, truncated: false });
    expect(audio.source).toEqual({ sampleRate: 44_100, channels, frames });
  });

  test.skipIf(!hasFfmpeg).each([
    ["galway.aiff", 698_194],
    ["galway.m4a", 698_368],
    ["galway.aac", 699_392],
  ])("%s has %i sample frames, through ffmpeg", async (name, frames) => {
    const audio = await decodeAudioFile(shared(name));
    expect(audio).toMatchObject({
      sampleRate: 44_100,
      channels: 1,
      frames,
      decoder: "ffmpeg",
      truncated: false,
    });
  });

  test("FLAC equals the WAV sample by sample, from a file and from bytes", async () => {
    const wav = await decodeAudioFile(shared("galway.wav"));
    expect(firstDifference((await decodeAudioFile(shared("galway.flac"))).pcm, wav.pcm)).toBe(-1);
    const bytes = await readFile(shared("galway.flac"));
    const before = new Uint8Array(bytes);
    expect(firstDifference((await decodeAudioBytes(bytes)).pcm, wav.pcm)).toBe(-1);
    expect(firstDifference(bytes, before)).toBe(-1);
  });

  test.skipIf(!hasFfmpeg)("AIFF through ffmpeg equals the WAV sample by sample", async () => {
    const wav = await decodeAudioFile(shared("galway.wav"));
    expect(firstDifference((await decodeAudioFile(shared("galway.aiff"))).pcm, wav.pcm)).toBe(-1);
    const bytes = new Uint8Array(await readFile(shared("galway.aiff")));
    expect(firstDifference((await decodeAudioBytes(bytes)).pcm, wav.pcm)).toBe(-1);
  });

  test("the mean of the stereo FLAC's channels is the WAV within half a step", async () => {
    const wav = await decodeAudioFile(shared("galway.wav"));
    const mono = await decodeAudioFile(shared("galway_stereo.flac"), { channels: 1 });
    expect(maxDifference(mono.pcm, wav.pcm)).toBeLessThanOrEqual(0.5 / 32_768);
  });

  test("MP3 and Vorbis are aligned with the WAV", async () => {
    const wav = await decodeAudioFile(shared("galway.wav"));
    for (const name of ["galway.mp3", "galway.ogg"]) {
      expect(correlation((await decodeAudioFile(shared(name))).pcm, wav.pcm)).toBeGreaterThan(0.997);
    }
  });

  test("chained Vorbis of one form is one sound; a change of rate is left to ffmpeg", async () => {
    const [galway, piano] = await Promise.all([
      readFile(shared("galway.ogg")),
      readFile(shared("piano.ogg")),
    ]);
    expect((await decodeAudioBytes(Buffer.concat([galway, galway]))).frames).toBe(2 * 698_194);
    const changing = Buffer.concat([galway, piano]);
    await expect(decodeAudioBytes(changing, { ffmpeg: false })).rejects.toMatchObject({
      code: "media/no-decoder",
    });
    if (hasFfmpeg)
      expect(await decodeAudioBytes(changing)).toMatchObject({ decoder: "ffmpeg", sampleRate: 44_100 });
  });

  test("mutated compressed files give sound or a typed error", async () => {
    for (const [name, seed] of [
      ["galway.mp3", 1],
      ["galway.flac", 2],
      ["galway.ogg", 3],
    ] as const) {
      const source = new Uint8Array(await readFile(shared(name))).slice(0, 20_000);
      for (let i = 0; i < 3; i++) {
        const bytes = mutateBytes(source, new SeededRandom(seed, i));
        const outcome = await decodeAudioBytes(bytes, { ffmpeg: false }).catch((error: unknown) => error);
        if (outcome instanceof Error) expect(isLongwaveError(outcome)).toBe(true);
        else expect((outcome as { frames: number }).frames).toBeGreaterThan(0);
      }
    }
  });

  test("a FLAC file cut in the middle gives what is there and says so", async () => {
    const whole = new Uint8Array(await readFile(shared("galway.flac")));
    const audio = await decodeAudioBytes(whole.slice(0, whole.length >> 1), { ffmpeg: false });
    expect(audio.truncated).toBe(true);
    expect(audio.frames).toBeGreaterThan(250_000);
    expect(audio.frames).toBeLessThan(400_000);
  });

  test("a FLAC file whose header promises 13 h is read as far as it goes", async () => {
    const bytes = new Uint8Array(await readFile(shared("galway.flac")));
    // STREAMINFO, total samples: 36 bits from the low half of byte 13 on (RFC 9639 section 8.2).
    new DataView(bytes.buffer).setUint32(8 + 14, 13 * 3600 * 44_100);
    const audio = await decodeAudioBytes(bytes, { ffmpeg: false });
    expect(audio).toMatchObject({ frames: 698_194, truncated: true });
  });

  test("limits hold for compressed files too", async () => {
    for (const name of ["galway.flac", "galway.mp3", "galway.ogg"]) {
      for (const limits of [{ maxSeconds: 15 }, { maxSamples: 690_000 }, { maxBytes: 100_000 }]) {
        await expect(decodeAudioFile(shared(name), { limits })).rejects.toMatchObject({
          code: "media/limit",
        });
      }
    }
  });

  test("the hard time limit ends a worker, and an abort does", async () => {
    await expect(decodeAudioFile(shared("galway.ogg"), { limits: { timeoutMs: 1 } })).rejects.toMatchObject({
      code: "media/timeout",
    });
    const controller = new AbortController();
    const decoding = decodeAudioFile(shared("galway_stereo.flac"), { signal: controller.signal });
    setTimeout(() => controller.abort(), 5);
    await expect(decoding).rejects.toMatchObject({ code: "media/aborted" });
  });
});

describe.skipIf(!hasFfmpeg)("with ffmpeg at hand", () => {
  const tone = Float32Array.from({ length: 30_000 }, (_, i) => (((i * 441) % 44_100) / 44_100 - 0.5) / 2);

  test("an MP3 with a LAME header has exactly the length of what was encoded", async () => {
    const wav = await write("tone.wav", encodeWav(tone, { sampleRate: 44_100, channels: 1 }));
    const mp3 = join(directory, "tone.mp3");
    expect(
      spawnSync("ffmpeg", ["-v", "error", "-y", "-i", wav, "-c:a", "libmp3lame", "-b:a", "128k", mp3]).status,
    ).toBe(0);
    const audio = await decodeAudioFile(mp3, { ffmpeg: false });
    expect(audio.frames).toBe(tone.length);
    expect(correlation(audio.pcm, tone)).toBeGreaterThan(0.98);
  });

  test("a WAV with a compressed codec is left to ffmpeg", async () => {
    const wav = await write("tone.wav", encodeWav(tone, { sampleRate: 44_100, channels: 1 }));
    const adpcm = join(directory, "adpcm.wav");
    expect(spawnSync("ffmpeg", ["-v", "error", "-y", "-i", wav, "-c:a", "adpcm_ima_wav", adpcm]).status).toBe(
      0,
    );
    expect(await decodeAudioFile(adpcm)).toMatchObject({ decoder: "ffmpeg", sampleRate: 44_100 });
    await expect(decodeAudioFile(adpcm, { ffmpeg: false })).rejects.toMatchObject({
      code: "media/wav-codec",
    });
  });

  test("a play list that names another file is not followed", async () => {
    const wav = await write("secret.wav", encodeWav(tone, { sampleRate: 44_100, channels: 1 }));
    for (const list of [
      `ffconcat version 1.0\nfile ${wav}\n`,
      `#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n${wav}\n#EXT-X-ENDLIST\n`,
    ]) {
      const path = await write("list.mp3", list);
      await expect(decodeAudioFile(path)).rejects.toMatchObject({ code: "media/unknown-format" });
    }
  });

  test("a film without sound has no audio", async () => {
    const film = join(directory, "mute.mkv");
    const made = spawnSync("ffmpeg", [
      "-v",
      "error",
      "-y",
      "-f",
      "lavfi",
      "-i",
      "color=s=16x16:d=0.2",
      "-c:v",
      "ffv1",
      film,
    ]);
    expect(made.status).toBe(0);
    await expect(decodeAudioFile(film)).rejects.toMatchObject({ code: "media/empty" });
  });
});

describe("decoders passed in", () => {
  const bytes = new TextEncoder().encode("OggS                      \x01\x08OpusHead and so on");
  const fake: AudioDecoder = {
    name: "fake-opus",
    formats: ["ogg-opus"],
    async decode(_bytes, sink) {
      sink.start({ sampleRate: 48_000, channels: 2 });
      sink.write(Float32Array.of(1, 0, 0.5, 0.5), 2);
      return {};
    },
  };

  test("get the formats that they name, and their sound is mixed as any other", async () => {
    const audio = await decodeAudioBytes(bytes, { decoders: [fake], channels: 1 });
    expect(audio).toMatchObject({ decoder: "fake-opus", format: "ogg-opus", frames: 2 });
    expect(audio.pcm).toEqual(Float32Array.of(0.5, 0.5));
  });

  test("pass on what they do not support", async () => {
    const picky: AudioDecoder = {
      ...fake,
      name: "picky",
      decode: () => Promise.reject(new MediaError("media/no-decoder", "Not this family.")),
    };
    expect(await decodeAudioBytes(bytes, { decoders: [picky, fake] })).toMatchObject({
      decoder: "fake-opus",
    });
    await expect(decodeAudioBytes(bytes, { decoders: [picky], ffmpeg: false })).rejects.toThrow(
      "Not this family.",
    );
  });

  test("without ffmpeg and without a decoder the format is named", async () => {
    await expect(decodeAudioBytes(bytes, { ffmpeg: "no-such-program" })).rejects.toMatchObject({
      code: "media/no-decoder",
      message: expect.stringMatching(/ogg-opus.*Install ffmpeg/),
    });
  });
});
