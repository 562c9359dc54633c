import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SeededRandom } from "@longwave/base";
import {
  encodeWav,
  type SampleEncoding,
  type WavChunk,
  WavEncoder,
  WavParser,
  WavReader,
} from "@longwave/media";
import { allocatedBytesPerCall, fuzzParser } from "@longwave/testkit";
import { describe, expect, test } from "vitest";

const hasSox = spawnSync("sox", ["--version"]).status === 0;
const hasFfmpeg = spawnSync("ffmpeg", ["-version"]).status === 0;

interface Read {
  readonly reader: WavReader;
  readonly pcm: number[];
  readonly truncated: boolean;
}

/** Reads a file in pieces of the given sizes, over and over. */
function read(bytes: Uint8Array, pieces: readonly number[] = [bytes.length || 1]): Read {
  const pcm: number[] = [];
  const reader = new WavReader((block, frames) => {
    for (let i = 0; i < frames * reader.head!.format.channels; i++) pcm.push(block[i]!);
  });
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = pieces[i % pieces.length]!;
    reader.push(bytes.subarray(at, at + length));
    at += length;
  }
  return { reader, pcm, truncated: reader.end().truncated };
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const u32 = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >>> shift) & 255);
const chunk = (id: string, body: ArrayLike<number>, size = body.length): number[] => [
  ...text(id),
  ...u32(size),
  ...Array.from(body),
];
/** WAVEFORMATEX: 16-bit PCM unless told otherwise. */
const fmt = (channels = 1, bits = 16, tag = 1, rate = 8000): number[] => {
  const align = channels * Math.ceil(bits / 8);
  return chunk("fmt ", [
    tag & 255,
    tag >> 8,
    channels,
    0,
    ...u32(rate),
    ...u32(rate * align),
    align & 255,
    align >> 8,
    bits,
    0,
  ]);
};
const riff = (parts: readonly number[], size = parts.length + 4, id = "RIFF"): Uint8Array =>
  Uint8Array.from([...text(id), ...u32(size), ...text("WAVE"), ...parts]);
const sound16 = [1, 0, 2, 0, 3, 0];
const steps = [1, 2, 3].map((value) => value / 32_768);

describe("round trip", () => {
  const pcm = Float32Array.from({ length: 300 }, (_, i) => ((i * 7) % 256) / 128 - 1);
  test.each(["u8", "s16", "s24", "s32", "f32", "f64"] satisfies SampleEncoding[])("%s", (encoding) => {
    for (const channels of [1, 2, 3, 6]) {
      const bytes = encodeWav(pcm, { sampleRate: 44_100, channels, encoding });
      const { reader, pcm: back, truncated } = read(bytes, [1, 7, 64]);
      expect(reader.head).toMatchObject({
        frames: 300 / channels,
        format: { sampleRate: 44_100, channels, encoding },
      });
      expect(back).toEqual([...pcm]);
      expect(truncated).toBe(false);
    }
  });

  test("does not depend on how the file is cut into pieces", () => {
    const bytes = encodeWav(pcm, {
      sampleRate: 8000,
      channels: 3,
      encoding: "s24",
      chunks: [{ id: "bext", bytes: text("odd") }],
    });
    const whole = read(bytes);
    const random = new SeededRandom(5);
    for (let round = 0; round < 200; round++) {
      const pieces = Array.from({ length: 20 }, () => 1 + random.below(40));
      const cut = read(bytes, pieces);
      expect(cut.pcm).toEqual(whole.pcm);
      expect(cut.reader.chunks).toEqual(whole.reader.chunks);
    }
  });
});

