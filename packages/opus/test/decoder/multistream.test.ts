// Multistream packets put together from the oracle's single streams; expected output from one oracle decoder per stream.
import { isLongwaveError } from "@longwave/base";
import { createDecoder } from "libopus-wasm";
import { describe, expect, test } from "vitest";
import { OpusCore, OpusMultistreamDecoder } from "../../src/index.ts";
import { encodePlan, streamPlans } from "./oracle-streams.ts";

const named = (start: string) => streamPlans.find((plan) => plan.name.startsWith(start))!;
const stereo = await encodePlan(named("CELT fullband stereo 20"), 0.5, 3);
const mono = await encodePlan(named("CELT fullband mono 20"), 0.5, 4);
const speech = await encodePlan(named("SILK narrowband mono 20"), 0.5, 5);

/** RFC 6716 appendix B for a packet of one frame: the frame's length follows the first byte. */
function selfDelimited(packet: Uint8Array): number[] {
  const length = packet.length - 1;
  const size = length < 252 ? [length] : [252 + (length & 3), (length - 252 - (length & 3)) >> 2];
  return [packet[0]!, ...size, ...packet.subarray(1)];
}

function packetAt(index: number): Uint8Array {
  return Uint8Array.from([
    ...selfDelimited(stereo[index]!),
    ...selfDelimited(mono[index]!),
    ...speech[index]!,
  ]);
}

const layout = { channels: 5, streams: 3, coupled: 1, mapping: Uint8Array.of(1, 255, 3, 0, 2) };

async function oracles() {
  return Promise.all(([2, 1, 1] as const).map((channels) => createDecoder({ sampleRate: 48000, channels })));
}

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    return isLongwaveError(error) ? error.code : String(error);
  }
  return undefined;
}

describe("streams reach the channels that the mapping names", () => {
  test("float and 16 bit, with losses", async () => {
    using float = new OpusMultistreamDecoder(layout);
    using short = new OpusMultistreamDecoder(layout);
    const floatOracles = await oracles();
    const shortOracles = await oracles();
    const pcm = new Float32Array(960 * 5);
    const integers = new Int16Array(960 * 5);
    for (let index = 0; index < speech.length; index++) {
      const lost = index % 7 === 5;
      const packet = lost ? null : packetAt(index);
      expect(float.decode(packet, pcm)).toBe(960);
      expect(short.decodeInt16(packet, integers)).toBe(960);
      const single = [stereo[index]!, mono[index]!, speech[index]!];
      const floats = floatOracles.map((oracle, stream) =>
        lost ? oracle.decodePacketLossFloat(960) : oracle.decodeFloat(single[stream]!),
      );
      const shorts = shortOracles.map((oracle, stream) =>
        lost ? oracle.decodePacketLoss(960) : oracle.decode(single[stream]!),
      );
      for (let i = 0; i < 960; i++) {
        const frame = [floats[0]![2 * i + 1], 0, floats[2]![i], floats[0]![2 * i], floats[1]![i]];
        for (let channel = 0; channel < 5; channel++) {
          if (pcm[5 * i + channel] !== frame[channel])
            expect.fail(`packet ${index} frame ${i} channel ${channel}`);
        }
        const whole = [shorts[0]![2 * i + 1], 0, shorts[2]![i], shorts[0]![2 * i], shorts[1]![i]];
        for (let channel = 0; channel < 5; channel++) {
          if (integers[5 * i + channel] !== whole[channel]) {
            expect.fail(`16 bit: packet ${index} frame ${i} channel ${channel}`);
          }
        }
      }
    }
  });

  test("a demixing matrix (family 3) multiplies the stream channels", async () => {
    const demixingMatrix = Int16Array.from({ length: 3 * 4 }, (_, i) => ((i * 7919) % 60000) - 30000);
    using decoder = new OpusMultistreamDecoder({
      channels: 3,
      streams: 3,
      coupled: 1,
      mapping: Uint8Array.of(0, 1, 2),
      demixingMatrix,
    });
    const all = await oracles();
    const pcm = new Float32Array(960 * 3);
    decoder.decode(packetAt(0), pcm);
    const [a, b, c] = [stereo[0]!, mono[0]!, speech[0]!].map((packet, i) => all[i]!.decodeFloat(packet));
    for (let i = 0; i < 960; i++) {
      const sources = [a![2 * i]!, a![2 * i + 1]!, b![i]!, c![i]!];
      for (let row = 0; row < 3; row++) {
        const expected = sources.reduce(
          (sum, value, column) => sum + (value * demixingMatrix[column * 3 + row]!) / 32768,
          0,
        );
        expect(pcm[3 * i + row]).toBeCloseTo(expected, 6);
      }
    }
  });
});

