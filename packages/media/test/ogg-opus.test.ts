import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  OggMuxer,
  OggOpusDemuxer,
  type OggOpusLink,
  OggOpusReader,
  OggOpusWriter,
  type OpusFilePacket,
  opusR128Gain,
  opusTagValues,
  parseOpusHead,
  parseOpusTags,
  plainOpusHead,
  writeOpusHead,
  writeOpusTags,
} from "@longwave/media";
import { allocatedBytesPerCall, fuzzParser, repositoryPath } from "@longwave/testkit";
import { describe, expect, test } from "vitest";

const fixture = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(repositoryPath(`packages/media/test/fixtures/${name}`)));
const has = (program: string, flag = "--version"): boolean => spawnSync(program, [flag]).status === 0;

interface Whole {
  readonly links: readonly OggOpusLink[];
  readonly packets: readonly OpusFilePacket[];
  readonly report: OggOpusReader["report"];
}

async function readAll(bytes: Uint8Array, pieceBytes = bytes.length): Promise<Whole> {
  const pieces = function* () {
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
  };
  const reader = await OggOpusReader.open(pieces());
  const packets: OpusFilePacket[] = [];
  for await (const packet of reader.packets()) packets.push(packet);
  return { links: reader.links, packets, report: reader.report };
}

/** Frames of sound that a player would hear. */
const heard = (packets: readonly OpusFilePacket[]): number =>
  packets.reduce((sum, { frames, skipStart, trimEnd }) => sum + frames - skipStart - trimEnd, 0);

function write(packets: readonly Uint8Array[], totalFrames?: number, options = {}): Uint8Array {
  const parts: Uint8Array[] = [];
  const writer = new OggOpusWriter((bytes) => parts.push(bytes.slice()), {
    head: plainOpusHead(1, 312),
    serial: 77,
    ...options,
  });
  for (const packet of packets) writer.write(packet);
  writer.finish(totalFrames);
  return new Uint8Array(Buffer.concat(parts));
}

/** Packets of 20 ms CELT with a body that tells them apart. */
const packetsOf = (count: number, bytes = 40): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => {
    const packet = new Uint8Array(bytes).fill(i & 255);
    packet[0] = 31 << 3;
    return packet;
  });

describe("files made by opusenc", () => {
  test.each([
    ["mono.opus", 24_013, 1],
    ["stereo.opus", 33_607, 2],
    ["surround.opus", 9600, 6],
  ])("%s holds exactly %i frames of %i channels", async (name, frames, channels) => {
    const { links, packets, report } = await readAll(fixture(name));
    expect(links).toHaveLength(1);
    expect(links[0]!.head).toMatchObject({ channels, preSkip: 312, inputSampleRate: 48_000, gainQ8: 0 });
    expect(heard(packets)).toBe(frames);
    expect(packets.reduce((sum, { skipStart }) => sum + skipStart, 0)).toBe(312);
    expect(report).toEqual({ truncated: false, damagedBytes: 0, gaps: 0, gapFrames: 0, firstGaps: [] });
  });

  test("the piece size makes no difference", async () => {
    for (const name of ["chained.opus", "surround.opus"]) {
      const whole = await readAll(fixture(name));
      for (const size of [1, 7, 300, 4096]) expect(await readAll(fixture(name), size)).toEqual(whole);
    }
  });

  test("a chain has both links, each with its own pre-skip and trim", async () => {
    const { links, packets } = await readAll(fixture("chained.opus"));
    expect(links.map(({ serial }) => serial)).toEqual([1, 2]);
    expect(heard(packets.filter(({ link }) => link === 0))).toBe(24_013);
    expect(heard(packets.filter(({ link }) => link === 1))).toBe(33_607);
  });

  test("tags are typed and raw", async () => {
    const [link] = (await readAll(fixture("mono.opus"))).links;
    expect(link!.tags.vendor).toMatch(/^libopus/);
    expect(opusTagValues(link!.tags, "title")).toEqual(["Mono"]);
    expect(opusTagValues(link!.tags, "ARTIST")).toEqual(["Longwave"]);
    expect(opusR128Gain(link!.tags, "track")).toBe(-512);
    expect(opusR128Gain(link!.tags, "album")).toBeUndefined();
    expect(parseOpusTags(link!.tags.raw!)).toEqual(link!.tags);
  });

  test("written again, packets, times and lengths are the same", async () => {
    for (const name of ["mono.opus", "stereo.opus"]) {
      const { links, packets } = await readAll(fixture(name));
      const copy = await readAll(
        write(
          packets.map(({ data }) => data),
          heard(packets),
          links[0],
        ),
      );
      expect(copy.packets).toEqual(packets);
      expect(copy.links[0]).toMatchObject({ head: links[0]!.head, serial: links[0]!.serial });
      expect(copy.links[0]!.tags.comments).toEqual(links[0]!.tags.comments);
    }
  });
});

