import { expect, test } from "vitest";
import { xxHash64 } from "../src/hash-core.ts";

const text = (value: string) => new TextEncoder().encode(value);

function hashOf(bytes: Uint8Array): string {
  const words = new Uint32Array(2);
  xxHash64(words, bytes);
  return words[1]!.toString(16).padStart(8, "0") + words[0]!.toString(16).padStart(8, "0");
}

/** Independent BigInt definition, straight from the xxHash specification. */
function slowHash(bytes: Uint8Array): string {
  const mask = (1n << 64n) - 1n;
  const p1 = 11400714785074694791n;
  const p2 = 14029467366897019727n;
  const p3 = 1609587929392839161n;
  const p4 = 9650029242287828579n;
  const p5 = 2870177450012600261n;
  const rotl = (x: bigint, r: bigint) => ((x << r) | (x >> (64n - r))) & mask;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const round = (acc: bigint, word: bigint) => (rotl((acc + word * p2) & mask, 31n) * p1) & mask;
  let at = 0;
  let h: bigint;
  if (bytes.length >= 32) {
    const v = [(p1 + p2) & mask, p2, 0n, (mask + 1n - p1) & mask];
    for (; at + 32 <= bytes.length; at += 32) {
      for (let i = 0; i < 4; i++) v[i] = round(v[i]!, view.getBigUint64(at + 8 * i, true));
    }
    h = (rotl(v[0]!, 1n) + rotl(v[1]!, 7n) + rotl(v[2]!, 12n) + rotl(v[3]!, 18n)) & mask;
    for (const each of v) h = (((h ^ round(0n, each)) * p1) & mask) + p4;
    h &= mask;
  } else h = p5;
  h = (h + BigInt(bytes.length)) & mask;
  for (; at + 8 <= bytes.length; at += 8) {
    h = (rotl(h ^ round(0n, view.getBigUint64(at, true)), 27n) * p1 + p4) & mask;
  }
  if (at + 4 <= bytes.length) {
    h = (rotl(h ^ ((BigInt(view.getUint32(at, true)) * p1) & mask), 23n) * p2 + p3) & mask;
    at += 4;
  }
  for (; at < bytes.length; at++) h = (rotl(h ^ ((BigInt(bytes[at]!) * p5) & mask), 11n) * p1) & mask;
  h = ((h ^ (h >> 33n)) * p2) & mask;
  h = ((h ^ (h >> 29n)) * p3) & mask;
  return (h ^ (h >> 32n)).toString(16).padStart(16, "0");
}

test("the published value of the empty input", () => {
  expect(hashOf(text(""))).toBe("ef46db3751d8e999");
});

test("agrees with the definition for every length up to 200 and for pieces of any size", () => {
  const bytes = new Uint8Array(200).map((_, i) => (i * 197 + 13) & 255);
  for (let length = 0; length <= bytes.length; length++) {
    const whole = slowHash(bytes.slice(0, length));
    expect(hashOf(bytes.slice(0, length))).toBe(whole);
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < length; at += 7) pieces.push(bytes.subarray(at, Math.min(length, at + 7)));
    const words = new Uint32Array(2);
    xxHash64(words, ...pieces);
    expect(words[1]! * 2 ** 32 + words[0]!).toBe(Number(BigInt(`0x${whole}`)));
  }
});

test("agrees with the definition beyond what the core takes at once", () => {
  const bytes = new Uint8Array(140_003).map((_, i) => (i * i * 31 + (i >> 7)) & 255);
  expect(hashOf(bytes)).toBe(slowHash(bytes));
});
