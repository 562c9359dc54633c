import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import {
  OggOpusReader,
  type OpusFilePacket,
  openOpusFile,
  plainOpusHead,
  WebmOpusDemuxer,
  writeOpusHead,
} from "@longwave/media";
import { fuzzParser, repositoryPath } from "@longwave/testkit";
import { describe, expect, test } from "vitest";

const fixturePath = (name: string): string => repositoryPath(`packages/media/test/fixtures/${name}`);
const fixture = (name: string): Uint8Array => new Uint8Array(readFileSync(fixturePath(name)));
const hasFfmpeg = spawnSync("ffmpeg", ["-version"]).status === 0;

async function readAll(bytes: Uint8Array, pieceBytes = bytes.length || 1) {
  const pieces = function* () {
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
  };
  const reader = await openOpusFile(pieces());
  const packets: OpusFilePacket[] = [];
  for await (const packet of reader.packets()) packets.push(packet);
  return { links: reader.links, packets, report: reader.report };
}

const heard = (packets: readonly OpusFilePacket[]): number =>
  packets.reduce((sum, { frames, skipStart, trimEnd }) => sum + frames - skipStart - trimEnd, 0);

/** An element with a size of `width` bytes; width 0 = unknown size. */
function element(id: number, body: readonly number[] | Uint8Array, width = 4): number[] {
  const idBytes: number[] = [];
  for (let value = id; value > 0; value = Math.floor(value / 256)) idBytes.unshift(value & 255);
  if (width === 0) return [...idBytes, 0xff, ...body];
  const size = Array.from(
    { length: width },
    (_, i) => Math.floor(body.length / 256 ** (width - 1 - i)) & 255,
  );
  size[0]! |= 0x80 >> (width - 1);
  return [...idBytes, ...size, ...body];
}

const uint = (value: number): number[] => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255);
const packet = (n: number, length = 10): number[] => [0xf8, n, ...new Array(length - 2).fill(n)];
const block = (time: number, body: readonly number[], lacing = 0): number[] => [
  0x81,
  time >> 8,
  time & 255,
  lacing << 1,
  ...body,
];
const header = element(0x1a45dfa3, element(0x4282, [...new TextEncoder().encode("webm")]));
const track = (extra: readonly number[] = [], head = writeOpusHead(plainOpusHead(2, 312))): number[] =>
  element(
    0x1654ae6b,
    element(0xae, [
      ...element(0xd7, [1], 1),
      ...element(0x86, [...new TextEncoder().encode("A_OPUS")]),
      ...element(0x63a2, head),
      ...extra,
    ]),
  );
const cluster = (time: number, children: readonly number[], width = 0): number[] =>
  element(0x1f43b675, [...element(0xe7, uint(time), 1), ...children], width);
const file = (parts: readonly number[], tracks = track()): Uint8Array =>
  Uint8Array.from([...header, ...element(0x18538067, [...tracks, ...parts], 0)]);
const simple = (time: number, n: number): number[] => element(0xa3, block(time, packet(n)));
const numbers = (packets: readonly OpusFilePacket[]): number[] => packets.map(({ data }) => data[1]!);

describe("files made by ffmpeg", () => {
  test("hold what ffmpeg itself copies out of them into Ogg, packet by packet", async () => {
    for (const name of ["stereo.webm", "live.webm"]) {
      const { packets, links, report } = await readAll(fixture(name));
      expect(links[0]!.head).toMatchObject({ preSkip: 312, channels: name === "stereo.webm" ? 2 : 1 });
      expect(report).toEqual({ truncated: false, damagedBytes: 0, gaps: 0, gapFrames: 0, firstGaps: [] });
      expect(heard(packets)).toBe(24_000);
      if (!hasFfmpeg) continue;
      const copied = spawnSync("ffmpeg", [
        "-v",
        "error",
        "-i",
        fixturePath(name),
        "-c",
        "copy",
        "-f",
        "ogg",
        "pipe:1",
      ]).stdout;
      const ogg: Uint8Array[] = [];
      for await (const { data } of (await OggOpusReader.open(new Uint8Array(copied))).packets())
        ogg.push(data);
      expect(packets.map(({ data }) => data)).toEqual(ogg);
    }
  });

  test("the piece size makes no difference", async () => {
    const whole = await readAll(fixture("stereo.webm"));
    for (const size of [1, 5, 100]) expect(await readAll(fixture("stereo.webm"), size)).toEqual(whole);
  });
});