describe("timing", () => {
  test("end trim may reach over several packets of the last page", async () => {
    const { packets } = await readAll(write(packetsOf(10), 10 * 960 - 312 - 2000));
    expect(packets.map(({ trimEnd }) => trimEnd).slice(-4)).toEqual([0, 80, 960, 960]);
    expect(heard(packets)).toBe(10 * 960 - 312 - 2000);
  });

  test("a pre-skip longer than the first packets is spread over them", async () => {
    const { packets } = await readAll(write(packetsOf(10), undefined, { head: plainOpusHead(1, 3840) }));
    expect(packets.map(({ skipStart }) => skipStart)).toEqual([960, 960, 960, 960, 0, 0, 0, 0, 0, 0]);
  });

  test("a stream that was joined late starts at its granule position", async () => {
    const parts: Uint8Array[] = [];
    const muxer = new OggMuxer((bytes) => parts.push(bytes.slice()), 5);
    const header = (bytes: Uint8Array) => {
      muxer.packet(bytes, 0);
      muxer.flush();
    };
    header(writeOpusHead(plainOpusHead(2, 312)));
    header(writeOpusTags({ vendor: "x", comments: [], binary: new Uint8Array(0) }));
    for (const [i, packet] of packetsOf(4).entries()) muxer.packet(packet, 1_000_000 + i * 960);
    muxer.end();
    const { links, packets } = await readAll(Buffer.concat(parts));
    expect(links[0]!.startGranule).toBe(1_000_000 - 960);
    expect(packets.map(({ granule }) => granule)).toEqual([1_000_000, 1_000_960, 1_001_920, 1_002_880]);
  });

  test("a large packet goes over several pages, a page of nothing but its middle has no granule", async () => {
    const large = packetsOf(1, 150_000)[0]!;
    const file = write([...packetsOf(2), large, ...packetsOf(2)]);
    const { packets } = await readAll(file, 1000);
    expect(packets.map(({ data }) => data.length)).toEqual([40, 40, 150_000, 40, 40]);
    expect(packets[2]!.data).toEqual(large);
    expect(packets.at(-1)!.granule).toBe(5 * 960);
  });

  test("streams of other codecs between the pages are passed over", async () => {
    const opus = fixture("stereo.opus");
    const other: Uint8Array[] = [];
    const muxer = new OggMuxer((bytes) => other.push(bytes.slice()), 99);
    for (let i = 0; i < 50; i++) {
      muxer.packet(new TextEncoder().encode(`theora ${i}`), i);
      muxer.flush();
    }
    const pages = pagesOf(opus);
    const mixed = [pages[0]!, other[0]!];
    for (let i = 1; i < 50; i++) mixed.push(...pages.slice(i, i + 1), other[i]!);
    mixed.push(...pages.slice(50));
    expect(await readAll(Buffer.concat(mixed))).toMatchObject({ packets: (await readAll(opus)).packets });
  });
});

/** Splits a clean file into its pages by their lengths. */
function pagesOf(bytes: Uint8Array): Uint8Array[] {
  const pages: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    let length = 27 + bytes[at + 26]!;
    for (let i = 0; i < bytes[at + 26]!; i++) length += bytes[at + 27 + i]!;
    pages.push(bytes.slice(at, at + length));
    at += length;
  }
  return pages;
}

