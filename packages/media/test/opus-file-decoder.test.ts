import { readFileSync } from "node:fs";
import { OggOpusReader, opusFileDecoder } from "@longwave/media";
import { decodeAudioBytes, decodeAudioFile } from "@longwave/media/node";
import { createSeekableDecoder, OpusMultistreamDecoder } from "@longwave/opus";
import { repositoryPath } from "@longwave/testkit";
import { createDecoder } from "libopus-wasm";
import { describe, expect, test } from "vitest";

const path = (name: string): string => repositoryPath(`packages/media/test/fixtures/${name}`);
const options = { decoders: [opusFileDecoder(createSeekableDecoder)], ffmpeg: false } as const;

/** The packets of a file through libopus 1.6.1, pre-skip and end cut off. */
async function reference(name: string, channels: 1 | 2): Promise<number[]> {
  const decoder = await createDecoder({ channels, sampleRate: 48_000, maxFrameSize: 5760 });
  const pcm: number[] = [];
  for await (const packet of (await OggOpusReader.open(new Uint8Array(readFileSync(path(name))))).packets()) {
    const block = decoder.decodeFloat(packet.data);
    const end = block.length - packet.trimEnd * channels;
    for (let i = packet.skipStart * channels; i < end; i++) pcm.push(block[i]!);
  }
  decoder.free();
  return pcm;
}

function firstDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) if (a[i] !== b[i]) return i;
  return -1;
}

describe("opusFileDecoder", () => {
  test("5.1 comes in WAVE order: FL FR FC LFE BL BR of the Vorbis order FL FC FR RL RR LFE", async () => {
    const audio = await decodeAudioFile(path("surround.opus"), options);
    const reader = await OggOpusReader.open(new Uint8Array(readFileSync(path("surround.opus"))));
    const { head } = reader.links[0]!;
    using decoder = new OpusMultistreamDecoder(head);
    const block = new Float32Array(5760 * 6);
    const expected: number[] = [];
    for await (const packet of reader.packets()) {
      const frames = decoder.decode(packet.data, block);
      for (let i = packet.skipStart; i < frames - packet.trimEnd; i++) {
        const [left, centre, right, backLeft, backRight, low] = block.subarray(i * 6, i * 6 + 6);
        expected.push(left!, right!, centre!, low!, backLeft!, backRight!);
      }
    }
    expect(firstDifference(audio.pcm, expected)).toBe(-1);
  });

  test.each([
    ["mono.opus", 1, 24_013],
    ["stereo.opus", 2, 33_607],
  ] as const)("decodes %s bit for bit as libopus does", async (name, channels, frames) => {
    const audio = await decodeAudioFile(path(name), options);
    expect(audio).toMatchObject({ decoder: "opus", sampleRate: 48_000, channels, frames, truncated: false });
    expect(firstDifference(audio.pcm, await reference(name, channels))).toBe(-1);
  });

  test("links of a chain follow each other in the channels of the first", async () => {
    const audio = await decodeAudioFile(path("chained.opus"), options);
    expect(audio).toMatchObject({ channels: 1, frames: 24_013 + 33_607 });
    const mono = await decodeAudioFile(path("mono.opus"), options);
    expect(firstDifference(audio.pcm.subarray(0, mono.pcm.length), mono.pcm)).toBe(-1);
  });

  test("surround and WebM", async () => {
    expect(await decodeAudioFile(path("surround.opus"), options)).toMatchObject({
      channels: 6,
      frames: 9600,
    });
    expect(await decodeAudioFile(path("stereo.webm"), options)).toMatchObject({
      channels: 2,
      frames: 24_000,
    });
    const mono = await decodeAudioFile(path("media-recorder.webm"), {
      ...options,
      sampleRate: 16_000,
      channels: 1,
    });
    expect(mono).toMatchObject({ decoder: "opus", sampleRate: 16_000, channels: 1 });
    // The recording is a full-scale tone.
    expect(Math.max(...mono.pcm.subarray(4000, 8000))).toBeGreaterThan(0.5);
  });

  test("a damaged page is concealed: the length stays", async () => {
    const bytes = new Uint8Array(readFileSync(path("stereo.opus")));
    bytes[2500]! ^= 1;
    const audio = await decodeAudioBytes(bytes, options);
    expect(audio).toMatchObject({ frames: 33_607, truncated: true });
    expect(audio.warnings.length).toBeGreaterThan(0);
    expect(audio.pcm.every(Number.isFinite)).toBe(true);
  });

  test("a Matroska file without Opus is passed on", async () => {
    const bytes = Uint8Array.of(0x1a, 0x45, 0xdf, 0xa3, 0x80);
    await expect(decodeAudioBytes(bytes, options)).rejects.toMatchObject({ code: "media/no-decoder" });
  });
});
