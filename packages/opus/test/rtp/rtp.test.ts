import { SeededRandom } from "@longwave/base";
import {
  applyFmtp,
  type FmtpTarget,
  formatOpusFmtp,
  OpusRtpDepacketizer,
  OpusRtpPacketizer,
  parseOpusFmtp,
  parseRed,
  type RedBlock,
  rtpIgnored,
  rtpMalformed,
  writeRed,
} from "@longwave/opus/rtp";
import { allocatedBytesPerCall, mutateBytes } from "@longwave/testkit";
import { describe, expect, test } from "vitest";

/** CELT, 20 ms, with a number in it. */
const opus = (n: number): Uint8Array => Uint8Array.of(0xf8, n & 255, n >> 8);

interface Heard {
  readonly numbers: number[];
  readonly times: number[];
  readonly markers: number[];
  readonly gaps: [number, number][];
}

function listen(options = {}): { depacketizer: OpusRtpDepacketizer; heard: Heard } {
  const heard: Heard = { numbers: [], times: [], markers: [], gaps: [] };
  const depacketizer = new OpusRtpDepacketizer(
    {
      packet: (bytes, start, end, time, marker) => {
        expect(end - start).toBe(3);
        const number = bytes[start + 1]! | (bytes[start + 2]! << 8);
        heard.numbers.push(number);
        heard.times.push(time);
        if (marker) heard.markers.push(number);
      },
      gap: (frames, lost) => heard.gaps.push([frames, lost]),
    },
    options,
  );
  return { depacketizer, heard };
}