describe("damage", () => {
  const packets = packetsOf(60);
  // 100 ms a page: 5 packets.
  const file = write(packets, undefined, { maxDelayMs: 100 });
  const pages = pagesOf(file);

  test("any flipped bit of a page of sound loses that page alone, and the gap has its length", async () => {
    for (let page = 3; page < pages.length - 1; page++) {
      const damaged = pages.map((each) => each.slice());
      damaged[page]![(page * 31) % damaged[page]!.length]! ^= 1 << (page % 8);
      const { packets: left, report } = await readAll(Buffer.concat(damaged));
      const first = (page - 2) * 5;
      const expected = packets.filter((_, i) => i < first || i >= first + 5);
      expect(left.map(({ data }) => data)).toEqual(expected);
      expect(left[first]).toMatchObject({ gapBefore: 4800, discontinuity: true, granule: (first + 6) * 960 });
      expect(report).toEqual({
        truncated: false,
        damagedBytes: pages[page]!.length,
        gaps: 1,
        gapFrames: 4800,
        firstGaps: [{ link: 0, frames: 4800, page: page + 1 }],
      });
    }
  });

  test("a lost page inside a large packet loses that packet", async () => {
    const large = packetsOf(1, 150_000)[0]!;
    const cut = pagesOf(
      write([...packets.slice(0, 5), large, ...packets.slice(5, 10)], undefined, { maxDelayMs: 100 }),
    );
    const middle = cut.findIndex((page) => page.length > 60_000);
    const { packets: left, report } = await readAll(
      Buffer.concat([...cut.slice(0, middle + 1), ...cut.slice(middle + 2)]),
    );
    expect(left.map(({ data }) => data)).toEqual(packets.slice(0, 10));
    expect(report).toMatchObject({ gaps: 1, gapFrames: 960 });
  });

  test("junk between pages, even with a false page start, loses nothing", async () => {
    const junk = new TextEncoder().encode("OggS\0 and then OggOggS\0\0 some junk");
    const { packets: left, report } = await readAll(
      Buffer.concat([junk, ...pages.slice(0, 4), junk, junk, ...pages.slice(4), junk]),
    );
    expect(left.map(({ data }) => data)).toEqual(packets);
    expect(report).toMatchObject({ damagedBytes: 4 * junk.length, gaps: 0 });
  });

  test("damaged tags lose only the tags", async () => {
    const damaged = pages.map((each) => each.slice());
    damaged[1]![40]! ^= 1;
    const { packets: left, links } = await readAll(Buffer.concat(damaged));
    expect(left.map(({ data }) => data)).toEqual(packets);
    expect(links[0]!.tags.comments).toEqual([]);
  });

  test("a file cut anywhere gives the pages that are whole", async () => {
    for (const keep of [pages.length - 1, 5, 3]) {
      const bytes = Buffer.concat(pages.slice(0, keep + 1));
      const { packets: left, report } = await readAll(bytes.subarray(0, bytes.length - 7));
      expect(left.map(({ data }) => data)).toEqual(packets.slice(0, (keep - 2) * 5));
      expect(report.truncated).toBe(true);
    }
  });

  test("a chain whose first link lost its last page goes on with the second", async () => {
    const second = write(packetsOf(3), undefined, { serial: 78 });
    const { links, packets: left } = await readAll(Buffer.concat([...pages.slice(0, -1), second]));
    expect(links).toHaveLength(2);
    expect(left.filter(({ link }) => link === 1)).toHaveLength(3);
  });
});

