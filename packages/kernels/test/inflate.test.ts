import { deflateRawSync, constants as zlib } from "node:zlib";
import { isLongwaveError, SeededRandom } from "@longwave/base";
import { decodeBase64, decodeCore, inflate, instantiateCore } from "@longwave/kernels";
import { describe, expect, test } from "vitest";

const random = new SeededRandom(1951);

function noise(length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random.below(256));
}

/** Runs, text and noise in turn, so that all block types, far copies and overlapping copies occur. */
function mixture(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const run = Math.min(length - at, 1 + random.below(600));
    const kind = random.below(4);
    if (kind === 0) bytes.fill(random.below(256), at, at + run);
    else if (kind === 1) bytes.set(noise(run), at);
    else if (kind === 2) for (let i = 0; i < run; i++) bytes[at + i] = 97 + random.below(6);
    else bytes.copyWithin(at, Math.max(0, at - 1 - random.below(32768)), at);
    at += run;
  }
  return bytes;
}

describe("inflate", () => {
  const strategies = [zlib.Z_DEFAULT_STRATEGY, zlib.Z_FIXED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE];

  test.each([0, 1, 2, 100, 70_000, 200_000])("gives back what zlib compressed: %i bytes", (length) => {
    const bytes = mixture(length);
    for (const strategy of strategies) {
      for (const level of [0, 1, 9]) {
        const output = inflate(deflateRawSync(bytes, { level, strategy }), length);
        expect(Buffer.compare(output, bytes)).toBe(0);
      }
    }
  });

  test("answers damaged streams with kernels/corrupt or other bytes, never with anything else", () => {
    const bytes = mixture(3000);
    const good = deflateRawSync(bytes, { level: 9 });
    for (let round = 0; round < 3000; round++) {
      const bad = Uint8Array.from(good.subarray(0, 1 + random.below(good.length)));
      bad[random.below(bad.length)]! ^= 1 << random.below(8);
      try {
        expect(inflate(bad, bytes.length).length).toBe(bytes.length);
      } catch (error) {
        expect(isLongwaveError(error, "kernels/corrupt")).toBe(true);
      }
    }
  });

  test("refuses a stream that gives another size than announced", () => {
    const stream = deflateRawSync(noise(100));
    expect(() => inflate(stream, 99)).toThrow(expect.objectContaining({ code: "kernels/corrupt" }));
    expect(() => inflate(stream, 101)).toThrow(expect.objectContaining({ code: "kernels/corrupt" }));
  });
});

describe("decodeBase64", () => {
  test.each([0, 1, 2, 3, 4, 5, 1000])("agrees with Buffer for %i bytes", (length) => {
    const bytes = noise(length);
    expect(decodeBase64(Buffer.from(bytes).toString("base64"))).toEqual(bytes);
  });
});

describe("instantiateCore", () => {
  // The smallest module: magic and version, then one memory of one page, exported.
  const binary = Uint8Array.from([
    0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 5, 4, 1, 1, 1, 1, 7, 10, 1, 6, 109, 101, 109, 111, 114, 121, 2, 0,
  ]);
  const size = Buffer.from([binary.length, 0, 0, 0]);
  const packed = Buffer.concat([size, deflateRawSync(binary)]).toString("base64");

  test("takes compressed and plain text of a core", () => {
    expect(decodeCore(packed)).toEqual(binary);
    expect(instantiateCore(packed).memory.buffer.byteLength).toBe(65536);
    expect(instantiateCore(Buffer.from(binary).toString("base64")).memory.buffer.byteLength).toBe(65536);
  });

  test("names damage and a binary that the engine refuses", () => {
    expect(() => decodeCore("")).toThrow(expect.objectContaining({ code: "kernels/corrupt" }));
    expect(() => decodeCore("/////w==")).toThrow(expect.objectContaining({ code: "kernels/corrupt" }));
    const broken = Uint8Array.from(binary);
    broken[8] = 99;
    expect(() => instantiateCore(Buffer.from(broken).toString("base64"))).toThrow(
      expect.objectContaining({ code: "kernels/unsupported" }),
    );
  });
});
