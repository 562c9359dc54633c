import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Archive, planImport, timeAxis } from "@longwave/archive";
import { openAudioInput } from "@longwave/archive/node";
import { MemoryStore } from "@longwave/base";
import { encodeWav } from "@longwave/media";
import { streamWithFfmpeg } from "@longwave/media/node";
import { createSeekableDecoder, OpusEncoder } from "@longwave/opus";
import { afterAll, describe, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "longwave-input-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const has = (tool: string, ...parameters: string[]) => spawnSync(tool, parameters).error === undefined;

const encoder = ({ channels, bitrateBps }: { channels: 1 | 2; bitrateBps: number }) =>
  new OpusEncoder({ channels, bitrateBps, complexity: 0 });

function tone(frames: number, channels: number, period: number): Float32Array {
  return Float32Array.from({ length: frames * channels }, (_, i) =>
    Math.fround(0.4 * Math.sin((2 * Math.PI * Math.floor(i / channels)) / period)),
  );
}

const guano = (lines: readonly string[]) => ({
  id: "guan",
  bytes: new TextEncoder().encode(["GUANO|Version: 1.0", ...lines, ""].join("\n")),
});

/** A WAV file in the folder. */
function wavFile(name: string, sampleRate: number, frames: number, options: object = {}): string {
  const path = join(folder, name);
  writeFileSync(path, encodeWav(tone(frames, 1, sampleRate / 500), { sampleRate, channels: 1, ...options }));
  return path;
}

async function imported(path: string, options: Parameters<typeof openAudioInput>[1] = {}) {
  const input = await openAudioInput(path, { encoder, acceptLossy: true, ...options });
  const archive = await Archive.open(new MemoryStore(), { decoder: createSeekableDecoder });
  const { source, metadata, rawMetadata, anchors, start } = input;
  const opened = await input.open();
  const { info } = await archive.import(opened, { id: "r", source, metadata, rawMetadata, anchors, start });
  return { archive, info, input };
}

describe("openAudioInput", () => {
  test("encoding has to be accepted; the plan says what is lost", async () => {
    const path = wavFile("a.wav", 48_000, 4800);
    const input = await openAudioInput(path, { encoder });
    expect(input.plan).toMatchObject({ mode: "keep", seconds: 0.1, bitrateBps: 64_000 });
    await expect(input.open()).rejects.toMatchObject({ code: "archive/lossy", kind: "usage" });
  });

  test.each([48_000, 44_100, 16_000])("a WAV file of %d Hz keeps its length to the sample", async (rate) => {
    const frames = rate + 77;
    const { archive, info } = await imported(wavFile(`${rate}.wav`, rate, frames));
    expect(info.frames).toBe(rate === 48_000 ? frames : Math.round((frames * 48_000) / rate));
    const { pcm } = await archive.read("r", { from: 10_000, to: 20_000 });
    // The tone of 500 Hz is where it was: sound and source point the same way.
    let product = 0;
    for (const [i, value] of pcm.entries()) product += value * Math.sin((2 * Math.PI * (10_000 + i)) / 96);
    expect(product / pcm.length).toBeGreaterThan(0.15);
  });

  test.skipIf(!has("ffmpeg", "-version"))(
    "what ffmpeg decodes is streamed: the same packets as from a WAV file of the same sound, piece by piece",
    async () => {
      const wav = wavFile("streamed.wav", 44_100, 300_000);
      const aiff = join(folder, "streamed.aiff");
      execFileSync("ffmpeg", ["-v", "error", "-y", "-i", wav, aiff]);
      const [one, other] = [await imported(wav), await imported(aiff)];
      expect(other.input.plan).toMatchObject({ container: "aiff", sampleRateHz: 44_100, mode: "resample" });
      expect(other.info.packetsSha256).toBe(one.info.packetsSha256);
      let pieces = 0;
      for await (const piece of streamWithFfmpeg("ffmpeg", aiff)) {
        expect(piece.frames).toBeLessThan(100_000);
        pieces++;
      }
      expect(pieces).toBeGreaterThan(3);
    },
  );

  test("a WAV file that was cut is imported as far as it goes, and said to be truncated", async () => {
    const path = wavFile("cut.wav", 48_000, 4800);
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.subarray(0, bytes.length - 4801));
    const { info } = await imported(path);
    expect(info).toMatchObject({ frames: 2399, source: { truncated: true } });
  });

  test("384 kHz is stretched eight times; samples and wall clock meet exactly", async () => {
    const chunk = guano(["Timestamp: 2026-05-01T21:30:00.250+02:00", "Samplerate: 384000", "Make: Example"]);
    const frames = 384_000;
    const path = wavFile("bat.wav", 384_000, frames, { trailingChunks: [chunk] });
    const { info } = await imported(path);
    expect(info.frames).toBe(frames);
    expect(info.metadata).toMatchObject({
      guano: { make: "Example" },
      encoding: { mode: "expand", timeExpansion: { numerator: 8, denominator: 1 }, sourceRateHz: 384_000 },
    });
    const axis = timeAxis(info);
    const start = BigInt(Date.parse("2026-05-01T19:30:00.250Z")) * 1_000_000n;
    expect(axis.timeOf(0)).toBe(start);
    expect(axis.timeOf(192_000)).toBe(start + 500_000_000n);
    expect(axis.rangesBetween(start + 250_000_000n, start + 500_000_000n)).toMatchObject([
      { start: 96_000, end: 192_000 },
    ]);
    expect(axis.rangesBetween(start - 1n, start + 60_000_000_000n)).toMatchObject([
      { start: 0, end: frames },
    ]);
  });

  test("250 and 256 kHz are exact fractions", () => {
    const fraction = (sampleRateHz: number) =>
      planImport({ container: "wav", sampleRateHz, channels: 1, frames: 1 }).expansion;
    expect(fraction(250_000)).toEqual({ numerator: 125, denominator: 24 });
    expect(fraction(256_000)).toEqual({ numerator: 16, denominator: 3 });
    expect(fraction(96_000)).toEqual({ numerator: 1, denominator: 1 });
  });

  test("time that the recorder stretched (TE 10) is kept, and its clock runs ten times slower", async () => {
    const chunk = guano(["Timestamp: 2026-05-01 21:30:00", "TE: 10"]);
    const { info } = await imported(wavFile("te.wav", 48_000, 48_000, { trailingChunks: [chunk] }));
    const axis = timeAxis(info);
    expect(axis.timeOf(48_000)! - axis.timeOf(0)!).toBe(100_000_000n);
    expect((info.metadata["encoding"] as { warnings: string[] }).warnings.join(" ")).toContain(
      "10 times already",
    );
  });

  test("recorder chunks stay byte for byte beside their typed form", async () => {
    const bext = new Uint8Array(602);
    bext.set(new TextEncoder().encode("A description"), 0);
    bext.set(new TextEncoder().encode("2026-03-0112:00:00"), 320);
    new DataView(bext.buffer).setUint32(338, 48_000 * 3600, true);
    const comment = "Recorded at 19:17:30 27/02/2026 (UTC) by AudioMoth 24E144085F256A8A at medium gain";
    const text = new TextEncoder().encode(comment);
    const list = new Uint8Array(12 + text.length + (text.length % 2));
    list.set(new TextEncoder().encode("INFOICMT"), 0);
    new DataView(list.buffer).setUint32(8, text.length, true);
    list.set(text, 12);
    const chunks = [
      { id: "bext", bytes: bext },
      { id: "LIST", bytes: list },
    ];
    const { archive, info } = await imported(wavFile("moth.wav", 48_000, 9600, { chunks }));
    expect(info.rawMetadata).toEqual(["bext", "LIST"]);
    expect(info.metadata).toMatchObject({
      bext: { description: "A description" },
      audioMoth: { deviceId: "24E144085F256A8A" },
    });
    // AudioMoth tells its zone, BEXT does not: AudioMoth wins.
    expect(timeAxis(info).timeOf(0)).toBe(BigInt(Date.parse("2026-02-27T19:17:30Z")) * 1_000_000n);
    expect((await archive.store.get("rec/r/meta/bext/zarr.json"))?.length).toBeGreaterThan(0);
  });

  test("without metadata the file's name tells the start; who told it is stored with the recording", async () => {
    const path = wavFile("SITE7_20240501_053000.wav", 48_000, 4800);
    const startNs = BigInt(Date.parse("2024-05-01T05:30:00Z")) * 1_000_000n;
    const { archive, info } = await imported(path);
    expect(info.start).toEqual({ source: "filename", zoneAssumed: true });
    expect(timeAxis(info).timeOf(0)).toBe(startNs);
    expect((await archive.info("r")).start).toEqual(info.start);
    const there = await imported(path, { utcOffsetMinutes: -150 });
    expect(there.info.start).toEqual({ source: "filename", zoneAssumed: false, utcOffsetMinutes: -150 });
    expect(timeAxis(there.info).timeOf(0)).toBe(startNs + 9_000_000_000_000n);
    const unknown = await imported(wavFile("unnamed.wav", 48_000, 4800));
    expect([unknown.info.start, unknown.info.anchors]).toEqual([undefined, []]);
    // What the recorder wrote into the file counts more than its name.
    const chunk = guano(["Timestamp: 2026-05-01 21:30:00+02:00"]);
    const told = await imported(wavFile("20240501_053000.WAV", 48_000, 4800, { trailingChunks: [chunk] }));
    expect(told.info.start).toEqual({ source: "guano", zoneAssumed: false, utcOffsetMinutes: 120 });
  });

  test.skipIf(!has("flac", "--version"))("FLAC is decoded and encoded", async () => {
    const path = wavFile("b.wav", 48_000, 30_000);
    execFileSync("flac", ["-s", "-f", path]);
    const { info } = await imported(join(folder, "b.flac"));
    expect([info.frames, info.source.container]).toEqual([30_000, "flac"]);
  });

  test.skipIf(!has("ffmpeg", "-version"))("WebM Opus is copied: the same packets as in Ogg", async () => {
    const path = wavFile("c.wav", 48_000, 96_000);
    const [ogg, webm] = [join(folder, "c.opus"), join(folder, "c.webm")];
    execFileSync("ffmpeg", ["-v", "error", "-y", "-i", path, "-c:a", "libopus", ogg]);
    execFileSync("ffmpeg", ["-v", "error", "-y", "-i", ogg, "-c:a", "copy", webm]);
    const first = await imported(ogg);
    const second = await imported(webm);
    expect(second.input.plan).toBeUndefined();
    expect(second.info.packetsSha256).toBe(first.info.packetsSha256);
    expect(second.info.frames).toBe(first.info.frames);
    // Either is a duplicate of the other, whatever the file's own hash.
    const { source, open } = await openAudioInput(webm, {});
    const again = await first.archive.import(await open(), { id: "x", source });
    expect(again).toMatchObject({ duplicate: true, info: { id: "r" } });
  });

  test("what is no audio is refused", async () => {
    const path = join(folder, "no.wav");
    writeFileSync(path, "this is no sound");
    await expect(openAudioInput(path, { encoder, ffmpeg: false })).rejects.toMatchObject({
      code: "media/unknown-format",
    });
  });
});