describe("bad input", () => {
  const code = (bytes: Uint8Array) =>
    readAll(bytes).then(
      () => "none",
      (error: { code?: string }) => error.code,
    );
  const withHead = (head: Uint8Array): Uint8Array => {
    const parts: Uint8Array[] = [];
    const muxer = new OggMuxer((bytes) => parts.push(bytes.slice()), 1);
    muxer.packet(head, 0);
    muxer.end();
    return new Uint8Array(Buffer.concat(parts));
  };
  const head = writeOpusHead(plainOpusHead(2, 312));
  const changed = (at: number, value: number): Uint8Array => {
    const bytes = head.slice();
    bytes[at] = value;
    return bytes;
  };

  test.each([
    ["nothing", new Uint8Array(0), "media/not-opus"],
    ["text", new TextEncoder().encode("OggS is not enough"), "media/not-opus"],
    ["another codec", withHead(new TextEncoder().encode("\x01vorbis")), "media/not-opus"],
    ["version 16", withHead(changed(8, 16)), "media/not-opus"],
    ["no channels", withHead(changed(9, 0)), "media/not-opus"],
    ["three channels in family 0", withHead(changed(9, 3)), "media/not-opus"],
    ["a cut header", withHead(head.slice(0, 15)), "media/not-opus"],
    ["family 1 without a mapping", withHead(changed(18, 1)), "media/not-opus"],
    ["a sound head", withHead(head), "none"],
    ["version 15", withHead(changed(8, 15)), "none"],
  ])("%s", async (_name, bytes, expected) => {
    expect(await code(bytes)).toBe(expected);
  });

  test("limits on tags, packets, streams and links", async () => {
    const demux = (bytes: Uint8Array, limits: object) => () => {
      const demuxer = new OggOpusDemuxer({}, limits);
      demuxer.push(bytes);
      demuxer.end();
    };
    const limit = expect.objectContaining({ code: "media/limit" });
    expect(demux(fixture("mono.opus"), { maxComments: 2 })).toThrow(limit);
    expect(demux(fixture("mono.opus"), { maxVendorBytes: 5 })).toThrow(limit);
    expect(demux(fixture("mono.opus"), { maxTagBytes: 50 })).toThrow(limit);
    expect(demux(fixture("chained.opus"), { maxLinks: 1 })).toThrow(limit);
    const begins = [1, 2, 3].map((serial) => pagesOf(write([], undefined, { serial }))[0]!);
    expect(demux(Buffer.concat(begins), { maxStreams: 2 })).toThrow(limit);
    const gaps: number[] = [];
    const large = write([...packetsOf(1), ...packetsOf(1, 150_000), ...packetsOf(1)]);
    const demuxer = new OggOpusDemuxer(
      { gap: (_link, frames) => gaps.push(frames) },
      { maxPacketBytes: 100_000 },
    );
    demuxer.push(large);
    expect(gaps).toEqual([960]);
  });

  test.each([
    ["a vendor string", 8],
    ["a number of comments", 12],
    ["a comment", 16],
  ])("%s that runs over the end of the header is damage, not a limit", (_name, at) => {
    const tags = writeOpusTags({ vendor: "", comments: ["A=b"], binary: new Uint8Array(0) });
    expect(parseOpusTags(tags).comments).toEqual(["A=b"]);
    new DataView(tags.buffer).setUint32(at, 0xffff_ffff, true);
    expect(() => parseOpusTags(tags)).toThrow(expect.objectContaining({ code: "media/not-opus" }));
  });

  test("the report names the page of each gap", async () => {
    const pages = pagesOf(write(packetsOf(40), undefined, { maxDelayMs: 60 }));
    const missing = [...pages.slice(0, 5), ...pages.slice(6, 9), ...pages.slice(11)];
    const reader = await OggOpusReader.open(Buffer.concat(missing));
    for await (const _packet of reader.packets());
    expect(reader.report.firstGaps).toEqual([
      { link: 0, frames: 2880, page: 6 },
      { link: 0, frames: 2 * 2880, page: 11 },
    ]);
  });

  test("tags that claim more than they hold are damaged", () => {
    const tags = writeOpusTags({ vendor: "v", comments: ["A=b"], binary: new Uint8Array(0) });
    expect(parseOpusTags(tags)).toMatchObject({ vendor: "v", comments: ["A=b"] });
    for (let cut = 8; cut < tags.length; cut++) {
      expect(() => parseOpusTags(tags.subarray(0, cut))).toThrow(
        expect.objectContaining({ code: "media/not-opus" }),
      );
    }
  });

  test("10,000 mutated files only ever give typed errors", () => {
    const seeds: Uint8Array[] = ["mono.opus", "chained.opus", "surround.opus"]
      .map(fixture)
      .map((bytes) => bytes.slice(0, 2000));
    seeds.push(write(packetsOf(20), 18_000, { maxDelayMs: 60 }));
    let packets = 0;
    const report = fuzzParser(
      {
        seeds,
        parse(bytes) {
          let position = 0;
          const demuxer = new OggOpusDemuxer({
            packet: ({ start, end, frames, skipStart, trimEnd }) => {
              packets++;
              if (start > end || skipStart > frames || trimEnd > frames) throw new Error("impossible packet");
              position += frames;
            },
          });
          for (let at = 0; at < bytes.length; at += 500) demuxer.push(bytes.subarray(at, at + 500));
          demuxer.end();
          return position > 0 ? 1 : 0;
        },
      },
      { seed: 11, inputs: 10_000 },
    );
    expect(report.accepted).toBeGreaterThan(3000);
    expect(packets).toBeGreaterThan(10_000);
  });
});