test("a loss is recovered from the next packet in every stream, float and 16 bit; settings reach all streams", async () => {
  using float = new OpusMultistreamDecoder(layout);
  using short = new OpusMultistreamDecoder({ ...layout, softClip: false });
  const floatOracles = await oracles();
  const shortOracles = await oracles();
  const pcm = new Float32Array(960 * 5);
  const integers = new Int16Array(960 * 5);
  expect([float.gainQ8, float.softClip, short.softClip, short.clone().softClip]).toEqual([
    0,
    true,
    false,
    false,
  ]);
  for (let index = 0; index < 4; index++) {
    float.decode(packetAt(index), pcm);
    short.decodeInt16(packetAt(index), integers);
    const single = [stereo[index]!, mono[index]!, speech[index]!];
    floatOracles.forEach((oracle, stream) => {
      oracle.decodeFloat(single[stream]!);
    });
    shortOracles.forEach((oracle, stream) => {
      oracle.decode(single[stream]!);
    });
  }
  expect(float.decodeFec(packetAt(5), pcm, 960)).toBe(960);
  expect(short.decodeFecInt16(packetAt(5), integers, 960)).toBe(960);
  const options = { decodeFec: true, frameSize: 960 };
  const expectedFloat = floatOracles[2]!.decodeFloat(speech[5]!, options);
  const expectedShort = shortOracles[2]!.decode(speech[5]!, options);
  // The third output channel has the third stream.
  expect(pcm.filter((_, i) => i % 5 === 2)).toEqual(expectedFloat);
  expect(integers.filter((_, i) => i % 5 === 2)).toEqual(expectedShort);
  float.gainQ8 = -512;
  expect([0, 1, 2].map((stream) => float.stream(stream).gainQ8)).toEqual([-512, -512, -512]);
  float.phaseInversionDisabled = true;
  expect([float.phaseInversionDisabled, float.stream(0).phaseInversionDisabled]).toEqual([true, true]);
});

test("a snapshot of all streams goes on elsewhere bit for bit; a broken one changes nothing", () => {
  using one = new OpusMultistreamDecoder(layout);
  using two = new OpusMultistreamDecoder(layout);
  const pcm = new Float32Array(960 * 5);
  const other = new Float32Array(960 * 5);
  for (let index = 0; index < 8; index++) one.decode(packetAt(index), pcm);
  const bytes = new Uint8Array(one.snapshotBytes);
  const image = bytes.subarray(0, one.snapshot(bytes));
  two.restore(image);
  const digests = [new Uint32Array(4), new Uint32Array(4)] as const;
  one.liveStateDigest(digests[0]);
  two.liveStateDigest(digests[1]);
  expect(digests[1]).toEqual(digests[0]);
  one.decode(packetAt(8), pcm);
  two.decode(packetAt(8), other);
  expect(other).toEqual(pcm);
  const broken = image.slice();
  broken[broken.length - 20]! ^= 1;
  expect(codeOf(() => two.restore(broken))).toBe("opus/bad-snapshot");
  one.decode(null, pcm);
  two.decode(null, other);
  expect(other).toEqual(pcm);
});

test("decodeAt works inside larger buffers and writes nothing else", () => {
  using one = new OpusMultistreamDecoder(layout);
  using two = new OpusMultistreamDecoder(layout);
  const buffer = new Uint8Array(5000).fill(0xff);
  for (const make of [Float32Array, Int16Array]) {
    const whole = new make(960 * 5);
    const part = new make(960 * 5 + 20).fill(77);
    const packet = packetAt(3);
    buffer.set(packet, 100);
    if (whole instanceof Int16Array) one.decodeInt16(packet, whole);
    else one.decode(packet, whole as Float32Array);
    expect(two.decodeAt(buffer, 100, packet.length, part, 10, 960)).toBe(960);
    expect(part.subarray(10, 10 + 4800)).toEqual(whole);
    expect([...part.subarray(0, 10), ...part.subarray(4810)]).toEqual(new Array(20).fill(77));
  }
  const pcm = new Float32Array(4800);
  expect(codeOf(() => two.decodeAt(buffer, 4990, 20, pcm, 0, 960))).toBe("opus/bad-argument");
  expect(codeOf(() => two.decodeAt(buffer, 100, 50, pcm, 1, 960))).toBe("opus/buffer-too-small");
});

describe("bad input", () => {
  test.each([
    { channels: 0 },
    { coupled: 4 },
    { mapping: Uint8Array.of(0, 1, 2, 3, 4) },
    { mapping: Uint8Array.of(0) },
    { demixingMatrix: new Int16Array(3) },
  ])("the layout with %o is refused", (change) => {
    expect(codeOf(() => new OpusMultistreamDecoder({ ...layout, ...change }))).toBe("opus/bad-argument");
  });

  test("streams of different duration, cut packets and short outputs are refused and change nothing", async () => {
    using decoder = new OpusMultistreamDecoder(layout);
    using twin = new OpusMultistreamDecoder(layout);
    const pcm = new Float32Array(5760 * 5);
    const expected = new Float32Array(5760 * 5);
    const long = (await encodePlan(named("SILK narrowband mono 60"), 0.2))[0]!;
    const uneven = Uint8Array.from([...selfDelimited(stereo[0]!), ...selfDelimited(mono[0]!), ...long]);
    expect(codeOf(() => decoder.decode(uneven, pcm))).toBe("opus/invalid-packet");
    expect(codeOf(() => decoder.decode(packetAt(0).subarray(0, 60), pcm))).toBe("opus/invalid-packet");
    expect(codeOf(() => decoder.decode(packetAt(0), new Float32Array(4000)))).toBe("opus/buffer-too-small");
    decoder.decode(packetAt(0), pcm);
    twin.decode(packetAt(0), expected);
    expect(pcm).toEqual(expected);
  });
});

test("a transferred packet is refused, and cloning a closed decoder takes no slots", () => {
  const core = OpusCore.create({ memoryMiB: 4 });
  const layout = { channels: 2, streams: 2, coupled: 0, mapping: Uint8Array.of(0, 1), core };
  const decoder = new OpusMultistreamDecoder(layout);
  const gone = new Uint8Array(10);
  structuredClone(gone, { transfer: [gone.buffer] });
  const refused = expect.objectContaining({ code: "opus/bad-argument" });
  expect(() => decoder.decode(gone, new Float32Array(1920))).toThrow(refused);
  decoder.close();
  const free = core.freeSlots;
  expect(() => decoder.clone()).toThrow(expect.objectContaining({ code: "opus/closed" }));
  expect(core.freeSlots).toBe(free);
});
