import { SeededRandom } from "@longwave/base";
import {
  createPacketInfo,
  joinMultistreamPacket,
  multistreamPad,
  multistreamUnpad,
  OpusError,
  packetExtensions,
  packetFrames,
  packetHasLbrr,
  padPacket,
  parsePacket,
  Repacketizer,
  splitMultistreamPacket,
  unpadPacket,
  writeExtensions,
} from "@longwave/opus";
import { allocatedBytesPerCall, mutateBytes } from "@longwave/testkit";
import { Application, createDecoder, createEncoder } from "libopus-wasm";
import { describe, expect, test } from "vitest";
import { askLibopus, type HarnessAnswer, type HarnessRequest, hasLibopus } from "./libopus-harness.ts";

const info = createPacketInfo();

/** A legal packet of any configuration and code, with or without padding, filled at random. */
function randomPacket(random: SeededRandom, toc = random.below(256)): Uint8Array {
  const repacketizer = new Repacketizer();
  const config = toc & 0xfc;
  const wanted = 1 + random.below(random.below(3) === 0 ? 8 : 2);
  const equal = random.below(2) === 0 ? random.below(300) : -1;
  for (let i = 0; i < wanted; i++) {
    const length = 1 + (equal >= 0 ? equal : random.below(random.below(4) === 0 ? 1275 : 40));
    const frame = Uint8Array.from({ length }, () => random.below(256));
    frame[0] = config;
    try {
      repacketizer.add(frame);
    } catch (error) {
      if (!(error instanceof OpusError)) throw error;
      break;
    }
  }
  const packet = new Uint8Array(12_000);
  const length = repacketizer.out(packet);
  if (random.below(3) > 0) return packet.slice(0, length);
  const padded = length + 1 + random.below(random.below(4) === 0 ? 1000 : 20);
  padPacket(packet, length, padded);
  return packet.slice(0, padded);
}

function mutatedPackets(count: number, seed: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => {
    const random = new SeededRandom(seed, i);
    const packet = randomPacket(random);
    return random.below(8) === 0 ? packet : mutateBytes(packet, random);
  });
}

/** What a call gives, or the libopus code of the error that it throws. */
function resultOf(call: () => number): number {
  try {
    return call();
  } catch (error) {
    if (error instanceof OpusError) return error.libopusCode ?? -99;
    throw error;
  }
}

