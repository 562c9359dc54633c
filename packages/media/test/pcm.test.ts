import {
  decodeSamples,
  encodeSamples,
  fromInt16,
  mixChannels,
  mixMatrix,
  type SampleEncoding,
  toInt16,
} from "@longwave/media";
import { allocatedBytesPerCall } from "@longwave/testkit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

const integers = { u8: 8, s16: 16, s24: 24, s32: 32 } as const;

/** A sample's bytes by DataView, independent of the code under test. */
function integerBytes(value: number, bits: number, bigEndian: boolean): Uint8Array {
  const stored = bits === 8 ? value + 128 : value;
  const bytes = Uint8Array.from({ length: bits / 8 }, (_, i) => Math.floor(stored / 2 ** (8 * i)) & 255);
  return bigEndian ? bytes.reverse() : bytes;
}

const encodeOne = (value: number, encoding: SampleEncoding, bigEndian = false): Uint8Array => {
  const bytes = new Uint8Array({ u8: 1, s16: 2, s24: 3, s32: 4, f32: 4, f64: 8 }[encoding]);
  encodeSamples(Float32Array.of(value), 0, 1, encoding, bigEndian, bytes, 0);
  return bytes;
};

describe.each(Object.entries(integers) as [keyof typeof integers, number][])("%s", (encoding, bits) => {
  const scale = 2 ** (bits - 1);
  const inRange = fc.oneof(
    fc.integer({ min: -scale, max: scale - 1 }),
    fc.constantFrom(-scale, scale - 1, 0, 1, -1),
  );

  test("integers become their value over 2^(n-1), in both byte orders", () => {
    fc.assert(
      fc.property(inRange, fc.boolean(), (value, bigEndian) => {
        const pcm = new Float32Array(3);
        decodeSamples(integerBytes(value, bits, bigEndian), 0, encoding, bigEndian, pcm, 1, 1);
        expect([...pcm]).toEqual([0, Math.fround(value / scale), 0]);
      }),
    );
  });

  test("what a float can hold comes back unchanged", () => {
    fc.assert(
      fc.property(inRange, fc.boolean(), (value, bigEndian) => {
        const kept = bits === 32 ? Math.trunc(value / 256) * 256 : value;
        expect(encodeOne(kept / scale, encoding, bigEndian)).toEqual(integerBytes(kept, bits, bigEndian));
      }),
    );
  });

  test("beyond full scale it clips, and NaN is silence", () => {
    expect(encodeOne(1, encoding)).toEqual(integerBytes(scale - 1, bits, false));
    expect(encodeOne(7, encoding)).toEqual(integerBytes(scale - 1, bits, false));
    expect(encodeOne(Number.POSITIVE_INFINITY, encoding)).toEqual(integerBytes(scale - 1, bits, false));
    expect(encodeOne(-1, encoding)).toEqual(integerBytes(-scale, bits, false));
    expect(encodeOne(-1.5, encoding)).toEqual(integerBytes(-scale, bits, false));
    expect(encodeOne(Number.NEGATIVE_INFINITY, encoding)).toEqual(integerBytes(-scale, bits, false));
    expect(encodeOne(Number.NaN, encoding)).toEqual(integerBytes(0, bits, false));
  });
});

describe("rounding", () => {
  test.each([
    [0.5, 0],
    [1.5, 2],
    [2.5, 2],
    [-0.5, 0],
    [-1.5, -2],
    [-2.5, -2],
    [2.500_01, 3],
    [2.499_99, 2],
    [32_766.5, 32_766],
    [-32_767.5, -32_768],
  ])("%f steps of 16 bits become %i", (steps, rounded) => {
    const pcm = Float32Array.of(steps / 32_768);
    const ints = new Int16Array(1);
    expect(toInt16(pcm, ints)).toBe(1);
    expect(ints[0]).toBe(rounded);
    expect(encodeOne(pcm[0]!, "s16")).toEqual(integerBytes(rounded, 16, false));
  });

  test("all 65,536 values of 16 bits survive the way to floats and back", () => {
    const ints = Int16Array.from({ length: 65_536 }, (_, i) => i - 32_768);
    const pcm = new Float32Array(ints.length);
    const back = new Int16Array(ints.length);
    fromInt16(ints, pcm);
    toInt16(pcm, back);
    expect(Buffer.compare(Buffer.from(back.buffer), Buffer.from(ints.buffer))).toBe(0);
  });
});

