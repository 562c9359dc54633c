import { isLongwaveError } from "@longwave/base";
import { describe, expect, test } from "vitest";
import { OpusCore, OpusDecoder } from "../../src/index.ts";
import { encodePlan, streamPlans } from "./oracle-streams.ts";

const stereo = streamPlans.find((plan) => plan.name === "CELT fullband stereo 20 ms")!;
const packets = await encodePlan(stereo, 0.4);
const packet = packets[5]!;

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    return isLongwaveError(error) ? error.code : String(error);
  }
  return undefined;
}

describe("arguments", () => {
  test.each([{ sampleRate: 44100 }, { channels: 3 }, { gainQ8: 40000 }, { complexity: 11 }])(
    "%o are refused",
    (options) => {
      expect(codeOf(() => new OpusDecoder(options as never))).toBe("opus/bad-argument");
    },
  );

  test("a short output is refused and the state stays as it was", () => {
    using decoder = new OpusDecoder();
    using twin = new OpusDecoder();
    const pcm = new Float32Array(1920);
    const expected = new Float32Array(1920);
    decoder.decode(packets[0]!, pcm);
    twin.decode(packets[0]!, expected);
    expect(codeOf(() => decoder.decode(packet, new Float32Array(1918)))).toBe("opus/buffer-too-small");
    expect(decoder.tryDecode(packet, new Float32Array(1918))).toBe(-2);
    decoder.decode(packets[1]!, pcm);
    twin.decode(packets[1]!, expected);
    expect(pcm).toEqual(expected);
  });

  test("a longer output keeps its rest", () => {
    using decoder = new OpusDecoder();
    const pcm = new Float32Array(4000).fill(7);
    expect(decoder.decode(packet, pcm)).toBe(960);
    expect(pcm.subarray(1920).every((value) => value === 7)).toBe(true);
  });

  test.each([1, 119, 961, 5761, 0, -960])("a loss of %i frames is refused", (frames) => {
    using decoder = new OpusDecoder();
    expect(codeOf(() => decoder.decode(null, new Float32Array(20000), frames))).toBe("opus/bad-argument");
  });

  test.each([0, -960, Number.NaN])("a packet into %d frames is refused", (frames) => {
    using decoder = new OpusDecoder();
    expect(codeOf(() => decoder.decode(packet, new Float32Array(20000), frames))).toBe("opus/bad-argument");
    expect(decoder.lastPacketFrames).toBe(0);
  });

  test("a transferred buffer is refused", () => {
    using decoder = new OpusDecoder();
    const gone = new Float32Array(1920);
    structuredClone(gone, { transfer: [gone.buffer] });
    expect(codeOf(() => decoder.decode(packet, gone))).toBe("opus/bad-argument");
  });

  test("a transferred packet is refused, redundancy and ranges included", () => {
    using decoder = new OpusDecoder();
    const pcm = new Float32Array(1920);
    const gone = packet.slice();
    structuredClone(gone, { transfer: [gone.buffer] });
    expect(codeOf(() => decoder.decode(gone, pcm))).toBe("opus/bad-argument");
    expect(codeOf(() => decoder.decodeFec(gone, pcm, 960))).toBe("opus/bad-argument");
    expect(codeOf(() => decoder.decodeAt(gone, 0, 1, pcm, 0, 960))).toBe("opus/bad-argument");
  });

  test("positions that are no whole numbers are refused", () => {
    using decoder = new OpusDecoder();
    const pcm = new Float32Array(2000);
    for (const [at, pcmAt, capacity] of [
      [0.5, 0, 960],
      [0, 0.5, 960],
      [0, 0, 960.5],
    ] as const) {
      const call = () => decoder.decodeAt(packet, at, packet.length - 1, pcm, pcmAt, capacity);
      expect(codeOf(call)).toBe("opus/bad-argument");
    }
  });

  test("an empty packet has no redundancy: it is concealed as a lost one", () => {
    using decoder = new OpusDecoder();
    using twin = new OpusDecoder();
    const pcm = new Float32Array(1920);
    const expected = new Float32Array(1920);
    decoder.decode(packet, pcm);
    twin.decode(packet, expected);
    expect(decoder.decodeFec(new Uint8Array(0), pcm, 960)).toBe(960);
    twin.decode(null, expected, 960);
    expect(pcm).toEqual(expected);
  });

  test("a closed decoder cannot be cloned, and the attempt takes no slot", () => {
    const core = OpusCore.create({ memoryMiB: 4 });
    const decoder = new OpusDecoder({ core });
    decoder.close();
    const free = core.freeSlots;
    expect(codeOf(() => decoder.clone())).toBe("opus/closed");
    expect(core.freeSlots).toBe(free);
  });

  test("use after close is refused, closing twice is not", () => {
    const decoder = new OpusDecoder();
    decoder.close();
    decoder.close();
    expect(codeOf(() => decoder.decode(packet, new Float32Array(1920)))).toBe("opus/closed");
  });
});