describe("parsePacket", () => {
  test("tells mode, bandwidth, channels and durations of every configuration (RFC 6716 table 2)", () => {
    const rows = [
      ["silk", "nb", [10, 20, 40, 60]],
      ["silk", "mb", [10, 20, 40, 60]],
      ["silk", "wb", [10, 20, 40, 60]],
      ["hybrid", "swb", [10, 20]],
      ["hybrid", "fb", [10, 20]],
      ["celt", "nb", [2.5, 5, 10, 20]],
      ["celt", "wb", [2.5, 5, 10, 20]],
      ["celt", "swb", [2.5, 5, 10, 20]],
      ["celt", "fb", [2.5, 5, 10, 20]],
    ] as const;
    let config = 0;
    for (const [mode, bandwidth, sizes] of rows) {
      for (const frameMs of sizes) {
        for (const stereo of [0, 4]) {
          expect(parsePacket(Uint8Array.of((config << 3) | stereo, 1, 2), info)).toBe(1);
          expect(info).toMatchObject({
            mode,
            bandwidth,
            channels: stereo ? 2 : 1,
            frameMs,
            frames48k: 48 * frameMs,
          });
          expect(packetFrames(Uint8Array.of(config << 3, 1), 16_000)).toBe(16 * frameMs);
        }
        config++;
      }
    }
    expect(config).toBe(32);
  });

  test("finds the frames of a padded packet with different lengths", () => {
    // Code 3, 3 frames, VBR, padding of 2 bytes: lengths 1 and 2, the rest is the third.
    const packet = Uint8Array.of(0xfb, 0xc3, 2, 1, 2, 10, 20, 21, 30, 31, 32, 0, 0);
    expect(parsePacket(packet, info)).toBe(3);
    expect(info).toMatchObject({ code: 3, padding: 2, frameCount: 3 });
    expect([...info.frameOffsets.subarray(0, 3)]).toEqual([5, 6, 8]);
    expect([...info.frameLengths.subarray(0, 3)]).toEqual([1, 2, 3]);
  });

  test.each([
    ["nothing (R1)", []],
    ["an odd code 1 packet (R3)", [0x01, 1, 2, 3]],
    ["a code 2 length beyond the end (R4)", [0x02, 9, 1]],
    ["a cut code 2 length (R4)", [0x02, 252]],
    ["code 3 without its count (R6, R7)", [0x03]],
    ["code 3 with no frame (R5)", [0x03, 0]],
    ["code 3 of more than 120 ms (R5)", [0xfb, 49]],
    ["code 3 CBR that does not divide (R6)", [0xfb, 2, 1, 2, 3]],
    ["code 3 VBR with lengths beyond the end (R7)", [0xfb, 0x82, 5, 1]],
    ["padding beyond the end (R6, R7)", [0xfb, 0x41, 200, 1]],
  ])("refuses %s", (_name, bytes) => {
    const before = structuredClone(info);
    expect(parsePacket(Uint8Array.from(bytes), info)).toBe(-4);
    expect(info).toEqual(before);
  });

  test("a frame of 1,275 bytes is legal, one of 1,276 is not (R2)", () => {
    expect(parsePacket(new Uint8Array(1276), info)).toBe(1);
    expect(parsePacket(new Uint8Array(1277), info)).toBe(-4);
  });

  test.skipIf(!hasLibopus)("agrees with libopus on 15,000 mutated packets, frame by frame", () => {
    const packets = mutatedPackets(15_000, 1);
    const answers = askLibopus(packets.map((bytes) => ({ op: "parse", bytes })));
    let accepted = 0;
    for (const [i, packet] of packets.entries()) {
      const { result, bytes } = answers[i]!;
      expect(parsePacket(packet, info)).toBe(result);
      if (result < 0) continue;
      accepted++;
      expect(Buffer.compare(Buffer.from(info.frameLengths.buffer, 0, 2 * result), bytes)).toBe(0);
    }
    expect(accepted).toBeGreaterThan(4000);
    expect(accepted).toBeLessThan(14_500);
  });

  test("accepts and refuses as the decoder of libopus 1.6.1 does, on 3,000 mutated packets", async () => {
    const decoder = await createDecoder({ channels: 2, sampleRate: 48_000, maxFrameSize: 5760 });
    for (const packet of mutatedPackets(3000, 2)) {
      let verdict = true;
      if (packet.length === 0) continue;
      try {
        decoder.decode(packet);
      } catch (error) {
        if ((error as { code?: number }).code !== -4) throw error;
        verdict = false;
      }
      expect(parsePacket(packet, info) > 0).toBe(verdict);
    }
    decoder.free();
  });

  test.skipIf(!hasLibopus)("durations agree with libopus at every rate", () => {
    const rates = [8000, 12_000, 16_000, 24_000, 48_000] as const;
    const packets = mutatedPackets(2000, 3);
    const requests = packets.map((bytes, i): HarnessRequest => ({ op: "duration", a: rates[i % 5]!, bytes }));
    for (const [i, { result }] of askLibopus(requests).entries()) {
      const ours = resultOf(() => packetFrames(packets[i]!, rates[i % 5]!));
      // libopus calls an empty packet a bad argument (-1) and says 0 where code 3 counts no frame; here both are invalid.
      expect(ours).toBe(packets[i]!.length === 0 || result === 0 ? -4 : result);
    }
  });
});

