import { crc32c as tableCrc32c } from "@longwave/base";
import fc from "fast-check";
import { expect, test } from "vitest";
import { crc32c } from "../src/hash-core.ts";
import { SampleDigest } from "../src/sample-digest.ts";

/** Bytes that look random; the same for the same seed. */
function noise(length: number, seed: number): Uint8Array {
  let word = seed | 1;
  return new Uint8Array(length).map(() => {
    word = Math.imul(word ^ (word >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
    return word >>> 24;
  });
}

/** One bit after the other, as RFC 3720 appendix B.4 defines it. */
function bitByBit(bytes: Uint8Array, seed: number): number {
  let crc = ~seed;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

test("the check value of 32 zero bytes and of a long run of zeros", () => {
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(50_000))).toBe(bitByBit(new Uint8Array(50_000), 0));
});

test("agrees with the definition around the length from which words are cancelled", () => {
  const bytes = noise(4500, 3);
  for (let length = 4090; length < 4500; length += 13) {
    const part = bytes.subarray(0, length);
    expect(crc32c(part)).toBe(bitByBit(part, 0));
  }
});

test("any part of a buffer with any seed gives what the tables give, beyond what the core takes at once", () => {
  const bytes = noise(300_000, 7);
  const place = fc.tuple(fc.nat(bytes.length), fc.nat(bytes.length), fc.nat(0xffff_ffff));
  fc.assert(
    fc.property(place, ([a, b, seed]) => {
      const [start, end] = a < b ? [a, b] : [b, a];
      expect(crc32c(bytes, start, end, seed)).toBe(tableCrc32c(bytes, start, end, seed));
    }),
    { numRuns: 60, seed: 11 },
  );
});

test("a digest of samples is that of their bytes, however they come", () => {
  const bytes = noise(4 * 2 * 60_000, 5);
  const pcm = new Float32Array(bytes.buffer);
  const digest = new SampleDigest(2);
  let seed = 1;
  for (let at = 0; at < 60_000; ) {
    seed = (seed * 75) % 65_537;
    const to = Math.min(60_000, at + (seed % 3000));
    digest.add(pcm, at, to);
    at = to;
    if (seed % 5 === 0) expect(digest.value()).toBe(tableCrc32c(bytes, 0, 8 * to));
  }
  expect(digest.value()).toBe(tableCrc32c(bytes));
  digest.begin(99);
  digest.add(pcm, 10, 20);
  expect(digest.value()).toBe(tableCrc32c(bytes, 80, 160, 99));
});