describe("metadata chunks", () => {
  const before: WavChunk[] = [
    { id: "bext", bytes: text("twelve bytes") },
    { id: "iXML", bytes: text("odd") },
  ];
  const after: WavChunk[] = [
    { id: "guan", bytes: text("GUANO|Version: 1.0") },
    { id: "LIST", bytes: text("INFOx") },
  ];

  test("before and after the sound are kept byte for byte, odd lengths padded", () => {
    const bytes = encodeWav(Float32Array.of(0, 0.5, -0.5), {
      sampleRate: 8000,
      channels: 1,
      encoding: "u8",
      chunks: before,
      trailingChunks: after,
    });
    expect(bytes.length % 2).toBe(0);
    const { reader, pcm, truncated } = read(bytes, [5]);
    expect(reader.chunks.filter(({ id }) => id !== "JUNK")).toEqual([...before, ...after]);
    expect(pcm).toEqual([0, 0.5, -0.5]);
    expect(truncated).toBe(false);
  });

  test("a missing pad byte is forgiven", () => {
    const bytes = riff([...fmt(1, 8), ...chunk("note", text("odd")), ...chunk("data", [128, 192])]);
    expect(read(bytes).pcm).toEqual([0, 0.5]);
  });

  test("a chunk over the limit is passed over and counted", () => {
    const bytes = encodeWav(Float32Array.of(0.5), { sampleRate: 8000, channels: 1, chunks: before });
    const pcm: number[] = [];
    const reader = new WavReader((block) => pcm.push(block[0]!), {
      limits: { maxChunkBytes: 20, maxMetadataBytes: 14 },
    });
    reader.push(bytes);
    expect(reader.end().truncated).toBe(false);
    expect(reader.chunks.map(({ id }) => id)).toEqual(["bext"]);
    expect(reader.skippedChunks).toBe(2);
    expect(pcm).toEqual([0.5]);
  });

  test("names that would break the file are refused", () => {
    for (const id of ["data", "fmt ", "toolong", "\u0001abc"]) {
      const options = { sampleRate: 8000, channels: 1, chunks: [{ id, bytes: text("") }] };
      expect(() => new WavEncoder(options)).toThrow(expect.objectContaining({ code: "media/bad-argument" }));
    }
  });
});

describe("length", () => {
  test.each([
    ["0xFFFFFFFF in both sizes (ffmpeg)", 0xffff_ffff, 0xffff_ffff],
    ["0 in both sizes", 0, 0],
    ["0, and a RIFF size of the header alone", 36, 0],
    ["sox's placeholder", 0x7fff_f024, 0x7fff_f000],
    ["arecord's placeholder", 0x8000_0024, 0x8000_0000],
  ])("unknown: %s", (_name, riffSize, dataSize) => {
    const { reader, pcm, truncated } = read(riff([...fmt(), ...chunk("data", sound16, dataSize)], riffSize));
    expect(pcm).toEqual(steps);
    expect(reader.head!.frames).toBeUndefined();
    expect(truncated).toBe(false);
  });

  test("a size of 0 before sound that the file's length counts is a placeholder", () => {
    const file = riff([...fmt(), ...chunk("data", [], 0), ...Array.from({ length: 6 }, () => [1, 0]).flat()]);
    const { pcm, reader, truncated } = read(file, [5]);
    expect(pcm).toEqual(new Array(6).fill(1 / 32_768));
    expect([reader.head!.frames, truncated]).toEqual([undefined, false]);
  });

  test("sound goes on behind a placeholder of 2 GiB that it has outgrown", () => {
    const parser = new WavParser();
    parser.push(riff([...fmt(1, 8), ...chunk("data", [], 0x7fff_f000)], 0x7fff_f024));
    const piece = new Uint8Array(1 << 26).fill(128);
    for (let i = 0; i < 32; i++) parser.push(piece);
    expect(parser.dataBytes).toBe(2 ** 31);
    expect(parser.end().truncated).toBe(false);
  });

  test("an empty sound chunk followed by others is empty", () => {
    const { pcm, reader } = read(riff([...fmt(), ...chunk("data", []), ...chunk("note", text("four"))]));
    expect(pcm).toEqual([]);
    expect(reader.chunks.map(({ id }) => id)).toEqual(["note"]);
  });

  test("a header made for a pipe is read back to the end", () => {
    const encoder = new WavEncoder({ sampleRate: 8000, channels: 1 });
    const bytes = new Uint8Array(4);
    const header = encoder.header(undefined);
    encoder.write(Float32Array.of(0.5, -0.5), 2, bytes);
    expect(read(Uint8Array.from([...header, ...bytes])).pcm).toEqual([0.5, -0.5]);
    expect(encoder.header(2).length).toBe(header.length);
  });

  test("sound shorter than promised is given and called truncated", () => {
    const whole = encodeWav(new Float32Array(100).fill(0.25), { sampleRate: 8000, channels: 1 });
    const { pcm, truncated } = read(whole.subarray(0, whole.length - 51));
    expect(pcm).toEqual(new Array(74).fill(0.25));
    expect(truncated).toBe(true);
  });

  test("junk behind the end that the header gives is no damage", () => {
    const file = riff([...fmt(), ...chunk("data", sound16)]);
    for (const tail of ["TAG an old ID3", "\0".repeat(50_000), "ab"]) {
      const { pcm, truncated, reader } = read(Uint8Array.from([...file, ...text(tail)]));
      expect(pcm).toEqual(steps);
      expect(truncated).toBe(false);
      expect(reader.chunks).toEqual([]);
    }
  });
});