describe("bad packets", () => {
  test.each([
    ["code 1 of odd length", [0xfd, 1, 2, 3]],
    ["code 2 whose first frame is longer than the packet", [0xfe, 200, 1]],
    ["code 3 without a count", [0xff]],
    ["code 3 of no frames", [0xff, 0]],
    ["code 3 of more than 120 ms", [0xff, 7, 0, 0, 0, 0, 0, 0, 0]],
    ["padding beyond the end", [0xff, 0x41, 255, 255]],
    ["a frame of 1276 bytes", [0xfc, ...new Array(1276).fill(0)]],
  ])("%s is refused as malformed", (_, bytes) => {
    using decoder = new OpusDecoder();
    expect(codeOf(() => decoder.decode(new Uint8Array(bytes), new Float32Array(20000)))).toBe(
      "opus/invalid-packet",
    );
    expect(decoder.tryDecode(new Uint8Array(bytes), new Float32Array(20000))).toBe(-4);
  });

  test("padding of a megabyte is skipped", () => {
    using decoder = new OpusDecoder();
    using plain = new OpusDecoder();
    const length = 1 << 20;
    const chain = Math.floor(length / 254);
    const padded = new Uint8Array(2 + chain + 1 + packet.length - 1 + chain * 254 + 7);
    padded[0] = packet[0]! | 3;
    padded[1] = 0x41;
    padded.fill(255, 2, 2 + chain);
    padded[2 + chain] = 7;
    padded.set(packet.subarray(1), 3 + chain);
    const pcm = new Float32Array(1920);
    const expected = new Float32Array(1920);
    expect(decoder.decode(padded, pcm)).toBe(960);
    plain.decode(packet, expected);
    expect(pcm).toEqual(expected);
  });
});

test("decodeAt equals decode", () => {
  using decoder = new OpusDecoder();
  using twin = new OpusDecoder();
  const buffer = new Uint8Array(2000);
  const pcm = new Float32Array(4000);
  const expected = new Float32Array(1920);
  for (const each of packets) {
    buffer.set(each, 33);
    decoder.decodeAt(buffer, 33, each.length, pcm, 100, 960);
    twin.decode(each, expected);
    expect(pcm.subarray(100, 2020)).toEqual(expected);
  }
});

test("24-bit output is the float output times 2^23, rounded", () => {
  using decoder = new OpusDecoder();
  using twin = new OpusDecoder();
  const pcm = new Int32Array(1920);
  const floats = new Float32Array(1920);
  for (const each of packets) {
    decoder.decodeInt24(each, pcm);
    twin.decode(each, floats);
    expect(pcm.every((value, i) => Math.abs(value - floats[i]! * 8388608) <= 0.5)).toBe(true);
  }
});

test("properties follow the stream and a reset gives a fresh decoder", () => {
  using decoder = new OpusDecoder();
  expect(decoder.bandwidth).toBeUndefined();
  expect(decoder.lastPacketFrames).toBe(0);
  const first = new Float32Array(1920);
  decoder.decode(packet, first);
  expect(decoder.bandwidth).toBe("fb");
  expect(decoder.lastPacketFrames).toBe(960);
  expect(decoder.finalRange).toBeGreaterThan(0);
  decoder.decode(null, new Float32Array(1920));
  expect(decoder.finalRange).not.toBe(0xffffffff);
  decoder.reset();
  const again = new Float32Array(1920);
  decoder.decode(packet, again);
  expect(again).toEqual(first);
});

describe("slots", () => {
  test("1000 stereo decoders live in one default core, each on its own", () => {
    const core = OpusCore.create();
    expect(core.freeSlots).toBeGreaterThanOrEqual(1000);
    const decoders = Array.from({ length: 1000 }, () => new OpusDecoder({ core }));
    const pcm = new Float32Array(1920);
    const expected = new Float32Array(1920);
    using alone = new OpusDecoder();
    for (const each of packets.slice(0, 3)) {
      alone.decode(each, expected);
      for (const index of [0, 1, 500, 999]) {
        decoders[index]!.decode(each, pcm);
        expect(pcm).toEqual(expected);
      }
    }
    for (const decoder of decoders) decoder.close();
  });

  test("a full core refuses, and takes again what was closed", () => {
    const core = OpusCore.create({ memoryMiB: 4 });
    const decoders: OpusDecoder[] = [];
    const code = codeOf(() => {
      for (;;) decoders.push(new OpusDecoder({ core }));
    });
    expect(code).toBe("opus/out-of-slots");
    expect(decoders.length).toBeGreaterThan(50);
    decoders.pop()!.close();
    new OpusDecoder({ core }).close();
    for (const decoder of decoders) decoder.close();
  });

  test("a slot takes at most 32 KiB", () => {
    // 62 of 64 MiB are left for slots.
    expect(OpusCore.create().freeSlots).toBeGreaterThanOrEqual((62 * 1024) / 32);
  });
});