describe("packetHasLbrr", () => {
  test("is true for packets of an encoder with FEC on, and never for CELT", async () => {
    for (const channels of [1, 2] as const) {
      for (const frameSize of [960, 2880]) {
        const encoder = await createEncoder({
          channels,
          application: Application.Voip,
          bitrate: 32_000,
          fec: true,
          packetLossPercent: 30,
          frameSize,
        });
        const random = new SeededRandom(7);
        let marked = 0;
        for (let i = 0; i < 20; i++) {
          const pcm = Float32Array.from(
            { length: frameSize * channels },
            (_, k) => Math.sin(k / 20) * 0.4 + random.next() * 0.1,
          );
          const packet = encoder.encodeFloat(pcm);
          if (packetHasLbrr(packet)) {
            marked++;
            expect(packet[0]! >> 3).toBeLessThan(16);
          }
        }
        expect(marked).toBeGreaterThan(10);
        encoder.free();
      }
    }
    expect(packetHasLbrr(Uint8Array.of(0xfc, 0xff, 0xff))).toBe(false);
    expect(packetHasLbrr(Uint8Array.of(0x08))).toBe(false);
  });

  test("reads the bit behind the VAD bits, of either channel", () => {
    expect(packetHasLbrr(Uint8Array.of(0x08, 0b0100_0000))).toBe(true);
    expect(packetHasLbrr(Uint8Array.of(0x08, 0b1011_1111))).toBe(false);
    expect(packetHasLbrr(Uint8Array.of(0x0c, 0b0001_0000))).toBe(true);
    expect(packetHasLbrr(Uint8Array.of(0x18, 0b0001_0000))).toBe(true);
    expect(packetHasLbrr(Uint8Array.of(0x1c, 0b0000_0001))).toBe(true);
    expect(() => packetHasLbrr(new Uint8Array(0))).toThrow(
      expect.objectContaining({ code: "opus/invalid-packet" }),
    );
  });
});