describe("variants of the format", () => {
  test("RF64 takes its sizes from ds64", () => {
    const sizes = [...u32(0), ...u32(0), ...u32(6), ...u32(0), ...u32(3), ...u32(0), ...u32(0)];
    const parts = [
      ...chunk("ds64", sizes),
      ...fmt(),
      ...chunk("data", sound16, 0xffff_ffff),
      ...chunk("note", text("four")),
    ];
    const { reader, pcm } = read(riff(parts, 0xffff_ffff, "RF64"), [3]);
    expect(pcm).toEqual(steps);
    expect(reader.head!.frames).toBe(3);
    expect(reader.chunks.map(({ id }) => id)).toEqual(["note"]);
  });

  test.each([
    ["of ones, never filled in", 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, undefined],
    ["of zeros", 0, 0, 0xffff_ffff, undefined],
    ["that promises 8 GiB", 0, 2, 0xffff_ffff, 2 ** 32],
    ["that is right beside a size of 0", 6, 0, 0, 3],
  ])("RF64 with a ds64 %s is read to the end", (_name, low, high, stated, frames) => {
    const sizes = [...u32(low), ...u32(high), ...u32(low), ...u32(high), ...new Array(12).fill(0)];
    const parts = [...chunk("ds64", sizes), ...fmt(), ...chunk("data", sound16, stated)];
    for (const id of ["RF64", "BW64"]) {
      const { reader, pcm, truncated } = read(riff(parts, 0xffff_ffff, id), [3]);
      expect(pcm).toEqual(steps);
      expect(reader.head!.frames).toBe(frames);
      expect(truncated).toBe(frames === 2 ** 32);
    }
  });

  test("a header beyond 4 GiB becomes RF64 of the same length", () => {
    const encoder = new WavEncoder({ sampleRate: 48_000, channels: 2, encoding: "f32" });
    const frames = 2 ** 33;
    const reader = new WavReader(() => undefined);
    reader.push(encoder.header(frames));
    expect(reader.head).toMatchObject({ frames, format: { channels: 2, encoding: "f32" } });
    expect(encoder.header(frames).length).toBe(encoder.header(1).length);
  });

  test("RIFX is big-endian throughout", () => {
    const be32 = (value: number) => u32(value).reverse();
    const parts = [
      ...text("fmt "),
      ...be32(16),
      0,
      1,
      0,
      1,
      ...be32(8000),
      ...be32(16_000),
      0,
      2,
      0,
      16,
      ...text("data"),
      ...be32(4),
      0x40,
      0,
      0xc0,
      0,
    ];
    const bytes = Uint8Array.from([...text("RIFX"), ...be32(parts.length + 4), ...text("WAVE"), ...parts]);
    expect(read(bytes).pcm).toEqual([0.5, -0.5]);
  });

  test("20 valid bits sit left-justified in 3 bytes", () => {
    const bytes = encodeWav(Float32Array.of(0.5, 0), { sampleRate: 8000, channels: 2, encoding: "s24" });
    bytes[48 + 8 + 18] = 20;
    const { reader, pcm } = read(bytes);
    expect(reader.head!.format).toMatchObject({ encoding: "s24", validBits: 20, extensible: true });
    expect(pcm).toEqual([0.5, 0]);
  });
});