describe("heads of every family", () => {
  const matrix = Int16Array.from({ length: 4 * 4 }, (_, i) => i * 1000 - 8000);
  test.each([
    ["mono", plainOpusHead(1, 0, 0)],
    ["stereo with gain", { ...plainOpusHead(2, 65_535), gainQ8: -32_768 }],
    [
      "5.1",
      {
        ...plainOpusHead(2, 312),
        channels: 6,
        family: 1,
        streams: 4,
        coupled: 2,
        mapping: Uint8Array.of(0, 4, 1, 2, 3, 5),
      },
    ],
    [
      "a silent channel",
      {
        ...plainOpusHead(2, 312),
        channels: 3,
        family: 255,
        streams: 1,
        coupled: 1,
        mapping: Uint8Array.of(0, 1, 255),
      },
    ],
    [
      "projection",
      {
        ...plainOpusHead(2, 312),
        channels: 4,
        family: 3,
        streams: 2,
        coupled: 2,
        mapping: Uint8Array.of(0, 1, 2, 3),
        demixingMatrix: matrix,
      },
    ],
  ])("%s survives writing and reading", (_name, head) => {
    expect(parseOpusHead(writeOpusHead(head))).toEqual(head);
  });

  test("fields beyond their range are refused", () => {
    for (const wrong of [{ preSkip: 65_536 }, { gainQ8: 40_000 }, { inputSampleRate: -1 }]) {
      expect(() => writeOpusHead({ ...plainOpusHead(2, 312), ...wrong })).toThrow(
        expect.objectContaining({ code: "media/bad-argument" }),
      );
    }
  });
});

describe("allocation", () => {
  test("reading costs nothing on the heap per packet and page", () => {
    const pages = pagesOf(write(packetsOf(10_000), undefined, { maxDelayMs: 100 }));
    let packets = 0;
    const demuxer = new OggOpusDemuxer({
      packet: () => {
        packets++;
      },
    });
    for (const page of pages.slice(0, 1000)) demuxer.push(page);
    let next = 1000;
    const { heap, external } = allocatedBytesPerCall(() => demuxer.push(pages[next++ % pages.length || 3]!), {
      warmupCalls: 3000,
      calls: 2000,
    });
    expect(packets).toBeGreaterThan(9000);
    expect(heap).toBeLessThan(1);
    expect(external).toBeLessThan(1);
  });
});

describe("other programs read our files", () => {
  const directory = mkdtempSync(join(tmpdir(), "longwave-ogg-"));
  const path = join(directory, "ours.opus");

  test.skipIf(!has("opusinfo", "-h") && !has("opusinfo"))("opusinfo finds nothing to warn of", async () => {
    for (const name of ["mono.opus", "stereo.opus", "surround.opus"]) {
      const { packets, links } = await readAll(fixture(name));
      const total = heard(packets);
      writeFileSync(
        path,
        write(
          packets.map(({ data }) => data),
          total,
          { ...links[0], maxDelayMs: 60 },
        ),
      );
      const run = spawnSync("opusinfo", [path], { encoding: "utf8" });
      expect(`${run.stdout}${run.stderr}`).not.toMatch(/WARNING|ERROR|negative|hole/i);
      expect(run.status).toBe(0);
    }
  });

  test.skipIf(!has("ffmpeg", "-version"))(
    "ffmpeg and opusdec decode exactly the frames that we promise",
    async () => {
      const { packets, links } = await readAll(fixture("stereo.opus"));
      for (const total of [33_607, 33_000, 33_599]) {
        writeFileSync(
          path,
          write(
            packets.map(({ data }) => data),
            total,
            links[0],
          ),
        );
        const run = spawnSync("ffmpeg", ["-v", "error", "-i", path, "-f", "s16le", "pipe:1"]);
        expect(run.stdout.length / 4).toBe(total);
        if (has("opusdec")) {
          const decoded = spawnSync("opusdec", ["--quiet", "--force-wav", path, "-"]);
          expect((decoded.stdout.length - 44) / 4).toBe(total);
        }
      }
      rmSync(directory, { recursive: true });
    },
  );
});