describe.skipIf(!hasLibopus)("beside libopus", () => {
  const compare = (
    requests: HarnessRequest[],
    ours: (i: number, into: Uint8Array) => number,
  ): HarnessAnswer[] => {
    const answers = askLibopus(requests);
    for (const [i, { result, bytes }] of answers.entries()) {
      const into = new Uint8Array(20_000);
      const length = resultOf(() => ours(i, into));
      expect(length < 0 ? length : Buffer.from(into.subarray(0, length)).toString("hex")).toBe(
        result < 0 ? result : Buffer.from(bytes).toString("hex"),
      );
    }
    return answers;
  };

  test("padding gives the same bytes", () => {
    const random = new SeededRandom(4);
    const packets = mutatedPackets(1500, 4).filter((packet) => packet.length > 0);
    const targets = packets.map(
      (packet) =>
        packet.length + random.below(random.below(3) === 0 ? 2000 : 6) - (random.below(9) === 0 ? 1 : 0),
    );
    const answers = compare(
      packets.map((bytes, i) => ({ op: "pad", a: targets[i]!, bytes })),
      (i, into) => {
        into.set(packets[i]!);
        padPacket(into, packets[i]!.length, targets[i]!);
        return targets[i]!;
      },
    );
    expect(answers.filter(({ result }) => result === 0).length).toBeGreaterThan(400);
  });

  test("removing padding gives the same bytes", () => {
    const packets = mutatedPackets(1500, 5).filter((packet) => packet.length > 0);
    const answers = compare(
      packets.map((bytes) => ({ op: "unpad", bytes })),
      (i, into) => {
        into.set(packets[i]!);
        return unpadPacket(into, packets[i]!.length);
      },
    );
    expect(answers.filter(({ result }) => result > 0).length).toBeGreaterThan(400);
  });

  test("merging and taking apart give the same bytes", () => {
    const groups = Array.from({ length: 1500 }, (_, i) => {
      const random = new SeededRandom(6, i);
      const toc = random.below(256);
      const packets = Array.from({ length: 1 + random.below(4) }, () =>
        randomPacket(random, random.below(12) === 0 ? random.below(256) : toc),
      );
      return { packets, begin: random.below(3), end: 1 + random.below(8) };
    });
    const answers = compare(
      groups.map(({ packets, begin, end }) => ({
        op: "repacketize",
        a: begin,
        b: end,
        bytes: Buffer.concat(packets.flatMap((packet) => [lengthOf(packet), packet])),
      })),
      (i, into) => {
        const { packets, begin, end } = groups[i]!;
        const repacketizer = new Repacketizer();
        for (const packet of packets) repacketizer.add(packet);
        return repacketizer.out(into, begin, end);
      },
    );
    expect(answers.filter(({ result }) => result > 0).length).toBeGreaterThan(300);
    expect(answers.filter(({ result }) => result === -4).length).toBeGreaterThan(30);
    expect(answers.filter(({ result }) => result === -1).length).toBeGreaterThan(30);
  });

  test("multistream padding and its removal give the same bytes", () => {
    const groups = Array.from({ length: 800 }, (_, i) => {
      const random = new SeededRandom(8, i);
      const streams = 1 + random.below(4);
      const toc = random.below(256) & 0xfc;
      const packets = Array.from({ length: streams }, () =>
        Uint8Array.from({ length: 1 + random.below(400) }, (_, k) => (k === 0 ? toc : random.below(256))),
      );
      const joined = new Uint8Array(4000);
      const length = joinMultistreamPacket(packets, joined);
      const bytes = joined.slice(0, length);
      return {
        streams,
        bytes: random.below(4) === 0 ? mutateBytes(bytes, random) : bytes,
        more: random.below(600),
      };
    }).filter(({ bytes }) => bytes.length > 0);
    compare(
      groups.map(({ streams, bytes, more }) => ({
        op: "multistream-pad",
        a: bytes.length + more,
        b: streams,
        bytes,
      })),
      (i, into) => {
        const { streams, bytes, more } = groups[i]!;
        into.set(bytes);
        multistreamPad(into, bytes.length, bytes.length + more, streams);
        return bytes.length + more;
      },
    );
    compare(
      groups.map(({ streams, bytes }) => ({ op: "multistream-unpad", b: streams, bytes })),
      (i, into) => {
        into.set(groups[i]!.bytes);
        return multistreamUnpad(into, groups[i]!.bytes.length, groups[i]!.streams);
      },
    );
  });
});

function lengthOf(packet: Uint8Array): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(packet.length);
  return bytes;
}

describe("multistream packets", () => {
  test("split into what was joined", () => {
    for (let i = 0; i < 300; i++) {
      const random = new SeededRandom(9, i);
      const toc = random.below(256);
      const first = randomPacket(random, toc);
      const frames = packetFrames(first);
      const packets = [first];
      while (packets.length < 1 + random.below(5)) {
        const packet = randomPacket(random, toc);
        if (packetFrames(packet) === frames) packets.push(packet);
        else break;
      }
      const bare = packets.map((packet) => {
        const copy = packet.slice();
        return copy.slice(0, unpadPacket(copy, copy.length));
      });
      const joined = new Uint8Array(60_000);
      const length = joinMultistreamPacket(packets, joined);
      expect(splitMultistreamPacket(joined.subarray(0, length), packets.length)).toEqual(bare);
    }
  });

  test("streams of different durations are refused", () => {
    const packets = [Uint8Array.of(0xf8, 1), Uint8Array.of(0xf0, 1)];
    const into = new Uint8Array(100);
    expect(() => joinMultistreamPacket(packets, into)).toThrow(
      expect.objectContaining({ code: "opus/bad-argument" }),
    );
    expect(() => splitMultistreamPacket(Uint8Array.of(0xf8, 1, 7, 0xf0, 1), 2)).toThrow(
      expect.objectContaining({ code: "opus/invalid-packet" }),
    );
  });
});