describe("bad input", () => {
  const error = (bytes: Uint8Array) => {
    try {
      read(bytes);
    } catch (thrown) {
      return (thrown as { code?: string }).code;
    }
    return "none";
  };

  test.each([
    ["no byte", new Uint8Array(0), "media/empty"],
    ["another magic", text("RIFFxxxxAVI rest"), "media/wav-malformed"],
    ["only the RIFF header", riff([]), "media/wav-malformed"],
    ["no sound", riff(fmt()), "media/wav-malformed"],
    ["sound before the format", riff([...chunk("data", sound16), ...fmt()]), "media/wav-malformed"],
    [
      "a short fmt chunk",
      riff([...chunk("fmt ", [1, 0, 1]), ...chunk("data", sound16)]),
      "media/wav-malformed",
    ],
    ["no channels", riff([...fmt(0), ...chunk("data", sound16)]), "media/wav-malformed"],
    ["a rate of 0", riff([...fmt(1, 16, 1, 0), ...chunk("data", sound16)]), "media/wav-malformed"],
    ["40 bits", riff([...fmt(1, 40), ...chunk("data", sound16)]), "media/wav-malformed"],
    ["16-bit floats", riff([...fmt(1, 16, 3), ...chunk("data", sound16)]), "media/wav-malformed"],
    ["mu-law", riff([...fmt(1, 8, 7), ...chunk("data", sound16)]), "media/wav-codec"],
    ["200 channels", riff([...fmt(200, 8), ...chunk("data", sound16)]), "media/limit"],
    ["a fmt chunk of 2 GB", riff(chunk("fmt ", [1, 0], 0x7fff_ffff)), "media/wav-malformed"],
    ["5,000 chunks", riff(Array.from({ length: 5000 }, () => chunk("note", [])).flat()), "media/limit"],
  ])("%s", (_name, bytes, code) => {
    expect(error(bytes)).toBe(code);
  });

  test("the message names the codec and what to do", () => {
    expect(() => read(riff([...fmt(1, 4, 17), ...chunk("data", sound16)]))).toThrow(/IMA ADPCM.*ffmpeg/);
  });

  test("a chunk that claims 16 MB allocates only what arrives", () => {
    const reader = new WavReader(() => undefined);
    reader.push(riff(chunk("note", [1, 2, 3], 16_000_000)));
    expect(() => reader.end()).toThrow(expect.objectContaining({ code: "media/wav-malformed" }));
  });

  test("20,000 mutated files only ever give typed errors", () => {
    const seeds = [
      encodeWav(new Float32Array(40), {
        sampleRate: 48_000,
        channels: 2,
        chunks: [{ id: "bext", bytes: new Uint8Array(99) }],
      }),
      riff([...fmt(), ...chunk("data", sound16)]),
    ];
    const report = fuzzParser(
      { seeds, parse: (bytes) => read(bytes, [11]).pcm.length },
      { seed: 3, inputs: 20_000 },
    );
    expect(report.accepted).toBeGreaterThan(1000);
    expect(report.refused["media/wav-malformed"]).toBeGreaterThan(1000);
  });
});

describe("allocation", () => {
  test("reading costs nothing on the heap once the format is known", () => {
    const header = new WavEncoder({ sampleRate: 48_000, channels: 2 }).header(undefined);
    let total = 0;
    const reader = new WavReader((_pcm, frames) => {
      total += frames;
    });
    reader.push(header);
    const piece = new Uint8Array(385);
    expect(allocatedBytesPerCall(() => reader.push(piece), { calls: 20_000 }).heap).toBeLessThan(1);
    expect(total).toBeGreaterThan(1000);
  });
});

describe("other programs", () => {
  const pcm = Float32Array.from({ length: 2000 }, (_, i) => ((i * 97) % 1000) / 1000 - 0.5);

  test.skipIf(!hasFfmpeg).each(["u8", "s16", "s24", "s32", "f32", "f64"] as const)(
    "ffmpeg reads our %s",
    (encoding) => {
      const directory = mkdtempSync(join(tmpdir(), "longwave-wav-"));
      try {
        const path = join(directory, "a.wav");
        writeFileSync(path, encodeWav(pcm, { sampleRate: 48_000, channels: 2, encoding }));
        const run = spawnSync("ffmpeg", ["-v", "error", "-i", path, "-f", "f32le", "pipe:1"]);
        expect(run.stderr.toString()).toBe("");
        const theirs = new Float32Array(
          run.stdout.buffer.slice(run.stdout.byteOffset, run.stdout.byteOffset + run.stdout.length),
        );
        expect([...theirs]).toEqual(read(readFileSync(path)).pcm);
      } finally {
        rmSync(directory, { recursive: true });
      }
    },
  );

  test
    .skipIf(!hasSox)
    .each(["-e unsigned -b 8", "-b 16", "-b 24", "-b 32", "-e float -b 32", "-e float -b 64"])(
    "we read what sox writes with %s, to a file and to a pipe",
    (options) => {
      const make = (target: string[]) =>
        spawnSync("sox", [
          "-D",
          "-r",
          "48000",
          "-n",
          ...options.split(" "),
          "-c",
          "2",
          ...target,
          "synth",
          "0.1",
          "sine",
          "440",
        ]);
      const piped = make(["-t", "wav", "-"]).stdout;
      const { pcm: sound, truncated, reader } = read(piped, [1000]);
      expect(reader.head!.format.sampleRate).toBe(48_000);
      expect(sound.length).toBe(9600);
      expect(truncated).toBe(false);
      expect(Math.max(...sound)).toBeGreaterThan(0.98);
    },
  );
});