function send(count: number, options = {}): Uint8Array[] {
  const packetizer = new OpusRtpPacketizer({
    payloadType: 111,
    ssrc: 0xdead_beef,
    firstSequence: 65_530,
    firstTimestamp: 0xffff_f000,
    ...options,
  });
  return Array.from({ length: count }, (_, i) => {
    const into = new Uint8Array(100);
    return into.slice(0, packetizer.write(opus(i), 960, into));
  });
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe("OpusRtpPacketizer", () => {
  test("writes the header of RFC 3550 byte by byte", () => {
    const packetizer = new OpusRtpPacketizer({
      payloadType: 96,
      ssrc: 0x01020304,
      firstSequence: 0xffff,
      firstTimestamp: 0xffff_ffff,
    });
    const into = new Uint8Array(20);
    expect(packetizer.write(Uint8Array.of(0xf8, 7), 960, into)).toBe(14);
    expect([...into.subarray(0, 14)]).toEqual([
      0x80, 0xe0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4, 0xf8, 7,
    ]);
    packetizer.write(Uint8Array.of(0xf8, 7), 960, into);
    expect([...into.subarray(0, 8)]).toEqual([0x80, 0x60, 0, 0, 0, 0, 0x03, 0xbf]);
  });

  test("marks the first packet after silence, and the clock goes on during it", () => {
    const packetizer = new OpusRtpPacketizer({
      payloadType: 96,
      ssrc: 1,
      firstSequence: 0,
      firstTimestamp: 0,
    });
    const into = new Uint8Array(20);
    const marks: number[] = [];
    for (let i = 0; i < 6; i++) {
      if (i === 3) packetizer.skip(9600);
      packetizer.write(opus(i), 960, into);
      if (into[1]! >= 0x80) marks.push(i);
    }
    expect(marks).toEqual([0, 3]);
    expect(packetizer.timestamp).toBe(6 * 960 + 9600);
    expect(packetizer.sequence).toBe(6);
  });

  test("refuses what RTP cannot carry, and nothing advances", () => {
    expect(
      () => new OpusRtpPacketizer({ payloadType: 128, ssrc: 1, firstSequence: 0, firstTimestamp: 0 }),
    ).toThrow(expect.objectContaining({ code: "opus/bad-argument" }));
    const packetizer = new OpusRtpPacketizer({
      payloadType: 96,
      ssrc: 1,
      firstSequence: 5,
      firstTimestamp: 6,
    });
    expect(() => packetizer.write(opus(0), 961, new Uint8Array(99))).toThrow(
      expect.objectContaining({ code: "opus/bad-argument" }),
    );
    expect(() => packetizer.write(opus(0), 960, new Uint8Array(14))).toThrow(
      expect.objectContaining({ code: "opus/buffer-too-small" }),
    );
    expect([packetizer.sequence, packetizer.timestamp]).toEqual([5, 6]);
  });
});

describe("OpusRtpDepacketizer", () => {
  test("hands out a clean stream over the wrap of sequence and timestamp", () => {
    const { depacketizer, heard } = listen();
    for (const packet of send(100)) expect(depacketizer.push(packet)).toBe(1);
    expect(heard.numbers).toEqual(range(0, 100));
    expect(heard.times).toEqual(range(0, 100).map((i) => 0xffff_f000 + 960 * i));
    expect(heard.gaps).toEqual([]);
    expect(heard.markers).toEqual([0]);
  });

  test("puts any order within the window right, and drops doubles", () => {
    for (let seed = 0; seed < 200; seed++) {
      const random = new SeededRandom(seed);
      const packets = send(60);
      const keyed = packets.flatMap((packet, i) => {
        const key = i + random.below(8);
        return random.below(5) === 0
          ? [
              { packet, key },
              { packet, key: key + 1 },
            ]
          : [{ packet, key }];
      });
      keyed[0]!.key = -1;
      const { depacketizer, heard } = listen();
      for (const { packet } of keyed.toSorted((a, b) => a.key - b.key)) depacketizer.push(packet);
      depacketizer.flush();
      expect(heard.numbers).toEqual(range(0, 60));
      expect(heard.gaps).toEqual([]);
      expect(depacketizer.latePackets).toBe(keyed.length - 60);
    }
  });

  test("a missing packet is given up when the window is full, with its duration", () => {
    const { depacketizer, heard } = listen({ reorderPackets: 4 });
    const packets = send(20);
    packets.splice(5, 2);
    for (const packet of packets) depacketizer.push(packet);
    expect(heard.numbers).toEqual([...range(0, 5), ...range(7, 20)]);
    expect(heard.gaps).toEqual([[1920, 2]]);
  });

  test("without a window every hole is a gap at once", () => {
    const { depacketizer, heard } = listen({ reorderPackets: 0 });
    for (const i of [0, 1, 3, 2, 4]) depacketizer.push(send(5)[i]!);
    expect(heard.numbers).toEqual([0, 1, 3, 4]);
    expect(heard.gaps).toEqual([[960, 1]]);
    expect(depacketizer.latePackets).toBe(1);
  });

  test("silence that was not sent is a gap without a loss", () => {
    const packetizer = new OpusRtpPacketizer({
      payloadType: 96,
      ssrc: 1,
      firstSequence: 0,
      firstTimestamp: 0,
    });
    const { depacketizer, heard } = listen();
    for (let i = 0; i < 4; i++) {
      if (i === 2) packetizer.skip(48_000);
      const into = new Uint8Array(20);
      depacketizer.push(into.slice(0, packetizer.write(opus(i), 960, into)));
    }
    expect(heard.gaps).toEqual([[48_000, 0]]);
    expect(heard.markers).toEqual([0, 2]);
  });

  test("a new SSRC, and a large jump, begin a new stream after what waited", () => {
    const { depacketizer, heard } = listen();
    const first = send(5);
    for (const i of [0, 1, 3]) depacketizer.push(first[i]!);
    for (const packet of send(2, { ssrc: 9 })) depacketizer.push(packet);
    for (const packet of send(2, { ssrc: 9, firstSequence: 20_000 })) depacketizer.push(packet);
    expect(heard.numbers).toEqual([0, 1, 3, 0, 1, 0, 1]);
    expect(heard.gaps).toEqual([[960, 1]]);
  });

  test("CSRC, extension and padding are stepped over", () => {
    const [packet] = send(1);
    const body = packet!.subarray(12);
    const dressed = Uint8Array.from([
      0x80 | 0x20 | 0x10 | 2,
      ...packet!.subarray(1, 12),
      ...new Array(8).fill(0xee),
      0xbe,
      0xde,
      0,
      1,
      1,
      2,
      3,
      4,
      ...body,
      0,
      0,
      3,
    ]);
    const { depacketizer, heard } = listen();
    expect(depacketizer.push(dressed)).toBe(1);
    expect(heard.numbers).toEqual([0]);
  });

  test("foreign and damaged packets have their verdict", () => {
    const { depacketizer } = listen();
    const [first] = send(1);
    expect(depacketizer.push(first!)).toBe(1);
    expect(depacketizer.push(new Uint8Array(11))).toBe(rtpMalformed);
    expect(depacketizer.push(new Uint8Array(20))).toBe(rtpMalformed);
    expect(depacketizer.push(send(1, { payloadType: 8 })[0]!)).toBe(rtpIgnored);
    const cut = first!.slice();
    cut[0]! |= 15;
    expect(depacketizer.push(cut)).toBe(rtpMalformed);
  });

  test("mutated packets never throw, and what waits stays bounded", () => {
    const packets = send(50);
    const depacketizer = new OpusRtpDepacketizer({ packet: () => undefined }, { reorderPackets: 8 });
    for (let i = 0; i < 20_000; i++)
      depacketizer.push(mutateBytes(packets[i % 50]!, new SeededRandom(13, i), packets));
    expect(depacketizer.flush()).toBeLessThanOrEqual(8);
  });

  test("costs nothing on the heap", () => {
    const packetizer = new OpusRtpPacketizer({
      payloadType: 96,
      ssrc: 1,
      firstSequence: 0,
      firstTimestamp: 0,
    });
    const depacketizer = new OpusRtpDepacketizer({ packet: () => undefined });
    const into = new Uint8Array(15);
    const packet = opus(1);
    const call = () => {
      packetizer.write(packet, 960, into);
      depacketizer.push(into);
    };
    expect(allocatedBytesPerCall(call, { calls: 20_000 }).heap).toBeLessThan(1);
  });
});

describe("fmtp", () => {
  test("reads the example of RFC 7587 section 7", () => {
    expect(
      parseOpusFmtp(
        "a=fmtp:101 maxplaybackrate=16000; sprop-maxcapturerate=16000;\r\n maxaveragebitrate=20000; stereo=1; useinbandfec=1; usedtx=0",
      ),
    ).toEqual({
      maxPlaybackRate: 16_000,
      spropMaxCaptureRate: 16_000,
      maxAverageBitrate: 20_000,
      stereo: true,
      useInbandFec: true,
      useDtx: false,
    });
  });

  test("writes what it reads", () => {
    const all = {
      maxPlaybackRate: 24_000,
      spropMaxCaptureRate: 8000,
      maxAverageBitrate: 510_000,
      stereo: false,
      spropStereo: true,
      cbr: true,
      useInbandFec: false,
      useDtx: true,
    };
    expect(parseOpusFmtp(formatOpusFmtp(all))).toEqual(all);
    expect(formatOpusFmtp({})).toBe("");
    expect(() => formatOpusFmtp({ maxAverageBitrate: 5000 })).toThrow(
      expect.objectContaining({ code: "opus/bad-argument" }),
    );
  });

  test("unknown parameters, nonsense and values out of range are ignored", () => {
    expect(parseOpusFmtp("x=1;stereo=yes;cbr=2;maxplaybackrate=7;constructor=1;;=;usedtx=1")).toEqual({
      useDtx: true,
    });
  });

  test("sets an encoder", () => {
    const encoder: FmtpTarget = {
      bitrateBps: 64_000,
      vbr: true,
      inbandFec: 0,
      dtx: false,
      forceChannels: "auto",
      maxBandwidth: "fb",
    };
    applyFmtp(encoder, parseOpusFmtp("maxplaybackrate=16000;maxaveragebitrate=20000;useinbandfec=1;cbr=1"));
    expect(encoder).toEqual({
      bitrateBps: 20_000,
      vbr: false,
      inbandFec: 1,
      dtx: false,
      forceChannels: 1,
      maxBandwidth: "wb",
    });
    applyFmtp(encoder, { stereo: true, maxAverageBitrate: 96_000, useDtx: true });
    expect(encoder).toEqual({
      bitrateBps: 20_000,
      vbr: true,
      inbandFec: 0,
      dtx: true,
      forceChannels: "auto",
      maxBandwidth: "fb",
    });
  });
});

describe("RED", () => {
  const block = (payloadType: number, timestampOffset: number, length: number): RedBlock => ({
    payloadType,
    timestampOffset,
    data: Uint8Array.from({ length }, (_, i) => (i + payloadType) & 255),
  });

  test("writes the headers of RFC 2198 byte by byte", () => {
    const into = new Uint8Array(20);
    const length = writeRed(
      [{ payloadType: 111, timestampOffset: 960, data: Uint8Array.of(1, 2) }, block(96, 0, 1)],
      into,
    );
    expect([...into.subarray(0, length)]).toEqual([0x80 | 111, 960 >> 6, (960 & 63) << 2, 2, 96, 1, 2, 96]);
  });

  test("blocks come back as they were", () => {
    const blocks = [block(111, 16_383, 1023), block(111, 960, 0), block(112, 480, 300), block(111, 0, 77)];
    const into = new Uint8Array(2000);
    const read: RedBlock[] = [];
    expect(parseRed(into.subarray(0, writeRed(blocks, into)), read)).toBe(4);
    expect(read).toEqual(blocks);
  });

  test("blocks that are too old or too long are left out, not cut", () => {
    const blocks = [block(1, 16_384, 5), block(2, 100, 1024), block(3, 100, 5), block(4, 0, 5000)];
    const into = new Uint8Array(6000);
    const read: RedBlock[] = [];
    expect(parseRed(into.subarray(0, writeRed(blocks, into)), read)).toBe(2);
    expect(read).toEqual([blocks[2], blocks[3]]);
  });

  test("cut payloads are refused, at any place in the headers and redundant data", () => {
    const into = new Uint8Array(100);
    const length = writeRed([block(1, 10, 20), block(2, 5, 10), block(3, 0, 0)], into);
    const read: RedBlock[] = [];
    for (let cut = 0; cut < length; cut++) expect(parseRed(into.subarray(0, cut), read)).toBe(-1);
    expect(read).toEqual([]);
    expect(parseRed(new Uint8Array(500).fill(0x80), read)).toBe(-1);
  });
});