describe("a file recorded by Chromium's MediaRecorder", () => {
  const path = fixturePath("media-recorder.webm");
  test.skipIf(!existsSync(path))("is read from its first to its last packet without a gap", async () => {
    const { packets, links, report } = await readAll(fixture("media-recorder.webm"));
    expect(links[0]!.head.channels).toBeGreaterThan(0);
    expect(heard(packets)).toBeGreaterThan(0.8 * 48_000);
    expect(packets.every(({ frames }) => frames > 0)).toBe(true);
    expect(report).toMatchObject({ damagedBytes: 0, gaps: 0, truncated: false });
  });
});

describe("structure", () => {
  test("clusters of unknown and of known size, blocks and block groups", async () => {
    const group = element(0xa0, [...element(0xa1, block(40, packet(3))), ...element(0x9b, [20], 1)]);
    const bytes = file([
      ...cluster(0, [...simple(0, 1), ...simple(20, 2), ...group]),
      ...cluster(60, [...simple(0, 4), ...simple(20, 5)], 4),
      ...element(0x1c53bb6b, new Array(50).fill(0)),
      ...cluster(100, simple(0, 6)),
    ]);
    const { packets, report } = await readAll(bytes, 13);
    expect(numbers(packets)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(heard(packets)).toBe(6 * 960 - 312);
    expect(report).toEqual({ truncated: false, damagedBytes: 0, gaps: 0, gapFrames: 0, firstGaps: [] });
  });

  test("all lacings", async () => {
    const [a, b, c] = [packet(1, 10), packet(2, 300), packet(3, 20)];
    const xiph = [2, 10, 255, 45, ...a!, ...b!, ...c!];
    const ebml = [2, 0x8a, 0x40 | ((290 + 8191) >> 8), (290 + 8191) & 255, ...a!, ...b!, ...c!];
    ebml[2]! |= 0;
    const fixed = [2, ...packet(4), ...packet(5), ...packet(6)];
    const blocks = [
      element(0xa3, block(0, xiph, 1)),
      element(0xa3, block(60, ebml, 3)),
      element(0xa3, block(120, fixed, 2)),
    ];
    const { packets } = await readAll(file(cluster(0, blocks.flat())));
    expect(numbers(packets)).toEqual([1, 2, 3, 1, 2, 3, 4, 5, 6]);
    expect(packets.map(({ data }) => data.length)).toEqual([10, 300, 20, 10, 300, 20, 10, 10, 10]);
  });

  test("DiscardPadding trims the end, over several packets of a lace too", async () => {
    const padding = element(0x75a2, uint(25_000_000), 1);
    const group = element(0xa0, [...element(0xa1, block(0, [1, ...packet(1), ...packet(2)], 2)), ...padding]);
    const { packets } = await readAll(file(cluster(0, group)));
    expect(packets.map(({ trimEnd }) => trimEnd)).toEqual([240, 960]);
  });

  test("CodecDelay stands in where the OpusHead says nothing", async () => {
    const delay = element(0x56aa, uint(6_500_000), 1);
    const tracks = track(delay, writeOpusHead(plainOpusHead(2, 0)));
    expect((await readAll(file(cluster(0, simple(0, 1)), tracks))).links[0]!.head.preSkip).toBe(312);
  });

  test("missing time is a gap with its length", async () => {
    const bytes = file(cluster(0, [...simple(0, 1), ...simple(20, 2), ...simple(100, 3), ...simple(121, 4)]));
    const { packets, report } = await readAll(bytes);
    expect(packets.map(({ gapBefore }) => gapBefore)).toEqual([0, 0, 60 * 48, 0]);
    expect(report).toMatchObject({ gaps: 1, gapFrames: 60 * 48 });
  });

  test("other tracks are passed over", async () => {
    const video = element(0xae, [
      ...element(0xd7, [2], 1),
      ...element(0x86, [...new TextEncoder().encode("V_VP8")]),
    ]);
    const tracks = element(0x1654ae6b, [...video, ...track().slice(8)]);
    const other = element(0xa3, [0x82, 0, 0, 0, 1, 2, 3]);
    expect(
      numbers(
        (await readAll(file(cluster(0, [...simple(0, 1), ...other, ...simple(20, 2)]), tracks))).packets,
      ),
    ).toEqual([1, 2]);
  });
});

describe("damage and bad input", () => {
  test("a damaged cluster loses what is behind the damage in it, and no other", async () => {
    const parts = [0, 1, 2].map((i) =>
      cluster(i * 60, [...simple(0, 3 * i), ...simple(20, 3 * i + 1), ...simple(40, 3 * i + 2)], 4),
    );
    // The size of the second block of the middle cluster becomes absurd.
    const second = 8 + 6 + simple(0, 0).length + 1;
    parts[1]!.splice(second, 4, 0x1f, 0xff, 0xff, 0xff);
    const { packets, report } = await readAll(file(parts.flat()));
    expect(numbers(packets)).toEqual([0, 1, 2, 3, 6, 7, 8]);
    expect(report).toMatchObject({ gaps: 1, gapFrames: 40 * 48 });
    expect(report.damagedBytes).toBeGreaterThan(0);
  });

  test("a cut file gives the blocks that are whole", async () => {
    const bytes = file(cluster(0, [...simple(0, 1), ...simple(20, 2), ...simple(40, 3)]));
    const { packets, report } = await readAll(bytes.subarray(0, bytes.length - 3));
    expect(numbers(packets)).toEqual([1, 2]);
    expect(report.truncated).toBe(true);
  });

  test.each([
    ["nothing", new Uint8Array(0), "media/empty"],
    ["three bytes", Uint8Array.of(0x1a, 0x45, 0xdf), "media/empty"],
    ["only the EBML header", Uint8Array.from(header), "media/not-opus"],
    ["no Opus track", file([], element(0x1654ae6b, [])), "media/not-opus"],
    [
      "a track without its OpusHead",
      file([], element(0x1654ae6b, element(0xae, element(0x86, [...new TextEncoder().encode("A_OPUS")])))),
      "media/not-opus",
    ],
    [
      "tracks of 100 MB",
      Uint8Array.from([...header, ...element(0x18538067, [0x16, 0x54, 0xae, 0x6b, 0x16, 0, 0, 0], 0)]),
      "media/limit",
    ],
  ])("%s", async (_name, bytes, code) => {
    await expect(readAll(bytes)).rejects.toMatchObject({ code });
  });

  test("10,000 mutated files only ever give typed errors", () => {
    const seeds = [
      fixture("live.webm").slice(0, 1500),
      file([
        ...cluster(0, [
          ...simple(0, 1),
          ...element(0xa3, block(20, [2, 10, 10, ...packet(1), ...packet(2), ...packet(3)], 1)),
        ]),
        ...cluster(100, simple(0, 6), 4),
      ]),
    ];
    let packets = 0;
    const report = fuzzParser(
      {
        seeds,
        parse(bytes, round) {
          const demuxer = new WebmOpusDemuxer({
            packet: ({ start, end, frames, skipStart, trimEnd }) => {
              packets++;
              if (start > end || skipStart > frames || trimEnd > frames) throw new Error("impossible packet");
            },
          });
          const piece = 1 + (round % 700);
          for (let at = 0; at < bytes.length; at += piece) demuxer.push(bytes.subarray(at, at + piece));
          demuxer.end();
          return 0;
        },
      },
      { seed: 21, inputs: 10_000 },
    );
    expect(report.accepted).toBeGreaterThan(2000);
    expect(packets).toBeGreaterThan(10_000);
  });
});
