import { SeededRandom } from "@longwave/base";
import { describe, expect, test } from "vitest";
import { decodeDifference, encodeDifference } from "../src/difference-code.ts";

const random = new SeededRandom(61);
const noise = (length: number) => Uint8Array.from({ length }, () => random.below(256));

/** Words of a slow oscillation, as sound in a decoder's history. */
function sound(words: number, loudness: number): Uint8Array {
  const samples = new Int16Array(words);
  for (let i = 0, step = 40; i < words; i++) {
    step = (step * 1103 + 12_345) & 1023;
    samples[i] = loudness * Math.abs(((i * 3) % 64) - 32) + (step >> 6);
  }
  return new Uint8Array(samples.buffer);
}

describe("a state told by one that comes near", () => {
  test("is the same again, whatever both are", () => {
    for (const length of [0, 1, 2, 7, 31, 32, 33, 64, 1238, 1239]) {
      for (let round = 0; round < 10; round++) {
        const near = noise(length);
        const state = round % 2 === 0 ? noise(length) : Uint8Array.from(near);
        if (round % 2 === 1)
          for (let i = 0; i < 4 && length > 0; i++) state[random.below(length)]! ^= 1 << (round % 8);
        expect(decodeDifference(near, encodeDifference(state, near)!)).toEqual(state);
      }
    }
    expect(encodeDifference(new Uint8Array(4), new Uint8Array(5))).toBeUndefined();
  });

  test("takes a bit for sixteen words that are equal, or zero", () => {
    const near = noise(3200);
    expect(encodeDifference(near, near)!.length).toBe(13);
    const half = Uint8Array.from(near);
    half.fill(0, 1600);
    expect(encodeDifference(half, near)!.length).toBeLessThan(15);
  });

  test("takes less where it is sound than its words do, and noise hardly more", () => {
    const near = noise(640);
    expect(encodeDifference(sound(320, 100), near)!.length).toBeLessThan(450);
    expect(encodeDifference(noise(640), near)!.length).toBeLessThan(640 * 1.12);
  });

  test("is refused or something else where bytes were changed, cut or added, never read out of bounds or endlessly", () => {
    const near = noise(1238);
    const state = sound(619, 30);
    const code = encodeDifference(state, near)!;
    expect(decodeDifference(near, code.subarray(0, -1))).toBeUndefined();
    expect(decodeDifference(near, Uint8Array.from([...code, 0]))).toBeUndefined();
    for (let round = 0; round < 300; round++) {
      const bit = random.below(8 * code.length);
      const changed = Uint8Array.from(code);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(decodeDifference(near, changed)).not.toEqual(state);
      decodeDifference(near, noise(random.below(600)));
    }
    expect(decodeDifference(near, new Uint8Array(700).fill(0xff))).toBeUndefined();
  });
});
