import { describe, expect, test } from "vitest";
import { changesMode, packetConceals, startsInactive } from "../src/concealing-packet.ts";

describe("packetConceals", () => {
  test.each<[string, number[], boolean]>([
    ["an empty packet", [], true],
    ["code 0 without payload", [0x48], true],
    ["code 0 with one byte", [0x48, 1], true],
    ["code 0 with two bytes", [0x48, 1, 2], false],
    ["code 1 with one byte a frame", [0x49, 1, 2], true],
    ["code 1 with two bytes a frame", [0x49, 1, 2, 3, 4], false],
    ["code 2 whose first frame is empty", [0x4a, 0, 1, 2, 3], true],
    ["code 2 whose second frame is empty", [0x4a, 2, 1, 2], true],
    ["code 2 with two bytes each", [0x4a, 2, 1, 2, 3, 4], false],
    ["code 3, constant, padded, two frames of two bytes", [0x4b, 0x42, 1, 1, 2, 3, 4, 0], false],
    ["code 3, constant, padded, two frames of one byte", [0x4b, 0x42, 1, 1, 2, 0], true],
    ["code 3, variable, an empty frame in the middle", [0x4b, 0x83, 2, 0, 1, 2, 3, 4], true],
    ["code 3, variable, all with sound", [0x4b, 0x83, 2, 2, 1, 2, 3, 4, 5, 6], false],
  ])("%s: %j -> %s", (_, bytes, conceals) => {
    expect(packetConceals(Uint8Array.from(bytes))).toBe(conceals);
  });
});

test("a change between CELT and SILK is one, hybrid to SILK and the first packet are none", () => {
  const [silk, hybrid, celt] = [Uint8Array.of(0x48), Uint8Array.of(0x78), Uint8Array.of(0xf8)];
  expect(changesMode(silk, celt)).toBe(true);
  expect(changesMode(celt, hybrid)).toBe(true);
  expect(changesMode(silk, hybrid)).toBe(false);
  expect(changesMode(undefined, celt)).toBe(false);
});

test("knows a SILK packet that begins with an inactive frame by the first bit of its frame", () => {
  // Wide-band SILK of 20 ms, one frame; the range coder's first symbol, of even odds, is the frame's first bit.
  expect(startsInactive(Uint8Array.of(0x48, 0x7f, 1))).toBe(true);
  expect(startsInactive(Uint8Array.of(0x48, 0x80, 1))).toBe(false);
  // CELT, several frames, comfort noise and losses tell nothing.
  expect(startsInactive(Uint8Array.of(0xf8, 0, 1))).toBe(false);
  expect(startsInactive(Uint8Array.of(0x49, 0, 1))).toBe(false);
  expect(startsInactive(Uint8Array.of(0x48, 0))).toBe(false);
  expect(startsInactive(undefined)).toBe(false);
});
