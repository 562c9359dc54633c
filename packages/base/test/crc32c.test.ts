import { crc32c } from "@longwave/base";
import { describe, expect, test } from "vitest";

/** RFC 3720 appendix B.4, and the check value of the CRC catalogue. */
const vectors: readonly (readonly [name: string, bytes: Uint8Array, crc: number])[] = [
  ["32 zeros", new Uint8Array(32), 0x8a91_36aa],
  ["32 ones", new Uint8Array(32).fill(0xff), 0x62a8_ab43],
  ["0 to 31", Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd_794e],
  ["31 to 0", Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113f_db5c],
  [
    "an iSCSI read command",
    Uint8Array.from([
      1, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0x14, 0, 0, 0,
      0x18, 0x28, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0,
    ]),
    0xd996_3a56,
  ],
  ["123456789", new TextEncoder().encode("123456789"), 0xe306_9283],
  ["nothing", new Uint8Array(0), 0],
];

describe("crc32c", () => {
  test.each(vectors)("of %s", (_name, bytes, crc) => {
    expect(crc32c(bytes)).toBe(crc);
  });

  test("continues over pieces cut anywhere", () => {
    const bytes = Uint8Array.from({ length: 50 }, (_, i) => (i * 37) & 255);
    for (let cut = 0; cut <= 50; cut++)
      expect(crc32c(bytes, cut, 50, crc32c(bytes, 0, cut))).toBe(crc32c(bytes));
  });

  test("agrees with the definition for every alignment and length, also in a buffer that is no whole number of words", () => {
    const bytes = Uint8Array.from({ length: 1203 }, (_, i) => (i * i * 31 + 7 * i) & 255);
    for (let start = 0; start < 9; start++) {
      for (const length of [0, 1, 255, 256, 257, 258, 259, 260, 511, 1024, 1190, 1194]) {
        expect(crc32c(bytes, start, start + length)).toBe(bitwise(bytes.slice(start, start + length)));
      }
    }
  });

  test("changes with every bit", () => {
    const bytes = new Uint8Array(16);
    const seen = new Set([crc32c(bytes)]);
    for (let bit = 0; bit < 128; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      seen.add(crc32c(bytes));
      bytes[bit >> 3]! ^= 1 << (bit & 7);
    }
    expect(seen.size).toBe(129);
  });
});

/** One bit at a time, straight from the polynomial. */
function bitwise(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f6_3b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}