describe("extensions", () => {
  test("come back as they were written, and the frames stay", () => {
    for (let i = 0; i < 500; i++) {
      const random = new SeededRandom(10, i);
      const packet = randomPacket(random);
      const frames = parsePacket(packet, info);
      const extensions = Array.from({ length: random.below(6) }, () => {
        const id = 3 + random.below(125);
        const length = id < 32 ? random.below(2) : random.below(random.below(3) === 0 ? 700 : 12);
        return {
          id,
          frame: random.below(frames),
          data: Uint8Array.from({ length }, () => random.below(256)),
        };
      });
      const buffer = new Uint8Array(packet.length + 6000);
      buffer.set(packet);
      const length = writeExtensions(buffer, packet.length, extensions);
      const written = buffer.subarray(0, length);
      expect([...packetExtensions(written)]).toEqual(extensions.toSorted((a, b) => a.frame - b.frame));
      const bare = packet.slice();
      const stripped = written.slice();
      expect(stripped.slice(0, unpadPacket(stripped, stripped.length))).toEqual(
        bare.slice(0, unpadPacket(bare, bare.length)),
      );
    }
  });

  test("a repeat stands for every later frame", () => {
    // Two frames; extension 5 with one byte on frame 0, then "repeat" with L=1: another byte for frame 1.
    const packet = Uint8Array.of(0xfb, 0x42, 4, 1, 1, (5 << 1) | 1, 0xaa, (2 << 1) | 1, 0xbb);
    expect([...packetExtensions(packet)]).toEqual([
      { id: 5, frame: 0, data: Uint8Array.of(0xaa) },
      { id: 5, frame: 1, data: Uint8Array.of(0xbb) },
    ]);
  });

  test("hostile padding ends in an error or an end, never elsewhere", () => {
    let read = 0;
    for (const packet of mutatedPackets(5000, 12)) {
      try {
        for (const { data, frame } of packetExtensions(packet)) {
          read++;
          expect(frame).toBeLessThan(48);
          expect(data.length).toBeLessThanOrEqual(packet.length);
        }
      } catch (error) {
        expect(error).toMatchObject({ code: "opus/invalid-packet" });
      }
    }
    expect(read).toBeGreaterThan(10);
  });

  test("what cannot be written is refused", () => {
    const buffer = new Uint8Array(20);
    const data = new Uint8Array(2);
    for (const extension of [
      { id: 2, frame: 0, data },
      { id: 5, frame: 0, data },
      { id: 40, frame: 1, data },
      { id: 128, frame: 0, data },
    ]) {
      buffer[0] = 0xf8;
      expect(() => writeExtensions(buffer, 3, [extension])).toThrow(
        expect.objectContaining({ code: "opus/bad-argument" }),
      );
    }
    const large = [{ id: 40, frame: 0, data: new Uint8Array(30) }];
    expect(() => writeExtensions(buffer, 3, large)).toThrow(
      expect.objectContaining({ code: "opus/buffer-too-small" }),
    );
  });
});

describe("allocation", () => {
  test("parsing, merging and padding cost nothing on the heap", () => {
    const packet = Uint8Array.of(0xfb, 0xc3, 2, 1, 2, 10, 20, 21, 30, 31, 32, 0, 0);
    const other = Uint8Array.of(0xf8, 1, 2, 3);
    const into = new Uint8Array(200);
    const repacketizer = new Repacketizer();
    const call = () => {
      parsePacket(packet, info);
      packetFrames(packet);
      packetHasLbrr(packet);
      repacketizer.clear();
      repacketizer.add(packet);
      repacketizer.add(other);
      const length = repacketizer.out(into);
      padPacket(into, length, 150);
      unpadPacket(into, 150);
    };
    expect(allocatedBytesPerCall(call, { calls: 10_000 }).heap).toBeLessThan(1);
  });
});