describe.each(["f32", "f64"] as const)("%s", (encoding) => {
  test("keeps every float, in both byte orders", () => {
    fc.assert(
      fc.property(fc.float(), fc.boolean(), (value, bigEndian) => {
        const expected = new DataView(new ArrayBuffer(8));
        if (encoding === "f32") expected.setFloat32(0, value, !bigEndian);
        else expected.setFloat64(0, value, !bigEndian);
        const bytes = encodeOne(value, encoding, bigEndian);
        const pcm = new Float32Array(1);
        decodeSamples(bytes, 0, encoding, bigEndian, pcm, 0, 1);
        expect(Object.is(pcm[0], Math.fround(value))).toBe(true);
        if (!Number.isNaN(value)) expect(bytes).toEqual(new Uint8Array(expected.buffer, 0, bytes.length));
      }),
    );
  });
});

describe("ranges", () => {
  test("samples that do not fit are refused", () => {
    const bytes = new Uint8Array(5);
    const pcm = new Float32Array(2);
    for (const call of [
      () => decodeSamples(bytes, 0, "s16", false, new Float32Array(9), 0, 3),
      () => decodeSamples(bytes, 0, "u8", false, pcm, 1, 2),
      () => decodeSamples(bytes, -1, "u8", false, pcm, 0, 1),
      () => encodeSamples(pcm, 0, 2, "s24", false, bytes, 0),
      () => encodeSamples(pcm, 1, 2, "u8", false, bytes, 0),
      () => toInt16(pcm, new Int16Array(1)),
    ]) {
      expect(call).toThrow(expect.objectContaining({ code: "media/bad-argument" }));
    }
  });
});

describe("mixing", () => {
  const mix = (pcm: number[], from: number, to: number): number[] => {
    const into = new Float32Array((pcm.length / from) * to);
    mixChannels(Float32Array.from(pcm), from, into, to, pcm.length / from, mixMatrix(from, to));
    return [...into];
  };

  test("mono is copied to every channel, and anything becomes mono as the mean", () => {
    expect(mix([0.25, -1], 1, 3)).toEqual([0.25, 0.25, 0.25, -1, -1, -1]);
    expect(mix([1, 0, 0.5, -0.5], 2, 1)).toEqual([0.5, 0]);
    expect(mix([1, 1, 1, 1], 4, 1)).toEqual([1]);
  });

  test("5.1 becomes stereo with centre and surrounds 3 dB down, without LFE, and cannot clip", () => {
    const [left, right] = mix([0, 0, 1, 0, 0, 0], 6, 2);
    const [full] = mix([1, 0, 0, 0, 0, 0], 6, 2);
    expect(left).toBe(right);
    expect(left! / full!).toBeCloseTo(Math.SQRT1_2, 6);
    expect(mix([0, 0, 0, 1, 0, 0], 6, 2)).toEqual([0, 0]);
    for (let from = 3; from <= 8; from++) {
      for (const sample of mix(new Array(from).fill(1), from, 2)) expect(sample).toBeLessThanOrEqual(1);
    }
  });

  test("in place gives the same", () => {
    const pcm = Float32Array.from({ length: 60 }, (_, i) => i / 60);
    const apart = new Float32Array(20);
    mixChannels(pcm, 6, apart, 2, 10, mixMatrix(6, 2));
    mixChannels(pcm, 6, pcm, 2, 10, mixMatrix(6, 2));
    expect(pcm.subarray(0, 20)).toEqual(apart);
  });

  test("a pair without a rule is refused", () => {
    expect(() => mixMatrix(6, 4)).toThrow(expect.objectContaining({ code: "media/channel-mix" }));
    expect(() => mixMatrix(2, 3)).toThrow(expect.objectContaining({ code: "media/channel-mix" }));
  });
});

describe("allocation", () => {
  const pcm = new Float32Array(96);
  const bytes = new Uint8Array(96 * 8);
  const encodings = ["u8", "s16", "s24", "s32", "f32", "f64"] as const;
  test("converting costs nothing on the heap", () => {
    const call = () => {
      for (const encoding of encodings) {
        encodeSamples(pcm, 0, 96, encoding, true, bytes, 0);
        decodeSamples(bytes, 0, encoding, false, pcm, 0, 96);
      }
    };
    expect(allocatedBytesPerCall(call, { warmupCalls: 5000, calls: 5000 }).heap).toBeLessThan(1);
  });
});
